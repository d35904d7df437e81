//! Lists that grow at one end and shrink anywhere.

mod begins;

use store::memory::{Actor, MemoryStore, Outcome, Random, run};

use super::*;

async fn never(_: &str) -> Result<bool, Error> {
    Ok(false)
}

#[test]
fn an_entry_that_stays_is_found_among_thousands_that_go() {
    let store = MemoryStore::default();
    run(append(&store, "l", "stays")).unwrap();
    let mut most = 0;
    for number in 0..3_000_u64 {
        let now_ms = number * 10_000;
        run(append(&store, "l", &format!("goes-{number}"))).unwrap();
        let is_gone = async |value: &str| Ok(value != "stays" && value != format!("goes-{number}"));
        store.mend();
        let before = store.operations();
        let values = run(values(&store, "l", now_ms, is_gone)).unwrap();
        most = most.max(store.operations() - before);
        assert_eq!(values.iter().map(String::as_str).collect::<BTreeSet<_>>().len(), 2, "{values:?}");
    }
    assert!(most < 150, "{most} operations for a list of two");
    assert!(store.values_under("l.") < 8, "{}", store.values_under("l."));
}

/// A loose list whose begin may be raised: whoever reads it moves what stays.
fn loose() -> MemoryStore {
    let store = MemoryStore::default();
    for number in 0..SLACK + 8 {
        let value = if number == 3 { "stays".into() } else { format!("goes-{number}") };
        run(append(&store, "l", &value)).unwrap();
    }
    for waits in 0..2 {
        run(values(&store, "l", waits * CALL_MAX_MS, async |value: &str| Ok(value != "stays"))).unwrap();
    }
    store
}

#[test]
fn whoever_stalled_as_a_list_was_removed_leaves_no_entry_and_hides_none() {
    type Reads = for<'a> fn(&'a MemoryStore) -> Actor<'a, ()>;
    let reads: Reads = |store| Box::pin(async { drop(values(store, "l", 1_000_000, never).await.unwrap()) });
    let tidies: Reads = |store| Box::pin(async { tidy(store, "l", 1_000_000, never).await.unwrap() });
    let mut stalled = 0;
    for reader in [reads, tidies] {
        for steps in 1.. {
            let store = loose();
            run(append(&store, "l", "also")).unwrap();
            let mut actor = reader(&store);
            let is_over =
                (0..steps).any(|_| store.scheduler().step(&mut actor, Outcome::Applied).0.is_ready());
            if is_over {
                break;
            }
            // All that is in it was attended to.
            for number in 1..=run(count(&store, "l")).unwrap() {
                run(delete(&store, "l", number)).unwrap();
            }
            run(remove(&store, "l")).unwrap();
            run(actor);
            assert_eq!(run(all(&store, "l")).unwrap(), BTreeSet::new(), "{steps}");
            run(append(&store, "l", "new")).unwrap();
            assert_eq!(run(all(&store, "l")).unwrap(), BTreeSet::from(["new".into()]), "{steps}");
            // No hint of the list that was removed hides it once the new one is as long.
            (0..50).for_each(|number| drop(run(append(&store, "l", &format!("{number}")))));
            assert_eq!(run(values(&store, "l", 1_000_000, never)).unwrap().len(), 51, "{steps}");
            stalled += 1;
        }
    }
    assert!(stalled > 40, "{stalled} times a reader stalled");
}

/// The hint tells of more numbers than there are, though not of that many that are gone.
#[test]
fn a_hint_of_a_list_that_was_removed_hides_nothing_from_whoever_only_looks() {
    let store = MemoryStore::default();
    run(write(&store, "l.low", &Low { number: 2, seen: 40, ..Low::default() })).unwrap();
    for number in 1..=3 {
        run(append(&store, "l", &format!("{number}"))).unwrap();
    }
    assert_eq!(run(all(&store, "l")).unwrap().len(), 3);
    assert_eq!(run(values(&store, "l", 0, never)).unwrap().len(), 3);
}

#[test]
fn no_reader_misses_an_entry_that_is_being_moved() {
    let mut moved = 0;
    for seed in 1..2_000 {
        let store = MemoryStore::default();
        for number in 0..SLACK + 8 {
            let value = if number == 3 { "stays".into() } else { format!("goes-{number}") };
            run(append(&store, "l", &value)).unwrap();
        }
        let gone = async |value: &str| Ok(value != "stays");
        // Only once nothing more can be written up to there are entries moved.
        for waits in 0..3 {
            run(values(&store, "l", waits * CALL_MAX_MS, gone)).unwrap();
        }
        moved += u64::from(run(store.exists("l.4")).is_ok_and(|exists| !exists));
        run(append(&store, "l", "new")).unwrap();
        let reader = || -> Actor<'_, Vec<String>> {
            Box::pin(async {
                values(&store, "l", 1_000_000, async |value: &str| Ok(value.starts_with("goes")))
                    .await
                    .unwrap()
            })
        };
        let readers = vec![reader(), reader(), reader()];
        for found in store.scheduler().run(readers, Random::new(seed).fair()).into_iter().flatten() {
            assert!(
                found.contains(&"stays".into()) && found.contains(&"new".into()),
                "seed {seed}: {found:?}"
            );
        }
    }
    assert!(moved > 1_000, "entries were moved {moved} times");
}

