//! A gateway in an operator's hands.

use std::{
    pin::pin,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use exposition::Exposition;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    health::{Health, Reason},
    metrics::{Failure, Metrics},
    publishers::{PublisherView, Publishers},
    report,
};
use crate::{
    places::Places,
    queue::Waits,
    settings::{Current, Settings},
    spool::{Fill, Spool},
    upload::Uploads,
};

/// A push in trouble for less than this is none to be told of: the next try may succeed.
const TROUBLE: Duration = Duration::from_secs(5);

/// With less room than this a disk is full.
const FULL_DISK_BYTES: u64 = 16 << 20;

/// A gateway, to be looked at and told what to do from before it is opened until after it has ended.
///
/// Each clone is of the same gateway.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    settings: Current,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    publishers: Arc<Publishers>,
    /// Once the gateway knows what an earlier one left.
    parts: OnceLock<Parts>,
    drain: watch::Sender<Option<Drain>>,
}

/// What is looked at. It ends with the gateway, whoever still has its [`Control`].
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) spool: Weak<Spool>,
    pub(crate) places: Weak<Places>,
    pub(crate) uploads: Weak<Uploads>,
}

/// How a gateway is to end of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainPlan {
    /// How long the pushes that are live may go on.
    pub wait: Duration,
    /// How long what waits may take to be brought to the functions after that.
    pub upload: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Drain {
    since: Instant,
    plan: DrainPlan,
}

/// What a gateway that ends still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DrainState {
    /// Whether it ends, as an operator or the system told it to.
    pub draining: bool,
    /// Publishers that are connected.
    pub publishers: usize,
    /// Pushes, live or not, that are not all brought to the functions.
    pub waiting_pushes: usize,
    /// Their chunks that wait for the functions.
    pub waiting_chunks: usize,
}

