//! HTTP/1.1 on a listener: each connection served, and an end that breaks nothing off.
//!
//! What answers is the caller's; what the functions' host and the bucket server share is here.
#![deny(missing_docs)]

mod connections;
mod drain;
mod stall;

pub use connections::{Places, serve_connections};
pub use drain::Drained;
pub use stall::{BodyError, Stalled};
