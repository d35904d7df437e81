//! What the object of a slice says of its commit, and the commit by what it says.

use super::{Delivery, Prepared, plan};
use crate::account::Account;
use crate::chunk::Chunk;
use crate::committed::Committed;
use crate::error::Error;
use crate::session::Session;
use crate::slice_note::SliceNote;

/// What the object of a slice is to say: who finds it after the store was lost commits it anew. `None` for what is no slice,
/// or cannot be said in the room that objects have for it.
///
/// # Errors
/// [`Error::Record`].
pub fn note(prepared: &Prepared, delivery: &Delivery) -> Result<Option<String>, Error> {
    let Prepared { session, seq, before, is_parted, .. } = prepared;
    let Chunk::Slice(slice) = delivery.chunk else { return Ok(None) };
    let (after, _) = plan(prepared, delivery.clone())?;
    let between = match seq.checked_sub(1) {
        Some(seq) => before.since_slice(&session.id, seq)?,
        None => Vec::new(),
    };
    let is_full = |account: &Account| account.file.as_ref().is_none_or(|run| run.is_full);
    let note = SliceNote {
        generation: delivery.generation,
        before: if between.is_empty() { delivery.generation } else { before.generation },
        is_parted: *is_parted,
        is_parted_before: !between.is_empty() && before.accounts.iter().all(is_full),
        is_followed_by_entry: delivery.is_followed_by_entry,
        files: after.files(),
        left_out: prepared.new_left_out(delivery),
        between,
        slice,
        remux_state: delivery.remux_state.clone(),
    };
    Ok(note.encode())
}

impl Prepared {
    /// A chunk that was committed before, on a record that is known again; `is_parted`: what was found then.
    pub(crate) fn again(session: &Session, seq: u64, before: Committed, is_parted: bool) -> Self {
        Self {
            session: session.clone(),
            seq,
            remux_state: Vec::new(),
            names_taken: 0,
            is_replacing: false,
            before,
            is_parted,
        }
    }
}
