//! What users' servers are told.

use catalog::chunk::GapReason;
use catalog::event::{Event, Fact, Status, ToldFile};
use catalog::sent::Callback;

use crate::types;

impl From<Event> for types::Event {
    fn from(event: Event) -> Self {
        let Event { id, recording, number, stream, fact, noted_ms } = event;
        Self { id, recording, number, stream: stream.into(), fact: fact.into(), noted_ms }
    }
}

impl From<types::Event> for Event {
    fn from(event: types::Event) -> Self {
        let types::Event { id, recording, number, stream, fact, noted_ms } = event;
        Self { id, recording, number, stream: stream.into(), fact: fact.into(), noted_ms }
    }
}

impl From<Fact> for types::Fact {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::File(file) => Self::File(types::ToldFile {
                container: file.container.into(),
                object: file.object,
                start_ms: file.start_ms,
                end_ms: file.end_ms,
                duration90khz: file.duration_90khz,
                arguments: file.arguments,
            }),
            Fact::Status(Status::Started) => Self::Status(types::RecordingStatus::Started),
            Fact::Status(Status::Paused) => Self::Status(types::RecordingStatus::Paused),
            Fact::Status(Status::Resumed) => Self::Status(types::RecordingStatus::Resumed),
            Fact::Loss(reason) => Self::Loss(reason.into()),
        }
    }
}

impl From<types::Fact> for Fact {
    fn from(fact: types::Fact) -> Self {
        match fact {
            types::Fact::File(file) => Self::File(ToldFile {
                container: file.container.into(),
                object: file.object,
                start_ms: file.start_ms,
                end_ms: file.end_ms,
                duration_90khz: file.duration90khz,
                arguments: file.arguments,
            }),
            types::Fact::Status(types::RecordingStatus::Started) => Self::Status(Status::Started),
            types::Fact::Status(types::RecordingStatus::Paused) => Self::Status(Status::Paused),
            types::Fact::Status(types::RecordingStatus::Resumed) => Self::Status(Status::Resumed),
            types::Fact::Loss(reason) => Self::Loss(reason.into()),
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
