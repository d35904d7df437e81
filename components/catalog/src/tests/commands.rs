//! Commands, and what is being pushed.

use super::{commit, pushed, run, session, stream};
use crate::commands::{give, live_session, live_sessions};
use crate::files::advance;
use crate::record::Error;
use crate::sessions::{Change, begin, end, heartbeat};
use crate::types::{Command, Container::M3u8, NextFile};
use store::memory::MemoryStore;

#[test]
fn commands_fit_the_state_or_are_refused() {
    run(async {
        let store = MemoryStore::with_any_key();
        let say = async |what, now_ms| give(&store, &stream(), what, now_ms).await;
        assert_eq!(say(Command::Start, 1).await, Err(Error::NoSuchStream));
        begin(&store, session("x", 1_000)).await.unwrap();
        assert_eq!(say(Command::Start, 2_000).await, Err(Error::AlreadyRecording));
        assert_eq!(say(Command::CancelDelay, 2_000).await, Err(Error::NotRecording));
        assert_eq!(say(Command::Stop, 3_000).await, Ok(()));
        assert_eq!(say(Command::Stop, 4_000).await, Err(Error::NotRecording));
        assert_eq!(say(Command::CancelDelay, 4_000).await, Ok(()));
        assert_eq!(say(Command::Restart, 5_000).await, Ok(()));
        end(&store, "x", 6_000).await.unwrap();
        assert_eq!(say(Command::Stop, 7_000).await, Err(Error::NoSuchStream));

        let change = |record, at_ms| Change { session: "x".into(), record, at_ms };
        let heard = heartbeat(&store, "g", 0, 7_000).await.unwrap();
        assert_eq!(heard, (2, vec![change(false, 3_000), change(true, 5_000)]));
        assert_eq!(heartbeat(&store, "g", 2, 8_000).await, Ok((2, vec![])));
    });
}

#[test]
fn what_was_never_started_can_be_started_and_nothing_else() {
    run(async {
        let store = MemoryStore::with_any_key();
        let mut by_command = session("x", 1_000);
        by_command.record = false;
        begin(&store, by_command).await.unwrap();
        for what in [Command::Stop, Command::CancelDelay, Command::Restart] {
            assert_eq!(give(&store, &stream(), what, 2_000).await, Err(Error::NotRecording), "{what:?}");
        }
        assert_eq!(give(&store, &stream(), Command::Start, 2_000).await, Ok(()));
    });
}

#[test]
fn a_command_that_breaks_off_anywhere_can_be_given_again_and_is_heard() {
    run(async {
        for operation in 0..20 {
            let store = MemoryStore::with_any_key();
            begin(&store, session("x", 1_000)).await.unwrap();
            store.break_at(operation);
            let given = give(&store, &stream(), Command::Stop, 2_000).await;
            store.mend();
            if given.is_err() {
                let again = give(&store, &stream(), Command::Stop, 3_000).await;
                assert!(matches!(again, Ok(()) | Err(Error::NotRecording)), "{operation}: {again:?}");
            }
            let (since, heard) = heartbeat(&store, "g", 0, 100_000).await.unwrap();
            assert!(heard.iter().all(|change| !change.record) && !heard.is_empty(), "{operation}");
            give(&store, &stream(), Command::Start, 101_000).await.unwrap();
            let (_, heard) = heartbeat(&store, "g", since, 200_000).await.unwrap();
            assert_eq!(heard.last().map(|change| change.record), Some(true), "{operation}");
        }
    });
}

#[test]
fn a_stream_without_a_rule_cannot_be_started() {
    run(async {
        let store = MemoryStore::with_any_key();
        let mut unruled = session("x", 1_000);
        unruled.rule = None;
        begin(&store, unruled).await.unwrap();
        assert_eq!(give(&store, &stream(), Command::Start, 2_000).await, Err(Error::NoRule));
    });
}

/// The end slice of the file that is due, if one is.
async fn due(store: &MemoryStore, now_ms: u64) -> Option<u64> {
    match advance(store, &stream(), M3u8, now_ms).await.unwrap() {
        NextFile::Due(file) => Some(file.slices.end.slice),
        _ => None,
    }
}

#[test]
fn a_stopped_recording_closes_after_the_delay_or_at_once_when_told_so() {
    run(async {
        for (cancel, closes_ms) in [(false, 125_000), (true, 115_000)] {
            let store = MemoryStore::with_any_key();
            pushed(&store, "x", 100_000, 2).await;
            give(&store, &stream(), Command::Stop, 110_000).await.unwrap();
            if cancel {
                give(&store, &stream(), Command::CancelDelay, 111_000).await.unwrap();
            }
            heartbeat(&store, "g", 0, closes_ms).await.unwrap();
            assert_eq!(due(&store, closes_ms - 1).await, None);
            assert_eq!(due(&store, closes_ms).await, Some(2));
            assert!(live_session(&store, &stream()).await.unwrap().is_some());
        }
    });
}

#[test]
fn a_restart_ends_the_file_with_the_slice_being_recorded() {
    run(async {
        let store = MemoryStore::with_any_key();
        pushed(&store, "x", 100_000, 1).await;
        give(&store, &stream(), Command::Restart, 108_000).await.unwrap();
        assert_eq!(due(&store, 109_000).await, None);
        commit(&store, "x", 100_000, 1).await.unwrap();
        commit(&store, "x", 100_000, 2).await.unwrap();
        assert_eq!(due(&store, 116_000).await, Some(2));
    });
}

#[test]
fn live_sessions_are_those_that_have_not_ended() {
    run(async {
        let store = MemoryStore::with_any_key();
        let live = async || -> Vec<String> {
            live_sessions(&store, "d").await.unwrap().into_iter().map(|session| session.id).collect()
        };
        assert!(live().await.is_empty());
        for id in ["x", "y", "z"] {
            begin(&store, session(id, 1_000)).await.unwrap();
        }
        end(&store, "y", 2_000).await.unwrap();
        assert_eq!(live().await, ["x", "z"]);
        end(&store, "x", 2_000).await.unwrap();
        assert_eq!(live().await, ["z"]);
        end(&store, "z", 2_000).await.unwrap();
        assert!(live().await.is_empty());
        begin(&store, session("w", 3_000)).await.unwrap();
        store.break_at(u64::MAX);
        assert_eq!(live().await, ["w"]);
        assert!(store.operations() < 8, "{} operations", store.operations());
    });
}
