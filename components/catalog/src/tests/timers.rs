//! Timers.

use super::{run, stream};
use crate::timers::{clear_due, list_due, set_due};
use crate::types::StreamName;
use store::memory::MemoryStore;

fn other() -> StreamName {
    StreamName { domain: "d".into(), app: "a".into(), stream: "t".into() }
}

async fn names(store: &MemoryStore, now_ms: u64) -> Vec<String> {
    let round = list_due(store, now_ms).await.unwrap();
    clear_due(store, round.mark).await.unwrap();
    round.streams.into_iter().map(|stream| stream.stream).collect()
}

#[test]
fn a_stream_is_due_at_its_second_and_not_before() {
    run(async {
        let store = MemoryStore::with_any_key();
        set_due(&store, &stream(), 100_001).await.unwrap();
        set_due(&store, &other(), 102_000).await.unwrap();
        assert!(names(&store, 100_999).await.is_empty());
        assert_eq!(names(&store, 101_000).await, ["s"]);
        assert!(names(&store, 101_500).await.is_empty());
        assert_eq!(names(&store, 103_000).await, ["t"]);
    });
}

#[test]
fn the_first_timer_ever_holds_up_no_earlier_one() {
    run(async {
        let store = MemoryStore::with_any_key();
        set_due(&store, &stream(), 300_000).await.unwrap();
        assert!(names(&store, 100_000).await.is_empty());
        set_due(&store, &other(), 110_000).await.unwrap();
        assert!(names(&store, 109_000).await.is_empty());
        assert_eq!(names(&store, 110_000).await, ["t"]);
        assert!(names(&store, 299_000).await.is_empty());
        assert_eq!(names(&store, 300_000).await, ["s"]);
    });
}

#[test]
fn a_moment_that_has_passed_is_due_at_the_next_tick() {
    run(async {
        let store = MemoryStore::with_any_key();
        set_due(&store, &stream(), 100_000).await.unwrap();
        assert_eq!(names(&store, 200_000).await, ["s"]);
        set_due(&store, &stream(), 100_000).await.unwrap();
        assert_eq!(names(&store, 201_000).await, ["s"]);
    });
}

#[test]
fn what_is_not_settled_is_due_again() {
    run(async {
        let store = MemoryStore::with_any_key();
        set_due(&store, &stream(), 100_000).await.unwrap();
        assert_eq!(list_due(&store, 100_000).await.unwrap().streams.len(), 1);
        assert_eq!(names(&store, 100_000).await, ["s"]);
        assert!(names(&store, 100_000).await.is_empty());
    });
}

#[test]
fn a_timer_set_into_a_second_being_read_comes_later_and_is_not_lost() {
    run(async {
        let store = MemoryStore::with_any_key();
        set_due(&store, &other(), 99_000).await.unwrap();
        let round = list_due(&store, 100_000).await.unwrap();
        set_due(&store, &stream(), 100_000).await.unwrap();
        clear_due(&store, round.mark).await.unwrap();
        assert_eq!(names(&store, 101_000).await, ["s"]);
    });
}

#[test]
fn days_without_a_tick_are_caught_up_with_in_bounded_rounds() {
    run(async {
        let store = MemoryStore::with_any_key();
        set_due(&store, &stream(), 100_000).await.unwrap();
        set_due(&store, &other(), 3_600_000).await.unwrap();
        let mut found = Vec::new();
        for _ in 0..7 {
            store.break_at(u64::MAX);
            found.extend(names(&store, 3_600_000).await);
            assert!(store.operations() < 1_300, "a round took {} operations", store.operations());
        }
        assert_eq!(found, ["s", "t"]);
        store.break_at(u64::MAX);
        assert!(names(&store, 3_601_000).await.is_empty());
        assert!(store.operations() < 12, "an idle tick took {} operations", store.operations());
    });
}

#[test]
fn a_settled_second_leaves_nothing_behind() {
    run(async {
        let store = MemoryStore::with_any_key();
        for second in 100..110 {
            set_due(&store, &stream(), second * 1000).await.unwrap();
            names(&store, second * 1000).await;
        }
        assert_eq!(store.values_under("due/1"), 0);
    });
}
