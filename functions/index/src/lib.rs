//! `POST /tick`
//!
//! Goes through the streams that are due: closes record files whose cycle is full or whose break has lasted too
//! long, and writes their playlists into the users' buckets.
//!
//! Every step can be repeated and can run twice at once: what a file holds is decided once (see
//! [`decision`]), everything after follows from that decision, and objects are only ever created.

pub mod close;
pub mod decision;
pub mod handler;
pub mod record_file;
pub mod world;

#[cfg(target_arch = "wasm32")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> shared::Answer {
    handler::handle(&shared::Host, request).await
}
