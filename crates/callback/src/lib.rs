//! Callbacks: what a user's server is asked and told, what it may answer, and when it is asked again.
//!
//! Nothing here sends or reads anything; the caller does, and gives the time.
#![deny(missing_docs)]

mod error;
pub mod event;
pub mod on_demand;
mod receiver;
pub mod signature;

pub use error::Error;
pub use receiver::{Private, Receiver};
