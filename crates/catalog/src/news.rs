//! What a chunk brings that is to be told: what cannot be recorded, and its slice.

use store::Store;

use crate::chunk::Chunk;
use crate::commit::{Delivery, Prepared};
use crate::committed::Numbers;
use crate::error::Error;
use crate::event::{self, Fact, ToldFile, Trouble};
use crate::names;
use crate::rule::Container;

/// Notes what a chunk brings, as far as somebody wants to be told of it. Answers the numbers of the next events. To be
/// called before the chunk is committed.
///
/// # Errors
/// [`Error::Name`]; the store failed.
pub(crate) async fn note(
    store: &impl Store,
    prepared: &Prepared,
    delivery: &Delivery,
    now_ms: u64,
) -> Result<Numbers, Error> {
    let session = &prepared.session;
    let mut next = prepared.numbers();
    for trouble in troubles(prepared, delivery)? {
        let number = event::note_next(store, session, next.trouble, Fact::Trouble(trouble), now_ms).await?;
        next.trouble = number + 1;
    }
    if let Some(slice) = slice(prepared, delivery)? {
        next.slice = event::note_next(store, session, next.slice, Fact::Slice(slice), now_ms).await? + 1;
    }
    Ok(next)
}

/// What cannot be recorded.
fn troubles(prepared: &Prepared, delivery: &Delivery) -> Result<Vec<Trouble>, Error> {
    if !prepared.session.tells_status {
        return Ok(Vec::new());
    }
    let left_out = prepared.new_left_out(delivery).into_iter().map(Trouble::LeftOut);
    let lost = match delivery.chunk {
        Chunk::Gap(gap) if prepared.begins_loss()? => Some(Trouble::Lost(gap.reason, prepared.seq)),
        _ => None,
    };
    Ok(lost.into_iter().chain(left_out).collect())
}

/// The slice, where slices are told by themselves.
fn slice(prepared: &Prepared, delivery: &Delivery) -> Result<Option<ToldFile>, Error> {
    let session = &prepared.session;
    let has_slices = session.rule.as_ref().is_some_and(|rule| rule.slices().is_some());
    let Chunk::Slice(slice) = delivery.chunk else { return Ok(None) };
    if !session.tells_slices || !has_slices {
        return Ok(None);
    }
    Ok(Some(ToldFile {
        container: Container::M3u8,
        object: names::slice(session, prepared.seq, slice.start_ms(), slice.names_taken.into())?,
        start_ms: slice.start_ms(),
        end_ms: slice.end_ms(),
        duration_90khz: slice.duration_90khz,
        arguments: event::arguments(session),
    }))
}
