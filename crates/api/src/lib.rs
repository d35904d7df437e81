//! The recording API of Alibaba Cloud Live, version 2016-11-01.
//!
//! Not a server: no clock, no network, no store. A request's parts come in, a typed [`Call`] goes out; a typed
//! answer comes in, JSON or XML goes out.
//!
//! Each action is defined in one place, in `actions/`: name, parameters with type, limits, default and error, the fields
//! they are read into, the answer, the errors. Everything else follows from that, and nothing is parsed by hand:
//!
//! | step | where |
//! | --- | --- |
//! | wire → scheme, action, parameters | [`Incoming::read`] |
//! | parameters → checked values → [`Call`] | [`Call::read`] |
//! | what spans parameters (windows, merges, paging) | [`rule`], [`notify`], [`range`], [`paging`] |
//! | [`Call`] → answer | [`Call::perform`], by whoever implements [`Handle`] for every action |
//! | answer or error → JSON or XML | [`render`] |
//! | definitions → Markdown, OpenAPI | [`document`] |
#![deny(missing_docs)]

mod action;
mod actions;
mod answer;
pub mod answers;
pub mod calls;
pub mod document;
mod fault;
mod incoming;
pub mod notify;
pub mod paging;
mod parameter;
pub mod range;
pub mod render;
mod request;
pub mod rule;
mod wire_name;
pub mod words;

pub use action::{Access, Action, Handle, Request};
pub use answer::{Answer, Field, Shape, Time};
pub use calls::{ACTIONS, Call, action};
pub use fault::{ApiError, Fault, faults};
pub use incoming::{HttpRequest, Incoming};
pub use parameter::{Kind, Outside, Parameter, Presence, Text};
pub use render::{Format, Response};
pub use request::{Given, Parameters};

/// The version of the API.
pub const VERSION: &str = "2016-11-01";
