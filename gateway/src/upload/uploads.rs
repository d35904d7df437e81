//! Which pushes wait to be brought to the functions: those of one stream begin one after the other.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::StreamPath;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    before::Before,
    shed::{self, GivenUp},
    uploader::Uploader,
};
use crate::queue::{QueueReader, Waits};

/// A push that ended so long ago continues in no other: no rule has a delay of more than six hours.
const FORGOTTEN: Duration = Duration::from_secs(7 * 3600);

/// Of so many streams of which nothing waits it is known what a next push continues; there may be as many as there are names.
const MOST_QUIET: usize = 50_000;

/// How often that is looked at.
const SHED_EVERY: Duration = Duration::from_secs(1);

/// The uploads of a gateway.
#[derive(Debug)]
pub(crate) struct Uploads {
    uploader: Uploader,
    streams: Mutex<Streams>,
    tasks: TaskTracker,
    /// Ends the uploads by force.
    abort: CancellationToken,
}

#[derive(Debug, Default)]
struct Streams {
    streams: HashMap<StreamPath, Stream>,
    /// Forgotten streams are looked for when there are more than this.
    look_above: usize,
}

/// The pushes of a stream.
#[derive(Debug, Default)]
struct Stream {
    /// Those that have not begun yet, but the one whose turn it is.
    waiting: VecDeque<QueueReader>,
    /// Whether a task begins them.
    is_beginning: bool,
    /// The last one that has a session.
    last: Option<Before>,
    /// All that are not brought to the functions, in order.
    pushes: Vec<QueueReader>,
}

impl Uploads {
    pub(crate) fn new(uploader: Uploader, abort: CancellationToken) -> Arc<Self> {
        Arc::new(Self { uploader, streams: Mutex::default(), tasks: TaskTracker::new(), abort })
    }

    /// The client of the functions, and who calls.
    pub(crate) fn uploader(&self) -> &Uploader {
        &self.uploader
    }

    /// Brings a push to the functions; it begins after those of the same stream that came before. What is resent waits
    /// for none, and none waits for it.
    pub(crate) fn enqueue(self: &Arc<Self>, queue: QueueReader) {
        let path = queue.path().clone();
        let is_first = {
            let mut streams = self.streams();
            streams.forget(Instant::now());
            let stream = streams.streams.entry(path.clone()).or_default();
            stream.pushes.push(queue.clone());
            if queue.record().is_resent {
                let uploads = Arc::clone(self);
                self.spawn(async move {
                    if uploads.begin(&queue, None).await {
                        uploads.carry(&queue).await;
                    }
                });
                return;
            }
            stream.waiting.push_back(queue);
            !std::mem::replace(&mut stream.is_beginning, true)
        };
        if is_first {
            let uploads = Arc::clone(self);
            self.spawn(async move { uploads.begin_in_turn(path).await });
        }
    }

    async fn begin_in_turn(self: Arc<Self>, path: StreamPath) {
        while let Some((queue, last)) = self.next(&path) {
            if self.begin(&queue, last.as_ref()).await {
                self.streams().begun(&queue);
                let uploads = Arc::clone(&self);
                self.spawn(async move { uploads.carry(&queue).await });
            }
        }
    }

    /// Begins a push; `false` if it will have no session.
    async fn begin(&self, queue: &QueueReader, before: Option<&Before>) -> bool {
        let is_begun = self.uploader.begin(queue, before).await;
        if !is_begun {
            self.uploader.delete(queue);
            self.over(queue);
        }
        is_begun
    }

    /// Brings a push that has a session.
    async fn carry(&self, queue: &QueueReader) {
        self.uploader.carry(queue).await;
        self.over(queue);
    }

    /// What waits of each push that is not brought.
    pub(crate) fn waiting(&self) -> Vec<Waits> {
        let pushes: Vec<_> =
            self.streams().streams.values().flat_map(|stream| stream.pushes.iter().cloned()).collect();
        pushes.iter().map(QueueReader::waits).collect()
    }

    /// The push of this name, unless it is brought.
    pub(super) fn find(&self, push: &str) -> Option<QueueReader> {
        let streams = self.streams();
        let mut pushes = streams.streams.values().flat_map(|stream| &stream.pushes);
        pushes.find(|queue| queue.record().push.id == push).cloned()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let abort = self.abort.clone();
        self.tasks.spawn(async move { abort.run_until_cancelled(task).await });
    }

    /// Completes when every push that was enqueued is brought, or was given up by force.
    pub(crate) async fn done(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Warns, for ever, before the spool is full, and gives up what streams whose share of the spool is full cannot
    /// deliver, the oldest first, and first of the stream that has most.
    pub(crate) async fn shed(self: Arc<Self>) {
        let mut given_up = GivenUp::new(Arc::clone(&self.uploader.metrics));
        let mut seconds = interval(SHED_EVERY);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let spool = &self.uploader.spool;
            tokio::select! {
                _ = seconds.tick() => {
                    spool.warn();
                    given_up.log();
                }
                () = spool.wanted() => {}
            }
            if !spool.is_full() {
                continue;
            }
            let pushes: Vec<_> =
                self.streams().streams.values().map(|stream| stream.pushes.clone()).collect();
            shed::make_room(spool, pushes, &mut given_up);
        }
    }

    /// The stream's next push and the one before it; `None` if no push waits.
    fn next(&self, path: &StreamPath) -> Option<(QueueReader, Option<Before>)> {
        let mut streams = self.streams();
        let stream = streams.streams.get_mut(path)?;
        let next = stream.waiting.pop_front();
        stream.is_beginning = next.is_some();
        Some((next?, stream.last.clone()))
    }

    /// A push is brought, or refused.
    fn over(&self, queue: &QueueReader) {
        self.streams().over(queue);
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Streams {
    /// A push has a session.
    fn begun(&mut self, queue: &QueueReader) {
        if let Some(stream) = self.streams.get_mut(queue.path()) {
            stream.last = Some(Before::Waiting(queue.clone()));
        }
    }

    /// A push is brought, or refused: of the last one that has a session only that is kept which the next one is told of.
    fn over(&mut self, queue: &QueueReader) {
        let Some(stream) = self.streams.get_mut(queue.path()) else { return };
        stream.pushes.retain(|push| !push.is(queue));
        stream.pushes.shrink_to_fit();
        stream.waiting.shrink_to_fit();
        stream.last = stream.last.take().and_then(|last| last.without(queue));
    }

    /// Forgets the streams whose last push no later one can continue, and where there are too many, those that have been
    /// quiet for the longest.
    fn forget(&mut self, now: Instant) {
        if self.streams.len() <= self.look_above {
            return;
        }
        let quiet_since = |stream: &Stream| stream.last.as_ref().and_then(Before::last_frame);
        let mut quiet: Vec<_> =
            self.streams.values().filter(|stream| stream.pushes.is_empty()).filter_map(quiet_since).collect();
        let recent = now.checked_sub(FORGOTTEN);
        let first_known = quiet.len().checked_sub(MOST_QUIET).map(|at| *quiet.select_nth_unstable(at).1);
        let since = recent.max(first_known);
        self.streams.retain(|_, stream| {
            // A task that begins its pushes goes by what is here.
            !stream.pushes.is_empty()
                || stream.is_beginning
                || quiet_since(stream).is_some_and(|at| since.is_none_or(|since| at >= since))
        });
        self.look_above = 2 * self.streams.len() + 16;
    }
}

#[cfg(test)]
mod tests;
