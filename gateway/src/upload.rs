//! Bringing pushes to the functions.

mod backoff;
mod before;
mod requests;
mod shed;
mod turns;
mod uploader;
mod uploads;

pub(crate) use requests::follow_requests;
pub(crate) use turns::Turns;
pub(crate) use uploader::Uploader;
pub(crate) use uploads::Uploads;
