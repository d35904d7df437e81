//! What users' servers are told.

use catalog::chunk::GapReason;
use catalog::event::{At, Event, Fact, Kind, Status, ToldFile, Trouble};
use catalog::sent::Callback;

use crate::types;

impl From<Event> for types::Event {
    fn from(event: Event) -> Self {
        let Event { id, recording, number, stream, fact, noted_ms, tries, .. } = event;
        Self { id, recording, number, stream: stream.into(), fact: fact.into(), noted_ms, tries }
    }
}

/// Where an event belongs.
#[must_use]
pub fn place(event: &types::Event) -> At<'_> {
    let kind = match &event.fact {
        types::Fact::File(file) => Kind::File(file.container.into()),
        types::Fact::Slice(_) => Kind::Slice,
        types::Fact::Status(_) => Kind::Status,
        types::Fact::Trouble(types::Trouble::Lost(_) | types::Trouble::LeftOut(_)) => Kind::Trouble,
        types::Fact::Trouble(types::Trouble::Refused) => Kind::Refusal,
        types::Fact::Trouble(types::Trouble::Unanswered(_)) => Kind::Unanswered,
    };
    At { recording: &event.recording, kind, number: event.number }
}

impl From<Fact> for types::Fact {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::File(file) => Self::File(file.into()),
            Fact::Slice(slice) => Self::Slice(slice.into()),
            Fact::Status(change) => Self::Status(change.status.into()),
            Fact::Trouble(trouble) => Self::Trouble(match trouble {
                Trouble::Lost(reason, _) => types::Trouble::Lost(reason.into()),
                Trouble::LeftOut(track) => types::Trouble::LeftOut(track),
                Trouble::Refused => types::Trouble::Refused,
                Trouble::Unanswered(reason) => types::Trouble::Unanswered(reason),
            }),
        }
    }
}

impl From<ToldFile> for types::ToldFile {
    fn from(file: ToldFile) -> Self {
        Self {
            container: file.container.into(),
            object: file.object,
            start_ms: file.start_ms,
            end_ms: file.end_ms,
            duration90khz: file.duration_90khz,
            arguments: file.arguments,
        }
    }
}

impl From<Status> for types::RecordingStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Started => Self::Started,
            Status::Paused => Self::Paused,
            Status::Resumed => Self::Resumed,
        }
    }
}

impl From<GapReason> for types::LossReason {
    fn from(reason: GapReason) -> Self {
        match reason {
            GapReason::Refused => Self::Refused,
            GapReason::Shed => Self::Shed,
            GapReason::Damaged => Self::Damaged,
            GapReason::Acknowledged => Self::Acknowledged,
        }
    }
}

impl From<types::LossReason> for GapReason {
    fn from(reason: types::LossReason) -> Self {
        match reason {
            types::LossReason::Refused => Self::Refused,
            types::LossReason::Shed => Self::Shed,
            types::LossReason::Damaged => Self::Damaged,
            types::LossReason::Acknowledged => Self::Acknowledged,
        }
    }
}

impl From<Callback> for types::Callback {
    fn from(callback: Callback) -> Self {
        let Callback { sent_ms, stream, event, url, content, attempt, status, reason } = callback;
        Self { sent_ms, stream: stream.into(), event, url, content, attempt, status, reason }
    }
}

impl From<types::Callback> for Callback {
    fn from(callback: types::Callback) -> Self {
        let types::Callback { sent_ms, stream, event, url, content, attempt, status, reason } = callback;
        Self { sent_ms, stream: stream.into(), event, url, content, attempt, status, reason }
    }
}
