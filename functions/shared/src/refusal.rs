//! Why a call is refused. Each error of a component has one status, one stable code and one sentence.

use http::{Method, StatusCode};
use protocol::{NameError, Problem, Route, RouteError, conflict};

use crate::{BodyError, bucket, catalog, files, media, rules};

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

    /// 422: what was sent is well-formed and cannot be taken.
    #[must_use]
    pub fn unprocessable(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 503: something that this call needs failed; the same call can succeed later.
    #[must_use]
    pub fn unavailable(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    /// 409: another chunk has to be committed first.
    fn expecting(code: &str, expected: catalog::Expected) -> Self {
        let mut refusal = Self::new(StatusCode::CONFLICT, code, expected.reason);
        refusal.problem.expected = Some(expected.seq);
        refusal
    }

    /// The same, of which this was being done.
    #[must_use]
    pub fn while_doing(mut self, what: &str) -> Self {
        self.problem.message = format!("{what}: {}", self.problem.message);
        self
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
            RouteError::Session { .. } => catalog::Error::NoSuchSession.into(),
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

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let message = error.to_string();
        match error {
            BodyError::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge", message),
            BodyError::CutOff => Self::unavailable("BodyCutOff", message),
            BodyError::Stalled { .. } => Self::new(StatusCode::REQUEST_TIMEOUT, "BodyStalled", message),
        }
    }
}

impl From<catalog::Error> for Refusal {
    fn from(error: catalog::Error) -> Self {
        let failed = |message: &str| Self::unavailable("CatalogFailed", message);
        match error {
            catalog::Error::NoSuchSession => {
                let message = "there is no such session of this stream";
                Self::new(StatusCode::NOT_FOUND, "NoSuchSession", message)
            }
            catalog::Error::Expired => {
                let message = "the session began so long ago that nothing is recorded of it any more";
                Self::new(StatusCode::GONE, "Expired", message)
            }
            catalog::Error::NoSuchStream => failed("the stream is not being pushed"),
            catalog::Error::NoRule => failed("no rule says where to record the stream to"),
            catalog::Error::AlreadyRecording => failed("the stream is being recorded already"),
            catalog::Error::NotRecording => failed("the stream is not being recorded"),
            catalog::Error::Gap(expected) => Self::expecting(conflict::GAP, expected),
            catalog::Error::Before(expected) => Self::expecting(conflict::BEFORE, expected),
            catalog::Error::Boot(reason) => Self::new(StatusCode::CONFLICT, conflict::BOOT, reason),
            catalog::Error::Name(reason) => Self::unprocessable("BadObjectName", reason),
            catalog::Error::Unfit(reason) => Self::unavailable("Unfit", reason),
            catalog::Error::Store(reason) => failed(&reason),
        }
    }
}

impl From<rules::Error> for Refusal {
    fn from(error: rules::Error) -> Self {
        let message = match error {
            rules::Error::Store(reason) => reason,
            _ => "the rule cannot be looked up".into(),
        };
        Self::unavailable("RulesFailed", message)
    }
}

impl From<bucket::Error> for Refusal {
    /// 424 where the user's bucket has to change before the call can succeed, 503 where trying again may help.
    fn from(error: bucket::Error) -> Self {
        let message = match error {
            bucket::Error::NoSuchBucket(reason)
            | bucket::Error::Refused(reason)
            | bucket::Error::Invalid(reason) => {
                return Self::new(StatusCode::FAILED_DEPENDENCY, "BucketRefused", reason);
            }
            bucket::Error::Unreachable(reason) | bucket::Error::Unavailable(reason) => reason,
            bucket::Error::Taken => "the object's name is in use for another writer's object".into(),
            bucket::Error::NoSuchObject => "there is no such object".into(),
            bucket::Error::NoSuchUpload => "there is no such upload; it begins anew".into(),
            bucket::Error::TooLarge(max_bytes) => format!("the object has more than {max_bytes} bytes"),
        };
        Self::unavailable("BucketFailed", message)
    }
}

impl From<media::Error> for Refusal {
    fn from(error: media::Error) -> Self {
        match error {
            media::Error::TooLarge(max_bytes) => {
                let message = format!("the chunk has more than {max_bytes} bytes");
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "ChunkTooLarge", message)
            }
            media::Error::Malformed(reason) => Self::unprocessable("MalformedChunk", reason),
            media::Error::BadState(reason) => Self::unavailable("BadState", reason),
            media::Error::OutOfMemory(read) => {
                let message =
                    format!("there is no memory for more than {read} bytes of the chunk; try again");
                Self::unavailable("OutOfMemory", message)
            }
        }
    }
}

impl From<files::Error> for Refusal {
    fn from(error: files::Error) -> Self {
        let message = match error {
            files::Error::Malformed(reason) => reason,
            files::Error::Empty => "the chunks hold nothing that such a file holds".into(),
        };
        Self::unavailable("FileFailed", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn no_refusal_is_a_dump_of_an_error() {
        let refusals: [Refusal; 10] = [
            catalog::Error::NoSuchSession.into(),
            catalog::Error::NotRecording.into(),
            catalog::Error::Store("the store is full".into()).into(),
            rules::Error::NotFound.into(),
            bucket::Error::Taken.into(),
            bucket::Error::NoSuchBucket("HEAD x answers 404".into()).into(),
            media::Error::TooLarge(1).into(),
            media::Error::OutOfMemory(1).into(),
            BodyError::CutOff.into(),
            BodyError::Stalled { came: Some(1), declared: None }.into(),
        ];
        for refusal in refusals {
            let message = &refusal.problem.message;
            assert!(message.contains(' ') && !message.contains("::"), "{message}");
            assert!(refusal.problem.code.bytes().all(|byte| byte.is_ascii_alphabetic()));
        }
    }
}
