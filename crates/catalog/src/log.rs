//! The log: what is sealed, in the work bucket.
//!
//! What was recorded of a stream in a UTC day lies in the objects `log/{stream}/{day}/{part}`, and the record files and
//! indexes of that day in `files/{stream}/{day}/{part}`. A part is created once and never changes; what comes late is in
//! a further part. A part counts once its mark is in the store, and what it holds need not be in the store any more.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `z.{stream}.{day}.{part}` | a part of `log/` counts | sealing: the same value by all |
//! | `r.{stream}.{day}.{part}` | a part of `files/` counts | sealing: the same value by all |
//!
//! [`seal`](crate::seal) writes parts; readers look into the store first, and into the parts second. What is moved
//! meanwhile is then in both, and a slice is known by its session and number.

pub(crate) mod part;

use serde::{Deserialize, Serialize};
use store::record::write;
use store::{Record, Store};

use crate::decision::WorkBucket;
use crate::error::Error;
use crate::time::DAY_MS;

/// A day is sealed from so long after its end on, and within [`SPREAD_MS`] from then.
const AFTER_MS: u64 = 70 * 60_000;

/// The streams' days are sealed over so long a time.
const SPREAD_MS: u64 = 40 * 60_000;

/// What comes for a day that is over is sealed from so long after it on.
pub(crate) const LATE_MS: u64 = 40 * 60_000;

/// What comes late within so long a time is sealed at once.
const LATE_STEP_MS: u64 = 20 * 60_000;

/// What a part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sessions and their chunks.
    Sessions,
    /// Record files and indexes.
    Files,
}

/// A UTC day of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamDay<'a> {
    /// The stream's key.
    pub(crate) stream: &'a str,
    /// The day, counted from 1970.
    pub(crate) day: u64,
}

/// A part counts.
#[derive(Serialize, Deserialize)]
struct Mark {}

impl Record for Mark {
    const VERSION: u32 = 1;
}

impl StreamDay<'_> {
    /// When it is over, Unix milliseconds.
    pub(crate) fn end_ms(self) -> u64 {
        (self.day + 1) * DAY_MS
    }

    /// When it is to be sealed, where something was noted in it at a moment. Unix milliseconds.
    pub(crate) fn seal_due_ms(self, now_ms: u64) -> u64 {
        let spread = self.stream.bytes().fold(0, |sum: u64, byte| (sum * 31 + u64::from(byte)) % SPREAD_MS);
        let first_ms = self.end_ms() + AFTER_MS + spread;
        if now_ms < first_ms { first_ms } else { (now_ms + LATE_MS).next_multiple_of(LATE_STEP_MS) }
    }

    /// The name of a part's object.
    pub(crate) fn object(self, kind: Kind, part: u32) -> String {
        let folder = match kind {
            Kind::Sessions => "log",
            Kind::Files => "files",
        };
        let day = naming::utc_day(self.day * DAY_MS);
        format!("{folder}/{}/{day}/{part:04}", self.stream)
    }

    fn mark_key(self, kind: Kind, part: u32) -> String {
        let letter = match kind {
            Kind::Sessions => 'z',
            Kind::Files => 'r',
        };
        format!("{letter}.{}.{}.{part}", self.stream, self.day)
    }

    /// Whether a part counts.
    pub(crate) async fn is_marked(self, store: &impl Store, kind: Kind, part: u32) -> Result<bool, Error> {
        Ok(store.exists(&self.mark_key(kind, part)).await?)
    }

    /// Has a part count.
    pub(crate) async fn mark(self, store: &impl Store, kind: Kind, part: u32) -> Result<(), Error> {
        Ok(write(store, &self.mark_key(kind, part), &Mark {}).await?)
    }

    /// Has a part count no more.
    pub(crate) async fn unmark(self, store: &impl Store, kind: Kind, part: u32) -> Result<(), Error> {
        Ok(store.delete(&self.mark_key(kind, part)).await?)
    }

    /// How many parts count.
    pub(crate) async fn parts(self, store: &impl Store, kind: Kind) -> Result<u32, Error> {
        let mut parts = 0;
        while self.is_marked(store, kind, parts).await? {
            parts += 1;
        }
        Ok(parts)
    }

    /// What a part that counts holds; `None` once it is deleted, beyond retention.
    pub(crate) async fn read(
        self,
        bucket: &impl WorkBucket,
        kind: Kind,
        part: u32,
    ) -> Result<Option<Vec<u8>>, Error> {
        bucket.read(&self.object(kind, part)).await.map_err(Error::WorkBucket)
    }
}

