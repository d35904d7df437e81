//! Why a push is refused, or a key cannot be used.

/// Why a push is refused, in words for the publisher, or why a key cannot be used.
///
/// None says anything of a key or a signature, so each may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither the domain nor [any domain](crate::ANY_DOMAIN) has a key.
    #[error("domain {domain} has no push key")]
    NoKey {
        /// The domain.
        domain: String,
    },
    /// The URL is not signed.
    #[error("auth_key is missing: the push URL has to be signed")]
    Missing,
    /// The argument has not the form of one.
    #[error("auth_key is not of the form time-rand-uid-md5")]
    Malformed,
    /// It was made with another key, for another path, or changed since.
    #[error("auth_key is wrong: it was not made with a key of the domain for this application and stream")]
    Wrong,
    /// It was right.
    #[error("auth_key expired {ago_s} s ago")]
    Expired {
        /// For how long it has not held any more, in seconds.
        ago_s: u64,
    },
    /// A key without a domain, or a domain with an empty key.
    #[error("a push key needs a domain, or *, and a key that is not empty")]
    EmptyKey,
}
