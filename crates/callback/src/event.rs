//! Events of recordings, as the user's server is told them.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A record file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileEvent {
    /// The streaming domain.
    pub domain: String,
    /// The application.
    pub app: String,
    /// The stream.
    pub stream: String,
    /// The object's name in its bucket.
    pub uri: String,
    /// How long its media lasts. Unit: s.
    pub duration: f64,
    /// When its content begins. Unix seconds.
    pub start_time: u64,
    /// When its content ends. Unix seconds.
    pub stop_time: u64,
    /// Arguments of the push; left out where there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub push_args: BTreeMap<String, String>,
}

impl FileEvent {
    /// The body of the call: JSON with exactly the fields of the original.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an event should be representable as JSON")
    }
}

/// A change of a recording's status, or what went wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusEvent {
    /// The streaming domain.
    pub domain: String,
    /// The application.
    pub app: String,
    /// The stream.
    pub stream: String,
    /// What it is.
    pub event: Status,
}

/// What a status event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The recording has begun.
    Started,
    /// Its push has ended, or was stopped.
    Paused,
    /// It goes on.
    Resumed,
    /// Something of it is lost.
    Error,
}

impl Status {
    /// What the original calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "record_started",
            Self::Paused => "record_paused",
            Self::Resumed => "record_resumed",
            Self::Error => "record_error",
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl StatusEvent {
    /// The body of the call: JSON with exactly the fields of the original.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an event should be representable as JSON")
    }
}

/// An event is given up that was not taken for so long. Unit: ms.
pub const GIVEN_UP_MS: u64 = 24 * 3_600_000;

/// Whether an answer says that the event is taken.
#[must_use]
pub fn is_taken(status: u16) -> bool {
    (200..300).contains(&status)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_event_is_given_up_after_a_day() {
        assert_eq!(Duration::from_millis(GIVEN_UP_MS), Duration::from_hours(24));
    }

    #[test]
    fn the_body_is_that_of_the_original() {
        let mut event = FileEvent {
            domain: "test.com".into(),
            app: "live".into(),
            stream: "teststream".into(),
            uri: "live/teststream/0_2017-03-08-23:09:46_2017-03-08-23:10:40.flv".into(),
            duration: 69.403,
            start_time: 1_488_985_786,
            stop_time: 1_488_985_840,
            push_args: BTreeMap::new(),
        };
        let expected = concat!(
            r#"{"domain":"test.com","app":"live","stream":"teststream","#,
            r#""uri":"live/teststream/0_2017-03-08-23:09:46_2017-03-08-23:10:40.flv","#,
            r#""duration":69.403,"start_time":1488985786,"stop_time":1488985840}"#
        );
        assert_eq!(String::from_utf8(event.body()).unwrap(), expected);
        event.push_args.insert("callback_args1".into(), "value1".into());
        let body = String::from_utf8(event.body()).unwrap();
        assert!(body.ends_with(r#","push_args":{"callback_args1":"value1"}}"#), "{body}");
    }

    #[test]
    fn the_body_of_a_status_is_that_of_the_original() {
        let event = StatusEvent {
            domain: "test.com".into(),
            app: "live".into(),
            stream: "teststream".into(),
            event: Status::Started,
        };
        let expected = r#"{"domain":"test.com","app":"live","stream":"teststream","event":"record_started"}"#;
        assert_eq!(String::from_utf8(event.body()).unwrap(), expected);
    }

    #[test]
    fn any_2xx_is_taken_and_nothing_else() {
        assert!([200, 201, 204, 299].into_iter().all(is_taken));
        assert!(![100, 199, 300, 301, 302, 400, 404, 500, 503].into_iter().any(is_taken));
    }
}
