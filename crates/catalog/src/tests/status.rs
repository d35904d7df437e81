//! What is told of a recording's status where looks at it race.

mod stories;

use store::memory::{Actor, Random, run};

use super::world::{KEPT, NOW, World, session_of};
use crate::event::{self, At, Change, Fact, Kind, Status};
use crate::order::Cause;
use crate::session::Session;
use crate::{command, due, session, status};

const ID: &str = "a";

/// A push that was stopped and started twice, and stopped again, of which a chunk between the first two stops has come;
/// that it was started is told.
fn started() -> World {
    let world = World::new();
    let session = Session { tells_status: true, ..session_of(ID) };
    run(async {
        let (session, _) =
            session::offer(&world.store, &world.bucket, session, None, None, NOW).await.unwrap();
        session::adopt(&world.store, &world.bucket, &session, NOW).await.unwrap();
        world.bring(ID, 0, 0).await.unwrap();
        look(&world).await;
        for (number, cause) in
            [Cause::Stop, Cause::Start, Cause::Stop, Cause::Start, Cause::Stop].into_iter().enumerate()
        {
            let given = NOW + 1 + number as u64;
            let call = format!("{number}");
            let outcome = command::give(&world.store, &world.bucket, &session, cause, &call, given);
            outcome.await.unwrap().unwrap();
        }
        world.bring(ID, 1, 2).await.unwrap();
    });
    world
}

pub(crate) async fn look(world: &World) {
    status::look(&world.store, &world.bucket, ID, NOW + 100).await.unwrap();
}

/// What is told, in order.
pub(crate) fn told(world: &World) -> Vec<Change> {
    let at = |number| At { recording: ID, kind: Kind::Status, number };
    let change = |number| match run(event::get(&world.store, at(number))).unwrap()?.fact {
        Fact::Status(change) => Some(change),
        other => panic!("{other:?}"),
    };
    (0..).map_while(change).collect()
}

#[test]
fn looks_that_saw_different_slices_agree_on_what_is_told() {
    let mut outcomes = std::collections::BTreeMap::new();
    for seed in 1..4_000 {
        let world = started();
        let first: Actor<'_, ()> = Box::pin(look(&world));
        let second: Actor<'_, ()> = Box::pin(async {
            world.bring(ID, 2, 4).await.unwrap();
            look(&world).await;
        });
        let mut random = Random::new(seed);
        if seed % 2 == 0 {
            world.store.scheduler().run(vec![first, second], random.lopsided());
        } else {
            world.store.scheduler().run(vec![first, second], random.fair());
        }
        // Another look has nothing to tell.
        let changes = told(&world);
        run(look(&world));
        assert_eq!(told(&world), changes, "seed {seed}");

        let statuses: Vec<_> = changes.iter().map(|change| change.status).collect();
        assert_eq!(statuses[..2], [Status::Started, Status::Paused], "seed {seed}");
        assert!(changes.len().is_multiple_of(2), "seed {seed}: it is stopped: {changes:?}");
        let mut stops = Vec::new();
        for pair in changes.chunks(2) {
            // Each pause is that of the slices before it, which nothing else interrupted.
            assert_eq!(pair[0].stopped, pair[1].stopped, "seed {seed}: {changes:?}");
            assert_eq!(pair[1].status, Status::Paused, "seed {seed}: {changes:?}");
            stops.push(pair[0].stopped);
        }
        assert!(stops.is_sorted_by(|before, after| before < after), "seed {seed}: {changes:?}");
        *outcomes.entry(stops).or_insert(0) += 1;
    }
    assert!(outcomes.len() > 1 && outcomes.values().all(|count| *count > 20), "{outcomes:?}");
}

#[test]
fn nothing_of_it_is_left_in_the_work_bucket_beyond_retention() {
    let world = started();
    run(look(&world));
    let decisions =
        || world.bucket.names().iter().filter(|name| name.starts_with("decision/status/")).count();
    assert_eq!(decisions(), told(&world).len());
    run(status::forget(&world.bucket, &Session { tells_status: true, ..session_of("other") })).unwrap();
    assert_eq!(decisions(), told(&world).len());
    run(status::forget(&world.bucket, &Session { tells_status: true, ..session_of(ID) })).unwrap();
    assert_eq!(decisions(), 0);
}

/// The call that stopped the recording died once the order was in the log.
#[test]
fn a_stop_whose_call_died_is_told() {
    let world = World::new();
    let session = Session { tells_status: true, ..session_of(ID) };
    run(async {
        let World { store, bucket, .. } = &world;
        let (session, _) = session::offer(store, bucket, session, None, None, NOW).await.unwrap();
        session::adopt(store, bucket, &session, NOW).await.unwrap();
        world.bring(ID, 0, 0).await.unwrap();
        look(&world).await;
        crate::timer::set(store, NOW + 1, "o a").await.unwrap();
        command::give(store, bucket, &session, Cause::Stop, "call", NOW + 1).await.unwrap().unwrap();
        assert_eq!(told(&world).len(), 1);
        for _ in 0..2 {
            for timer in due::due(store, due::Lane::Tick, NOW + 2).await.unwrap() {
                due::attend(store, bucket, &timer, KEPT, NOW + 2).await.unwrap();
                due::settle(store, &[timer], &[], &[], NOW + 2).await.unwrap();
            }
        }
    });
    assert_eq!(told(&world).len(), 2);
}
