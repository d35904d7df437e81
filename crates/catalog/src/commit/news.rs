//! What is to be told of a chunk.

use super::{Delivery, Prepared};
use crate::chunk::{Chunk, Slice};
use crate::error::Error;
use crate::event::Trouble;

/// So many tracks of a session that are not recorded are told of.
const MOST_LEFT_OUT: usize = 8;

/// What is to be told of a chunk, as far as somebody wants to hear of it.
pub(crate) struct News {
    /// What cannot be recorded.
    pub(crate) troubles: Vec<Trouble>,
    /// Its slice, if that is told by itself.
    pub(crate) slice: Option<Slice>,
    /// The numbers of the next events.
    pub(crate) next: Numbers,
}

/// Numbers of a session's events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) trouble: u32,
    pub(crate) slice: u32,
}

impl News {
    /// What a chunk brings.
    pub(crate) fn of(prepared: &Prepared, delivery: &Delivery) -> Result<Self, Error> {
        let Prepared { session, before, .. } = prepared;
        let next = Numbers { trouble: before.troubles, slice: before.told_slices };
        let mut troubles = Vec::new();
        if session.tells_status {
            if let Chunk::Gap(gap) = delivery.chunk
                && begins_loss(prepared)?
            {
                troubles.push(Trouble::Lost(gap.reason, prepared.seq));
            }
            let new = delivery.left_out.iter().filter(|track| !before.left_out.contains(track));
            let room = MOST_LEFT_OUT.saturating_sub(before.left_out.len());
            troubles.extend(new.take(room).cloned().map(Trouble::LeftOut));
        }
        let has_slices = session.rule.as_ref().is_some_and(|rule| rule.slices().is_some());
        let slice = match delivery.chunk {
            Chunk::Slice(slice) if session.tells_slices && has_slices => Some(slice),
            _ => None,
        };
        Ok(Self { troubles, slice, next })
    }
}

/// Whether a chunk that is lost is the first of those that follow one another.
fn begins_loss(prepared: &Prepared) -> Result<bool, Error> {
    let Some(before) = prepared.seq.checked_sub(1) else { return Ok(true) };
    let chunks = prepared.before.chunks(&prepared.session.id, before)?;
    Ok(!matches!(chunks.last(), Some(Chunk::Gap(_))))
}