#[test]
fn a_hole_is_waited_for_until_it_cannot_be_filled() {
    let store = MemoryStore::default();
    // One append has drawn its number and stalls.
    run(counter::add(&store, "l.n", 1)).unwrap();
    for number in 0..3 * SLACK {
        run(append(&store, "l", &format!("{number}"))).unwrap();
    }
    let late = Entry { value: "late".into() };
    for now_ms in [0, CALL_MAX_MS - 1] {
        assert!(!run(values(&store, "l", now_ms, never)).unwrap().contains(&"late".into()));
    }
    run(write(&store, "l.1", &late)).unwrap();
    assert!(run(values(&store, "l", CALL_MAX_MS, never)).unwrap().contains(&"late".into()));
}

/// One of two hosts is an hour ahead, and they take turns at reading and tidying.
#[test]
fn a_hole_is_waited_for_by_one_clock_though_hosts_differ() {
    let store = MemoryStore::default();
    let goes = async |value: &str| Ok(value.starts_with("goes"));
    run(counter::add(&store, "l.n", 1)).unwrap();
    for second in (0..CALL_MAX_MS / 1_000).step_by(5) {
        for number in 0..SLACK {
            run(append(&store, "l", &format!("goes-{number}"))).unwrap();
        }
        let ahead_ms = if second % 2 == 0 { 3_600_000 } else { 0 };
        run(values(&store, "l", second * 1_000 + ahead_ms, goes)).unwrap();
        run(tidy(&store, "l", second * 1_000 + 3_600_000 - ahead_ms, goes)).unwrap();
    }
    run(write(&store, "l.1", &Entry { value: "late".into() })).unwrap();
    assert_eq!(run(values(&store, "l", CALL_MAX_MS, goes)).unwrap(), ["late"]);
}

/// Lists grow by what goes and are tidied for it; some are read now and then, which leaves holes.
#[test]
fn a_list_is_as_long_as_what_stays_whether_it_is_read_or_not() {
    let goes = async |value: &str| Ok(value.starts_with("goes"));
    for read_every in [7, 100, 10_000] {
        let store = MemoryStore::default();
        for value in ["stays-1", "stays-2"] {
            run(append(&store, "l", value)).unwrap();
        }
        // One append has drawn its number and died.
        run(counter::add(&store, "l.n", 1)).unwrap();
        let (mut most, mut reads) = (0, 0);
        for number in 0..5_000_u64 {
            let now_ms = number * 20_000;
            run(append(&store, "l", &format!("goes-{number}"))).unwrap();
            store.mend();
            let before = store.operations();
            run(tidy(&store, "l", now_ms, goes)).unwrap();
            let tidied = store.operations();
            most = most.max(tidied - before);
            if number % read_every == 0 {
                let values = run(values(&store, "l", now_ms, goes)).unwrap();
                assert_eq!(values.iter().map(String::as_str).collect::<BTreeSet<_>>().len(), 2, "{values:?}");
                reads = reads.max(store.operations() - tidied);
            }
        }
        assert!(most < 25, "{most} operations at a time");
        store.mend();
        let before = store.operations();
        assert_eq!(run(values(&store, "l", 100_000_000, goes)).unwrap().len(), 2);
        reads = reads.max(store.operations() - before);
        assert!(reads < 150, "{reads} operations for a list of two, read every {read_every}");
    }
}

#[test]
fn readers_that_move_what_stays_at_once_do_not_multiply_it() {
    for seed in 1..200 {
        let store = MemoryStore::default();
        run(append(&store, "l", "stays")).unwrap();
        let goes = async |value: &str| Ok(value.starts_with("goes"));
        for round in 0..12_u64 {
            for number in 0..2 * SLACK {
                run(append(&store, "l", &format!("goes-{number}"))).unwrap();
            }
            let reader = || -> Actor<'_, ()> {
                Box::pin(async {
                    values(&store, "l", round * CALL_MAX_MS, goes).await.unwrap();
                    tidy(&store, "l", round * CALL_MAX_MS, goes).await.unwrap();
                })
            };
            store.scheduler().run(vec![reader(), reader(), reader()], Random::new(seed + round).fair());
        }
        assert_eq!(run(values(&store, "l", 100_000_000, goes)).unwrap(), ["stays"], "seed {seed}");
        assert!(store.values_under("l.") < 12, "seed {seed}: {:?}", store.keys());
    }
}
