//! How calls end, and where they go.

use exposition::label;
use http::StatusCode;
use wasmtime_wasi_http::Error;

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

impl From<StatusCode> for Served {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorized,
            404 => Self::NotFound,
            409 => Self::Conflict,
            424 => Self::FailedDependency,
            503 => Self::Unavailable,
            100..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
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

impl From<StatusCode> for Sent {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            404 => Self::NotFound,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            429 => Self::TooMany,
            503 => Self::Unavailable,
            100..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
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
