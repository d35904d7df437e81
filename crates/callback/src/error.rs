/// What is wrong with a URL that a user set, or with what their server answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be called.
    #[error("{url:?} is not an http or https URL with a host, and a port from 1 to 65535 or none")]
    Url {
        /// The URL, without the user and the query, which may hold secrets.
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

impl Error {
    /// [`Error::Url`] for a URL.
    pub(crate) fn url(url: &str) -> Self {
        let shown = url.split(['?', '#']).next().unwrap_or_default();
        let at = shown.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = shown.split_at(at);
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        Self::Url { url: format!("{scheme}{host}{path}") }
    }
}
