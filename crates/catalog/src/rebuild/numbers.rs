//! Numbers of record files after a lost store.
//!
//! What the lost part of the store numbered may lie in the users' buckets, under names and tags that say these numbers.
//! So the next files have numbers that it cannot have come to. Where a user's bucket has shown that no slice is lost, its
//! files are the ones that are known, and the next one has the next number.

use store::Store;

use crate::account::{Account, Place, Run as FileRun};
use crate::committed::Committed;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::index_file;
use crate::log::part::Run;
use crate::next_file::{self, Next};
use crate::rule::Container;
use crate::session::{self, Session};
use crate::time::{DAY_MS, Retention};

/// So many numbers are left out for each day that may be lost, the first one included: far more files than one begins.
const A_DAY: u64 = 10_000;

/// How many numbers are left out where what came after a moment is lost.
pub(super) fn left_out(since_ms: u64, now_ms: u64) -> u32 {
    let days = now_ms.saturating_sub(since_ms) / DAY_MS + 1;
    u32::try_from(days.saturating_mul(A_DAY)).unwrap_or(u32::MAX / 2)
}

/// The first number past those of the files that some accounts know.
pub(super) fn first_free(accounts: &[Account]) -> u32 {
    let after = |account: &Account| account.file.as_ref().map_or(0, |run| run.number + 1).max(account.least);
    accounts.iter().map(after).max().unwrap_or(0)
}

/// Whether numbers are left out after the files that some accounts know, and nothing has come since.
pub(super) fn is_cut(accounts: &[Account]) -> bool {
    accounts.iter().any(|account| account.file.as_ref().is_some_and(|run| account.least > run.number + 1))
}

/// A session's last record as it is put back where chunks after it are lost: what comes next is in another file, well past
/// the ones that are known.
pub(super) fn parted(last: &Committed, now_ms: u64) -> Committed {
    let least =
        first_free(&last.accounts).saturating_add(left_out(last.last_media_ms().unwrap_or(0), now_ms));
    last.with(last.accounts.iter().map(|account| account.parted().from(least)).collect())
}

/// Notes which record files of a session's recording are to be written next, by its last run.
pub(super) async fn note_next(
    store: &impl Store,
    bucket: &impl WorkBucket,
    run: &Run,
    retention: Retention,
) -> Result<(), Error> {
    let Run { session, adopted, .. } = run;
    let Some((seq, last)) = &run.last else { return Ok(()) };
    let first = session::get(store, bucket, &adopted.recording).await?;
    let formats = session.rule.iter().flat_map(|rule| &rule.formats).map(|format| format.container);
    for (place, container) in formats.enumerate().filter(|(_, of)| retention.written.contains(of)) {
        let open = last.accounts.get(place).and_then(|account| account.file.as_ref());
        let mut runs: Vec<&FileRun> = open.into_iter().collect();
        let ended = run.ended.iter().chain(&last.ended);
        runs.extend(ended.filter(|(format, _)| *format == place).map(|(_, run)| run));
        runs.sort_by_key(|run| std::cmp::Reverse(run.number));
        runs.dedup_by_key(|run| run.number);
        let number = runs.first().map_or(0, |run| run.number + 1);
        let mut next = (number, Place { session: session.id.clone(), seq: *seq });
        // Files are written one after the other.
        for run in runs {
            let known = index_file::of_record_file(&first, container, run, "", 0);
            if index_file::is_noted(store, bucket, &known).await? {
                break;
            }
            let seq = if run.last.session == session.id { run.last.seq } else { 0 };
            next = (run.number, Place { session: session.id.clone(), seq });
        }
        note(store, &adopted.recording, container, next).await?;
    }
    Ok(())
}

/// Notes which record files come next of a recording that is over but for a session, of which no chunk is sealed.
pub(super) async fn note_begin(
    store: &impl Store,
    session: &Session,
    recording: &str,
    number: u32,
) -> Result<(), Error> {
    for format in session.rule.iter().flat_map(|rule| &rule.formats) {
        let from = Place { session: session.id.clone(), seq: 0 };
        note(store, recording, format.container, (number, from)).await?;
    }
    Ok(())
}

/// Notes the next record file, unless an earlier one is noted.
async fn note(
    store: &impl Store,
    recording: &str,
    container: Container,
    (number, from): (u32, Place),
) -> Result<(), Error> {
    let noted = next_file::noted(store, recording, container).await?;
    if noted.is_some_and(|noted| noted.number <= number) {
        return Ok(());
    }
    next_file::note(store, recording, container, &Next { number, from, empty_to: None, done: None }).await
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;
    use crate::account::Brought;
    use crate::tests::world::{session_of, slice};

    /// An account whose file has a number.
    fn account(number: u32) -> Account {
        let at = Place { session: "a".into(), seq: 0 };
        let brought = Brought { at: &at, slice: &slice(0), is_moved: false, is_followed_by_entry: true };
        let (account, _) = Account::new(Container::Mp4).from(number).after(brought, 900, false);
        assert_eq!(account.file.as_ref().map(|run| run.number), Some(number));
        account
    }

    #[test]
    fn more_numbers_are_left_out_the_more_days_may_be_lost() {
        let day = |days: u64| left_out(DAY_MS, DAY_MS + days * DAY_MS);
        assert_eq!([0, 1, 2, 90].map(day), [10_000, 20_000, 30_000, 910_000]);
        assert_eq!(left_out(DAY_MS, 2 * DAY_MS - 1), 10_000);
        // A clock may be behind.
        assert_eq!(left_out(DAY_MS, 0), 10_000);
    }

    #[test]
    fn the_first_free_number_is_past_every_file_and_every_number_that_is_left_out() {
        assert_eq!(first_free(&[]), 0);
        assert_eq!(first_free(&[Account::new(Container::Mp4)]), 0);
        assert_eq!(first_free(&[account(3), account(9), account(4)]), 10);
        assert_eq!(first_free(&[account(3).from(20), account(9)]), 20);
    }

    #[test]
    fn numbers_are_left_out_where_the_next_file_has_a_higher_one_than_the_next() {
        let is_cut_after = |least| is_cut(&[account(2), account(3).from(least)]);
        assert_eq!([0, 3, 4, 5, 10_004].map(is_cut_after), [false, false, false, true, true]);
        assert!(!is_cut(&[Account::new(Container::Mp4).from(10_000)]) && !is_cut(&[]));
    }

    #[test]
    fn of_files_that_are_to_be_written_the_first_one_is_noted() {
        let store = MemoryStore::default();
        let container = Container::M3u8;
        let noted = || run(next_file::noted(&store, "a", container)).unwrap();
        run(note_begin(&store, &session_of("b"), "a", 5)).unwrap();
        let from = Place { session: "b".into(), seq: 0 };
        assert_eq!(noted(), Some(Next { number: 5, from, empty_to: None, done: None }));
        for (number, expected) in [(7, 5), (3, 3), (4, 3)] {
            let from = Place { session: "c".into(), seq: number.into() };
            run(note(&store, "a", container, (number, from))).unwrap();
            assert_eq!(noted().map(|noted| noted.number), Some(expected), "{number}");
        }
    }
}
