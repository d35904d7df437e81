//! What is done each second: a sign of life, the functions' clockwork, files that wait.

use std::{
    fs::File,
    sync::Arc,
    time::{Duration, Instant},
};

use protocol::{Heartbeat, HeartbeatAnswer, TickAnswer};
use tokio::time::{MissedTickBehavior, interval};

use crate::server::Gateway;

const EVERY: Duration = Duration::from_secs(1);

/// A chunk that has waited for this long is made to survive a loss of power. Sooner would cost every chunk a
/// disk write that its acknowledgement makes needless.
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// Failures are said at most this often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Tells the functions that the gateway is alive, and the pushes what they changed.
pub(crate) async fn beat(gateway: Arc<Gateway>) {
    let mut seconds = seconds();
    let mut said = None;
    // Whatever was commanded before this start concerns pushes that are over: begin with the newest change.
    let mut since = u64::MAX;
    loop {
        seconds.tick().await;
        let heartbeat =
            Heartbeat { gateway: gateway.name.clone(), sessions: gateway.sessions.names(), since };
        match gateway.functions.post::<HeartbeatAnswer>("/heartbeat", &heartbeat).await {
            Ok(answer) => {
                since = answer.since;
                answer.sessions.into_iter().for_each(|change| gateway.sessions.change(change));
            }
            Err(error) => say(&mut said, || tracing::warn!("heartbeat failed: {error}")),
        }
    }
}

/// Runs what is due in the functions.
pub(crate) async fn tick(gateway: Arc<Gateway>) {
    let mut seconds = seconds();
    let mut said = None;
    loop {
        seconds.tick().await;
        match gateway.functions.post::<TickAnswer>("/tick", &()).await {
            Ok(answer) => answer.failures.iter().for_each(|failure| tracing::warn!("tick: {failure}")),
            Err(error) => say(&mut said, || tracing::warn!("tick failed: {error}")),
        }
    }
}

/// Brings chunks that wait to the disk itself.
pub(crate) async fn sync(gateway: Arc<Gateway>) {
    let mut seconds = seconds();
    loop {
        seconds.tick().await;
        let Some(than) = Instant::now().checked_sub(SYNC_AFTER) else { continue };
        let paths: Vec<_> =
            gateway.registry.all().iter().flat_map(|ingest| ingest.take_unsynced(than)).collect();
        if paths.is_empty() {
            continue;
        }
        let synced = tokio::task::spawn_blocking(move || {
            for path in paths {
                // One that is gone is acknowledged.
                if let Err(error) = File::open(&path).map_or(Ok(()), |file| file.sync_all()) {
                    tracing::error!("{} cannot be synced: {error}", path.display());
                }
            }
        });
        if synced.await.is_err() {
            tracing::error!("syncing the spool panicked");
        }
    }
}

fn seconds() -> tokio::time::Interval {
    let mut seconds = interval(EVERY);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    seconds
}

fn say(said: &mut Option<Instant>, what: impl FnOnce()) {
    if said.is_none_or(|said| said.elapsed() > SAY_EVERY) {
        *said = Some(Instant::now());
        what();
    }
}
