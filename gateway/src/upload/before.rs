//! What a push may continue.

use protocol::After;
use tokio::time::Instant;

use crate::queue::QueueReader;

/// The push of a stream before the next one, with a session.
#[derive(Clone, Debug)]
pub(super) enum Before {
    /// Not all of it is brought; it may still be live.
    Waiting(QueueReader),
    /// All of it is. It has gone but for this: names are free, and each one that was ever pushed has such a push.
    Brought { session: Box<str>, last_frame: Instant },
}

impl Before {
    /// What the functions are told of it with a push that began then.
    pub(super) fn after(&self, began: Instant) -> Option<After> {
        let session = match self {
            Self::Waiting(queue) => queue.session()?,
            Self::Brought { session, .. } => session.to_string(),
        };
        let gap_ms = began.saturating_duration_since(self.last_frame()?).as_millis() as u64;
        Some(After { session, gap_ms })
    }

    /// When its last coded frame came, so far.
    pub(super) fn last_frame(&self) -> Option<Instant> {
        match self {
            Self::Waiting(queue) => queue.last_frame(),
            Self::Brought { last_frame, .. } => Some(*last_frame),
        }
    }

    /// The same, once all of a push is brought.
    pub(super) fn without(self, brought: &QueueReader) -> Option<Self> {
        match self {
            Self::Waiting(queue) if queue.is(brought) => {
                let (session, last_frame) = (queue.session()?.into(), queue.last_frame()?);
                Some(Self::Brought { session, last_frame })
            }
            other => Some(other),
        }
    }
}
