//! Which pushes are live, by their stream and by their domain, and which streams are known.

use store::memory::run;

use super::gateways::begin;
use super::world::{NOW, World, session_of};
use crate::live;
use crate::session::Session;
use crate::stream::StreamName;
use crate::time::DAY_MS;

fn stream(domain: &str, name: &str) -> StreamName {
    StreamName { domain: domain.into(), app: "a".into(), stream: name.into() }
}

fn push(world: &World, id: &str, stream: &StreamName, began_ms: u64) {
    let session = Session { stream: stream.clone(), began_ms, ..session_of(id) };
    begin(world, session, None, began_ms);
}

fn ids(sessions: Vec<Session>) -> Vec<String> {
    sessions.into_iter().map(|session| session.id).collect()
}

fn is_known(world: &World, stream: &StreamName) -> bool {
    run(live::is_known(&world.store, stream)).unwrap()
}

#[test]
fn live_pushes_are_found_by_their_stream_and_by_their_domain() {
    let world = World::new();
    let streams = [stream("d", "s"), stream("d", "t"), stream("other", "s")];
    assert!(streams.iter().all(|stream| !is_known(&world, stream)));
    for (id, stream, began_ms) in
        [("y", &streams[0], NOW + 1), ("x", &streams[1], NOW + 2), ("z", &streams[2], NOW)]
    {
        push(&world, id, stream, began_ms);
    }
    let of_domain = |domain| ids(run(live::of_domain(&world.store, domain, NOW)).unwrap());
    let of_stream = |stream| ids(run(live::of_stream(&world.store, stream, NOW)).unwrap());
    // Oldest first.
    assert_eq!(["d", "other", "nobodys"].map(of_domain), [vec!["y", "x"], vec!["z"], vec![]]);
    assert_eq!(streams.each_ref().map(of_stream), [["y"], ["x"], ["z"]]);
    run(world.try_end("y", 0)).unwrap();
    assert_eq!(of_domain("d"), ["x"]);
    assert!(streams.iter().all(|stream| is_known(&world, stream)));
    assert!(!is_known(&world, &stream("d", "u")));
}

/// It is noted in the day of its begin, by the clock of the host that took it.
#[test]
fn a_push_that_began_as_its_stream_was_forgotten_is_recalled_though_clocks_differ() {
    const TODAY: u64 = 20_000;
    for (day, has_ended) in [(TODAY - 1, false), (TODAY, false), (TODAY + 1, false), (TODAY, true)] {
        let world = World::new();
        let (stream, began_ms) = (stream("d", "s"), day * DAY_MS + 1);
        push(&world, "a", &stream, began_ms);
        let (store, key, now_ms) = (&world.store, stream.key(), TODAY * DAY_MS + DAY_MS / 2);
        run(live::forget_stream(store, &key)).unwrap();
        let found = || ids(run(live::of_stream(store, &stream, now_ms)).unwrap());
        assert!(found().is_empty() && !is_known(&world, &stream), "{day}");
        if has_ended {
            run(world.try_end("a", 0)).unwrap();
        }
        run(live::recall_stream(store, &key, now_ms)).unwrap();
        assert_eq!(found(), [["a"].as_slice(), &[]][usize::from(has_ended)], "{day}");
        // It is forgotten with that day.
        assert!(is_known(&world, &stream), "{day}");
    }
}
