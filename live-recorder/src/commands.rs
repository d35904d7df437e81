//! The commands, one module each.

pub(crate) mod catalog;
pub(crate) mod demo;
pub(crate) mod functions;
pub(crate) mod gateway;
pub(crate) mod operator;
pub(crate) mod push;
pub(crate) mod spool;
pub(crate) mod up;
