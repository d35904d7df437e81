//! `POST …/admission`, `POST …/sessions`, `POST …/sessions/{session}/end`, `POST /heartbeat`, `POST /rebuild`
//!
//! Says who may push, decides whether a push is recorded, by the rule that it falls under and by the URL that the rule asks, and tells the
//! gateway how to cut it.

pub mod admission;
pub mod ask;
pub mod convert;
pub mod decision;
pub mod handler;
pub mod rebuild;
pub mod world;

#[cfg(target_arch = "wasm32")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> shared::Answer {
    handler::handle(&shared::Host, request).await
}
