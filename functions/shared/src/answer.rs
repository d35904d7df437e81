//! What an answer looks like: JSON, and for an error a [`protocol::Problem`] with the status that fits.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use protocol::{Call, JSON_CONTENT_TYPE, PROBLEM_CONTENT_TYPE};
use serde::Serialize;

use crate::Refusal;

/// What a function answers.
pub type Answer = Response<String>;

/// The answer 200 to a call.
#[must_use]
pub fn answer_to<C: Call>(body: &C::Answer) -> Answer {
    ok(body)
}

/// The answer 200.
#[must_use]
pub fn ok(body: &impl Serialize) -> Answer {
    encode(StatusCode::OK, body, JSON_CONTENT_TYPE)
}

fn encode(status: StatusCode, body: &impl Serialize, content_type: &'static str) -> Answer {
    let body = serde_json::to_string(body).expect("an answer should be representable as JSON");
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut answer = encode(refusal.status, &refusal.problem, PROBLEM_CONTENT_TYPE);
        if let Some(method) = refusal.allow {
            let method = HeaderValue::from_str(method.as_str()).expect("a method should be a header's value");
            answer.headers_mut().insert(ALLOW, method);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use protocol::{Problem, Route};

    use super::*;

    #[test]
    fn a_wrong_method_is_answered_with_the_right_one() {
        let error = Route::parse(&Method::GET, "/tick").unwrap_err();
        let answer = Answer::from(Refusal::from(error));
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()[ALLOW], "POST");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        let problem: Problem = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(problem.message, r#"GET is not answered at "/tick"; POST is"#);
    }
}
