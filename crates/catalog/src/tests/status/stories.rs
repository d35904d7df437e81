//! What is told of a recording of one push or several, whoever looks at it and when.

use store::Store;
use store::memory::run;

use super::super::world::{NOW, World, commit_alone, delivery, session_of, slice};
use super::{ID, told};
use crate::chunk::Chunk;
use crate::commit::{self, Delivery, Turn};
use crate::event::{self, At, Kind, Status};
use crate::order::{Cause, Generation};
use crate::session::{self, After, Session};
use crate::{command, due, key, silence, status};

fn telling(id: &str) -> Session {
    Session { tells_status: true, ..session_of(id) }
}

/// Begins a push.
fn begin(world: &World, session: Session, after: Option<&str>) -> Session {
    let after = after.map(|before| After { session: before.into(), gap_ms: 1_000 });
    run(async {
        let World { store, bucket, .. } = world;
        let offered = session::offer(store, bucket, session, after.as_ref(), None, NOW).await;
        let session = offered.unwrap().0;
        let adopted = session::adopt(store, bucket, &session, NOW).await.unwrap();
        assert_eq!(adopted.continues, after.map(|after| after.session));
        session
    })
}

/// Brings a slice that was cut under so many orders, of which so many begin a file.
fn bring(world: &World, id: &str, seq: u64, (orders, files): (u32, u32)) {
    let Ok(Turn::Next(prepared)) = run(commit::prepare(&world.store, &world.bucket, id, seq, NOW)) else {
        panic!("{id} {seq}")
    };
    let generation = Generation { orders, files };
    let delivery = Delivery { generation, ..delivery(seq, files, Chunk::Slice(slice(seq))) };
    run(commit_alone(&world.store, &prepared, delivery)).unwrap();
}

fn give(world: &World, session: &Session, causes: &[(Cause, u64)]) {
    for (number, (cause, at_ms)) in causes.iter().enumerate() {
        let call = format!("{number} {at_ms}");
        let given = command::give(&world.store, &world.bucket, session, *cause, &call, NOW + at_ms);
        run(given).unwrap().unwrap();
    }
}

fn look(world: &World, id: &str, after_ms: u64) {
    run(status::look(&world.store, &world.bucket, id, NOW + after_ms)).unwrap();
}

fn end(world: &World, id: &str, chunks: u64) {
    run(world.try_end(id, chunks)).unwrap();
}

/// Its gateway is silent, and its files are closed.
fn suspend(world: &World, id: &str) {
    run(silence::look(&world.store, id, 0, 0)).unwrap();
    run(silence::close(&world.store, &world.bucket, id, 1)).unwrap();
}

/// What is told, with the session and the order and the silence that had interrupted it.
fn story(world: &World) -> Vec<(Status, String, u32, u64)> {
    let changes = told(world).into_iter();
    changes.map(|change| (change.status, change.session, change.stopped, change.suspended)).collect()
}

fn is_story(world: &World, expected: &[(Status, &str, u32, u64)], what: &str) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(status, session, stopped, suspended)| (*status, (*session).to_owned(), *stopped, *suspended))
        .collect();
    assert_eq!(story(world), expected, "{what}");
}

