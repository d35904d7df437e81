//! From component files to running instances.

pub(crate) mod component_cache;
pub(crate) mod compose;
pub(crate) mod engine;
pub(crate) mod function;
pub(crate) mod instance;
