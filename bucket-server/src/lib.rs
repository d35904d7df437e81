//! An S3 server over folders, for local use: real signatures, real protocol, one access key.
//!
//! A bucket is a folder, an object a file of the object's name below it. Nothing is synced to disk, object names
//! longer than about 150 bytes fail, and `a` and `a/b` cannot both be objects.
#![deny(missing_docs)]

mod access;
mod creating;
mod name;
mod server;

pub use name::check_bucket_name;
pub use server::{BucketConfig, BucketServer};
