//! The host with real components: `tests/conformance/components`, built here for the wasm target.

mod binary;
mod bucket;
mod composition;
mod guest;
mod http;
mod key_value;
mod limits;
mod support;
