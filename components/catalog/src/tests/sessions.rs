//! Sessions and their chunks.

use super::{commit, pushed, run, session, stream};
use crate::log::{self, PAGE, status};
use crate::record::Error;
use crate::sessions::{begin, count, end, get, heartbeat};
use crate::types::{ChunkStatus, Cursor};
use store::memory::MemoryStore;

fn next(remux_state: Option<Vec<u8>>, anchor_ms: Option<u64>) -> ChunkStatus {
    ChunkStatus::Next(Cursor { remux_state, anchor_ms, names_taken: 0 })
}

#[test]
fn a_session_begins_once_however_often_it_is_said() {
    run(async {
        let store = MemoryStore::with_any_key();
        let first = begin(&store, session("x", 1_000)).await.unwrap();
        let again = begin(&store, session("x", 9_000)).await.unwrap();
        assert_eq!((first.began_ms, again.began_ms), (1_000, 1_000));
        assert_eq!(count(&store, &stream()).await, Ok(1));
        assert_eq!(get(&store, "y").await, Err(Error::NoSuchSession("y".into())));
    });
}

#[test]
fn chunks_take_their_turn() {
    run(async {
        let store = MemoryStore::with_any_key();
        begin(&store, session("x", 1_000)).await.unwrap();
        assert_eq!(status(&store, "x", 0).await, Ok(next(None, None)));
        assert_eq!(status(&store, "x", 3).await, Ok(ChunkStatus::Gap(0)));
        pushed(&store, "x", 1_000, 3).await;
        assert_eq!(status(&store, "x", 2).await, Ok(ChunkStatus::Committed));
        assert_eq!(status(&store, "x", 3).await, Ok(next(Some(vec![2]), Some(1_000))));
        assert_eq!(status(&store, "x", 4).await, Ok(ChunkStatus::Gap(3)));
    });
}

#[test]
fn a_taken_name_is_remembered_for_the_session() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 1_000, 1).await;
        log::set_names_taken(&store, "x", 1).await.unwrap();
        let cursor = |state| {
            ChunkStatus::Next(Cursor {
                remux_state: Some(vec![state]),
                anchor_ms: Some(1_000),
                names_taken: 1,
            })
        };
        assert_eq!(status(&store, "x", 1).await, Ok(cursor(0)));
        assert_eq!(commit(&store, "x", 1_000, 1).await, Ok(ChunkStatus::Committed));
        assert_eq!(status(&store, "x", 2).await, Ok(cursor(1)));
    });
}

#[test]
fn a_long_session_costs_no_more_and_keeps_every_slice() {
    run(async {
        let store = MemoryStore::with_any_key();
        let chunks = 5 * PAGE + 7;
        begin(&store, session("x", 0)).await.unwrap();
        for seq in 0..chunks {
            store.break_at(u64::MAX);
            assert!(matches!(status(&store, "x", seq).await, Ok(ChunkStatus::Next(_))), "{seq}");
            assert_eq!(commit(&store, "x", 0, seq).await, Ok(ChunkStatus::Committed));
            assert!(store.operations() <= 10, "chunk {seq} took {} operations", store.operations());
        }
        assert!(store.values_under("session/x/chunk/") <= 2 * PAGE as usize);
        assert!(store.largest_value() < 256 << 10);
        let mut slices = Vec::new();
        while (slices.len() as u64) < chunks {
            slices.extend(log::page(&store, "x", slices.len() as u64, chunks).await.unwrap());
        }
        let expected: Vec<_> = (0..chunks).map(|seq| Some(super::slice(0, seq))).collect();
        assert_eq!(slices, expected);
        for seq in 0..chunks {
            assert_eq!(status(&store, "x", seq).await, Ok(ChunkStatus::Committed), "{seq}");
        }
    });
}

#[test]
fn a_commit_that_breaks_off_anywhere_can_be_repeated() {
    run(async {
        for chunks in [0, 1, PAGE - 1, PAGE, 2 * PAGE, 2 * PAGE + 1] {
            for operation in 0..10 {
                let store = MemoryStore::with_any_key();
                pushed(&store, "x", 1_000, chunks).await;
                store.break_at(operation);
                let broke = commit(&store, "x", 1_000, chunks).await.is_err();
                store.mend();
                match status(&store, "x", chunks).await.unwrap() {
                    ChunkStatus::Next(_) => {
                        assert!(broke);
                        assert_eq!(commit(&store, "x", 1_000, chunks).await, Ok(ChunkStatus::Committed));
                    }
                    other => assert_eq!(other, ChunkStatus::Committed),
                }
                assert_eq!(log::length(&store, "x").await, Ok(chunks + 1));
                assert!(matches!(status(&store, "x", chunks + 1).await, Ok(ChunkStatus::Next(_))));
            }
        }
    });
}

#[test]
fn a_late_repeat_of_an_old_chunk_undoes_nothing() {
    run(async {
        let store = MemoryStore::with_any_key();
        for late in [PAGE, 3] {
            let chunks = 3 * PAGE + 5;
            pushed(&store, "x", 1_000, chunks).await;
            let before = log::committed(&store, "x", PAGE - 1).await.unwrap().unwrap();
            if late != PAGE {
                // The record that the late call builds on is gone by now; it had read it before.
                crate::record::write(&store, &crate::key::chunk("x", late - 1), &before).await.unwrap();
            }
            assert_eq!(commit(&store, "x", 1_000, late).await, Ok(ChunkStatus::Committed));
            assert_eq!(log::length(&store, "x").await, Ok(chunks), "{late}");
            assert!(matches!(status(&store, "x", chunks).await, Ok(ChunkStatus::Next(_))), "{late}");
        }
    });
}

#[test]
fn an_ended_session_takes_no_more() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 1_000, 2).await;
        assert_eq!(end(&store, "x", 20_000).await, Ok(2));
        assert_eq!(end(&store, "x", 30_000).await, Ok(2));
        assert_eq!(status(&store, "x", 1).await, Ok(ChunkStatus::Committed));
        assert_eq!(status(&store, "x", 2).await, Ok(ChunkStatus::Over(2)));
        // A chunk that was on its way when the session ended is not part of it, and its sender hears so.
        assert_eq!(commit(&store, "x", 1_000, 2).await, Ok(ChunkStatus::Over(2)));
    });
}

#[test]
fn an_end_that_breaks_off_anywhere_agrees_with_what_chunks_are_told() {
    run(async {
        for operation in 0..12 {
            let store = MemoryStore::with_any_key();
            pushed(&store, "x", 1_000, 2).await;
            store.break_at(operation);
            let ended = end(&store, "x", 20_000).await;
            store.mend();
            let told = commit(&store, "x", 1_000, 2).await.unwrap();
            let chunks = end(&store, "x", 20_000).await.unwrap();
            match told {
                ChunkStatus::Committed => assert_eq!((chunks, ended.is_err()), (3, true), "{operation}"),
                ChunkStatus::Over(2) => assert_eq!(chunks, 2, "{operation}"),
                // The sender asks again, and hears the truth then.
                ChunkStatus::Ending => {
                    assert_eq!(status(&store, "x", 2).await, Ok(ChunkStatus::Committed), "{operation}")
                }
                other => panic!("{operation}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_heartbeat_without_changes_answers_none() {
    run(async {
        let store = MemoryStore::with_any_key();
        assert_eq!(heartbeat(&store, "g", 0, 1_000).await, Ok((0, Vec::new())));
    });
}
