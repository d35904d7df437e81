//! The body of a request.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use http_server::Drained;
use protocol::JSON_CONTENT_TYPE;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::answer::Refused;

/// The longest one.
const MAX_BYTES: usize = 4 << 10;

/// How long it may take to come.
const TIME: Duration = Duration::from_secs(5);

/// What it says; refused where it is no JSON, too long or late.
pub(super) async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Drained) -> Result<T, Refused> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = media_type.split(';').next().is_some_and(|kind| kind.trim() == JSON_CONTENT_TYPE);
    if !is_json {
        let message = format!("the body has to be {JSON_CONTENT_TYPE}, not {media_type:?}");
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "type", message));
    }
    let too_long = || {
        let message = format!("the body has more than {MAX_BYTES} bytes");
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "body", message)
    };
    // What is declared to be too long is not waited for.
    if body.size_hint().lower() > MAX_BYTES as u64 {
        return Err(too_long());
    }
    let read = timeout(TIME, Limited::new(body, MAX_BYTES).collect()).await.map_err(|_| {
        let message = format!("the body has not come within {TIME:?}");
        Refused::new(StatusCode::REQUEST_TIMEOUT, "body", message)
    })?;
    let body = read.map_err(|error| match error.is::<LengthLimitError>() {
        true => too_long(),
        false => Refused::new(StatusCode::BAD_REQUEST, "body", format!("the body cannot be read: {error}")),
    })?;
    serde_json::from_slice(&body.to_bytes())
        .map_err(|error| Refused::new(StatusCode::BAD_REQUEST, "body", error.to_string()))
}
