//! The on-demand question: is this push to be recorded, and how?
//!
//! `GET {OnDemandUrl}?app=…&domain=…&stream=…&vbitrate=…&codec=…`, whose answer is JSON.

use std::collections::BTreeMap;

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Receiver};

/// How much of an answer is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 2_048;

/// How long one try may take. Unit: ms.
pub const TRY_MS: u64 = 5_000;

/// How often it is asked at most.
const MOST_TRIES: u32 = 5;

/// No try begins later than this after the question came up, so that the last one is over within the 30 s in which a
/// gateway waits for its begin to be answered. Unit: ms.
const LAST_TRY_MS: u64 = 20_000;

/// The wait after the first try; each later one is twice as long. Unit: ms.
const FIRST_WAIT_MS: u64 = 500;

/// The longest and the shortest cycle that an answer can ask for. Unit: s.
const CYCLE_SECONDS: (u32, u32) = (5, 21_600);

/// What some servers' texts begin with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What the letters of a query's values are, unescaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A push, as it is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question<'a> {
    /// The application.
    pub app: &'a str,
    /// The streaming domain.
    pub domain: &'a str,
    /// The stream.
    pub stream: &'a str,
    /// Video bit rate in kbit/s; `None`: the publisher did not say.
    pub video_kbps: Option<u32>,
    /// The video codec, by the gateway's names; `None`: there is none, or none is known.
    pub video_codec: Option<&'a str>,
}

impl Question<'_> {
    /// Path and query of the request. What the URL holds stays.
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is too long with it.
    pub fn target(&self, receiver: &Receiver) -> Result<PathAndQuery, Error> {
        let vbitrate = self.video_kbps.unwrap_or(0).to_string();
        let codec = match self.video_codec {
            Some("hevc") => "h265",
            codec => codec.unwrap_or_default(),
        };
        let fields = [
            ("app", self.app),
            ("domain", self.domain),
            ("stream", self.stream),
            ("vbitrate", &vbitrate),
            ("codec", codec),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)));
        let kept = receiver.target.query().filter(|query| !query.is_empty());
        let query: Vec<&str> = kept.into_iter().chain(fields.iter().map(String::as_str)).collect();
        let target = format!("{}?{}", receiver.target.path(), query.join("&"));
        target.parse().map_err(|_| Error::url(&receiver.to_string()))
    }
}

/// What holds a record file's media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Container {
    /// Transport stream slices and a playlist of them.
    M3u8,
    /// One MP4 file.
    Mp4,
    /// One FLV file.
    Flv,
}

impl Container {
    fn named(name: &str) -> Option<Self> {
        [("m3u8", Self::M3u8), ("mp4", Self::Mp4), ("flv", Self::Flv)]
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, container)| container)
    }
}

/// What the user's server wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether the push is to be recorded.
    pub record: bool,
    /// Of the rule's formats, these alone; `None`: all of them.
    pub containers: Option<Vec<Container>>,
    /// Cycles that replace those of the rule. Unit: s.
    pub cycles: BTreeMap<Container, u32>,
}

impl Answer {
    /// Reads an answer: its status and what was read of its body.
    ///
    /// Formats that we do not know are none of the rule's either. A cycle that is too short or too long is the nearest one
    /// that can be had, and one that is no number, or below zero, is the rule's: a push that is wanted is not left
    /// unrecorded for it. A byte order mark is passed over, as RFC 8259, section 8.1, lets a parser do.
    ///
    /// # Errors
    /// [`Error::Status`], [`Error::Answer`].
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body {
            need_record: bool,
            #[serde(default)]
            interval: Option<BTreeMap<String, Value>>,
            #[serde(default)]
            format: Option<Vec<String>>,
        }
        if status != 200 {
            return Err(Error::Status { status });
        }
        let unreadable = |reason: String| Error::Answer { reason };
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let body: Body = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        let cycles = body.interval.unwrap_or_default().into_iter();
        let cycles =
            cycles.filter_map(|(name, value)| Some((Container::named(&name)?, cycle_s(&value)?))).collect();
        let named = |names: Vec<String>| names.iter().filter_map(|name| Container::named(name)).collect();
        Ok(Self { record: body.need_record, containers: body.format.map(named), cycles })
    }

    /// Whether a format of the rule is wanted.
    #[must_use]
    pub fn wants(&self, container: Container) -> bool {
        self.record && self.containers.as_ref().is_none_or(|wanted| wanted.contains(&container))
    }
}

