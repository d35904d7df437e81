//! Following what is asked for by hand.

use std::{fs, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::Uploads;
use crate::{
    queue,
    spool::{Action, ChunkId, Request, Spool, is_loss_untold, resend},
    tell::Tell,
};

const EVERY: Duration = Duration::from_secs(1);

/// Follows the requests in the spool, for ever: each is looked at again until all of it can be done.
pub(crate) async fn follow_requests(uploads: Arc<Uploads>, tell: Arc<Tell>) {
    let mut seconds = interval(EVERY);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let (uploads, tell) = (Arc::clone(&uploads), Arc::clone(&tell));
        let looked = tokio::task::spawn_blocking(move || follow_all(&uploads, &tell)).await;
        match looked {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("requests in the spool cannot be followed: {error:#}"),
            Err(error) => tracing::error!("following the requests in the spool panicked: {error}"),
        }
    }
}

fn follow_all(uploads: &Arc<Uploads>, tell: &Arc<Tell>) -> anyhow::Result<()> {
    let spool = &uploads.uploader().spool;
    for (path, Request { action, chunks }) in spool.requests()? {
        let is_done = match action {
            Action::Drop => drop_all(uploads, spool, &chunks)?,
            Action::Resend => resend_all(uploads, spool, tell, &chunks)?,
        };
        if is_done {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Drops chunks; `false` where the functions are being given one of them.
fn drop_all(uploads: &Uploads, spool: &Spool, chunks: &[ChunkId]) -> anyhow::Result<bool> {
    let mut are_done = true;
    for id in chunks {
        let is_refused = spool.drop_refused(id)?;
        let queue = if is_refused { None } else { uploads.find(&id.push) };
        match queue.map(|queue| queue.drop_chunk(id.chunk)) {
            Some(Some(true)) => tracing::warn!("chunk {id} is dropped by hand"),
            Some(Some(false)) => {}
            Some(None) => are_done = false,
            None => tracing::info!("refused chunk {id} is dropped by hand"),
        }
    }
    Ok(are_done)
}

/// Resends chunks; `false` where the loss of one of them is not told yet.
fn resend_all(
    uploads: &Arc<Uploads>,
    spool: &Arc<Spool>,
    tell: &Arc<Tell>,
    chunks: &[ChunkId],
) -> anyhow::Result<bool> {
    for id in chunks {
        if is_loss_untold(spool, id)? {
            return Ok(false);
        }
    }
    for push in resend(spool, chunks)? {
        tracing::info!("{}: {} refused chunks are resent by hand", push.path, push.waiting.len());
        uploads.enqueue(queue::recovered(push, tell));
    }
    Ok(true)
}
