//! The key-value store as every backend of Spin does it correctly, and typed, versioned records in it.
//!
//! Not a database: no transaction, no compare-and-swap, no batch and no listing of keys, because they fail or cost
//! too much on some backends. No I/O either: the caller gives the [`Store`].
//!
//! | module | what |
//! | --- | --- |
//! | [`Store`] | get, set, delete, exists and an atomic increment |
//! | [`record`] | values with a type and a version |
//! | [`counter`] | counters that are never negative |
//! | [`limits`] | which keys and values every backend takes |
//! | `memory` (feature `memory`) | a store in memory, with faults and schedules, for tests |
#![deny(missing_docs)]

pub mod counter;
mod error;
pub mod limits;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
pub mod record;
mod traits;

pub use error::{Error, Operation};
pub use record::Record;
pub use traits::{SharedStore, Store};
