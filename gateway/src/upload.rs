//! Bringing pushes to the functions.

mod backoff;
mod shed;
mod uploader;
mod uploads;

pub(crate) use uploader::Uploader;
pub(crate) use uploads::Uploads;
