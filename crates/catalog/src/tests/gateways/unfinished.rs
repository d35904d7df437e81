//! What a gateway began and cannot complete: its process died, or its spool is lost.

use super::*;
use crate::chunk::Chunk;
use crate::commit::{self, Turn};
use crate::tests::world::{delivery, slice};

const BOOT: &str = "spool.1";
const LATER: &str = "spool.2";

fn recording_of(world: &World, id: &str) -> Option<String> {
    run(session::adopted(&world.store, id)).unwrap().map(|adopted| adopted.recording)
}

/// The rest of an adoption that had stalled.
fn adopt_late(world: &World, id: &str) {
    let Ok(session) = run(session::get(&world.store, &world.bucket, id)) else { return };
    run(session::adopt(&world.store, &world.bucket, &session, NOW + 12 * SECOND)).unwrap();
}

#[test]
fn the_file_before_closes_wherever_the_adoption_of_a_lost_push_was_interrupted() {
    // Where the call stalls in place of dying, it goes on once a later boot has been heard.
    let dies_at = |operation: Option<u64>, stalls: bool| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        hear(&world, &beat("g", BOOT, None), NOW);
        world.bring_all("a", 0..2);
        run(session::end(&world.store, &world.bucket, "a", 0, 10_000, 2, NOW + 10 * SECOND)).unwrap();
        let (store, bucket) = (&world.store, &world.bucket);
        let after = After { session: "a".into(), gap_ms: 1_000 };
        let next = Session { boot: BOOT.into(), began_ms: NOW + 11 * SECOND, ..session_of("b") };
        run(session::offer(store, bucket, next, Some(&after), None, NOW + 11 * SECOND)).unwrap();
        store.break_at(operation.unwrap_or(u64::MAX));
        let adopts = Beat { adopted: vec!["b".into()], ..beat("g", BOOT, Some(0)) };
        let _ = run(gateway::beat(store, bucket, &adopts, NOW + 12 * SECOND));
        let operations = store.operations();
        store.mend();
        // A later boot knows nothing of the second push.
        hear(&world, &beat("g", LATER, None), NOW + 13 * SECOND);
        if stalls {
            adopt_late(&world, "b");
        }
        let files = ticks_and_beats(&world, "g", LATER, NOW + 13 * SECOND, 900);
        let files: Vec<_> = files.iter().map(|(_, file)| file.as_str()).collect();
        assert_eq!(files, ["a0 a1"], "{operation:?}");
        assert_eq!(live_ids(&world, NOW + 913 * SECOND), [] as [&str; 0], "{operation:?}");
        operations
    };
    let operations = dies_at(None, false);
    assert!(operations > 10);
    for operation in 0..operations {
        dies_at(Some(operation), false);
        dies_at(Some(operation), true);
    }
}

#[test]
fn a_push_on_another_gateway_is_apart_from_one_whose_end_was_not_known_when_it_began() {
    let recording = |noted_s: u64, began_s: u64| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        world.bring_all("a", 0..2);
        let noted_ms = NOW + noted_s * SECOND;
        run(session::end(&world.store, &world.bucket, "a", 0, 10_000, 2, noted_ms)).unwrap();
        let session = Session {
            gateway: "other".into(),
            boot: BOOT.into(),
            began_ms: NOW + began_s * SECOND,
            ..session_of("b")
        };
        begin(&world, session, None, noted_ms.max(NOW + began_s * SECOND));
        recording_of(&world, "b").unwrap()
    };
    assert_eq!(recording(11, 12), "a");
    // Both are told after an outage.
    assert_eq!(recording(90, 12), "b");
}

#[test]
fn a_session_that_a_later_boot_left_out_is_continued_by_nobody_and_keeps_its_late_chunk() {
    let world = World::new();
    let (store, bucket) = (&world.store, &world.bucket);
    push(&world, "a", "g", BOOT, NOW);
    hear(&world, &beat("g", BOOT, None), NOW);
    world.bring_all("a", 0..2);
    let Turn::Next(on_its_way) = run(commit::prepare(store, bucket, "a", 2, NOW + 15 * SECOND)).unwrap()
    else {
        panic!("the chunk should be the next one");
    };
    hear(&world, &beat("g", LATER, None), NOW + 16 * SECOND);
    push(&world, "b", "g", LATER, NOW + 20 * SECOND);
    assert_eq!(recording_of(&world, "b").as_deref(), Some("b"));
    run(world.bring_at("b", 0, 0, NOW + 25 * SECOND)).unwrap();
    let chunk = delivery(2, 0, Chunk::Slice(slice(2)));
    run(due::commit(store, &on_its_way, chunk, NOW + 100 * SECOND)).unwrap();
    run(session::end(store, bucket, "b", 0, 5_000, 1, NOW + 101 * SECOND)).unwrap();
    let files = ticks_and_beats(&world, "g", LATER, NOW + 102 * SECOND, 400);
    let mut files: Vec<_> = files.iter().map(|(_, file)| file.as_str()).collect();
    files.sort_unstable();
    assert_eq!(files, ["a0 a1 a2", "b0"]);
}
