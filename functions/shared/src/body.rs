//! The body of a request.

use std::future::Future;

use protocol::Call;

use crate::Refusal;

/// Longest JSON body in bytes. A gateway's heartbeat with 1,000 sessions has about 40,000.
const MAX_JSON_BYTES: usize = 1 << 20;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It has more bytes than this.
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// It ended before its end.
    CutOff,
}

/// The body of a request.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
pub trait Body {
    /// Its bytes, as the components take them.
    type Stream;

    /// Its bytes, and, once they were read, whether they were all of it.
    fn into_stream(self) -> (Self::Stream, impl Future<Output = Result<(), BodyError>>);

    /// All of its bytes.
    ///
    /// # Errors
    /// A body that is too large or cut off.
    async fn read(self, max_bytes: usize) -> Result<Vec<u8>, BodyError>;
}

/// The JSON body of a call; the default where there is no body.
///
/// # Errors
/// 413 for a body past 1 MiB, 400 for one that is not the JSON expected.
pub async fn read_json<C: Call>(body: impl Body) -> Result<C, Refusal> {
    let body = body.read(MAX_JSON_BYTES).await?;
    if body.is_empty() {
        return Ok(C::default());
    }
    serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request("InvalidJson", format!("the body is not the JSON expected: {error}"))
    })
}
