//! A stream is forgotten by a call that dies or stalls, while pushes of it begin.

use store::counter;
use store::memory::{Actor, Outcome};

use super::*;
use crate::error::Error;
use crate::key;
use crate::log::StreamDay;
use crate::seal::retention;
use crate::time::DAY_MS;

const LATER: u64 = NOW + 300 * DAY_MS;

/// A stream that two pushes are noted of which ended long ago, and offers.
fn forgettable(offers: &[&str]) -> World {
    let world = World::new();
    let (store, bucket) = (&world.store, &world.bucket);
    for id in ["old-1", "old-2"] {
        push(&world, id, "g", "spool.1", NOW);
        run(session::end(store, bucket, id, 0, 0, 0, NOW)).unwrap();
    }
    for id in offers {
        let session = Session { began_ms: LATER, ..session_of(id) };
        run(session::offer(store, bucket, session, None, None, LATER)).unwrap();
    }
    world
}

fn forget(world: &World) -> Actor<'_, Result<(), Error>> {
    Box::pin(async {
        let stream = session_of("").stream.key();
        retention::forget_stream(&world.store, StreamDay { stream: &stream, day: 0 }, LATER).await
    })
}

fn adopt<'a>(world: &'a World, id: &'a str, now_ms: u64) -> Actor<'a, Result<(), Error>> {
    Box::pin(async move {
        let session = session::get(&world.store, &world.bucket, id).await?;
        session::adopt(&world.store, &world.bucket, &session, now_ms).await.map(drop)
    })
}

/// Goes on until something holds; answers whether there is more to do then.
fn goes_on(world: &World, actor: &mut Actor<'_, Result<(), Error>>, is_there: impl Fn() -> bool) -> bool {
    while !is_there() {
        if world.store.scheduler().step(actor, Outcome::Applied).0.is_ready() {
            return false;
        }
    }
    true
}

fn ticks_until(world: &World, from_ms: u64, to_ms: u64) {
    for now_ms in (from_ms..to_ms).step_by(10_000) {
        tick(world, now_ms);
    }
}

fn found(world: &World) -> Vec<String> {
    let stream = session_of("").stream;
    assert!(run(live::is_known(&world.store, &stream)).unwrap());
    let found = run(live::not_ended_of_stream(&world.store, &stream, LATER)).unwrap();
    found.into_iter().map(|session| session.id).collect()
}

#[test]
fn a_push_is_found_wherever_the_call_dies_that_forgets_its_stream() {
    // It begins after so many operations of that call, which dies after so many more; answers whether it was over before.
    let is_over_at = |before: usize, more: usize| {
        let world = forgettable(&["a"]);
        let mut forgetting = forget(&world);
        let mut steps = |count: usize| {
            (0..count).any(|_| world.store.scheduler().step(&mut forgetting, Outcome::Applied).0.is_ready())
        };
        if steps(before) {
            return true;
        }
        run(adopt(&world, "a", LATER)).unwrap();
        steps(more);
        ticks_until(&world, LATER, LATER + 300_000);
        assert_eq!(found(&world), ["a"], "{before} {more}");
        false
    };
    let operations = (0..).find(|before| (0..25).any(|more| is_over_at(*before, more)));
    assert!(operations.is_some_and(|operations| operations > 10), "{operations:?}");
}

/// One of them has drawn a number that is forgotten, and writes under it when another one has drawn it anew.
#[test]
fn pushes_are_found_though_the_calls_that_forget_their_stream_and_begin_one_stall() {
    let world = forgettable(&["a", "b", "c"]);
    let list = key::live_of_stream(&session_of("").stream.key());
    let drawn = || run(counter::value(&world.store, &format!("{list}.n"))).unwrap();
    let is_recalled_later = || {
        let values = world.store.entries_under("t.");
        values.iter().any(|(_, value)| String::from_utf8_lossy(value).contains(" a "))
    };
    assert_eq!(drawn(), 2);
    let mut forgetting = forget(&world);
    assert!(goes_on(&world, &mut forgetting, is_recalled_later));
    // It sees that no tick has come since.
    assert!(world.store.scheduler().step(&mut forgetting, Outcome::Applied).0.is_pending());
    ticks_until(&world, LATER, LATER + 105_000);
    let mut stalled = adopt(&world, "a", LATER + 105_000);
    assert!(goes_on(&world, &mut stalled, || drawn() == 3));
    assert!(!goes_on(&world, &mut forgetting, || false));
    ticks_until(&world, LATER + 110_000, LATER + 135_000);
    for id in ["b", "c"] {
        run(adopt(&world, id, LATER + 135_000)).unwrap();
    }
    ticks_until(&world, LATER + 140_000, LATER + 200_000);
    assert!(!goes_on(&world, &mut stalled, || false));
    ticks_until(&world, LATER + 200_000, LATER + 400_000);
    assert_eq!(found(&world), ["a", "b", "c"]);
}
