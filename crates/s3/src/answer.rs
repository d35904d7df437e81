//! What a store answers, and whether it will go on answering so.

use crate::Error;
use crate::request::error_code;
use crate::xml::element;

/// Codes of a full bucket or account, which some stores give with a status of the server's failures.
const FULL: [&str; 6] = [
    "QuotaExceeded",
    "XMinioAdminBucketQuotaExceeded",
    "InsufficientStorage",
    "InsufficientQuota",
    "StorageFull",
    "XMinioStorageFull",
];

/// Codes of refusals that pass by themselves.
const PASSING: [&str; 15] = [
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    // The object that was in the way is gone.
    "PreconditionFailed",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
    "XAmzContentSHA256Mismatch",
];

/// What a store answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in any case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The begin of the body, up to the limit given.
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The body, where it is text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// What stands in an element of the body, where the answer is a success and the body has it whole. A store that
    /// has begun to answer 200 before it was done says in the body whether it succeeded.
    pub(crate) fn result(&self, name: &str) -> Option<&str> {
        element(self.text(), name).filter(|_| (200..=299).contains(&self.status))
    }

    pub(crate) fn code(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok().and_then(error_code)
    }

    /// The region that the bucket lies in, where the answer refuses the one that was signed for.
    pub(crate) fn region(&self) -> Option<&str> {
        let by_header = || self.header("x-amz-bucket-region");
        match (self.status, self.code()) {
            (400, Some("AuthorizationHeaderMalformed")) => std::str::from_utf8(&self.body)
                .ok()
                .and_then(|body| element(body, "Region"))
                .or_else(by_header),
            (301 | 307 | 400, _) => by_header(),
            _ => None,
        }
    }

    /// Whether the bucket, the account or the store has no room for what was sent.
    pub(crate) fn is_full(&self) -> bool {
        self.code().is_some_and(|code| FULL.contains(&code))
    }

    /// What an answer that is no success means. Only what the store itself says, by a code, is taken for its
    /// last word: what stands between answers without one.
    pub(crate) fn refusal(&self, reason: String) -> Error {
        match (self.status, self.code()) {
            (_, Some("NoSuchBucket")) => Error::NoSuchBucket { reason },
            _ if self.is_full() => Error::Refused { reason },
            (501, Some("NotImplemented")) => Error::Refused { reason },
            (429 | 408 | 500.., _) | (_, None) => Error::Unavailable { reason },
            (_, Some(code)) if PASSING.contains(&code) => Error::Unavailable { reason },
            (200..=499, Some(_)) => Error::Refused { reason },
            _ => Error::Unavailable { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> Response {
        Response { status, body: format!("<Error><Code>{code}</Code></Error>").into(), ..Response::default() }
    }

    #[test]
    fn what_goes_on_is_told_from_what_passes() {
        let reason = || "reason".to_owned();
        for (status, code) in [
            (403, "AccessDenied"),
            (403, "InvalidAccessKeyId"),
            (403, "SignatureDoesNotMatch"),
            (400, "InvalidToken"),
            (403, "QuotaExceeded"),
            (507, "InsufficientStorage"),
            (507, "XMinioStorageFull"),
            (301, "PermanentRedirect"),
            (405, "MethodNotAllowed"),
            (501, "NotImplemented"),
            // What a store finds out after it has begun to answer.
            (200, "AccessDenied"),
        ] {
            let refusal = answer(status, code).refusal(reason());
            assert_eq!(refusal, Error::Refused { reason: reason() }, "{status} {code}");
        }
        for (status, code) in [
            (503, "SlowDown"),
            (500, "InternalError"),
            (429, "TooManyRequests"),
            (400, "RequestTimeout"),
            (403, "RequestTimeTooSkewed"),
            (409, "ConditionalRequestConflict"),
            (200, "InternalError"),
            // Too much at once, by whatever code of the store's own.
            (429, "RequestLimitExceeded"),
            (408, "ClientTooSlow"),
            (500, "Unknown"),
            (503, "Maintenance"),
        ] {
            let refusal = answer(status, code).refusal(reason());
            assert_eq!(refusal, Error::Unavailable { reason: reason() }, "{status} {code}");
        }
        for status in [400, 403, 404, 413, 502] {
            let page = Response { status, body: b"<html>no</html>".into(), ..Response::default() };
            assert_eq!(page.refusal(reason()), Error::Unavailable { reason: reason() }, "{status}");
        }
        assert_eq!(answer(404, "NoSuchBucket").refusal(reason()), Error::NoSuchBucket { reason: reason() });
    }

    #[test]
    fn a_region_is_read_from_the_refusal_of_another() {
        let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>garage</Region></Error>";
        let told = Response { status: 400, body: malformed.into(), ..Response::default() };
        assert_eq!(told.region(), Some("garage"));
        let header = ("X-Amz-Bucket-Region".to_owned(), b"eu-west-1".to_vec());
        for (status, region) in [(301, Some("eu-west-1")), (400, Some("eu-west-1")), (200, None), (403, None)]
        {
            let told = Response { status, headers: vec![header.clone()], ..Response::default() };
            assert_eq!(told.region(), region, "{status}");
        }
        assert_eq!(answer(400, "InvalidArgument").region(), None);
    }
}
