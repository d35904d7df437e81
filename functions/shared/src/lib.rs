//! What the functions that a gateway calls have in common: who may call, and what an answer looks like.

mod answer;
#[cfg(target_arch = "wasm32")]
mod request;

pub use answer::{Answer, Refusal, authorize, json};
#[cfg(target_arch = "wasm32")]
pub use request::{authorized, now_ms, read_json, route, variable};
