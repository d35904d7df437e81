//! Answers: JSON, and for an error a [`Problem`] with the status that fits.

use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use protocol::{NameError, Problem, Route, RouteError};
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
    /// With 405: the method that the path does have.
    pub allow: Option<Method>,
}

impl Refusal {
    /// A refusal with a stable code for programs and a sentence for people.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let problem = Problem { code: code.into(), message: message.into(), expected: None };
        Self { status, problem, allow: None }
    }

    /// 400: the call is not well-formed.
    #[must_use]
    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404: another function's route.
    #[must_use]
    pub fn no_such_route(route: &Route) -> Self {
        RouteError::NoSuchRoute { path: route.to_string() }.into()
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

impl From<RouteError> for Refusal {
    fn from(error: RouteError) -> Self {
        let message = error.to_string();
        match error {
            RouteError::Method { allowed, .. } => Self {
                allow: Some(allowed),
                ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
            },
            RouteError::Name(error) => error.into(),
            RouteError::Session { session } => Self::no_such_session(&session),
            RouteError::Sequence { .. } => Self::bad_request("InvalidSequence", message),
            _ => Self::new(StatusCode::NOT_FOUND, "NoSuchRoute", message),
        }
    }
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        Self::bad_request("InvalidName", error.to_string())
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut answer = encode(refusal.status, &refusal.problem, "application/problem+json");
        if let Some(method) = refusal.allow {
            let method = HeaderValue::from_str(method.as_str()).expect("a method should be a header's value");
            answer.headers_mut().insert(ALLOW, method);
        }
        answer
    }
}

/// A JSON answer.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    encode(status, body, "application/json")
}

fn encode(status: StatusCode, body: &impl Serialize, content_type: &'static str) -> Answer {
    let body = serde_json::to_string(body).expect("an answer should be representable as JSON");
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
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
    fn a_wrong_method_is_answered_with_the_right_one() {
        let error = Route::parse(&Method::GET, "/tick").unwrap_err();
        let answer = Answer::from(Refusal::from(error));
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()[ALLOW], "POST");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        let problem: Problem = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(problem.message, r#"GET is not answered at "/tick"; POST is"#);
    }

    #[test]
    fn each_refused_path_has_the_code_that_gateways_know() {
        let code = |method: &Method, path: &str| {
            let refusal = Refusal::from(Route::parse(method, path).unwrap_err());
            (refusal.status.as_u16(), refusal.problem.code)
        };
        let (post, put) = (&Method::POST, &Method::PUT);
        assert_eq!(code(post, "/nowhere"), (404, "NoSuchRoute".into()));
        assert_eq!(code(post, "/streams/d/../s/sessions"), (400, "InvalidName".into()));
        assert_eq!(code(post, "/streams/d/a/s/sessions/a_b/end"), (404, "NoSuchSession".into()));
        assert_eq!(code(put, "/streams/d/a/s/sessions/a/chunks/x"), (400, "InvalidSequence".into()));
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        assert!(!check(Some("Bearer "), ""));
        assert!(!check(None, ""));
    }
}
