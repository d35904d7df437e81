//! How calls end, and where they go.

use exposition::{Label, label};
use http::StatusCode;
use wasmtime_wasi_http::Error;

/// The label of a status: its own, where it is told apart, else that of its class.
pub(crate) fn of_status<L: Label>(status: StatusCode) -> L {
    let class = match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    let written = |text: &str| L::ALL.iter().find(|label| label.as_str() == text).copied();
    written(status.as_str()).or_else(|| written(class)).expect("each class of statuses should have a label")
}

label! {
    /// How a request that a function was given ends.
    pub(crate) enum Served as "status" {
        Informational = "1xx",
        Success = "2xx",
        Redirection = "3xx",
        Unauthorized = "401",
        NotFound = "404",
        Conflict = "409",
        /// A bucket refuses what has to be written there.
        FailedDependency = "424",
        ClientError = "4xx",
        Unavailable = "503",
        ServerError = "5xx",
        /// The instance trapped, or was out of time; answered with 500.
        Trap = "trap",
        /// Whoever asked has left.
        Gone = "gone",
    }
}

label! {
    /// Where a function's request goes.
    pub(crate) enum To as "to" {
        /// An object store.
        Store = "store",
        /// Where users have callbacks and on-demand calls go.
        Receiver = "receiver",
        /// A function of the same application.
        Own = "self",
    }
}

label! {
    /// What becomes of a request that a function sends.
    pub(crate) enum Sent as "outcome" {
        Informational = "1xx",
        Success = "2xx",
        Redirection = "3xx",
        NotFound = "404",
        /// As stores answer where an object is there already.
        Conflict = "409",
        PreconditionFailed = "412",
        ClientError = "4xx",
        TooMany = "429",
        Unavailable = "503",
        ServerError = "5xx",
        /// The application may not send it there.
        Denied = "denied",
        /// No connection.
        Unreachable = "unreachable",
        Tls = "tls",
        Timeout = "timeout",
        /// A connection that broke, or an answer that is no HTTP.
        Broken = "broken",
        /// The function waited no longer.
        Abandoned = "abandoned",
    }
}

impl From<&Error> for Sent {
    fn from(error: &Error) -> Self {
        match error {
            Error::HttpRequestDenied | Error::DestinationIpProhibited => Self::Denied,
            Error::DnsTimeout
            | Error::ConnectionTimeout
            | Error::ConnectionReadTimeout
            | Error::ConnectionWriteTimeout
            | Error::HttpResponseTimeout => Self::Timeout,
            Error::DnsError { .. }
            | Error::DestinationNotFound
            | Error::DestinationUnavailable
            | Error::DestinationIpUnroutable
            | Error::ConnectionRefused
            | Error::ConnectionLimitReached
            | Error::Connect(_) => Self::Unreachable,
            Error::Tls(_)
            | Error::TlsProtocolError
            | Error::TlsCertificateError
            | Error::TlsAlertReceived { .. } => Self::Tls,
            _ => Self::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_a_label_of_its_own_or_that_of_its_class() {
        let status = |code| StatusCode::from_u16(code).unwrap();
        for (code, served, sent) in [
            (100, Served::Informational, Sent::Informational),
            (204, Served::Success, Sent::Success),
            (302, Served::Redirection, Sent::Redirection),
            (401, Served::Unauthorized, Sent::ClientError),
            (404, Served::NotFound, Sent::NotFound),
            (409, Served::Conflict, Sent::Conflict),
            (412, Served::ClientError, Sent::PreconditionFailed),
            (424, Served::FailedDependency, Sent::ClientError),
            (429, Served::ClientError, Sent::TooMany),
            (503, Served::Unavailable, Sent::Unavailable),
            (599, Served::ServerError, Sent::ServerError),
            (600, Served::ServerError, Sent::ServerError),
        ] {
            assert_eq!((of_status::<Served>(status(code)), of_status::<Sent>(status(code))), (served, sent));
        }
    }
}
