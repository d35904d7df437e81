//! The few requests that a recorder makes.

use crate::{Bucket, Error};

/// A header that is part of the signature. Names are lowercase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

impl Header {
    pub(crate) fn new(name: &'static str, value: &str) -> Self {
        Self { name, value: value.into() }
    }
}

/// A request to a bucket, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `PUT`, `GET` or `HEAD`.
    pub method: &'static str,
    /// The path, percent-encoded; no request has a query.
    pub path: String,
    /// The headers but `host`.
    pub headers: Vec<Header>,
}

/// User-defined metadata that says what an object holds.
pub const TAG_HEADER: &str = "x-amz-meta-recorder";

impl Request {
    /// Creates an object, and fails with 412 or 409 where there is one.
    ///
    /// `If-None-Match: *` says so to S3 and its kin, `x-oss-forbid-overwrite` to OSS; each ignores the other's.
    ///
    /// # Errors
    /// A key that [`Bucket::object_path`] refuses.
    pub fn put_new(
        bucket: &Bucket,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
    ) -> Result<Self, Error> {
        let headers = vec![
            Header::new("content-length", &size.to_string()),
            Header::new("content-type", content_type),
            Header::new("if-none-match", "*"),
            Header::new(TAG_HEADER, tag),
            Header::new("x-oss-forbid-overwrite", "true"),
        ];
        Ok(Self { method: "PUT", path: bucket.object_path(key)?, headers })
    }

    /// Asks for an object's metadata.
    ///
    /// # Errors
    /// A key that [`Bucket::object_path`] refuses.
    pub fn head(bucket: &Bucket, key: &str) -> Result<Self, Error> {
        Ok(Self { method: "HEAD", path: bucket.object_path(key)?, headers: Vec::new() })
    }

    /// Reads an object.
    ///
    /// # Errors
    /// A key that [`Bucket::object_path`] refuses.
    pub fn get(bucket: &Bucket, key: &str) -> Result<Self, Error> {
        Ok(Self { method: "GET", path: bucket.object_path(key)?, headers: Vec::new() })
    }

    /// Asks whether the bucket is there.
    #[must_use]
    pub fn head_bucket(bucket: &Bucket) -> Self {
        Self { method: "HEAD", path: bucket.path().into(), headers: Vec::new() }
    }
}

/// The `Code` of an error answer's XML body, for example `NoSuchBucket`.
#[must_use]
pub fn error_code(body: &str) -> Option<&str> {
    let start = body.find("<Code>")? + "<Code>".len();
    let end = start + body[start..].find("</Code>")?;
    Some(&body[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_code_is_found_in_an_error_body() {
        let body = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>x</Message></Error>";
        assert_eq!(error_code(body), Some("NoSuchBucket"));
        assert_eq!(error_code("<html>"), None);
        assert_eq!(error_code("<Code>"), None);
    }
}
