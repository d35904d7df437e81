//! `PUT /streams/{domain}/{app}/{stream}/sessions/{session}/chunks/{seq}`
//!
//! One FLV chunk becomes one slice: remuxed by the component `media`, put into the user's bucket by `bucket`,
//! committed in the `catalog`. The answer 200 means that all of it is durable.
//!
//! The media passes from the request to `media` and from there to `bucket` as streams: this function sees
//! none of it. A repeated chunk has the same name and the same bytes, and gets the same answer.

pub mod convert;
pub mod handler;
pub mod headers;
pub mod report;

#[cfg(target_arch = "wasm32")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> shared::Answer {
    handler::handle(&shared::Host, request).await
}
