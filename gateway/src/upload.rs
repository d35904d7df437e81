//! Bringing pushes to the functions.

mod backoff;
mod lanes;
mod uploader;

pub(crate) use lanes::Lanes;
pub(crate) use uploader::Uploader;