/// Commands with their times, what the next slice is cut under, and what is told then: with the order that had stopped it.
type Case = (&'static [(Cause, u64)], (u32, u32), Option<(Status, u32)>);

#[test]
fn what_was_stopped_goes_on_or_begins_anew_as_its_files_do() {
    use Cause::{CancelDelay, Restart, Start, Stop};
    const FAR_AHEAD: u64 = 3_600_000;
    let cases: [Case; 8] = [
        (&[(Stop, 1), (Start, 2)], (3, 0), Some((Status::Resumed, 2))),
        // At one moment, too.
        (&[(Stop, 1), (Start, 1)], (3, 0), Some((Status::Resumed, 2))),
        (&[(Stop, 1), (CancelDelay, 2), (Start, 3)], (4, 1), Some((Status::Started, 3))),
        (&[(Stop, 1), (Restart, 2)], (3, 1), Some((Status::Started, 2))),
        // A restart after the start, before a slice.
        (&[(Stop, 1), (Start, 2), (Restart, 3)], (4, 1), Some((Status::Started, 2))),
        (&[(Stop, 1), (Start, 2), (Restart, 3)], (3, 0), Some((Status::Resumed, 2))),
        // No slice came in the file that the restart began.
        (&[(Restart, 1), (Stop, 2), (Start, 3)], (4, 1), Some((Status::Started, 3))),
        // The stop was given by a clock that was ahead, and never took effect.
        (&[(Stop, FAR_AHEAD), (Start, 2)], (3, 0), None),
    ];
    for (causes, generation, expected) in cases {
        let world = World::new();
        let session = begin(&world, telling(ID), None);
        bring(&world, ID, 0, (1, 0));
        look(&world, ID, 0);
        give(&world, &session, causes);
        bring(&world, ID, 1, generation);
        look(&world, ID, 100);
        let mut story = vec![(Status::Started, ID, 0, 0)];
        if let Some((status, stopped)) = expected {
            story.extend([(Status::Paused, ID, 0, 0), (status, ID, stopped, 0)]);
        }
        is_story(&world, &story, &format!("{causes:?}"));
    }
}

/// Several slices come between two looks: after an outage, say.
#[test]
fn what_is_told_of_a_slice_does_not_depend_on_when_a_look_comes() {
    use Cause::{Restart, Start, Stop};
    /// Commands, and the orders and files under which slices are cut.
    type Course = (&'static [(Cause, u64)], &'static [(u32, u32)], (Status, u32));
    let courses: [Course; 4] = [
        (&[(Stop, 1), (Start, 2), (Restart, 3)], &[(3, 0), (4, 1)], (Status::Resumed, 2)),
        (&[(Stop, 1), (Start, 2), (Restart, 3)], &[(4, 1), (4, 1)], (Status::Started, 2)),
        (&[(Restart, 1), (Stop, 2), (Start, 3)], &[(2, 1), (4, 1)], (Status::Resumed, 3)),
        (&[(Restart, 1), (Stop, 2), (Start, 3)], &[(4, 1), (4, 1)], (Status::Started, 3)),
    ];
    for (causes, slices, (status, stopped)) in courses {
        for looks_at_each in [false, true] {
            let world = World::new();
            let session = begin(&world, telling(ID), None);
            bring(&world, ID, 0, (1, 0));
            look(&world, ID, 0);
            give(&world, &session, causes);
            for (seq, slice) in (1..).zip(slices) {
                bring(&world, ID, seq, *slice);
                if looks_at_each {
                    look(&world, ID, 100);
                }
            }
            look(&world, ID, 100);
            let told = [(Status::Started, ID, 0, 0), (Status::Paused, ID, 0, 0), (status, ID, stopped, 0)];
            is_story(&world, &told, &format!("{causes:?} {slices:?} {looks_at_each}"));
        }
    }
}

#[test]
fn the_end_of_a_window_is_told_when_it_comes_and_not_by_the_stops_before_it() {
    let world = World::new();
    let mut session = telling(ID);
    session.rule.as_mut().unwrap().window_end = Some((NOW + 60_000) / 1_000);
    let session = begin(&world, session, None);
    bring(&world, ID, 0, (1, 0));
    look(&world, ID, 0);
    // Each orders the end of the window anew behind it.
    give(&world, &session, &[(Cause::Stop, 1), (Cause::Start, 2)]);
    bring(&world, ID, 1, (5, 0));
    look(&world, ID, 100);
    let mut expected =
        vec![(Status::Started, ID, 0, 0), (Status::Paused, ID, 0, 0), (Status::Resumed, ID, 3, 0)];
    is_story(&world, &expected, "the window is open");
    let is_looked_at = |after_ms| {
        let timers = run(due::due(&world.store, due::Lane::Tick, NOW + after_ms)).unwrap();
        timers.iter().any(|timer| timer.what == format!("u {ID}"))
    };
    assert!(!is_looked_at(59_999) && is_looked_at(60_000));
    look(&world, ID, 60_000);
    expected.push((Status::Paused, ID, 3, 0));
    is_story(&world, &expected, "the window is over");
}

/// The looks come when everything is there.
#[test]
fn a_push_that_continues_another_one_goes_on_where_its_files_do() {
    use Cause::{CancelDelay, Restart, Start, Stop};
    let started = [(Status::Started, ID, 0, 0), (Status::Paused, ID, 0, 0)];
    let check = |what: &str, is_first_suspended: bool, second: &dyn Fn(&World), last: (Status, u32, u64)| {
        let world = World::new();
        begin(&world, telling(ID), None);
        bring(&world, ID, 0, (1, 0));
        if is_first_suspended {
            suspend(&world, ID);
        }
        end(&world, ID, 1);
        second(&world);
        look(&world, "b", 100);
        let (status, stopped, suspended) = last;
        is_story(&world, &[started[0], started[1], (status, "b", stopped, suspended)], what);
    };
    let plain = |world: &World| {
        begin(world, telling("b"), Some(ID));
        bring(world, "b", 0, (1, 0));
    };
    check("nothing happened", false, &plain, (Status::Resumed, 0, 0));
    check("its files were closed before it", true, &plain, (Status::Started, 0, 0));
    let stopped = |world: &World| {
        let session = begin(world, telling("b"), Some(ID));
        give(world, &session, &[(Stop, 1), (CancelDelay, 2), (Start, 3)]);
        bring(world, "b", 0, (4, 1));
    };
    check("it was stopped first", false, &stopped, (Status::Started, 3, 0));
    let restarted = |world: &World| {
        let session = begin(world, telling("b"), Some(ID));
        give(world, &session, &[(Restart, 1)]);
        bring(world, "b", 0, (2, 1));
    };
    check("it was restarted before its first slice", false, &restarted, (Status::Started, 0, 0));
    let restarted_later = |world: &World| {
        let session = begin(world, telling("b"), Some(ID));
        give(world, &session, &[(Restart, 1)]);
        bring(world, "b", 0, (1, 0));
        bring(world, "b", 1, (2, 1));
    };
    check("it was restarted after its first slice", false, &restarted_later, (Status::Resumed, 0, 0));
    let suspended = |world: &World| {
        plain(world);
        suspend(world, "b");
        bring(world, "b", 1, (1, 0));
    };
    check("it was suspended before it was looked at", false, &suspended, (Status::Started, 0, 1));
    let after_none = |world: &World| {
        begin(world, telling("e"), Some(ID));
        end(world, "e", 0);
        begin(world, telling("b"), Some("e"));
        bring(world, "b", 0, (1, 0));
    };
    check("one without chunks is between them", false, &after_none, (Status::Resumed, 0, 0));
    let after_untold = |world: &World| {
        begin(world, session_of("e"), Some(ID));
        bring(world, "e", 0, (1, 0));
        end(world, "e", 1);
        begin(world, telling("b"), Some("e"));
        bring(world, "b", 0, (1, 0));
    };
    check(
        "files were closed before one that nobody is told of",
        true,
        &after_untold,
        (Status::Started, 0, 0),
    );
    check("nor were they", false, &after_untold, (Status::Resumed, 0, 0));
}

#[test]
fn what_parted_earlier_pushes_of_a_recording_parts_no_later_ones() {
    let world = World::new();
    begin(&world, telling(ID), None);
    bring(&world, ID, 0, (1, 0));
    suspend(&world, ID);
    end(&world, ID, 1);
    for (id, before) in [("b", ID), ("c", "b")] {
        begin(&world, telling(id), Some(before));
        bring(&world, id, 0, (1, 0));
        end(&world, id, 1);
    }
    look(&world, "c", 100);
    let expected = [
        (Status::Started, ID, 0, 0),
        (Status::Paused, ID, 0, 0),
        (Status::Started, "b", 0, 0),
        (Status::Paused, "b", 0, 0),
        (Status::Resumed, "c", 0, 0),
        (Status::Paused, "c", 0, 0),
    ];
    is_story(&world, &expected, "c");
    // A look that comes late, by a push that was told of before.
    for id in [ID, "b"] {
        look(&world, id, 200);
        is_story(&world, &expected, id);
    }
}

/// Begins so many pushes without chunks, each of which continues the one before; answers the last one.
fn empty_pushes(world: &World, after: &str, count: u32) -> String {
    let mut before = after.to_owned();
    for number in 0..count {
        let id = format!("{after}{number}");
        begin(world, telling(&id), Some(&before));
        end(world, &id, 0);
        before = id;
    }
    before
}

#[test]
fn any_number_of_pushes_without_chunks_hides_none_and_has_none_told_again() {
    let world = World::new();
    begin(&world, telling(ID), None);
    bring(&world, ID, 0, (1, 0));
    look(&world, ID, 0);
    end(&world, ID, 1);
    let before = empty_pushes(&world, ID, 70);
    begin(&world, telling("x"), Some(&before));
    bring(&world, "x", 0, (1, 0));
    end(&world, "x", 1);
    empty_pushes(&world, "x", 70);
    look(&world, "x", 100);
    let expected = [
        (Status::Started, ID, 0, 0),
        (Status::Paused, ID, 0, 0),
        (Status::Resumed, "x", 0, 0),
        (Status::Paused, "x", 0, 0),
    ];
    is_story(&world, &expected, "x");
    look(&world, ID, 200);
    is_story(&world, &expected, ID);
}

/// What is known of an event that was told is forgotten after days.
#[test]
fn a_status_that_was_told_long_ago_is_not_told_again() {
    let world = World::new();
    let session = begin(&world, telling(ID), None);
    bring(&world, ID, 0, (1, 0));
    look(&world, ID, 0);
    let at = |number| At { recording: ID, kind: Kind::Status, number };
    run(event::forget(&world.store, at(0), NOW)).unwrap();
    give(&world, &session, &[(Cause::Stop, 1)]);
    look(&world, ID, 100);
    let is_known = |number| run(event::get(&world.store, at(number))).unwrap().is_some();
    assert_eq!([0, 1, 2].map(is_known), [false, true, false]);
}

/// The slices that were seen then are behind those that are seen now: each change is found by what it was decided to be.
#[test]
fn where_a_store_is_lost_the_same_is_told_once_more_in_the_same_order() {
    let world = World::new();
    let session = begin(&world, telling(ID), None);
    bring(&world, ID, 0, (1, 0));
    look(&world, ID, 0);
    for (round, generation) in [(1, (3, 0)), (2, (5, 0)), (3, (7, 0))] {
        give(&world, &session, &[(Cause::Stop, round * 10), (Cause::Start, round * 10 + 1)]);
        bring(&world, ID, round, generation);
        look(&world, ID, round * 10 + 5);
    }
    let expected = story(&world);
    assert_eq!(expected.len(), 7);
    let is_of_status = |key: &String| key.starts_with("ev.") || *key == key::told(ID);
    for key in world.store.keys().into_iter().filter(is_of_status) {
        run(world.store.delete(&key)).unwrap();
    }
    assert!(story(&world).is_empty());
    look(&world, ID, 100);
    assert_eq!(story(&world), expected);
}
