//! Answers.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::Full;
use protocol::{JSON_CONTENT_TYPE, PROBLEM_CONTENT_TYPE, Problem};
use serde::Serialize;

pub(super) type Answer = Response<Full<Bytes>>;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

impl From<Refused> for Answer {
    fn from(Refused { status, code, message }: Refused) -> Self {
        let problem = Problem { code: code.into(), message, expected: None };
        with_type(status, PROBLEM_CONTENT_TYPE, to_json(&problem))
    }
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    with_type(status, JSON_CONTENT_TYPE, to_json(body))
}

pub(super) fn with_type(status: StatusCode, media_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("an answer should be possible as JSON") + "\n"
}
