//! Which pushes wait to be uploaded: those of one stream go one after the other.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use protocol::StreamPath;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::uploader::Uploader;
use crate::queue::QueueReader;

/// The uploads of a gateway, a task for each stream that has any.
#[derive(Debug)]
pub(crate) struct Uploads {
    uploader: Uploader,
    /// The pushes behind the one that is being uploaded; an entry for each task.
    waiting: Mutex<HashMap<StreamPath, VecDeque<QueueReader>>>,
    tasks: TaskTracker,
    /// Ends the uploads by force.
    abort: CancellationToken,
}

impl Uploads {
    pub(crate) fn new(uploader: Uploader, abort: CancellationToken) -> Arc<Self> {
        Arc::new(Self { uploader, waiting: Mutex::default(), tasks: TaskTracker::new(), abort })
    }

    /// Uploads a push after those of the same stream that came before.
    pub(crate) fn enqueue(self: &Arc<Self>, queue: QueueReader) {
        let path = queue.path().clone();
        let mut waiting = self.waiting();
        if let Some(behind) = waiting.get_mut(&path) {
            behind.push_back(queue);
            return;
        }
        waiting.insert(path.clone(), VecDeque::from([queue]));
        drop(waiting);
        let uploads = Arc::clone(self);
        let in_turn = async move {
            while let Some(queue) = uploads.next(&path) {
                uploads.uploader.upload(&queue).await;
            }
        };
        let abort = self.abort.clone();
        self.tasks.spawn(async move { abort.run_until_cancelled(in_turn).await });
    }

    /// Completes when every push that was enqueued is uploaded, or was given up by force.
    pub(crate) async fn done(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The stream's next push; `None`, and the stream's entry is gone, if no push waits.
    fn next(&self, path: &StreamPath) -> Option<QueueReader> {
        let mut waiting = self.waiting();
        let next = waiting.get_mut(path)?.pop_front();
        if next.is_none() {
            waiting.remove(path);
        }
        next
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<StreamPath, VecDeque<QueueReader>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
