//! A client of the recording API: signs as the official SDKs do.

use http::Request;
use serde_json::Value;
use shared::testing::{ACCESS_KEYS, Sent};

/// A signed call of an action.
pub(crate) fn request(action: &str, parameters: &[(&str, &str)], nonce: u64, now_ms: u64) -> Request<Sent> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let query: Vec<(String, String)> = parameters.iter().map(owned).collect();
    let headers = [
        ("host", "live.aliyuncs.com"),
        ("x-acs-action", action),
        ("x-acs-content-sha256", &acs::v3::content_sha256(&[])),
        ("x-acs-date", &acs::time::format(now_ms / 1_000)),
        ("x-acs-signature-nonce", &nonce.to_string()),
        ("x-acs-version", "2016-11-01"),
    ];
    let headers = headers.each_ref().map(owned);
    let (id, secret) = ACCESS_KEYS.split_once(':').unwrap();
    let signed = acs::v3::Request { method: "POST", path: "/", query: &query, headers: &headers, body: &[] };
    let authorization = acs::v3::authorization(&signed, id, secret).unwrap();
    let pairs = query.iter().map(|(name, value)| format!("{}={}", acs::encode(name), acs::encode(value)));
    let uri = format!("/?{}", pairs.collect::<Vec<_>>().join("&"));
    let mut request = Request::post(uri).header("authorization", authorization);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Sent::default()).unwrap()
}

/// Status and JSON of an answer of the API; its code where it is an error.
pub(crate) fn read(answer: &shared::Answer) -> Result<Value, String> {
    let body: Value = serde_json::from_str(answer.body()).unwrap();
    if answer.status().is_success() {
        return Ok(body);
    }
    Err(body["Code"].as_str().unwrap().to_owned())
}
