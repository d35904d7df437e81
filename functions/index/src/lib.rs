//! `POST /tick`
//!
//! Attends to what is due: ends of breaks and windows, silent gateways, record files whose cycle is full or whose
//! recording is over; writes the playlists of the latter into the users' buckets.
//!
//! Every step can be repeated and can run twice at once: what races is decided in the work bucket, everything after
//! follows from that, and objects are only ever created.

pub mod close;
pub mod handler;
pub mod probe;
pub mod world;

#[cfg(target_arch = "wasm32")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> shared::Answer {
    handler::handle(&shared::Host, request).await
}
