//! What the functions that a gateway calls have in common: who may call, and what an answer looks like.

mod answer;
mod path;
#[cfg(target_arch = "wasm32")]
mod request;

pub use answer::{Answer, Refusal, authorize, json};
pub use path::{ChunkPath, SessionPath, sessions_path};
#[cfg(target_arch = "wasm32")]
pub use request::{authorized, now_ms, read_json, variable};
