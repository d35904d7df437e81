//! Pushes of one recording that hosts with clocks of their own have begun: what comes first is told by the chain alone.

use store::memory::run;

use super::media::Push;
use super::over::is_over;
use super::world::{KEPT, NOW, World, session_of};
use crate::decision::WorkBucket;
use crate::due::{self, Lane};
use crate::rule::Container;
use crate::session::{self, Session};
use crate::time::{CALL_MAX_MS, DAY_MS, Retention};
use crate::{file, media};

const HOUR_MS: u64 = 3_600_000;

/// A session that is recorded as MP4 and FLV, in files of so many seconds.
fn recorded(id: &str, began_ms: u64, cycles_seconds: [u32; 2]) -> Session {
    let mut session = Session { began_ms, ..session_of(id) };
    for rule in session.rule.iter_mut() {
        let format = rule.formats.remove(0);
        for (container, cycle_seconds) in [Container::Mp4, Container::Flv].into_iter().zip(cycles_seconds) {
            rule.formats.push(crate::rule::Format {
                container,
                cycle_seconds,
                slices: None,
                ..format.clone()
            });
        }
    }
    session
}

/// Has the next record file of recording `a` written at a moment.
fn write(world: &World, container: Container, now_ms: u64) {
    run(async {
        let file = file::complete(&world.store, &world.bucket, "a", container).await.unwrap().unwrap();
        let of = ("a", container);
        media::release(&world.store, &world.bucket, of, &file, 0, now_ms).await.unwrap();
        file::written(&world.store, "a", container, &file).await.unwrap();
    });
}

pub(crate) fn compose(world: &World, now_ms: u64) {
    run(async {
        for timer in due::due(&world.store, Lane::Compose, now_ms).await.unwrap() {
            let attended =
                due::attend(&world.store, &world.bucket, &timer, Retention::default(), now_ms).await;
            attended.unwrap();
            due::settle(&world.store, &[timer], &[], &[], now_ms).await.unwrap();
        }
    });
}

/// The same now, and once what waits again has waited.
fn compose_twice(world: &World, now_ms: u64) {
    compose(world, now_ms);
    compose(world, now_ms + 2 * CALL_MAX_MS);
}

/// How many chunks of a session have media.
fn kept(world: &World, id: &str) -> usize {
    let prefix = format!("media/{id}/");
    world.bucket.names().iter().filter(|name| name.starts_with(&prefix)).count()
}

fn keep(world: &World, push: &Push<'_>) {
    for seq in 0..push.chunks {
        let name = naming::media_object(&push.session.id, seq);
        run(world.bucket.create_or_read(&name, b"media")).unwrap();
    }
}

#[test]
fn media_of_files_to_be_written_stays_whatever_clocks_say() {
    for (a_ms, b_ms) in [(NOW, NOW + 1_200_000), (NOW + HOUR_MS, NOW + 1_200_000), (NOW, NOW + HOUR_MS)] {
        let world = World::new();
        let cycles_seconds = [24 * 60, 16 * 60];
        let mut first = Push::begin_as(&world, recorded("a", a_ms, cycles_seconds), None);
        first.slices(240);
        first.end(1_200_000);
        let mut second = Push::begin_as(&world, recorded("b", b_ms, cycles_seconds), Some(("a", 1_000)));
        second.slices(60);
        keep(&world, &first);
        keep(&world, &second);
        // The FLV file ends in the first push, the MP4 file with the 48th chunk of the second one.
        write(&world, Container::Flv, NOW);
        write(&world, Container::Mp4, NOW);
        compose_twice(&world, NOW + CALL_MAX_MS);
        assert_eq!((kept(&world, "a"), kept(&world, "b")), (240 - 192, 60), "{a_ms} {b_ms}");
        // The second FLV file ends with the 144th chunk of the second push.
        second.slices(90);
        write(&world, Container::Flv, NOW + 4 * CALL_MAX_MS);
        compose_twice(&world, NOW + 10 * CALL_MAX_MS);
        assert_eq!((kept(&world, "a"), kept(&world, "b")), (0, 60 - 48), "{a_ms} {b_ms}");
    }
}

/// Another call may have the same file in hand, or bring a chunk of it again: it is over when a call can be, by whichever
/// clock.
#[test]
fn media_stays_until_calls_are_over_though_the_next_host_is_an_hour_ahead() {
    for ahead_ms in [0, HOUR_MS] {
        let world = World::new();
        let mut push = Push::begin_as(&world, recorded("a", NOW, [60, 60]), None);
        push.slices(12);
        keep(&world, &push);
        write(&world, Container::Flv, NOW);
        write(&world, Container::Mp4, NOW);
        for elapsed_ms in [0, CALL_MAX_MS, 2 * CALL_MAX_MS - 1] {
            compose(&world, NOW + ahead_ms + elapsed_ms);
            assert_eq!(kept(&world, "a"), 12, "{ahead_ms} {elapsed_ms}");
        }
        compose(&world, NOW + ahead_ms + 3 * CALL_MAX_MS);
        assert_eq!(kept(&world, "a"), 0, "{ahead_ms}");
    }
}

#[test]
fn a_session_is_before_those_that_continue_it_alone() {
    let world = World::new();
    for (id, before) in [("a", None), ("b", Some("a")), ("c", Some("b"))] {
        Push::begin(&world, id, NOW, before.map(|before| (before, 1_000)));
    }
    let is_before = |one, other| run(session::is_before(&world.store, &world.bucket, one, other)).unwrap();
    assert!(is_before("a", "b") && is_before("a", "c") && is_before("b", "c"));
    // One between them has left the store.
    run(store::Store::delete(&world.store, &crate::key::continued("b"))).unwrap();
    assert!(is_before("a", "c") && is_before("b", "c"));
    assert!(!is_before("b", "a") && !is_before("a", "a") && !is_before("c", "a") && !is_before("c", "c"));
}

/// A push of which nothing came lies between the end of the last file that is written and the push that goes on: that file
/// is where the next one is looked for, so the way to it leads past the empty one.
#[test]
fn an_empty_push_stays_until_a_file_past_it_is_written_whatever_clocks_say() {
    for first_ms in [NOW, NOW + HOUR_MS, NOW + DAY_MS] {
        let world = World::new();
        let begin = |id, began_ms, after: Option<&str>| {
            Push::begin(&world, id, began_ms, after.map(|after| (after, 1_000)))
        };
        let mut first = begin("a", first_ms, None);
        first.slices(180);
        first.end(900_000);
        begin("b", NOW + 901_000, Some("a")).end(0);
        let mut last = begin("c", NOW + 902_000, Some("b"));
        last.slices(10);
        let write = || {
            run(async {
                let file = file::complete(&world.store, &world.bucket, "a", Container::M3u8).await.unwrap();
                file::written(&world.store, "a", Container::M3u8, &file.unwrap()).await.unwrap();
            });
        };
        let is_over = |id, leaving: &[&str]| is_over(&world, id, leaving, KEPT, NOW + 1);
        write();
        assert_eq!((is_over("a", &[]), is_over("b", &[])), (false, false), "{first_ms}");
        last.slices(170);
        write();
        // They leave one after the other.
        let is_over = (is_over("a", &[]), is_over("b", &[]), is_over("b", &["a"]));
        assert_eq!(is_over, (true, false, true), "{first_ms}");
    }
}
