//! The few requests that a recorder makes.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::xml::element;
use crate::{Bucket, Error};

/// The header of the signature, which names the access key's id.
pub(crate) const AUTHORIZATION_HEADER: &str = "authorization";

/// The header of a temporary key's session token.
pub(crate) const TOKEN_HEADER: &str = "x-amz-security-token";

/// A header that is part of the signature. Names are lowercase.
#[derive(Clone, PartialEq, Eq)]
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

/// Hides what is of a key.
impl fmt::Debug for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = [AUTHORIZATION_HEADER, TOKEN_HEADER].contains(&self.name);
        let value = if secret { "…" } else { &self.value };
        write!(formatter, "{}: {value:?}", self.name)
    }
}

/// A request to a bucket, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `PUT`, `GET`, `HEAD`, `POST` or `DELETE`.
    pub method: &'static str,
    /// The path, percent-encoded.
    pub path: String,
    /// The query without its question mark, percent-encoded, its parameters in the order of their names.
    pub query: String,
    /// The headers but `host`.
    pub headers: Vec<Header>,
}

/// User-defined metadata that says what an object holds.
pub const TAG_HEADER: &str = "x-amz-meta-recorder";

/// User-defined metadata that says how a slice was committed.
pub const NOTE_HEADER: &str = "x-amz-meta-recorder-chunk";

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
        Ok(Self { method: "PUT", path: bucket.object_path(key)?, query: String::new(), headers })
    }

    /// How long a store may take to read the request with its body and to begin its answer: a minute, and a second more for
    /// each MiB, as long as no call lasts longer. Unit: seconds.
    #[must_use]
    pub fn patience_s(&self) -> u64 {
        let length = self.headers.iter().find(|header| header.name == "content-length");
        let size = length.and_then(|header| header.value.parse::<u64>().ok()).unwrap_or(0);
        (60 + (size >> 20)).min(110)
    }

    /// With more headers.
    pub(crate) fn with(mut self, headers: &[Header]) -> Self {
        self.headers.extend_from_slice(headers);
        self
    }

    /// Asks for an object's metadata.
    ///
    /// # Errors
    /// A key that [`Bucket::object_path`] refuses.
    pub fn head(bucket: &Bucket, key: &str) -> Result<Self, Error> {
        Ok(Self { method: "HEAD", path: bucket.object_path(key)?, query: String::new(), headers: Vec::new() })
    }

    /// Reads an object.
    ///
    /// # Errors
    /// A key that [`Bucket::object_path`] refuses.
    pub fn get(bucket: &Bucket, key: &str) -> Result<Self, Error> {
        Ok(Self { method: "GET", path: bucket.object_path(key)?, query: String::new(), headers: Vec::new() })
    }

    /// Reads a part of an object, up to and with the byte `last`.
    pub(crate) fn get_range(bucket: &Bucket, key: &str, first: u64, last: u64) -> Result<Self, Error> {
        let headers = vec![Header::new("range", &format!("bytes={first}-{last}"))];
        Ok(Self { headers, ..Self::get(bucket, key)? })
    }

    /// Deletes an object.
    pub(crate) fn delete(bucket: &Bucket, key: &str) -> Result<Self, Error> {
        Ok(Self {
            method: "DELETE",
            path: bucket.object_path(key)?,
            query: String::new(),
            headers: Vec::new(),
        })
    }

    /// Asks whether the bucket is there.
    #[must_use]
    pub fn head_bucket(bucket: &Bucket) -> Self {
        Self { method: "HEAD", path: bucket.path().into(), query: String::new(), headers: Vec::new() }
    }

    /// Asks for the first object's name: a question whose refusal says why.
    #[must_use]
    pub fn list_one(bucket: &Bucket) -> Self {
        let query = "list-type=2&max-keys=1".into();
        Self { method: "GET", path: bucket.path().into(), query, headers: Vec::new() }
    }

    /// Asks for the first names that begin with a prefix and come after a name.
    pub(crate) fn list(bucket: &Bucket, prefix: &str, after: &str, most: u32) -> Self {
        let most = most.to_string();
        let mut parameters = vec![("list-type", "2"), ("max-keys", most.as_str()), ("prefix", prefix)];
        if !after.is_empty() {
            parameters.push(("start-after", after));
        }
        Self { method: "GET", path: bucket.path().into(), query: query(&parameters), headers: Vec::new() }
    }

    /// Path and query.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// SigV4, "UriEncode()", of a parameter of the query.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A query of parameters that stand in the order of their names.
pub(crate) fn query(parameters: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, PARAMETER);
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The `Code` of an error answer's XML body, for example `NoSuchBucket`.
#[must_use]
pub fn error_code(body: &str) -> Option<&str> {
    element(body, "Code")
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

    #[test]
    fn a_large_body_is_waited_for_longer() {
        let bucket = Bucket::new("127.0.0.1:9000", "bkt").unwrap();
        let patience = |size| Request::put_new(&bucket, "a", "x/y", "t", size).unwrap().patience_s();
        assert_eq!([0, 5 << 20, 32 << 20, 5 << 30].map(patience), [60, 65, 92, 110]);
        assert_eq!(Request::head(&bucket, "a").unwrap().patience_s(), 60);
    }
}
