//! The body of a request.

use std::future::Future;

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
