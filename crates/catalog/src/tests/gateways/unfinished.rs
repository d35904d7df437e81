//! What a gateway began and cannot complete: its process died, or its spool is lost.

use super::*;
use crate::chunk::Chunk;
use crate::commit::{self, Turn};
use crate::error::Error;
use crate::tests::world::{delivery, slice};
use crate::time::CALL_MAX_MS;

const BOOT: &str = "spool.1";
const LATER: &str = "spool.2";

fn recording_of(world: &World, id: &str) -> Option<String> {
    run(session::adopted(&world.store, id)).unwrap().map(|adopted| adopted.recording)
}

#[test]
fn the_file_before_closes_wherever_the_adoption_of_a_lost_push_was_interrupted() {
    let dies_at = |operation: Option<u64>| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        hear(&world, &beat("g", BOOT, None), NOW);
        world.bring_all("a", 0..2);
        run(session::end(&world.store, &world.bucket, "a", 10_000, 2, NOW + 10 * SECOND)).unwrap();
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
        let files = ticks_and_beats(&world, "g", LATER, NOW + 13 * SECOND, 900);
        let files: Vec<_> = files.iter().map(|(_, file)| file.as_str()).collect();
        assert_eq!(files, ["a0 a1"], "{operation:?}");
        assert_eq!(live_ids(&world, NOW + 913 * SECOND), [] as [&str; 0], "{operation:?}");
        operations
    };
    let operations = dies_at(None);
    assert!(operations > 10);
    (0..operations).for_each(|operation| {
        dies_at(Some(operation));
    });
}

#[test]
fn a_push_on_another_gateway_is_apart_from_one_whose_end_was_not_known_when_it_began() {
    let recording = |noted_s: u64, began_s: u64| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        world.bring_all("a", 0..2);
        let noted_ms = NOW + noted_s * SECOND;
        run(session::end(&world.store, &world.bucket, "a", 10_000, 2, noted_ms)).unwrap();
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
fn a_chunk_that_was_on_its_way_when_a_later_boot_left_its_session_out_is_in_the_file() {
    let world = World::new();
    let (store, bucket) = (&world.store, &world.bucket);
    push(&world, "a", "g", BOOT, NOW);
    hear(&world, &beat("g", BOOT, None), NOW);
    world.bring_all("a", 0..2);
    let Turn::Next(on_its_way) = run(commit::prepare(store, bucket, "a", 2, NOW + 15 * SECOND)).unwrap()
    else {
        panic!("the chunk should be the next one");
    };
    let noted_ms = NOW + 16 * SECOND;
    hear(&world, &beat("g", LATER, None), noted_ms);
    push(&world, "b", "g", LATER, NOW + 20 * SECOND);
    assert_eq!(recording_of(&world, "b").as_deref(), Some("a"));

    let bring = |now_ms| run(world.bring_at("b", 0, 0, now_ms));
    let waits = bring(NOW + 25 * SECOND);
    assert!(matches!(&waits, Err(Error::Before { before, expected: 2, .. }) if before == "a"), "{waits:?}");
    let chunk = delivery(2, 0, Chunk::Slice(slice(2)));
    run(due::commit(store, &on_its_way, chunk, NOW + 100 * SECOND)).unwrap();
    bring(noted_ms + CALL_MAX_MS).unwrap();
    let ended_ms = noted_ms + CALL_MAX_MS + SECOND;
    run(session::end(store, bucket, "b", 5_000, 1, ended_ms)).unwrap();
    let files = ticks_and_beats(&world, "g", LATER, ended_ms, 400);
    let files: Vec<_> = files.iter().map(|(_, file)| file.as_str()).collect();
    assert_eq!(files, ["a0 a1 a2 b0"]);
}
