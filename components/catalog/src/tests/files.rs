//! Record files.

use super::{SECOND, commit, pushed, run, session, stream};
use crate::files::{advance, commit_file, entries};
use crate::log;
use crate::sessions::{begin, end, heartbeat};
use crate::types::{ChunkStatus, Container::M3u8, NextFile, Position, RecordFile, SliceRange};
use store::memory::MemoryStore;

/// Writes every file that is due; answers their runs as (first session, first slice, end session, end slice),
/// and what comes next.
pub(super) async fn close_all(store: &MemoryStore, now_ms: u64) -> (Vec<[u64; 4]>, NextFile) {
    let mut runs = Vec::new();
    loop {
        match advance(store, &stream(), M3u8, now_ms).await.unwrap() {
            NextFile::Due(file) => {
                assert_eq!(
                    file.slice_count,
                    entries(store, &stream(), file.slices).await.unwrap().len() as u64
                );
                let SliceRange { first, end } = file.slices;
                runs.push([first.session, first.slice, end.session, end.slice]);
                commit_file(store, &stream(), file).await.unwrap();
            }
            other => return (runs, other),
        }
    }
}

pub(super) async fn due(store: &MemoryStore, now_ms: u64) -> RecordFile {
    match advance(store, &stream(), M3u8, now_ms).await.unwrap() {
        NextFile::Due(file) => file,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_closes_with_the_slice_that_fills_its_cycle() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 10).await;
        let (runs, outlook) = close_all(&store, 150_000).await;
        assert_eq!(runs, [[1, 0, 1, 4], [1, 4, 1, 8]]);
        // Two slices of the third file are there; 10 s are missing.
        assert_eq!(outlook, NextFile::NotBefore(160_000));
    });
}

#[test]
fn a_break_closes_the_file_only_when_it_lasts_longer_than_the_delay() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 2).await;
        end(&store, "x", 110_000).await.unwrap();
        assert_eq!(close_all(&store, 124_999).await, (vec![], NextFile::NotBefore(125_000)));
        let file = due(&store, 125_000).await;
        assert_eq!((file.start_ms, file.end_ms, file.duration90khz), (100_000, 110_000, 10 * SECOND));
        assert_eq!(close_all(&store, 125_000).await, (vec![[1, 0, 1, 2]], NextFile::None));
        assert_eq!(close_all(&store, 999_000).await, (vec![], NextFile::None));
    });
}

#[test]
fn a_short_break_continues_the_file_and_is_marked() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 2).await;
        end(&store, "x", 110_000).await.unwrap();
        pushed(&store, "y", 125_000, 3).await;
        let file = due(&store, 140_000).await;
        assert_eq!(
            file.slices,
            SliceRange { first: Position { session: 1, slice: 0 }, end: Position { session: 2, slice: 2 } }
        );
        let discontinuities: Vec<bool> = entries(&store, &stream(), file.slices)
            .await
            .unwrap()
            .iter()
            .map(|entry| entry.discontinuity)
            .collect();
        assert_eq!(discontinuities, [false, false, true, false]);
    });
}

#[test]
fn a_long_break_and_a_changed_rule_begin_a_new_file() {
    run(async {
        for (began_ms, bucket) in [(125_001, "bkt"), (112_000, "other")] {
            let store = MemoryStore::with_any_key();
            pushed(&store, "x", 100_000, 2).await;
            end(&store, "x", 110_000).await.unwrap();
            let mut next = session("y", began_ms);
            next.rule.as_mut().unwrap().oss_bucket = bucket.into();
            begin(&store, next).await.unwrap();
            commit(&store, "y", began_ms, 0).await.unwrap();
            end(&store, "y", 130_000).await.unwrap();
            let (runs, outlook) = close_all(&store, 200_000).await;
            assert_eq!((runs, outlook), (vec![[1, 0, 1, 2], [2, 0, 2, 1]], NextFile::None));
        }
    });
}

#[test]
fn a_session_without_sign_of_life_is_over_after_the_delay() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 2).await;
        heartbeat(&store, "g", 0, 118_000).await.unwrap();
        assert_eq!(close_all(&store, 132_999).await.1, NextFile::NotBefore(133_000));
        assert_eq!(close_all(&store, 133_000).await, (vec![], NextFile::NotBefore(138_000)));
        assert_eq!(close_all(&store, 138_000).await, (vec![[1, 0, 1, 2]], NextFile::None));
        // What comes yet is refused, and its sender begins a session of its own.
        assert_eq!(log::status(&store, "x", 2).await, Ok(ChunkStatus::Over(2)));
        pushed(&store, "y", 140_000, 1).await;
        end(&store, "y", 145_000).await.unwrap();
        assert_eq!(close_all(&store, 160_000).await, (vec![[2, 0, 2, 1]], NextFile::None));
    });
}

