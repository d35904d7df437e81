//! What records, however many processes it is.

use std::path::PathBuf;

/// A site: functions, and a bucket server whose folders can be looked at.
pub trait Site {
    /// Base URL of the functions, on one host of them.
    fn functions(&self) -> &str;

    /// Base URL of the bucket server.
    fn bucket(&self) -> &str;

    /// The folder of a bucket.
    fn bucket_folder(&self, bucket: &str) -> PathBuf;
}
