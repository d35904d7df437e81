//! What is recorded in a range, and the list of record files.

use super::{SECOND, pushed, run, stream};
use crate::content::{recorded_spans, slices_between};
use crate::indexes::{add, delete, get, list};
use crate::log::PAGE;
use crate::sessions::end;
use crate::types::{Container, IndexFile};
use store::memory::MemoryStore;

/// Two recordings: 300 slices of 5 s from 1 000 000, and after an hour 3 more.
async fn recorded(store: &MemoryStore) {
    pushed(store, "x", 1_000_000, 5 * PAGE - 20).await;
    end(store, "x", 2_500_000).await.unwrap();
    pushed(store, "y", 6_000_000, 3).await;
    end(store, "y", 6_015_000).await.unwrap();
}

#[test]
fn stretches_are_cut_to_the_range_at_whole_slices() {
    run(async {
        let store = MemoryStore::with_any_key();
        recorded(&store).await;
        let found = async |from, to| -> Vec<(u64, u64)> {
            let found = recorded_spans(&store, &stream(), from, to).await.unwrap();
            found.iter().map(|stretch| (stretch.start_ms, stretch.end_ms)).collect()
        };
        assert_eq!(found(0, 10_000_000).await, [(1_000_000, 2_500_000), (6_000_000, 6_015_000)]);
        assert_eq!(found(2_001_000, 2_004_000).await, [(2_000_000, 2_005_000)]);
        assert_eq!(found(2_000_000, 6_005_000).await, [(2_000_000, 2_500_000), (6_000_000, 6_005_000)]);
        assert!(found(2_500_000, 6_000_000).await.is_empty());
        assert!(found(0, 1_000_000).await.is_empty());
        let whole = recorded_spans(&store, &stream(), 0, 5_000_000).await.unwrap();
        assert_eq!(whole[0].duration90khz, 1_500 * SECOND);
    });
}

#[test]
fn slices_are_those_that_begin_in_the_range_and_one_more_if_asked() {
    run(async {
        let store = MemoryStore::with_any_key();
        recorded(&store).await;
        let found = async |from, to, one_more| -> Vec<u64> {
            let found = slices_between(&store, &stream(), from, to, one_more).await.unwrap();
            found.iter().map(|found| found.entry.slice.start_ms).collect()
        };
        assert_eq!(found(2_001_000, 2_011_000, false).await, [2_005_000, 2_010_000]);
        assert_eq!(found(2_001_000, 2_011_000, true).await, [2_005_000, 2_010_000, 2_015_000]);
        assert_eq!(found(2_490_000, 6_001_000, false).await, [2_490_000, 2_495_000, 6_000_000]);
        assert!(found(3_000_000, 4_000_000, true).await.is_empty());
        // An hour later is another recording.
        assert_eq!(found(2_490_000, 2_500_000, true).await, [2_490_000, 2_495_000]);
        let across = slices_between(&store, &stream(), 2_490_000, 6_001_000, false).await.unwrap();
        assert_eq!(
            across.iter().map(|found| found.entry.discontinuity).collect::<Vec<_>>(),
            [false, false, true]
        );
    });
}

#[test]
fn a_range_of_a_long_recording_costs_its_own_length() {
    run(async {
        let store = MemoryStore::with_any_key();
        recorded(&store).await;
        store.break_at(u64::MAX);
        slices_between(&store, &stream(), 2_450_000, 2_460_000, false).await.unwrap();
        assert!(store.operations() < 40, "{} operations", store.operations());
    });
}

fn index(id: &str, start_ms: u64) -> IndexFile {
    IndexFile {
        id: id.into(),
        stream: stream(),
        oss_endpoint: String::new(),
        oss_bucket: String::new(),
        object: String::new(),
        container: Container::M3u8,
        start_ms,
        end_ms: start_ms + 1_000,
        duration90khz: 0,
        size: None,
        created_ms: start_ms,
    }
}

#[test]
fn record_files_are_known_once_and_until_they_are_deleted() {
    run(async {
        let store = MemoryStore::with_any_key();
        for operation in 0..5 {
            store.break_at(operation);
            let _ = add(&store, &index("a", 10_000)).await;
            store.mend();
        }
        add(&store, &index("a", 10_000)).await.unwrap();
        add(&store, &index("b", 20_000)).await.unwrap();
        let ids = async |from, to| -> Vec<String> {
            list(&store, &stream(), from, to).await.unwrap().into_iter().map(|index| index.id).collect()
        };
        assert_eq!(ids(0, 99_000).await, ["a", "b"]);
        assert_eq!(ids(10_500, 20_000).await, ["a"]);
        assert!(ids(11_000, 20_000).await.is_empty());
        assert_eq!(get(&store, &stream(), "b").await, Ok(Some(index("b", 20_000))));
        assert_eq!(delete(&store, &stream(), "b").await, Ok(true));
        assert_eq!(delete(&store, &stream(), "b").await, Ok(false));
        assert_eq!(get(&store, &stream(), "b").await, Ok(None));
        assert_eq!(ids(0, 99_000).await, ["a"]);
    });
}
