//! What users' servers are told.

use catalog::event::{Event, Outcome};

use crate::types;

impl From<Event> for types::Event {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            recording: event.recording,
            container: event.container.into(),
            number: event.number,
            stream: event.stream.into(),
            object: event.object,
            start_ms: event.start_ms,
            end_ms: event.end_ms,
            duration90khz: event.duration_90khz,
            arguments: event.arguments,
            noted_ms: event.noted_ms,
        }
    }
}

impl From<types::Event> for Event {
    fn from(event: types::Event) -> Self {
        Self {
            id: event.id,
            recording: event.recording,
            container: event.container.into(),
            number: event.number,
            stream: event.stream.into(),
            object: event.object,
            start_ms: event.start_ms,
            end_ms: event.end_ms,
            duration_90khz: event.duration90khz,
            arguments: event.arguments,
            noted_ms: event.noted_ms,
        }
    }
}

/// What became of an event at a time.
#[must_use]
pub fn outcome(outcome: types::EventOutcome, now_ms: u64) -> Outcome {
    let types::EventOutcome { url, attempts, status, reason } = outcome;
    Outcome { url, attempts, status, reason, at_ms: now_ms }
}