/// The cycle that a value asks for, if it is a number, also one in quotes. Unit: s.
fn cycle_s(value: &Value) -> Option<u32> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|s| *s >= 0.0)?;
    let (shortest, longest) = CYCLE_SECONDS;
    Some(seconds.clamp(shortest.into(), longest.into()) as u32)
}

/// How long to wait before it is asked again, after so many failed tries, so long after the question came up; `None`: no
/// more. Unit: ms.
#[must_use]
pub fn next_wait_ms(tries: u32, elapsed_ms: u64) -> Option<u64> {
    let wait_ms = FIRST_WAIT_MS << tries.saturating_sub(1).min(MOST_TRIES);
    (tries < MOST_TRIES && elapsed_ms + wait_ms <= LAST_TRY_MS).then_some(wait_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Private;

    fn target(url: &str, question: &Question<'_>) -> String {
        question.target(&Receiver::of(url, Private::Refused).unwrap()).unwrap().to_string()
    }

    fn parse(body: &str) -> Result<Answer, Error> {
        Answer::parse(200, body.as_bytes())
    }

    #[test]
    fn the_question_is_that_of_the_original() {
        let question = Question {
            app: "test123",
            domain: "test.com",
            stream: "teststream",
            video_kbps: Some(2_000),
            video_codec: Some("h264"),
        };
        let expected = "/?app=test123&domain=test.com&stream=teststream&vbitrate=2000&codec=h264";
        assert_eq!(target("http://cb.test.com", &question), expected);
        let hevc = Question { video_codec: Some("hevc"), video_kbps: None, ..question };
        let expected = "/a?token=1%202&app=test123&domain=test.com&stream=teststream&vbitrate=0&codec=h265";
        assert_eq!(target("http://cb.test.com/a?token=1%202#x", &hevc), expected);
    }

    #[test]
    fn no_name_adds_a_field_to_the_question() {
        let question = Question { app: "a/b", domain: "d", stream: "s&codec=x #直", ..Question::default() };
        let expected = "/?app=a%2Fb&domain=d&stream=s%26codec%3Dx%20%23%E7%9B%B4&vbitrate=0&codec=";
        assert_eq!(target("http://cb.test.com/?", &question), expected);
    }

    #[test]
    fn a_url_that_is_too_long_with_it_is_named_without_its_query() {
        let url = format!("http://cb.test.com/a?secret={}", "x".repeat(65_400));
        let receiver = Receiver::of(&url, Private::Refused).unwrap();
        let (stream, domain) = ("s".repeat(200), "d");
        let question = Question { domain, stream: &stream, ..Question::default() };
        assert_eq!(question.target(&receiver), Err(Error::Url { url: "http://cb.test.com/a".into() }));
    }

    #[test]
    fn an_answer_says_whether_and_how() {
        let yes = Answer { record: true, ..Answer::default() };
        assert_eq!(parse(r#"{ "ApiVersion" : "1.0", "NeedRecord" : true }"#), Ok(yes.clone()));
        assert_eq!(parse(r#"{"NeedRecord":false,"Interval":null,"Format":null}"#), Ok(Answer::default()));
        let full =
            parse(r#"{"NeedRecord":true,"Interval":{"mP4":7,"M3U8":60,"Cmaf":"x"},"Format":["MP4","cmaf"]}"#);
        let cycles = BTreeMap::from([(Container::Mp4, 7), (Container::M3u8, 60)]);
        assert_eq!(full, Ok(Answer { containers: Some(vec![Container::Mp4]), cycles, ..yes }));
    }

    #[test]
    fn a_cycle_is_brought_into_its_bounds() {
        for (seconds, expected) in [
            ("0", 5),
            ("4", 5),
            ("5", 5),
            ("7.0", 7),
            ("1e1", 10),
            ("\"60\"", 60),
            ("21600", 21_600),
            ("21601", 21_600),
            ("1e23", 21_600),
        ] {
            let answer = parse(&format!(r#"{{"NeedRecord":true,"Interval":{{"Flv":{seconds}}}}}"#)).unwrap();
            assert_eq!(answer.cycles[&Container::Flv], expected, "{seconds}");
        }
        for seconds in ["-5", "null", "true", "[5]", "\"\"", "\"NaN\"", "\"an hour\""] {
            let answer = parse(&format!(r#"{{"NeedRecord":true,"Interval":{{"Flv":{seconds}}}}}"#)).unwrap();
            assert!(answer.record && answer.cycles.is_empty(), "{seconds}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert!(parse("\u{feff}{\"NeedRecord\":true}").unwrap().record);
    }

    #[test]
    fn formats_are_those_of_the_answer_or_all() {
        let wants = |body: &str, container| parse(body).unwrap().wants(container);
        assert!(wants(r#"{"NeedRecord":true}"#, Container::Flv));
        assert!(wants(r#"{"NeedRecord":true,"Format":["flv"]}"#, Container::Flv));
        assert!(!wants(r#"{"NeedRecord":true,"Format":["mp4"]}"#, Container::Flv));
        assert!(!wants(r#"{"NeedRecord":true,"Format":[]}"#, Container::Flv));
        assert!(!wants(r#"{"NeedRecord":false,"Format":["flv"]}"#, Container::Flv));
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        for status in [100, 201, 204, 301, 302, 404, 500] {
            assert_eq!(Answer::parse(status, br#"{"NeedRecord":true}"#), Err(Error::Status { status }));
        }
        let cut = format!(r#"{{"NeedRecord":true,"More":"{}"}}"#, "x".repeat(MAX_ANSWER_BYTES));
        for body in [
            "",
            "true",
            "{}",
            r#"{"needrecord":true}"#,
            r#"{"NeedRecord":"true"}"#,
            r#"{"NeedRecord":1}"#,
            r#"{"NeedRecord":null}"#,
            r#"{"NeedRecord":true,"Interval":[]}"#,
            r#"{"NeedRecord":true,"Format":"mp4"}"#,
            "<html>",
            &cut[..MAX_ANSWER_BYTES],
        ] {
            assert!(matches!(parse(body), Err(Error::Answer { .. })), "{body}");
        }
        assert!(matches!(Answer::parse(200, b"\xff\xfe"), Err(Error::Answer { .. })));
    }

    /// Asks a server that fails each time after so long; when each try begins.
    fn tries_of(fails_after_ms: u64) -> Vec<u64> {
        let (mut now_ms, mut tries) = (0, vec![0]);
        loop {
            now_ms += fails_after_ms;
            let Some(wait_ms) = next_wait_ms(tries.len() as u32, now_ms) else { return tries };
            now_ms += wait_ms;
            tries.push(now_ms);
        }
    }

    #[test]
    fn it_is_asked_five_times_at_most_and_within_30_s() {
        assert_eq!(tries_of(0), [0, 500, 1_500, 3_500, 7_500]);
        let slow = tries_of(TRY_MS);
        assert_eq!(slow, [0, 5_500, 11_500, 18_500]);
        assert!(slow.iter().all(|begun_ms| begun_ms + TRY_MS <= 30_000));
        assert_eq!(tries_of(30_000), [0]);
    }
}
