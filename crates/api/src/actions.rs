//! The definitions of the actions, by what they are about. [`calls`](crate::calls) lists them.

pub(crate) mod content;
pub(crate) mod notify;
mod parameters;
pub(crate) mod rules;
pub(crate) mod streams;
