//! AWS Signature Version 4, by header, with an unsigned payload.

use std::fmt;

use chrono::DateTime;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::Bucket;
use crate::request::{AUTHORIZATION_HEADER, Header, Request, TOKEN_HEADER};

/// What stands for the hash of a body that is not signed.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// An access key.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its id, which requests name.
    pub id: String,
    /// Its secret, which never leaves the signer.
    pub secret: String,
    /// The session token of a temporary key, which requests carry.
    pub token: Option<String>,
}

/// Shows nothing of the key: what is printed for debugging is read by others.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Adds the headers that sign a request: `host` is taken from the bucket, every other header of the request is
/// signed as it stands. `now` is in Unix seconds.
#[must_use]
pub fn sign(mut request: Request, bucket: &Bucket, credentials: &Credentials, now: u64) -> Request {
    let timestamp = timestamp(now);

    request.headers.push(Header::new("x-amz-content-sha256", UNSIGNED));
    request.headers.push(Header::new("x-amz-date", &timestamp));
    if let Some(token) = &credentials.token {
        request.headers.push(Header::new(TOKEN_HEADER, token));
    }
    let scope = Scope { timestamp: &timestamp, region: bucket.region(), service: "s3" };
    let authorization = scope.authorization(&request, bucket.authority(), UNSIGNED, credentials);
    request.headers.push(Header::new(AUTHORIZATION_HEADER, &authorization));
    request
}

/// A time in Unix seconds, as signatures have it.
pub(crate) fn timestamp(now: u64) -> String {
    let time = i64::try_from(now).ok().and_then(|now| DateTime::from_timestamp(now, 0));
    time.unwrap_or(DateTime::UNIX_EPOCH).format("%Y%m%dT%H%M%SZ").to_string()
}

/// What a signature is good for.
pub(crate) struct Scope<'a> {
    pub(crate) timestamp: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl Scope<'_> {
    /// `date/region/service/aws4_request`.
    pub(crate) fn credential_scope(&self) -> String {
        let Self { timestamp, region, service } = self;
        format!("{}/{region}/{service}/aws4_request", &timestamp[..8])
    }

    /// The header `authorization` of a request, all of whose headers are signed.
    fn authorization(
        &self,
        request: &Request,
        host: &str,
        payload: &str,
        credentials: &Credentials,
    ) -> String {
        let (names, signature) = self.signature(request, host, payload, credentials);
        let (id, scope) = (&credentials.id, self.credential_scope());
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope},SignedHeaders={names},Signature={signature}")
    }

    /// The names of the headers that are signed, all of the request's and `host`, and the signature.
    pub(crate) fn signature(
        &self,
        request: &Request,
        host: &str,
        payload: &str,
        credentials: &Credentials,
    ) -> (String, String) {
        let Self { timestamp, region, service } = self;
        let mut signed: Vec<(&str, &str)> =
            request.headers.iter().map(|header| (header.name, header.value.as_str())).collect();
        signed.push(("host", host));
        signed.sort_unstable();
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();

        // Path and query are encoded once already, as SigV4 asks of S3.
        let Request { method, path, query, .. } = request;
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}");
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{timestamp}\n{}\n{hash}", self.credential_scope());
        let key = [&timestamp[..8], region, service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{}", credentials.secret).into_bytes(), |key, part| mac(&key, part));
        (names, hex(&mac(&key, &to_sign)))
    }
}

