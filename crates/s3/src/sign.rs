//! AWS Signature Version 4, by header, with an unsigned payload.

use chrono::DateTime;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::Bucket;
use crate::request::{Header, Request};

/// An access key.
#[derive(Clone)]
pub struct Credentials {
    /// Its id, which requests name.
    pub id: String,
    /// Its secret, which never leaves the signer.
    pub secret: String,
}

/// Adds the headers that sign a request: `host` is taken from the bucket, every other header of the request is
/// signed as it stands. `now` is in Unix seconds.
#[must_use]
pub fn sign(mut request: Request, bucket: &Bucket, credentials: &Credentials, now: u64) -> Request {
    let time = i64::try_from(now)
        .ok()
        .and_then(|now| DateTime::from_timestamp(now, 0))
        .unwrap_or(DateTime::UNIX_EPOCH);
    let timestamp = time.format("%Y%m%dT%H%M%SZ").to_string();
    let date = &timestamp[..8];
    let scope = format!("{date}/{}/s3/aws4_request", bucket.region());

    request.headers.push(Header::new("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
    request.headers.push(Header::new("x-amz-date", &timestamp));

    let mut signed: Vec<(&str, &str)> =
        request.headers.iter().map(|header| (header.name, header.value.as_str())).collect();
    signed.push(("host", bucket.authority()));
    signed.sort_unstable();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();

    // Path and query are encoded once already, as SigV4 asks of S3.
    let Request { method, path, query, .. } = &request;
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD");
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let key = [date, bucket.region(), "s3", "aws4_request"]
        .iter()
        .fold(format!("AWS4{}", credentials.secret).into_bytes(), |key, part| mac(&key, part));
    let signature = hex(&mac(&key, &to_sign));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
        credentials.id
    );
    request.headers.push(Header::new("authorization", &authorization));
    request
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

    /// Computed apart from this code with Python's standard library, from the steps of the SigV4 document.
    #[test]
    fn signature_agrees_with_an_independent_computation() {
        let bucket = Bucket::new("http://127.0.0.1:9000", "recordings").unwrap();
        let request = Request::put_new(&bucket, "a b/直.ts", "video/mp2t", "s/1", 5).unwrap();
        let credentials = Credentials { id: "testid".into(), secret: "testsecret".into() };
        let signed = sign(request, &bucket, &credentials, 1_767_323_045);
        let authorization = signed.headers.iter().find(|header| header.name == "authorization").unwrap();
        assert_eq!(
            authorization.value,
            "AWS4-HMAC-SHA256 Credential=testid/20260102/us-east-1/s3/aws4_request,\
             SignedHeaders=content-length;content-type;host;if-none-match;x-amz-content-sha256;x-amz-date;\
             x-amz-meta-recorder;x-oss-forbid-overwrite,Signature=a602e30d30b7094582476bfc1bc42e720c5cbf4f2d854354ac02d65e1f24b57e"
        );
    }

    /// Computed in the same way, with a query and a region of its own.
    #[test]
    fn the_query_and_the_region_are_signed() {
        let bucket = Bucket::new("http://127.0.0.1:9000", "recordings").unwrap().in_region("garage".into());
        let credentials = Credentials { id: "testid".into(), secret: "testsecret".into() };
        let signed = sign(Request::list_one(&bucket), &bucket, &credentials, 1_767_323_045);
        let authorization = signed.headers.iter().find(|header| header.name == "authorization").unwrap();
        assert_eq!(
            authorization.value,
            "AWS4-HMAC-SHA256 Credential=testid/20260102/garage/s3/aws4_request,\
             SignedHeaders=host;x-amz-content-sha256;x-amz-date,\
             Signature=bf678c90eb90d17fea5897428c8077314b2b9625e55c00f4cc934ede6e5824c6"
        );
    }
}
