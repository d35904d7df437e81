//! Why a request cannot be trusted, or a configuration of keys cannot be used.

use crate::MAX_PARAMETERS;

/// Why a request cannot be trusted, or a configuration of keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A query or form is not percent-encoded UTF-8.
    #[error("parameters are not percent-encoded UTF-8, at byte {at}")]
    Encoding {
        /// Place of the name or value, in the encoded text.
        at: usize,
    },
    /// There are more than [`MAX_PARAMETERS`] parameters.
    #[error("request has more than {MAX_PARAMETERS} parameters")]
    TooManyParameters,
    /// A parameter comes twice, so that signer and server could read different values.
    #[error("parameter {name:?} comes more than once")]
    Duplicate {
        /// The parameter, or the header.
        name: String,
    },
    /// Something that a signature needs is absent or empty.
    #[error("{name} is absent")]
    Missing {
        /// The parameter or header.
        name: &'static str,
    },
    /// Something that a signature needs says what it must not.
    #[error("{name} is {found:?}, expected {expected}")]
    Unexpected {
        /// The parameter or header.
        name: &'static str,
        /// What it says, at most 64 characters.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// The body is not the one that was signed.
    #[error("x-acs-content-sha256 is {claimed:?}, the body hashes to {found}")]
    ContentHash {
        /// What the header says, at most 64 characters.
        claimed: String,
        /// What the body hashes to, in hex.
        found: String,
    },
    /// The signature is not the one that the secret gives.
    #[error("signature does not match the string to sign {string_to_sign:?}")]
    SignatureMismatch {
        /// What the server would have signed.
        string_to_sign: String,
    },
    /// The time is not of the form `yyyy-MM-ddTHH:mm:ssZ`.
    #[error("time {found:?} is not of the form yyyy-MM-ddTHH:mm:ssZ")]
    TimeFormat {
        /// The text found, at most 64 characters.
        found: String,
    },
    /// The request was signed too long ago, or too far ahead.
    #[error("signed {distance_s} seconds {direction}, at most {} are allowed", crate::WINDOW_S)]
    Expired {
        /// Distance between the two clocks, in seconds.
        distance_s: u64,
        /// `ago` or `ahead`.
        direction: &'static str,
    },
    /// No access key of this id is configured.
    #[error("access key {id:?} is not configured")]
    UnknownKey {
        /// The id, at most 64 characters.
        id: String,
    },
    /// The access key is configured as inactive.
    #[error("access key {id:?} is inactive")]
    InactiveKey {
        /// The id.
        id: String,
    },
    /// The configuration of access keys does not follow its grammar.
    #[error("access key entry {entry} {problem}")]
    Configuration {
        /// Number of the entry, from 1. The entry itself may hold a secret and is not shown.
        entry: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The beginning of a text that a stranger sent, for an error.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