fn mac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC should take a key of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, secret: &str, token: Option<&str>) -> Credentials {
        Credentials { id: id.into(), secret: secret.into(), token: token.map(Into::into) }
    }

    fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
        let found = request.headers.iter().find(|header| header.name == name);
        found.map(|header| header.value.as_str())
    }

    /// Computed apart from this code with Python's standard library, from the steps of the SigV4 document.
    #[test]
    fn signature_agrees_with_an_independent_computation() {
        let bucket = Bucket::new("http://127.0.0.1:9000", "recordings").unwrap();
        let request = Request::put_new(&bucket, "a b/直.ts", "video/mp2t", "s/1", 5).unwrap();
        let credentials = key("testid", "testsecret", None);
        let signed = sign(request, &bucket, &credentials, 1_767_323_045);
        assert_eq!(
            header(&signed, "authorization").unwrap(),
            "AWS4-HMAC-SHA256 Credential=testid/20260102/us-east-1/s3/aws4_request,\
             SignedHeaders=content-length;content-type;host;if-none-match;x-amz-content-sha256;x-amz-date;\
             x-amz-meta-recorder;x-oss-forbid-overwrite,Signature=a602e30d30b7094582476bfc1bc42e720c5cbf4f2d854354ac02d65e1f24b57e"
        );
    }

    /// Computed in the same way, with a query and a region of its own.
    #[test]
    fn the_query_and_the_region_are_signed() {
        let bucket = Bucket::new("http://127.0.0.1:9000", "recordings").unwrap().in_region("garage".into());
        let credentials = key("testid", "testsecret", None);
        let signed = sign(Request::list_one(&bucket), &bucket, &credentials, 1_767_323_045);
        assert_eq!(
            header(&signed, "authorization").unwrap(),
            "AWS4-HMAC-SHA256 Credential=testid/20260102/garage/s3/aws4_request,\
             SignedHeaders=host;x-amz-content-sha256;x-amz-date,\
             Signature=bf678c90eb90d17fea5897428c8077314b2b9625e55c00f4cc934ede6e5824c6"
        );
    }

    /// Computed in the same way.
    #[test]
    fn a_deletion_is_signed() {
        let bucket = Bucket::new("http://127.0.0.1:9000", "recordings").unwrap();
        let request = Request::delete(&bucket, "a b/直.ts").unwrap();
        let signed = sign(request, &bucket, &key("testid", "testsecret", None), 1_767_323_045);
        assert!(
            header(&signed, "authorization").unwrap().ends_with(
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date,\
                 Signature=fc990d1e1181986340953eb381fe343a26bb162be889d74df5224a511725102f"
            ),
            "{signed:?}"
        );
    }

    /// AWS Signature Version 4 Test Suite, "post-sts-header-before". It is of no service and hashes its body, so
    /// it is signed below what is S3's.
    #[test]
    fn a_session_token_is_signed_as_the_test_suite_has_it() {
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeo\
                     IYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5V\
                     SXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yj\
                     c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        let timestamp = "20150830T123600Z";
        let request = Request {
            method: "POST",
            path: "/".into(),
            query: String::new(),
            headers: vec![Header::new("x-amz-date", timestamp), Header::new("x-amz-security-token", token)],
        };
        let credentials = key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Some(token));
        let scope = Scope { timestamp, region: "us-east-1", service: "service" };
        let payload = hex(&Sha256::digest(""));
        assert_eq!(
            scope.authorization(&request, "example.amazonaws.com", &payload, &credentials),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,\
             SignedHeaders=host;x-amz-date;x-amz-security-token,\
             Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
        );
    }

    #[test]
    fn a_session_token_is_sent_and_signed_where_there_is_one() {
        let bucket = Bucket::new("http://127.0.0.1:9000", "recordings").unwrap();
        let signed = |token| {
            let credentials = key("testid", "testsecret", token);
            sign(Request::list_one(&bucket), &bucket, &credentials, 1_767_323_045)
        };
        let with = signed(Some("to/ken=="));
        assert_eq!(header(&with, "x-amz-security-token"), Some("to/ken=="));
        let names = "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,";
        assert!(header(&with, "authorization").unwrap().contains(names), "{names}");
        assert_eq!(header(&signed(None), "x-amz-security-token"), None);
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let credentials = key("the-id", "the-secret", Some("the-token"));
        let bucket = Bucket::new("http://127.0.0.1:9000", "recordings").unwrap();
        let signed = sign(Request::list_one(&bucket), &bucket, &credentials, 1_767_323_045);
        let shown = format!("{credentials:?} {signed:#?}");
        for part in ["the-id", "the-secret", "the-token", "Signature="] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert!(shown.contains("20260102T030405Z"), "{shown}");
        assert!(shown.starts_with("Credentials"), "{shown}");
    }
}
