//! Answers: JSON, and for an error a [`Problem`] with the status that fits.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Response, StatusCode};
use protocol::Problem;
use serde::Serialize;
use subtle::ConstantTimeEq;

/// What a function answers.
pub type Answer = Response<String>;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the body says.
    pub problem: Problem,
}

impl Refusal {
    /// A refusal with a stable code for programs and a sentence for people.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, problem: Problem { code: code.into(), message: message.into(), expected: None } }
    }

    /// 400: the call is not well-formed.
    #[must_use]
    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404: no such session.
    #[must_use]
    pub fn no_such_session(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NoSuchSession",
            format!("there is no session {id:?} of this stream"),
        )
    }

    /// 503: something that this call needs failed; the same call can succeed later.
    #[must_use]
    pub fn unavailable(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        json(refusal.status, &refusal.problem)
    }
}

/// A JSON answer.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_string(body).expect("an answer should be representable as JSON");
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}

/// Whether a call carries the ingest token. An empty token lets nobody in.
///
/// # Errors
/// 401 where it does not.
pub fn authorize(headers: &HeaderMap, ingest_token: &str) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", message));
    if ingest_token.is_empty() {
        return refuse("the variable ingest_token is not set, so that no gateway can be let in");
    }
    let Some(header) = headers.get(AUTHORIZATION) else {
        return refuse("the header Authorization is missing; it should be `Bearer <ingest_token>`");
    };
    let Some(token) = header.as_bytes().strip_prefix(b"Bearer ") else {
        return refuse("the header Authorization is not of the form `Bearer <ingest_token>`");
    };
    if bool::from(token.ct_eq(ingest_token.as_bytes())) {
        Ok(())
    } else {
        refuse("the token in the header Authorization is not the ingest token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: Option<&str>, token: &str) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, header.parse().unwrap());
        }
        match authorize(&headers, token) {
            Ok(()) => true,
            Err(refusal) => {
                assert_eq!(refusal.status, StatusCode::UNAUTHORIZED);
                false
            }
        }
    }

    #[test]
    fn only_the_very_token_is_let_in() {
        assert!(check(Some("Bearer secret"), "secret"));
        for header in [None, Some("secret"), Some("bearer secret"), Some("Bearer"), Some("Bearer ")] {
            assert!(!check(header, "secret"), "{header:?}");
        }
        for header in ["Bearer secre", "Bearer secrets", "Bearer Secret", "Bearer  secret"] {
            assert!(!check(Some(header), "secret"), "{header:?}");
        }
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        assert!(!check(Some("Bearer "), ""));
        assert!(!check(None, ""));
    }
}
