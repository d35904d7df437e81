//! What is read of a request.

use protocol::Call;
use serde::de::DeserializeOwned;

use crate::{Body, Refusal};

/// Longest JSON body in bytes. A gateway's heartbeat with 1,000 sessions has about 40,000.
const MAX_JSON_BYTES: usize = 1 << 20;

/// The JSON body of a call; the default where there is no body.
///
/// # Errors
/// 413 for a body past 1 MiB, 400 for one that is not the JSON expected.
pub async fn read_json<C: Call>(body: impl Body) -> Result<C, Refusal> {
    let body = body.read(MAX_JSON_BYTES).await?;
    if body.is_empty() { Ok(C::default()) } else { parse(&body) }
}

/// A JSON body that cannot be left out.
///
/// # Errors
/// As [`read_json`].
pub async fn read_body<T: DeserializeOwned>(body: impl Body) -> Result<T, Refusal> {
    parse(&body.read(MAX_JSON_BYTES).await?)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::bad_request("InvalidJson", format!("the body is not the JSON expected: {error}"))
    })
}
