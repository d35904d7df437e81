//! Nonces: once each, and no more of them in the store than are needed.

use store::Store;
use store::memory::{Actor, MemoryStore, Random, run};

use crate::key;
use crate::nonces::{Nonce, admit};

const NOW_S: u64 = 1_795_343_700;

/// How long a request is good, in seconds.
const WINDOW_S: u64 = 900;

async fn admitted(store: &MemoryStore, nonce: u64, signed_at_s: u64, now_s: u64) -> bool {
    let nonce = nonce.to_string();
    let nonce = Nonce { key_id: "testid", nonce: &nonce, expires_s: signed_at_s + WINDOW_S };
    admit(store, nonce, now_s).await.unwrap()
}

fn admitted_at(store: &MemoryStore, nonce: u64, at_s: u64) -> bool {
    run(admitted(store, nonce, at_s, at_s))
}

#[test]
fn a_nonce_is_admitted_once() {
    let store = MemoryStore::default();
    assert!(admitted_at(&store, 1, NOW_S));
    assert!(!admitted_at(&store, 1, NOW_S));
    assert!(admitted_at(&store, 2, NOW_S));
    // Nor in a new request, while it is remembered.
    assert!(!admitted_at(&store, 1, NOW_S + 1));
}

#[test]
fn a_nonce_belongs_to_its_key() {
    let store = MemoryStore::default();
    let admitted =
        |key_id| run(admit(&store, Nonce { key_id, nonce: "1", expires_s: NOW_S }, NOW_S)).unwrap();
    assert!(admitted("testid"));
    assert!(admitted("other"));
    assert!(!admitted("testid"));
}

#[test]
fn of_requests_with_one_nonce_at_once_one_is_admitted() {
    for seed in 0..300 {
        let store = MemoryStore::default();
        let actors = (0..8).map(|_| Box::pin(admitted(&store, 1, NOW_S, NOW_S)) as Actor<'_, _>).collect();
        let outcomes = store.scheduler().run(actors, Random::new(seed).fair());
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Some(true)).count(), 1, "seed {seed}");
    }
}

#[test]
fn a_nonce_is_kept_while_its_request_would_be_in_time() {
    let store = MemoryStore::default();
    assert!(admitted_at(&store, 0, NOW_S));
    for second in 1..=1_200 {
        assert!(admitted_at(&store, second, NOW_S + second));
        if second <= WINDOW_S {
            assert!(!run(admitted(&store, 0, NOW_S, NOW_S + second)), "after {second} s");
        }
    }
}

#[test]
fn the_store_holds_no_more_nonces_than_their_time_has_requests() {
    let store = MemoryStore::default();
    let mut most = 0;
    for second in 0..10_000 {
        assert!(admitted_at(&store, second, NOW_S + second));
        most = most.max(store.len());
    }
    // 20 minutes of one request a second, two keys each, and two numbers.
    assert!(most <= 2 * 1_202 + 2, "{most}");
}

#[test]
fn after_a_burst_the_store_shrinks_again() {
    let store = MemoryStore::default();
    for nonce in 0..5_000 {
        assert!(admitted_at(&store, nonce, NOW_S));
    }
    for hour in 1..=2_600 {
        assert!(admitted_at(&store, 5_000 + hour, NOW_S + hour * 3_600));
    }
    assert!(store.len() < 10, "{}", store.len());
}

/// How many entries the log has.
fn entries(store: &MemoryStore) -> usize {
    store.keys().iter().filter(|key| key.starts_with("nonces.entry.")).count()
}

#[test]
fn a_nonce_is_kept_five_minutes_past_its_time_and_then_forgotten() {
    let store = MemoryStore::default();
    assert!(admitted_at(&store, 1, NOW_S));
    let last_s = NOW_S + WINDOW_S + 300;
    assert!(!run(admitted(&store, 1, last_s, last_s)));
    assert!(admitted_at(&store, 2, last_s));
    assert_eq!(entries(&store), 3);
    assert!(admitted_at(&store, 3, last_s + 1));
    assert_eq!(entries(&store), 3);
}

#[test]
fn a_request_removes_three_entries_at_most() {
    let store = MemoryStore::default();
    for nonce in 0..10 {
        assert!(admitted_at(&store, nonce, NOW_S));
    }
    let later = |nonce| {
        assert!(admitted_at(&store, nonce, NOW_S + 10_000));
        entries(&store)
    };
    assert_eq!([10, 11, 12, 13, 14].map(later), [8, 6, 4, 4, 5]);
}

#[test]
fn an_entry_that_is_not_there_is_waited_for_while_a_thousand_others_come() {
    let store = MemoryStore::default();
    assert!(admitted_at(&store, 0, NOW_S));
    // A request drew the number 2, and has not written its entry yet.
    run(store.increment(key::NONCE_ENTRIES, 1)).unwrap();
    // Each request finds all those before it past their time.
    let later = |number| {
        assert!(admitted_at(&store, number, NOW_S + number * 10_000));
        entries(&store) as u64
    };
    for number in 3..=1_002 {
        assert_eq!(later(number), number - 2, "{number}");
    }
    assert_eq!([1_003, 1_004].map(later), [999, 997]);
}

#[test]
fn an_entry_that_was_never_written_does_not_stop_the_sweep() {
    let store = MemoryStore::default();
    assert!(admitted_at(&store, 0, NOW_S));
    // A request drew a number and died.
    run(store.increment(key::NONCE_ENTRIES, 1)).unwrap();
    for second in 1..=10_000 {
        assert!(admitted_at(&store, second, NOW_S + second));
    }
    assert!(store.len() <= 2 * 1_202 + 2, "{}", store.len());
}

#[test]
fn what_cannot_be_read_does_not_stop_the_sweep() {
    let store = MemoryStore::default();
    run(store.set(key::OLDEST_NONCE, b"?")).unwrap();
    run(store.set(&key::nonce_entry(2), b"?")).unwrap();
    for second in [0, 2_000, 4_000] {
        assert!(admitted_at(&store, second, NOW_S + second));
        run(store.set(&key::nonce_entry(2), b"?")).unwrap();
    }
    // The first nonce is gone; the one whose entry was damaged stays.
    assert_eq!(store.keys().iter().filter(|key| key.starts_with("nonce.")).count(), 2);
    assert!(!store.keys().contains(&key::nonce_entry(1)));
}
