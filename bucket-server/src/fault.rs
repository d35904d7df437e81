//! What the disk's errors mean to a client.

use std::borrow::Cow;
use std::io::{Error, ErrorKind};

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

/// An error of the disk: 507 where it is full, which heals when there is room again.
pub(crate) fn disk(error: Error) -> S3Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            tracing::warn!("the bucket server's disk is full: {error}");
            full("the disk that holds the buckets is full")
        }
        _ => {
            tracing::error!("the bucket server's disk fails: {error}");
            s3_error!(error, InternalError, "the disk that holds the buckets fails")
        }
    }
}

/// What is answered where there is no room. S3 has no code for that: this is the name of the status, as others have it.
pub(crate) fn full(message: impl Into<Cow<'static, str>>) -> S3Error {
    let mut full = S3Error::with_message(S3ErrorCode::Custom("InsufficientStorage".into()), message);
    full.set_status_code(StatusCode::INSUFFICIENT_STORAGE);
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            let error = disk(kind.into());
            assert_eq!(error.status_code(), Some(StatusCode::INSUFFICIENT_STORAGE));
            assert_eq!(error.code().as_str(), "InsufficientStorage");
        }
        assert_eq!(disk(ErrorKind::Other.into()).status_code(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    }
}