/// Stream, day and number of a part, by its object's name.
pub(crate) fn of_object(name: &str) -> Option<(&str, u64, u32)> {
    let [_, stream, day, part] = name.split('/').collect::<Vec<_>>()[..] else { return None };
    let day_ms = naming::utc_day_ms(day)?;
    Some((stream, day_ms / DAY_MS, part.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_of_many_streams_are_sealed_evenly_over_a_while() {
        let (mut quarters, mut all) = ([0; 4], Vec::new());
        for number in 0..400 {
            let stream = crate::stream::hash(&[&format!("{number}")]);
            let at = StreamDay { stream: &stream, day: 20_483 };
            let after_ms = at.seal_due_ms(at.end_ms() - 1) - at.end_ms();
            assert!((AFTER_MS..AFTER_MS + SPREAD_MS).contains(&after_ms), "{after_ms}");
            quarters[((after_ms - AFTER_MS) * 4 / SPREAD_MS) as usize] += 1;
            all.push(after_ms);
        }
        assert!(quarters.iter().all(|count| *count > 60), "{quarters:?}");
        // A clock may be an hour ahead, and what is sealed is what a lost store leaves: an hour or two after its end.
        let (first_ms, last_ms) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!(*first_ms > 3_600_000 && *last_ms < 7_200_000, "{first_ms} to {last_ms}");
        assert!(last_ms - first_ms > 1_800_000, "{first_ms} to {last_ms}");
    }

    #[test]
    fn what_comes_once_a_day_may_be_sealed_waits_for_its_own_seal() {
        let at = StreamDay { stream: "00ff", day: 20_483 };
        let first_ms = at.seal_due_ms(0);
        assert_eq!(at.seal_due_ms(first_ms - 1), first_ms);
        for late_ms in [0, 1, LATE_STEP_MS - 1, LATE_STEP_MS, 3_600_000] {
            let now_ms = first_ms + late_ms;
            let after_ms = at.seal_due_ms(now_ms) - now_ms;
            assert!((LATE_MS..LATE_MS + LATE_STEP_MS).contains(&after_ms), "{late_ms}: {after_ms}");
        }
    }

    #[test]
    fn what_comes_late_is_sealed_within_an_hour_and_not_chunk_by_chunk() {
        let at = StreamDay { stream: "00ff", day: 20_483 };
        let first_ms = at.seal_due_ms(0);
        let mut seals = Vec::new();
        // A chunk a minute, for six hours.
        for minute in 0..360 {
            let now_ms = first_ms + minute * 60_000;
            let due_ms = at.seal_due_ms(now_ms);
            assert!((1_800_000..=3_600_000).contains(&(due_ms - now_ms)), "{minute}");
            seals.push(due_ms);
        }
        seals.dedup();
        assert!(seals.len() <= 20, "{seals:?}");
    }

    #[test]
    fn the_name_of_a_part_says_where_it_is() {
        for kind in [Kind::Sessions, Kind::Files] {
            for part in [0, 7, 12_345] {
                let at = StreamDay { stream: "00ff", day: 20_483 };
                assert_eq!(of_object(&at.object(kind, part)), Some((at.stream, at.day, part)));
            }
        }
        for other in
            ["log/a/2026-01-01", "log/a/2026-13-01/0000", "log/a/2026-01-01/x", "log/a/2026-01-01/0/0"]
        {
            assert_eq!(of_object(other), None, "{other}");
        }
    }
}
