//! The recording API of Alibaba Cloud Live, version 2016-11-01.
//!
//! Not a server: no clock, no network, no store. A request's parts come in, a typed [`Call`] goes out; a typed
//! answer comes in, JSON or XML goes out.
//!
//! One table ([`ACTIONS`]) describes each action: parameters with type, limits, default and error, and the fields of
//! the answer. Everything else follows from it, and nothing is parsed by hand:
//!
//! | step | where |
//! | --- | --- |
//! | wire → scheme, action, parameters | [`Incoming::read`] |
//! | parameters → checked values → [`Call`] | [`Call::read`] |
//! | what spans parameters (windows, merges, paging) | [`rule`], [`notify`], [`range`], [`paging`] |
//! | answer or error → JSON or XML | [`render`] |
//! | table → Markdown, OpenAPI | [`document`] |
#![deny(missing_docs)]

mod actions;
pub mod answers;
pub mod calls;
pub mod document;
mod fault;
mod incoming;
pub mod notify;
pub mod paging;
pub mod range;
pub mod render;
pub mod rule;
mod table;
mod values;

pub use actions::{ACTIONS, action};
pub use calls::Call;
pub use fault::{ApiError, Fault, faults};
pub use incoming::{Incoming, Request};
pub use render::{Format, Response};
pub use table::{Access, Action, Field, Kind, Outside, Parameter, Presence, Shape};

/// The version of the API.
pub const VERSION: &str = "2016-11-01";