impl Control {
    /// Of a gateway with these settings.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        let settings = Current::new(settings)?;
        Ok(Self { shared: Arc::new(Shared { settings, ..Shared::default() }) })
    }

    /// The settings that hold now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.shared.settings.get()
    }

    /// Has other settings hold from now on, and answers the names of those that changed. No push that is live ends by it.
    ///
    /// # Errors
    /// A setting that cannot be used. Then nothing changes.
    pub fn change(&self, settings: Settings) -> anyhow::Result<Vec<&'static str>> {
        self.shared.settings.set(settings)
    }

    pub(crate) fn current(&self) -> &Current {
        &self.shared.settings
    }

    /// What it is made of, once it is whole.
    pub(crate) fn set_parts(&self, parts: Parts) {
        // A configuration that opens a second gateway shows the first one.
        if self.shared.parts.set(parts).is_err() {
            tracing::warn!("one control serves two gateways: it shows the first one alone");
        }
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    pub(crate) fn health(&self) -> &Arc<Health> {
        &self.shared.health
    }

    pub(crate) fn publishers(&self) -> &Arc<Publishers> {
        &self.shared.publishers
    }

    /// Who publishes.
    #[must_use]
    pub fn publisher_views(&self) -> Vec<PublisherView> {
        self.shared.publishers.views(Instant::now())
    }

    /// Ends the connections of a push, by its name, or of a stream, by `domain/app/stream`; answers how many there were.
    /// The publisher is told that an operator did it, and may come again.
    #[must_use]
    pub fn kick(&self, name: &str) -> usize {
        let kicked = self.shared.publishers.kick(name);
        self.shared.metrics.kicked.add(kicked as u64);
        kicked
    }

    /// Has the gateway end: from now on it refuses pushes, lets those that are live go on for a while, brings what waits
    /// to the functions, and ends. Said again it changes for how long.
    pub fn drain(&self, plan: DrainPlan) {
        self.shared.publishers.close();
        self.shared.drain.send_modify(|drain| {
            let since = drain.map_or_else(Instant::now, |drain| drain.since);
            *drain = Some(Drain { since, plan });
        });
        tracing::warn!("draining: live pushes may go on for {:?}", plan.wait);
    }

    /// What it still has.
    #[must_use]
    pub fn drain_state(&self) -> DrainState {
        let waiting = self.waiting();
        DrainState {
            draining: self.shared.publishers.is_closed(),
            publishers: self.shared.publishers.count(),
            waiting_pushes: waiting.len(),
            waiting_chunks: waiting.iter().map(|waits| waits.chunks).sum(),
        }
    }

    /// Whether an operator has it end.
    pub(crate) fn is_drained(&self) -> bool {
        self.shared.drain.borrow().is_some()
    }

    /// Completes when a gateway that was told to end has no publisher, or has waited for them long enough.
    pub(crate) async fn drained(&self) {
        let mut changes = self.shared.drain.subscribe();
        let mut none = pin!(self.shared.publishers.none());
        loop {
            let drain = *changes.borrow_and_update();
            let Some(Drain { since, plan }) = drain else {
                if changes.changed().await.is_err() {
                    return std::future::pending().await;
                }
                continue;
            };
            tokio::select! {
                () = &mut none => return,
                () = until(since.checked_add(plan.wait)) => return,
                _ = changes.changed() => {}
            }
        }
    }

    /// Why what is pushed is not recorded as it should be; nothing where it is.
    #[must_use]
    pub fn problems(&self) -> Vec<Reason> {
        let now = Instant::now();
        let mut reasons = self.shared.health.reasons(now);
        reasons.extend(self.spool_reasons(|fill| fill.is_full() || !fill.admits_another));
        let waiting = self.waiting();
        let troubles = waiting.iter().filter_map(|waits| waits.trouble);
        let lasting: Vec<_> = troubles
            .filter(|trouble| now.saturating_duration_since(trouble.since) >= TROUBLE)
            .map(|trouble| trouble.failure)
            .collect();
        let refused_by_bucket = lasting.iter().filter(|failure| **failure == Failure::Bucket).count();
        if refused_by_bucket > 0 {
            let message = format!("{refused_by_bucket} pushes wait for buckets that refuse them");
            reasons.push(Reason::new("bucket_refuses", message));
        }
        let others = lasting.len() - refused_by_bucket;
        // Where the functions are away altogether, that is the reason.
        if others > 0 && reasons.is_empty() {
            let message = format!("{others} pushes should be recorded and are not");
            reasons.push(Reason::new("pushes_unrecorded", message));
        }
        reasons
    }

    /// Why nobody should be sent here to push; nothing where all may come.
    ///
    /// Functions that are away are no reason: what is pushed meanwhile waits in the spool.
    #[must_use]
    pub fn hindrances(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if self.shared.parts.get().is_none() {
            reasons.push(Reason::new("recovering", "what an earlier gateway left is looked through"));
        }
        if self.shared.publishers.is_closed() {
            reasons.push(Reason::new("draining", "the gateway is about to end"));
        }
        // Where one stream has filled it, others still find room.
        reasons.extend(self.spool_reasons(|fill| !fill.admits_another));
        reasons
    }

    /// What is not as it should be with the spool.
    fn spool_reasons(&self, is_full: impl Fn(&Fill) -> bool) -> Vec<Reason> {
        let spool = self.shared.parts.get().and_then(|parts| parts.spool.upgrade());
        let Some(spool) = spool else { return Vec::new() };
        let fill = spool.fill();
        let mut reasons = Vec::new();
        if fill.is_disk_refusing || spool.disk_free_bytes().is_ok_and(|free| free < FULL_DISK_BYTES) {
            reasons
                .push(Reason::new("disk_full", "the spool's disk is full or fails: media waits in memory"));
        }
        if is_full(&fill) {
            let message =
                "the spool is full: publishers are refused or held back, or lose their oldest media";
            reasons.push(Reason::new("spool_full", message));
        }
        reasons
    }

    /// What is counted, in Prometheus's text format.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        self.metrics_beside(true).finish()
    }

    /// What is counted, beside other parts of the process, which are healthy or not.
    pub(crate) fn metrics_beside(&self, is_healthy: bool) -> Exposition {
        let parts = self.shared.parts.get();
        let now = Instant::now();
        let seen = report::Seen {
            publishers: self.shared.publishers.count(),
            recorded: self.shared.publishers.recorded(now),
            is_draining: self.shared.publishers.is_closed(),
            is_healthy: is_healthy && self.problems().is_empty(),
            is_ready: self.hindrances().is_empty(),
            connections: parts
                .and_then(|parts| parts.places.upgrade())
                .map_or(0, |places| places.taken_now()),
            waiting: self.waiting(),
            spool: parts.and_then(|parts| parts.spool.upgrade()),
        };
        report::text(&self.shared.metrics, &seen, now)
    }

    fn waiting(&self) -> Vec<Waits> {
        let uploads = self.shared.parts.get().and_then(|parts| parts.uploads.upgrade());
        uploads.map(|uploads| uploads.waiting()).unwrap_or_default()
    }
}

/// Completes when a gateway that is to end need not wait any longer for what it brings to the functions. How long it
/// may, an operator can still change meanwhile.
pub(crate) async fn patience(control: &Control, usual: Duration, is_stopped: impl Future<Output = ()>) {
    let began = Instant::now();
    let mut changes = control.shared.drain.subscribe();
    let mut stopped = pin!(async {
        is_stopped.await;
        sleep(usual).await;
    });
    loop {
        let upload = changes.borrow_and_update().map_or(usual, |drain| drain.plan.upload);
        tokio::select! {
            () = until(began.checked_add(upload)) => return,
            () = &mut stopped => return,
            _ = changes.changed() => {}
        }
    }
}

/// Completes at a moment, where there is one.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
