//! `POST /deliver`
//!
//! Tells the users' servers of what was recorded: each recording's events in their order, recordings beside one
//! another.

pub mod handler;
mod tell;
pub mod world;

#[cfg(target_arch = "wasm32")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> shared::Answer {
    handler::handle(&shared::Host, request).await
}
