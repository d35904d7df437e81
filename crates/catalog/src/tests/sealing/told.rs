//! What users' servers were told is not told again when a session comes back.

use store::memory::run;

use super::super::media::Push;
use super::super::world::{World, session_of};
use super::stage::{KEPT, Stage};
use super::{HOUR_MS, MIDNIGHT};
use crate::event::{self, At, Fact, Status};
use crate::session::Session;
use crate::time::DAY_MS;
use crate::{due, session};

const FIRST: &str = "20200101-x";
const LAST: &str = "20200101-y";

/// Ticks up to a moment, while everything is told; answers what was, each with its id.
fn told_until(stage: &mut Stage, end_ms: u64) -> Vec<(String, Fact)> {
    let mut told = Vec::new();
    while stage.now_ms < end_ms {
        stage.leap_until(end_ms.min(stage.now_ms + HOUR_MS));
        run(deliver(stage, &mut told));
    }
    told
}

async fn deliver(stage: &Stage, told: &mut Vec<(String, Fact)>) {
    let (World { store, bucket, .. }, now_ms) = (&stage.world, stage.now_ms);
    for timer in due::due(store, due::Lane::Deliver, now_ms).await.unwrap() {
        assert!(due::attend(store, bucket, &timer, KEPT, now_ms).await.unwrap().is_some());
        if timer.what.starts_with("w ") {
            let at = At::of_timer(&timer.what).unwrap();
            for event in event::waiting(store, at, now_ms).await.unwrap() {
                event::done(store, event.at(), true, true, now_ms).await.unwrap();
                told.push((event.id.clone(), event.fact));
            }
        }
        due::settle(store, &[timer], &[], &[], now_ms).await.unwrap();
    }
}

fn statuses(told: &[(String, Fact)]) -> Vec<Status> {
    let status = |(_, fact): &(String, Fact)| match fact {
        Fact::Status(change) => Some(change.status),
        _ => None,
    };
    told.iter().filter_map(status).collect()
}

#[test]
fn statuses_are_told_once_though_a_session_comes_back() {
    let world = World::new();
    let session = |id, began_ms| Session { tells_status: true, began_ms, ..session_of(id) };
    let mut first = Push::begin_as(&world, session(FIRST, MIDNIGHT - 2 * HOUR_MS), None);
    first.slices(5);
    first.end(25_000);
    let after = Some((FIRST, 35_000));
    let mut last = Push::begin_as(&world, session(LAST, MIDNIGHT - 2 * HOUR_MS + 60_000), after);
    last.slices(5);
    last.end(25_000);
    let mut stage = Stage::new(world);
    let told = told_until(&mut stage, MIDNIGHT + 8 * DAY_MS);
    assert_eq!(statuses(&told), [Status::Started, Status::Paused, Status::Resumed, Status::Paused]);
    for late in 5..7 {
        assert!(run(session::find(&stage.world.store, LAST)).unwrap().is_none());
        stage.come_late(LAST, late);
        let end_ms = stage.now_ms + 8 * DAY_MS;
        assert_eq!(told_until(&mut stage, end_ms), [], "{late}");
    }
    told_until(&mut stage, MIDNIGHT + 200 * DAY_MS);
    let left = stage.keys_of(&["es", "ev", "ed", "s", "a"]);
    assert!(left.is_empty(), "{left:?}");
}

/// Its gateway had lost its line before the first chunk, and comes back in a week: the files of what it continues are closed.
#[test]
fn a_push_whose_first_chunk_comes_when_the_one_before_is_over_begins_anew() {
    let world = World::new();
    let session = |id, began_ms| Session { tells_status: true, began_ms, ..session_of(id) };
    let mut first = Push::begin_as(&world, session(FIRST, MIDNIGHT - HOUR_MS), None);
    first.slices(5);
    first.end(25_000);
    Push::begin_as(&world, session(LAST, MIDNIGHT - HOUR_MS + 60_000), Some((FIRST, 35_000)));
    let mut stage = Stage::new(world);
    stage.tick_until(MIDNIGHT + 10 * 60_000, 10_000);
    let last = run(session::find(&stage.world.store, LAST)).unwrap().unwrap();
    run(session::end_at_last(&stage.world.store, &stage.world.bucket, &last, stage.now_ms)).unwrap();
    let told = told_until(&mut stage, MIDNIGHT + 9 * DAY_MS);
    assert_eq!(statuses(&told), [Status::Started, Status::Paused]);
    stage.come_late(LAST, 0);
    let end_ms = stage.now_ms + DAY_MS;
    assert_eq!(statuses(&told_until(&mut stage, end_ms)), [Status::Started, Status::Paused]);
}
