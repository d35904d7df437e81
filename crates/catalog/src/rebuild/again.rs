//! A slice is committed anew, by what its object says.

use store::Store;

use super::own_slices::OwnSlice;
use crate::chunk::{Chunk, Slice};
use crate::commit::{self, Delivery, Prepared};
use crate::committed::{self, Committed};
use crate::error::Error;
use crate::order::Generation;
use crate::session::Session;
use crate::slice_note::SliceNote;
use crate::time::DAY_MS;
use crate::{names, news, noted};

/// Earlier than this before the push's begin no slice begins, nor does one end later than a day from now. Unit: ms.
const EARLY_MS: u64 = 10_000;

/// Numbers of files jump by no more, however often a store was lost. See [`numbers`](super::numbers).
const MOST_LEFT_OUT: u32 = 100_000_000;

/// No file has so high a number.
const MOST_NUMBER: u32 = 1 << 31;

/// A slice, and what its object says of it.
pub(super) struct Said {
    /// Its number.
    pub(super) seq: u64,
    /// What it says; `None` where that is not to be believed.
    pub(super) note: Option<SliceNote>,
    /// A silence closed the files before it. It may have been put before that, and committed after it.
    pub(super) is_closed: bool,
}

impl Said {
    /// What an object of a session says. It is anybody's who may write into the bucket: what it says of itself has to be so,
    /// and what cannot be is not believed. `last`: the orders of the session that the functions know.
    pub(super) fn of(session: &Session, own: &OwnSlice, last: Generation, now_ms: u64) -> Self {
        let note = own.seen.note.as_deref().and_then(SliceNote::decode);
        let is_so = |note: &SliceNote| {
            let Slice { size, names_taken, .. } = note.slice;
            let (start_ms, end_ms) = (note.slice.start_ms(), note.slice.end_ms());
            let name = names::slice(session, own.seq, start_ms, names_taken.into());
            name.is_ok_and(|name| name == own.name)
                && own.seen.size.is_none_or(|seen| seen == size)
                && start_ms + EARLY_MS >= session.began_ms
                && start_ms <= end_ms
                && end_ms <= now_ms + DAY_MS
                && note.between.len() as u64 <= own.seq
                && note.before.orders <= note.generation.orders
                && note.before.files <= note.generation.files
                && note.generation.orders <= last.orders
                && note.generation.files <= last.files
        };
        Self { seq: own.seq, note: note.filter(is_so), is_closed: false }
    }

    /// The first chunk that it says something of.
    pub(super) fn first(&self) -> u64 {
        self.seq - self.note.as_ref().map_or(0, |note| note.between.len() as u64)
    }
}

/// Commits a slice, and the chunks before it that are none, after a record; answers its own. `None` where it does not fit.
pub(super) async fn commit(
    store: &impl Store,
    session: &Session,
    (length, before): (u64, &Committed),
    said: &Said,
    now_ms: u64,
) -> Result<Option<Committed>, Error> {
    let Some(note) = &said.note else { return Ok(None) };
    if said.first() > length || said.seq < length {
        return Ok(None);
    }
    // What the object says of files was so when it was put.
    let is_outdated = said.is_closed && !note.is_parted;
    let note = &SliceNote { is_parted: note.is_parted || said.is_closed, ..note.clone() };
    let fitting =
        if is_outdated { Some(before.clone()) } else { fitting(session, (length, before), said.seq, note)? };
    let Some(mut before) = fitting else { return Ok(None) };
    for (seq, delivery, is_parted) in chunks(length, said.seq, note) {
        let prepared = Prepared::again(session, seq, before, is_parted);
        let late_noted_ms = match &delivery.chunk {
            Chunk::Slice(slice) => noted::note_slice(store, &prepared, slice, now_ms).await?,
            _ => prepared.late_noted_ms(),
        };
        let next = news::note(store, &prepared, &delivery, now_ms).await?;
        let (mut record, _) = commit::plan(&prepared, delivery)?;
        record.number(next);
        record.late_noted_ms = late_noted_ms;
        committed::put(store, &session.id, seq, &record).await?;
        before = record;
    }
    Ok(Some(before))
}

