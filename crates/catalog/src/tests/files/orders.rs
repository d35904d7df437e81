//! Files that orders close, and numbers that are left out.

use super::*;
use crate::gateway::Beat;
use crate::order::Cause;
use crate::tests::gateways::{SECOND, beat, commands, hear, push};
use crate::time::DAY_MS;
use crate::{committed, key};

const BOOT: &str = "spool.1";

#[test]
fn of_orders_that_took_effect_the_first_that_lacks_chunks_is_waited_for() {
    let world = World::new();
    world.offer("a", None);
    for (files, chunks) in [(1, 2), (2, 3), (3, 3), (4, 7), (5, 8)] {
        run(file::confirm(&world.store, "a", confirmed(files, chunks))).unwrap();
    }
    // Which file each chunk begins or goes on with, and up to which chunk is waited once it is there.
    let brought = [(0, 2), (0, 3), (1, 7), (3, 7), (3, 7), (3, 7), (3, 8)];
    let waited_for = || run(file::confirmed(&world.store, "a")).unwrap().map(|confirmed| confirmed.chunks);
    assert_eq!(waited_for(), Some(2));
    for (seq, (files, expected)) in (0..).zip(brought) {
        run(world.bring("a", seq, files)).unwrap();
        assert_eq!(waited_for(), Some(expected), "{seq}");
    }
    run(world.bring("a", 7, 4)).unwrap();
    assert_eq!(waited_for(), None);
}

/// Its end says that each order before it took effect. What is missing may lie before the order.
#[test]
fn an_order_closes_the_file_of_an_ended_push_once_all_its_chunks_are_there() {
    for is_ordered in [true, false] {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        if is_ordered {
            commands::give(&world, Cause::Restart, NOW + 14 * SECOND).unwrap();
        }
        world.bring_all("a", 0..3);
        run(world.try_end("a", 3)).unwrap();
        let is_parted = |length, files| {
            let generation = Generation { orders: files + 1, files };
            let parted = file::is_parted_by_order(&world.store, &world.bucket, "a", length, generation);
            run(parted).unwrap()
        };
        assert_eq!([1, 2, 3].map(|length| is_parted(length, 0)), [false, false, is_ordered]);
        // The last chunk came after the order.
        assert!(!is_parted(3, 1));
    }
}

/// What is over is forgotten, and whatever is noted of it would stay.
#[test]
fn that_an_order_took_effect_is_noted_of_sessions_that_may_go_on() {
    let began_ms = 20_000 * DAY_MS;
    let id = naming::session_id(began_ms, [1; 16]);
    for (is_there, after_ms, is_noted) in [
        (true, DAY_MS / 2, true),
        (true, 2 * DAY_MS, true),
        (false, DAY_MS, false),
        (false, 2 * DAY_MS, false),
    ] {
        let world = World::new();
        if is_there {
            push(&world, &id, "g", BOOT, began_ms);
        }
        let told = Beat { confirmed: vec![(id.clone(), confirmed(1, 3))], ..beat("g", BOOT, None) };
        hear(&world, &told, began_ms + after_ms);
        let noted = run(file::confirmed(&world.store, &id)).unwrap();
        assert_eq!(noted.is_some(), is_noted, "{is_there} {after_ms}");
        assert_eq!(world.store.keys().contains(&key::confirmed(&id, 1)), is_noted, "{is_there} {after_ms}");
    }
}

/// The store was lost with files that may have had the numbers between, when some that are known were still to be
/// written.
#[test]
fn files_before_numbers_that_are_left_out_are_written_first() {
    let world = World::new();
    world.offer("a", None);
    run(world.bring("a", 0, 0)).unwrap();
    run(world.bring("a", 1, 1)).unwrap();
    let (seq, last) = run(committed::last(&world.store, "a")).unwrap().unwrap();
    let cut = last.with(last.accounts.iter().map(|account| account.from(7)).collect());
    run(committed::put(&world.store, "a", seq, &cut)).unwrap();
    run(world.bring("a", 2, 2)).unwrap();
    run(world.bring("a", 3, 3)).unwrap();
    world.end("a", 4);
    assert_eq!(joined(&run(world.close_files("a")).unwrap()), ["a0", "a1", "a2", "a3"]);
}
