//! The publishers that are connected.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::traffic::Traffic;
use crate::queue::{QueueReader, Waits};

/// The publishers of a gateway, by push.
#[derive(Debug, Default)]
pub(crate) struct Publishers {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    live: BTreeMap<String, Arc<LivePush>>,
    /// Whether nobody more may publish.
    is_closed: bool,
}

/// A push whose publisher is connected.
#[derive(Debug)]
pub(crate) struct LivePush {
    queue: QueueReader,
    client: String,
    began: Instant,
    traffic: Arc<Traffic>,
    /// Ends the connection.
    kicked: CancellationToken,
}

/// A publisher's place in the list; dropping it takes the publisher out.
#[derive(Debug)]
pub(crate) struct Registered {
    publishers: Arc<Publishers>,
    id: String,
    kicked: CancellationToken,
}

/// What an operator is told of a publisher.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublisherView {
    /// Names the push.
    pub push: String,
    /// `domain/app/stream`.
    pub stream: String,
    /// Address and port.
    pub client: String,
    /// Since the publish, in seconds.
    pub age_s: f64,
    /// The session that the functions gave it; `None` until then.
    pub session: Option<String>,
    /// Whether what comes now is recorded, or spooled until that is known.
    pub recorded: bool,
    /// As the first headers say; empty until they came.
    pub video_codec: String,
    /// Likewise.
    pub audio_codec: String,
    /// Audio and video of the last two seconds, in bits per second.
    pub bits_per_second: f64,
    /// Video frames of the last two seconds, per second.
    pub frames_per_second: f64,
    /// Bytes of audio and video since the publish.
    pub media_bytes: u64,
    /// Since the last audio or video frame, in seconds; `None` where none came.
    pub silent_s: Option<f64>,
    /// How long the oldest chunk that the functions have not taken has waited since its last frame, in seconds.
    pub lag_s: f64,
    /// How many chunks wait.
    pub waiting_chunks: usize,
    /// Why it should be recorded and is not, if so: as the metric `live_recorder_unrecorded_pushes` says it.
    pub unrecorded: Option<&'static str>,
}

impl LivePush {
    pub(crate) fn new(queue: QueueReader, client: String, traffic: Arc<Traffic>) -> Self {
        Self { queue, client, began: Instant::now(), traffic, kicked: CancellationToken::new() }
    }

    fn view(&self, now: Instant) -> PublisherView {
        let record = self.queue.record();
        let sum = self.traffic.sum(now);
        let Waits { chunks, oldest, trouble } = self.queue.waits();
        let seconds_since = |at: Instant| now.saturating_duration_since(at).as_secs_f64();
        PublisherView {
            push: record.push.id,
            stream: self.queue.path().to_string(),
            client: self.client.clone(),
            age_s: seconds_since(self.began),
            session: self.queue.session(),
            recorded: sum.is_recorded,
            video_codec: record.codecs.video,
            audio_codec: record.codecs.audio,
            bits_per_second: sum.rates.bits_per_s.round(),
            frames_per_second: sum.rates.frames_per_s,
            media_bytes: sum.bytes,
            silent_s: sum.last_frame.map(seconds_since),
            lag_s: oldest.map_or(0.0, seconds_since),
            waiting_chunks: chunks,
            unrecorded: trouble.map(|trouble| exposition::Label::as_str(trouble.failure)),
        }
    }
}

impl Publishers {
    /// Adds a publisher, unless nobody more may publish.
    pub(crate) fn add(self: &Arc<Self>, live: LivePush) -> Option<Registered> {
        let mut state = self.state();
        if state.is_closed {
            return None;
        }
        let (id, kicked) = (live.queue.record().push.id, live.kicked.clone());
        state.live.insert(id.clone(), Arc::new(live));
        Some(Registered { publishers: Arc::clone(self), id, kicked })
    }

    pub(crate) fn count(&self) -> usize {
        self.state().live.len()
    }

    /// How many of them are recorded now.
    pub(crate) fn recorded(&self, now: Instant) -> usize {
        self.all().iter().filter(|live| live.traffic.sum(now).is_recorded).count()
    }

    pub(crate) fn views(&self, now: Instant) -> Vec<PublisherView> {
        self.all().iter().map(|live| live.view(now)).collect()
    }

    /// Ends the connections of a push, or of a stream's `domain/app/stream`; answers how many.
    pub(crate) fn kick(&self, name: &str) -> usize {
        let all = self.all();
        let meant = |live: &&Arc<LivePush>| {
            live.queue.record().push.id == name || live.queue.path().to_string() == name
        };
        all.iter().filter(meant).map(|live| live.kicked.cancel()).count()
    }

    /// Nobody more may publish.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.left.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// Completes when nobody publishes.
    pub(crate) async fn none(&self) {
        loop {
            let mut left = pin!(self.left.notified());
            left.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }

    fn all(&self) -> Vec<Arc<LivePush>> {
        self.state().live.values().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    /// Completes when an operator ends the connection.
    pub(crate) async fn kicked(&self) {
        self.kicked.cancelled().await;
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.publishers.state().live.remove(&self.id);
        self.publishers.left.notify_waiters();
    }
}