/// The record to commit a slice on, so that it is in the files that it says; `None` where it never is. Numbers of files
/// may have jumped where a store was lost before.
fn fitting(
    session: &Session,
    (length, before): (u64, &Committed),
    seq: u64,
    note: &SliceNote,
) -> Result<Option<Committed>, Error> {
    if note.files.len() != before.accounts.len()
        || note.before.orders < before.generation.orders
        || note.before.files < before.generation.files
        || before.anchor_ms.is_some_and(|anchor_ms| note.slice.anchor_ms < anchor_ms)
    {
        return Ok(None);
    }
    let planned = planned(session, (length, before), seq, note)?;
    if planned == note.files {
        return Ok(Some(before.clone()));
    }
    let jumped = before.accounts.iter().zip(planned).zip(&note.files).map(|((account, planned), said)| {
        let left_out = said.0.checked_sub(planned.0)?;
        let is_possible = left_out <= MOST_LEFT_OUT && said.0 < MOST_NUMBER;
        is_possible.then(|| account.from(if left_out > 0 { said.0 } else { 0 }))
    });
    let Some(jumped) = jumped.collect() else { return Ok(None) };
    let before = before.with(jumped);
    let is_so = self::planned(session, (length, &before), seq, note)? == note.files;
    Ok(is_so.then_some(before))
}

/// The files that a slice would be in.
fn planned(
    session: &Session,
    (length, before): (u64, &Committed),
    seq: u64,
    note: &SliceNote,
) -> Result<Vec<(u32, u32)>, Error> {
    let mut before = before.clone();
    for (seq, delivery, is_parted) in chunks(length, seq, note) {
        before = commit::plan(&Prepared::again(session, seq, before, is_parted), delivery)?.0;
    }
    Ok(before.files())
}

/// The chunks from one on up to a slice, as they were brought, each with whether it was parted from what came before.
fn chunks(length: u64, seq: u64, note: &SliceNote) -> impl Iterator<Item = (u64, Delivery, bool)> {
    let first = seq - note.between.len() as u64;
    let delivery = |chunk, generation, left_out| Delivery {
        generation,
        chunk,
        is_followed_by_entry: note.is_followed_by_entry,
        remux_state: note.remux_state.clone(),
        left_out,
    };
    let between = (first..).zip(&note.between).filter(move |(seq, _)| *seq >= length);
    let between = between.enumerate().map(move |(place, (seq, chunk))| {
        (seq, delivery(*chunk, note.before, Vec::new()), place == 0 && note.is_parted_before)
    });
    let slice = delivery(Chunk::Slice(note.slice), note.generation, note.left_out.clone());
    between.chain(std::iter::once((seq, slice, note.is_parted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::{session_of, slice};
    use crate::users::Seen;

    const BEGAN_MS: u64 = 1_777_777_777_000;

    #[test]
    fn a_slice_is_believed_that_begins_a_little_before_its_push_and_no_earlier_one() {
        let mut session = Session { began_ms: BEGAN_MS, ..session_of("a") };
        let slices = session.rule.as_mut().unwrap().formats[0].slices.as_mut().unwrap();
        slices.object_prefix = naming::DEFAULT_SLICE.into();
        for (early_ms, is_believed) in [(0, true), (10_000, true), (10_001, false), (3_600_000, false)] {
            let slice = Slice { anchor_ms: BEGAN_MS - early_ms, ..slice(0) };
            let note = SliceNote {
                generation: Generation::default(),
                before: Generation::default(),
                is_parted: false,
                is_parted_before: false,
                is_followed_by_entry: true,
                files: vec![(0, 1)],
                left_out: Vec::new(),
                between: Vec::new(),
                slice,
                remux_state: Vec::new(),
            };
            let seen = Seen { tag: None, note: note.encode(), size: Some(slice.size) };
            let name = names::slice(&session, 0, slice.start_ms(), 0).unwrap();
            let own = OwnSlice { seq: 0, name, seen };
            let said = Said::of(&session, &own, Generation::default(), BEGAN_MS + 60_000);
            assert_eq!(said.note, is_believed.then_some(note), "{early_ms}");
        }
    }
}
