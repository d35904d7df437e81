/// What is wrong with a URL that a user set, or with what their server answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be called.
    #[error("{url:?} is not an http or https URL with a host")]
    Url {
        /// The URL as it was set.
        url: String,
    },
    /// The URL's host is not on the public internet.
    #[error("{host:?} is not on the public internet, and variable private_callbacks is not true")]
    Private {
        /// The host.
        host: String,
    },
    /// The answer's status is none that counts.
    #[error("the answer's status is {status}, and only 200 counts")]
    Status {
        /// The status.
        status: u16,
    },
    /// The body is not the JSON expected.
    #[error("the answer cannot be read: {reason}")]
    Answer {
        /// What was found, and where.
        reason: String,
    },
}
