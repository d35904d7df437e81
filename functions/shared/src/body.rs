//! The body of a request.

use std::fmt;
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
    /// It stopped coming.
    Stalled {
        /// How many bytes came; `None` where a component read them.
        came: Option<u64>,
        /// How many its sender said it has.
        declared: Option<u64>,
    },
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { max_bytes } => write!(f, "the body has more than {max_bytes} bytes"),
            Self::CutOff => write!(f, "the body was cut off on its way"),
            Self::Stalled { came: Some(came), declared: Some(declared) } => {
                write!(f, "the body stopped coming: {came} of {declared} bytes came")
            }
            Self::Stalled { came: Some(came), declared: None } => {
                write!(f, "the body stopped coming before its end, after byte {came}")
            }
            Self::Stalled { came: None, declared: Some(declared) } => {
                write!(f, "the body of {declared} bytes stopped coming before its end")
            }
            Self::Stalled { came: None, declared: None } => {
                write!(f, "the body stopped coming before its end")
            }
        }
    }
}

/// The body of a request.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
pub trait Body {
    /// Its bytes, as the components take them.
    type Stream;

    /// Its bytes, and, once they were read, whether they were all of it.
    fn into_stream(self) -> (Self::Stream, impl Future<Output = Result<(), BodyError>>);

    /// How many bytes its sender says it has; `None` for a chunked one.
    fn declared(&self) -> Option<u64>;

    /// All of its bytes, whatever its sender said.
    ///
    /// # Errors
    /// A body that is too large, is cut off or stops coming.
    async fn receive(self, max_bytes: usize) -> Result<Vec<u8>, BodyError>;

    /// All of its bytes. One that is declared to be too large is not waited for.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    async fn read(self, max_bytes: usize) -> Result<Vec<u8>, BodyError>
    where
        Self: Sized,
    {
        match self.declared() {
            Some(declared) if declared > max_bytes as u64 => Err(BodyError::TooLarge { max_bytes }),
            _ => self.receive(max_bytes).await,
        }
    }
}
