//! What is pushed, what is recorded of it, and what is due.
#![deny(missing_docs)]

pub mod account;
pub mod chunk;
pub mod command;
pub mod commit;
pub mod committed;
pub mod decision;
mod error;
pub mod file;
mod key;

mod list;
pub mod order;
pub mod page;
pub mod rule;
pub mod session;
pub mod silence;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod timer;

pub use error::Error;
