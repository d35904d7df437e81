//! Which requests are answered at all.

use http::{Response, StatusCode};
use s3s::S3Result;
use s3s::access::{S3Access, S3AccessContext};

/// Lets everybody read objects, and whoever signs do everything.
pub(crate) struct PublicRead;

#[async_trait::async_trait]
impl S3Access for PublicRead {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        match (context.credentials(), context.s3_op().name()) {
            (Some(_), _) | (None, "GetObject" | "HeadObject") => Ok(()),
            _ => Err(s3s::s3_error!(AccessDenied, "this request has to be signed")),
        }
    }
}

/// Whether a segment of `path` would lead out of its folder, percent-encoded or not.
pub(crate) fn escapes(path: &str) -> bool {
    path.split('/')
        .any(|segment| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."))
}

/// The answer to a key that a folder cannot hold.
pub(crate) fn refusal() -> Response<s3s::Body> {
    let body = "<Error><Code>InvalidArgument</Code>\
                <Message>a key here has no segments . and ..</Message></Error>";
    let mut response = Response::new(s3s::Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_that_lead_elsewhere_are_seen_in_every_spelling() {
        for path in ["/bucket/../x", "/bucket/a/%2e%2E/b", "/bucket/.", "/bucket/%2e/a"] {
            assert!(escapes(path), "{path}");
        }
        for path in ["/bucket/a..b", "/bucket/...", "/bucket/.hidden", "/"] {
            assert!(!escapes(path), "{path}");
        }
    }
}
