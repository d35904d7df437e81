//! The chunks of one push: the recorder adds them, the uploader takes them away.
//!
//! [`QueueWriter`] is the end of the connection that receives the push, [`QueueReader`] the end of the tasks
//! that bring it to the functions. The reader also hands back what the functions want: [`Orders`].

mod orders;
mod reader;
mod shared;
mod writer;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::{
    clock::moment,
    spool::{Account, Push, Record, Recovered, Session, Waiting},
    tell::Tell,
};
use shared::{Queue, State};
use tokio::time::Instant;

pub(crate) use orders::{Answered, Orders, OrdersSender, Schedule, Timed};
pub(crate) use reader::{Ended, Next, QueueReader};
pub(crate) use shared::Waits;
pub(crate) use writer::QueueWriter;

/// The queue of a push that has just been published. Nothing is spooled before its first coded frame.
pub(crate) fn create(
    push: Push,
    folder: PathBuf,
    account: Arc<Account>,
    tell: &Arc<Tell>,
) -> anyhow::Result<(QueueWriter, QueueReader)> {
    let record = Record::new(push);
    let path = record.stream_path()?;
    let queue = Arc::new(Queue::new(path, folder, account, Arc::clone(tell), State::new(record)));
    Ok((QueueWriter::new(Arc::clone(&queue)), QueueReader::new(queue)))
}

/// A push that an earlier gateway has not brought to the functions: nobody adds to it.
pub(crate) fn recovered(found: Recovered, tell: &Arc<Tell>) -> QueueReader {
    let Recovered { path, folder, record, account, waiting } = found;
    let began = moment(record.began_at_ms);
    let mut state = State::new(record);
    let end = state.record.end.unwrap_or_default();
    let ended = began + Duration::from_millis(end.duration_ms);
    let session = state.record.session.clone();
    let is_resent = state.record.is_resent;
    state.began = Some((began, tell.happened(began)));
    state.ended = Some(tell.happened(ended));
    state.codecs_known = true;
    state.next_index = end.next_index;
    state.last_cut = waiting.last().map(Waiting::index);
    // The functions may have been given the first of them until just now.
    let now = Instant::now();
    state.tried = waiting.first().map(|first| (first.index(), now));
    state.waits_since = Some(now);
    state.waiting = waiting.into();
    if let Some(Session { id, first_index, is_end_told, .. }) = session {
        state.began.into_iter().for_each(|(_, event)| tell.told(event));
        if is_end_told {
            state.ended.into_iter().for_each(|event| tell.told(event));
        } else {
            tell.hold(&id);
        }
        (state.session, state.first_index, state.is_settled) = (Some(id), first_index, true);
    }
    if is_resent {
        // Nothing continues it and it continues nothing, and what its orders were is in its chunks' names.
        let events = [state.began.map(|(_, event)| event), state.ended];
        events.into_iter().flatten().for_each(|event| tell.told(event));
        state.is_settled = state.is_settled || state.record.resends.is_some();
    }
    let queue = Queue::new(path, folder, account, Arc::clone(tell), state);
    queue.last_frame_ms.store(end.duration_ms, Ordering::Relaxed);
    QueueReader::new(Arc::new(queue))
}

#[cfg(test)]
mod tests;
