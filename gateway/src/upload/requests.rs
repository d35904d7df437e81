//! Following what is asked for by hand.

use std::{collections::HashSet, fs, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::Uploads;
use crate::{
    clock::LogLimit,
    operation::ChunkOutcome,
    queue,
    spool::{Action, ChunkId, Request, Spool, is_loss_untold, resend},
    tell::Tell,
};

const EVERY: Duration = Duration::from_secs(1);

/// Follows the requests in the spool, for ever: each is looked at again until all of it can be done.
pub(crate) async fn follow_requests(uploads: Arc<Uploads>, tell: Arc<Tell>) {
    let mut seconds = interval(EVERY);
    let mut limit = LogLimit::default();
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let says = limit.permits();
        let spool = Arc::clone(&uploads.uploader().spool);
        let (uploads, tell) = (Arc::clone(&uploads), Arc::clone(&tell));
        let looked = spool.spawn(move || follow_all(&uploads, &tell, says)).await;
        match looked {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("requests in the spool cannot be followed: {error:#}"),
            Err(error) => tracing::error!("following the requests in the spool panicked: {error}"),
        }
    }
}

/// `says`: whether it is logged what cannot be done yet.
fn follow_all(uploads: &Arc<Uploads>, tell: &Arc<Tell>, says: bool) -> anyhow::Result<()> {
    let spool = &uploads.uploader().spool;
    for (path, Request { action, chunks }) in spool.requests()? {
        let followed = match action {
            Action::Drop => drop_all(uploads, spool, &chunks),
            Action::Resend => resend_all(uploads, spool, tell, &chunks, says),
        };
        let done = followed.and_then(|is_done| if is_done { Ok(fs::remove_file(&path)?) } else { Ok(()) });
        // One that cannot be followed keeps none of the others back.
        if let Err(error) = done
            && says
        {
            tracing::error!("request {} cannot be followed yet: {error:#}", path.display());
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
            Some(Some(true)) => {
                uploads.uploader().metrics.chunks.of(ChunkOutcome::Dropped).add_one();
                tracing::warn!("chunk {id} is dropped by hand");
            }
            Some(Some(false)) => {}
            Some(None) => are_done = false,
            None => tracing::info!("refused chunk {id} is dropped by hand"),
        }
    }
    Ok(are_done)
}

/// Resends chunks of pushes; `false` where some wait: those of a push stay together, and the loss of one of them is not
/// told yet.
fn resend_all(
    uploads: &Arc<Uploads>,
    spool: &Arc<Spool>,
    tell: &Arc<Tell>,
    chunks: &[ChunkId],
    says: bool,
) -> anyhow::Result<bool> {
    let mut waiting = HashSet::new();
    for id in chunks {
        if is_loss_untold(spool, id)? {
            waiting.insert(&id.push);
        }
    }
    let told: Vec<_> = chunks.iter().filter(|id| !waiting.contains(&id.push)).cloned().collect();
    resend(spool, &told, |push| {
        tracing::info!("{}: {} refused chunks are resent by hand", push.path, push.waiting.len());
        uploads.enqueue(queue::recovered(push, tell));
    })?;
    if says && !waiting.is_empty() {
        let (count, pushes) = (chunks.len() - told.len(), waiting.len());
        tracing::info!("{count} refused chunks of {pushes} pushes are resent once the losses there are told");
    }
    Ok(waiting.is_empty())
}
