//! S3-compatible object stores: where requests go, how they are signed, and what answers mean.
//!
//! Nothing is sent here: the caller gives the [`Transport`] and the time.
//!
//! | standard | short name |
//! | --- | --- |
//! | Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)" | SigV4 |
//! | Amazon S3 User Guide, "Virtual hosting of general purpose buckets" | virtual-hosted and path style |
//!
//! Bodies are signed as `UNSIGNED-PAYLOAD`: hashing them costs more than twice the CPU of the whole remux, and
//! checksums that stores do not know have broken uploads to many of them. A [`Checksum`] is therefore a setting.
#![deny(missing_docs)]

mod answer;
mod bucket_keys;
mod bucket_options;
mod checksum;
mod client;
mod conditions;
mod create;
mod endpoint;
mod error;
mod hosts;
mod look;
mod multipart;
mod pattern;
mod presign;
mod request;
mod sign;
#[cfg(test)]
mod testing;
mod work;
mod xml;

pub use answer::Response;
pub use bucket_keys::BucketKeys;
pub use bucket_options::{BucketOptions, Options};
pub use checksum::Checksum;
pub use client::{Client, Transport};
pub use conditions::Conditions;
pub use create::Created;
pub use endpoint::Bucket;
pub use error::Error;
pub use hosts::{Endpoints, Regions, Style};
pub use look::Seen;
pub use multipart::{Part, Source, Upload, Uploads};
pub use pattern::Buckets;
pub use request::{Header, NOTE_HEADER, Request, TAG_HEADER, error_code};
pub use sign::{Credentials, sign};
pub use work::WorkClient;
