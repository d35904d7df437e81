//! The gateway, as the functions know it.

use protocol::{AskAdmission, BeginSession, Heartbeat};
use tokio::time::Instant;

use crate::{
    clock::ms_since,
    spool::{Codecs, Push, Record},
};

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    /// Its name among all that use the same functions.
    pub(crate) name: String,
    /// Its spool, and how often a gateway was started on it.
    pub(crate) boot: String,
}

impl Gateway {
    /// Asks whether a publisher may push.
    pub(crate) fn ask(&self, push: &Push) -> AskAdmission {
        let Push { client, arguments, .. } = push.clone();
        AskAdmission { gateway: self.name.clone(), client, arguments }
    }

    /// Tells of a push whose first coded frame came at this moment.
    pub(crate) fn begin(&self, record: &Record, began: Instant) -> BeginSession {
        let Push { id, client, arguments, .. } = record.push.clone();
        let Codecs { video, audio, video_kbps } = record.codecs.clone();
        let known = |codec: String| (!codec.is_empty()).then_some(codec);
        BeginSession {
            gateway: self.name.clone(),
            boot: self.boot.clone(),
            push: id,
            client,
            arguments,
            video_codec: known(video),
            audio_codec: known(audio),
            video_kbps: (video_kbps > 0).then_some(video_kbps),
            began_ago_ms: ms_since(began),
            after: None,
            resends: record.resends.clone(),
        }
    }

    /// A sign of life.
    pub(crate) fn heartbeat(&self) -> Heartbeat {
        Heartbeat { gateway: self.name.clone(), boot: self.boot.clone(), ..Heartbeat::default() }
    }
}
