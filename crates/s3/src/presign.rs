//! URLs that carry their signature.

use crate::request::query;
use crate::sign::{Scope, UNSIGNED, timestamp};
use crate::{Bucket, Credentials, Error, Request};

/// SigV4, "Authenticating Requests: Using Query Parameters": the longest time, 7 days.
const MAX_EXPIRES_S: u32 = 7 * 24 * 3600;

/// A URL by which anybody may read an object, for so many seconds from `now` on, in Unix seconds.
pub(crate) fn presigned_get(
    bucket: &Bucket,
    key: &str,
    credentials: &Credentials,
    now: u64,
    expires_s: u32,
) -> Result<String, Error> {
    let timestamp = timestamp(now);
    let scope = Scope { timestamp: &timestamp, region: bucket.region(), service: "s3" };
    let credential = format!("{}/{}", credentials.id, scope.credential_scope());
    let expires = expires_s.min(MAX_EXPIRES_S).to_string();
    let mut parameters = vec![
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", &timestamp),
        ("X-Amz-Expires", &expires),
    ];
    if let Some(token) = &credentials.token {
        parameters.push(("X-Amz-Security-Token", token));
    }
    parameters.push(("X-Amz-SignedHeaders", "host"));
    let request = Request { query: query(&parameters), ..Request::get(bucket, key)? };
    let (_, signature) = scope.signature(&request, bucket.authority(), UNSIGNED, credentials);
    let scheme = if bucket.https() { "https" } else { "http" };
    Ok(format!("{scheme}://{}{}&X-Amz-Signature={signature}", bucket.authority(), request.target()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SigV4, "Authenticating Requests: Using Query Parameters": the example there.
    #[test]
    fn a_presigned_url_is_the_one_of_the_documentation() {
        let bucket = Bucket::new("https://s3.amazonaws.com", "examplebucket").unwrap();
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let key = Credentials { id: "AKIAIOSFODNN7EXAMPLE".into(), secret: secret.into(), token: None };
        assert_eq!(
            presigned_get(&bucket, "test.txt", &key, 1_369_353_600, 86_400).unwrap(),
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn the_token_stands_encoded_among_the_parameters_and_times_have_a_limit() {
        let bucket = Bucket::new("http://127.0.0.1:9000", "bkt").unwrap();
        let key = Credentials { id: "id".into(), secret: "secret".into(), token: Some("to/k+==".into()) };
        let url = presigned_get(&bucket, "a b/直?.ts", &key, 0, u32::MAX).unwrap();
        assert!(url.starts_with("http://127.0.0.1:9000/bkt/a%20b/%E7%9B%B4%3F.ts?X-Amz-Algorithm="), "{url}");
        let rest = "&X-Amz-Expires=604800&X-Amz-Security-Token=to%2Fk%2B%3D%3D&X-Amz-SignedHeaders=host&X-Amz-Signature=";
        assert!(url.contains(rest), "{url}");
    }
}
