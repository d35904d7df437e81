//! What slices and record files are called, also where somebody else has their names.

use store::memory::run;

use super::gateways::{beat, hear};
use super::media::Push;
use super::world::{NOW, World, session_of, slice};
use crate::chunk::{Chunk, Slice};
use crate::commit::{self, Turn};
use crate::rule::Container;
use crate::session::Session;
use crate::{file, names, replacing};

/// A session at 2017-03-08 15:09:46.999 UTC, which names go by Chinese time.
fn session(id: &str) -> Session {
    let mut session = Session { timezone: "+08:00".into(), began_ms: 1_488_985_786_999, ..session_of(id) };
    let format = &mut session.rule.as_mut().unwrap().formats[0];
    format.object_prefix =
        "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}".into();
    let slices = format.slices.as_mut().unwrap();
    slices.object_prefix = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}".into();
    session
}

#[test]
fn names_follow_from_the_session_and_what_is_committed() {
    let world = World::new();
    let mut push = Push::begin_as(&world, session("x"), None);
    push.slices(3);
    push.end(15_000);
    run(file::close_break(&world.bucket, "x")).unwrap();
    let start_ms = push.session.began_ms + 5_000;
    assert_eq!(names::slice(&push.session, 1, start_ms, 0).unwrap(), "record/a/s/1488985791_1.ts");
    let other = names::slice(&push.session, 1, start_ms, 2).unwrap();
    assert!(other.starts_with("record/a/s/1488985791_1-") && other.ends_with("-2.ts"), "{other}");
    assert!(naming::tag::is_own(&other, &naming::tag::slice("x", 1)), "{other}");
    let complete = run(file::complete(&world.store, &world.bucket, "x", Container::M3u8)).unwrap().unwrap();
    let name = names::file(&push.session, &complete, Container::M3u8, 0).unwrap();
    assert_eq!(name, "record/a/s/0_2017-03-08-23-09-46_2017-03-08-23-10-01.m3u8");
    let other = names::file(&push.session, &complete, Container::M3u8, 1).unwrap();
    assert!(naming::tag::is_own(&other, &naming::tag::file("x", "m3u8", 0)), "{other}");
    names::file(&push.session, &complete, Container::Flv, 0).unwrap_err();
}

#[test]
fn a_name_that_is_taken_is_passed_over_by_every_later_try() {
    let world = World::new();
    Push::begin_as(&world, session("x"), None);
    let taken = || match run(commit::prepare(&world.store, &world.bucket, "x", 0, NOW)).unwrap() {
        Turn::Next(prepared) => prepared.names_taken,
        other => panic!("{other:?}"),
    };
    assert_eq!(taken(), 0);
    for count in 1..4 {
        assert_eq!(run(names::take_slice(&world.store, "x", 0, count)).unwrap(), count);
        assert_eq!(taken(), count);
    }
    let store = &world.store;
    let of_file = |number| run(names::file_taken(store, "x", Container::M3u8, number)).unwrap();
    run(names::take_file(store, "x", Container::M3u8, 1, 2)).unwrap();
    assert_eq!([of_file(0), of_file(1)], [0, 2]);
    assert_eq!(run(names::file_taken(store, "x", Container::Mp4, 1)).unwrap(), 0);
}

/// What is pushed beside it names its slices alike.
#[test]
fn slices_after_one_whose_name_was_taken_have_names_of_their_own_at_once() {
    let world = World::new();
    let mut push = Push::begin_as(&world, session("x"), None);
    push.slices(1);
    let taken = |seq| match run(commit::prepare(&world.store, &world.bucket, "x", seq, NOW)).unwrap() {
        Turn::Next(prepared) => prepared.names_taken,
        other => panic!("{other:?}"),
    };
    assert_eq!(taken(1), 0);
    push.other(Chunk::Slice(Slice { names_taken: 2, ..slice(1) }));
    assert_eq!(taken(2), 1);
    push.slices(1);
    assert_eq!(taken(3), 1);
}

#[test]
fn a_push_right_after_another_ones_begin_names_its_slices_apart_from_it() {
    for (later_ms, taken) in [(1_000, 1), (1_999, 1), (2_000, 0), (60_000, 0)] {
        let world = World::new();
        let first = Push::begin_as(&world, session("x"), None);
        let began_ms = first.session.began_ms + later_ms;
        let mut first = first;
        first.slices(1);
        first.end(500);
        Push::begin_as(&world, Session { began_ms, ..session("y") }, Some(("x", 100)));
        match run(commit::prepare(&world.store, &world.bucket, "y", 0, began_ms)).unwrap() {
            Turn::Next(prepared) => assert_eq!(prepared.names_taken, taken, "{later_ms}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_bucket_that_replaces_objects_is_known_to_pushes_that_go_on_and_to_those_that_begin() {
    let world = World::new();
    let is_replacing =
        |id, seq| match run(commit::prepare(&world.store, &world.bucket, id, seq, NOW)).unwrap() {
            Turn::Next(prepared) => prepared.is_replacing,
            other => panic!("{other:?}"),
        };
    let mut going_on = Push::begin(&world, "x", NOW, None);
    hear(&world, &beat("g", "spool.1", None), NOW);
    going_on.slices(1);
    assert!(!is_replacing("x", 1));
    let stream = &going_on.session.stream;
    run(replacing::note(&world.store, ("e", "b"), stream, NOW)).unwrap();
    assert!(is_replacing("x", 1));
    let mut later = Push::begin(&world, "y", NOW, None);
    assert!(is_replacing("y", 0));
    later.slices(1);
    assert!(is_replacing("y", 1));
    let mut elsewhere = session_of("z");
    elsewhere.rule.as_mut().unwrap().bucket = "other".into();
    Push::begin_as(&world, elsewhere, None);
    assert!(!is_replacing("z", 0));
}
