//! What a function asks of its request and of its host.

use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use spin_sdk::http::Request;
use spin_sdk::variables;

use protocol::Route;

use crate::{Refusal, authorize};

/// Longest JSON body in bytes. A gateway's heartbeat with 1,000 sessions has about 40,000.
const MAX_JSON_BYTES: usize = 1 << 20;

/// Lets the request pass if it carries the ingest token.
///
/// # Errors
/// 401 where it does not.
pub async fn authorized(request: &Request) -> Result<(), Refusal> {
    authorize(request.headers(), &variable("ingest_token").await?)
}

/// Which call the request is.
///
/// # Errors
/// 404 for a path that no call has, 405 for a wrong method, 400 for a name or number that is not one.
pub fn route(request: &Request) -> Result<Route, Refusal> {
    Ok(Route::parse(request.method(), request.uri().path())?)
}

/// A variable of the application.
///
/// # Errors
/// 503 where the host does not give it.
pub async fn variable(name: &str) -> Result<String, Refusal> {
    variables::get(name)
        .await
        .map_err(|error| Refusal::unavailable("NoVariable", format!("variable {name}: {error}")))
}

/// The request's JSON body; the default where there is no body.
///
/// # Errors
/// 413 for a body past 1 MiB, 400 for one that is not the JSON expected.
pub async fn read_json<T: DeserializeOwned + Default>(request: Request) -> Result<T, Refusal> {
    let body = Limited::new(request.into_body(), MAX_JSON_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let message = format!("the body has more than {MAX_JSON_BYTES} bytes");
            return Refusal::new(http::StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge", message);
        }
        Refusal::unavailable("BodyCutOff", error.to_string())
    })?;
    let body = body.to_bytes();
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request("InvalidJson", format!("the body is not the JSON expected: {error}"))
    })
}

/// Now, in Unix milliseconds.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
