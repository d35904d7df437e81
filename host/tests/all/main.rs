//! The host with real components: `tests/conformance/components`, built here for the wasm target.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod composition;
mod guest;
mod guests;
mod http;
mod key_value;
mod limits;
mod metrics;
mod redis;
mod support;