#[test]
fn an_outage_of_the_functions_does_not_end_a_live_session() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 2).await;
        // Nothing is heard for an hour, for nobody listens; the first tick comes before the first heartbeat.
        assert_eq!(close_all(&store, 3_700_000).await, (vec![], NextFile::NotBefore(3_705_000)));
        heartbeat(&store, "g", 0, 3_700_500).await.unwrap();
        assert_eq!(close_all(&store, 3_705_000).await, (vec![], NextFile::NotBefore(3_715_000)));
        assert_eq!(commit(&store, "x", 100_000, 2).await, Ok(ChunkStatus::Committed));
    });
}

#[test]
fn a_file_far_behind_the_end_of_the_log_is_closed_as_well() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 200).await;
        end(&store, "x", 1_100_000).await.unwrap();
        let (runs, outlook) = close_all(&store, 2_000_000).await;
        assert_eq!((runs.len(), outlook), (50, NextFile::None));
        assert_eq!(runs[14], [1, 56, 1, 60]);
    });
}

#[test]
fn what_is_filed_is_not_filed_again_by_a_late_tick() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 9).await;
        let first = due(&store, 145_000).await;
        commit_file(&store, &stream(), first.clone()).await.unwrap();
        let second = due(&store, 145_000).await;
        commit_file(&store, &stream(), second).await.unwrap();
        commit_file(&store, &stream(), first).await.unwrap();
        assert!(
            matches!(close_all(&store, 145_000).await, (runs, NextFile::NotBefore(_)) if runs.is_empty())
        );
    });
}

#[test]
fn a_heartbeat_keeps_a_silent_session_open() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 1).await;
        for now_ms in (105_000..200_000).step_by(5_000) {
            heartbeat(&store, "g", 0, now_ms).await.unwrap();
            assert!(
                matches!(close_all(&store, now_ms).await, (runs, NextFile::NotBefore(_)) if runs.is_empty())
            );
        }
    });
}

#[test]
fn pushes_that_are_not_recorded_leave_no_file_and_no_work() {
    run(async {
        let store = MemoryStore::with_any_key();
        for number in 0..50 {
            let mut unrecorded = session(&format!("u{number}"), 1_000 * number);
            unrecorded.rule = None;
            begin(&store, unrecorded).await.unwrap();
            end(&store, &format!("u{number}"), 1_000 * number + 1).await.unwrap();
        }
        assert_eq!(close_all(&store, 60_000).await, (vec![], NextFile::None));
        pushed(&store, "x", 100_000, 2).await;
        end(&store, "x", 110_000).await.unwrap();
        store.break_at(u64::MAX);
        assert_eq!(due(&store, 130_000).await.slices.first, Position { session: 51, slice: 0 });
        assert!(store.operations() < 20, "a look took {} operations", store.operations());
    });
}

#[test]
fn closing_that_breaks_off_anywhere_files_each_slice_once() {
    run(async {
        for operation in 0..60 {
            let store = MemoryStore::with_any_key();
            pushed(&store, "x", 100_000, 6).await;
            end(&store, "x", 130_000).await.unwrap();
            store.break_at(operation);
            let mut runs = Vec::new();
            // What a tick does, broken off; then the next one.
            for _ in 0..2 {
                while let Ok(NextFile::Due(file)) = advance(&store, &stream(), M3u8, 200_000).await {
                    let SliceRange { first, end } = file.slices;
                    runs.push([first.session, first.slice, end.session, end.slice]);
                    if commit_file(&store, &stream(), file).await.is_err() {
                        break;
                    }
                }
                store.mend();
            }
            runs.dedup();
            assert_eq!(runs, [[1, 0, 1, 4], [1, 4, 1, 6]], "{operation}");
        }
    });
}

#[test]
fn slices_last_until_the_next_one_begins() {
    run(async {
        let store = MemoryStore::with_any_key();
        begin(&store, session("x", 0)).await.unwrap();
        for seq in 0..2 {
            let mut slice = super::slice(0, seq);
            slice.start90khz += seq * 1_000;
            let commit = log::Commit { slice: Some(slice), remux_state: Vec::new(), anchor_ms: 1, now_ms: 1 };
            log::commit(&store, "x", seq, commit).await.unwrap();
        }
        let span =
            SliceRange { first: Position { session: 1, slice: 0 }, end: Position { session: 1, slice: 2 } };
        let entries = entries(&store, &stream(), span).await.unwrap();
        let durations: Vec<u64> = entries.iter().map(|entry| entry.slice.duration90khz).collect();
        assert_eq!(durations, [5 * SECOND + 1_000, 5 * SECOND]);
    });
}
