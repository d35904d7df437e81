//! `POST /compose`
//!
//! Writes the MP4 and FLV record files that are due: whose cycle is full or whose recording is over.
//!
//! The media of a file lies in the work bucket, chunk by chunk, with a sample table before it. The component `media` makes
//! the file of both; its bytes follow from the chunks alone. Every step can be repeated and can run twice at once, since
//! objects are only ever created.
//!
//! While an MP4 file is open, its media is gathered into blocks that a store can copy as parts; once it is whole, the store
//! copies them where it does, and what remains is streamed through.

mod block;
mod gather;
pub mod handler;
mod made;
mod parts;
mod plan;
mod source;
pub mod world;
mod write;

pub use plan::Sizes;

#[cfg(target_arch = "wasm32")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> shared::Answer {
    handler::handle(&shared::Host, request).await
}
