//! From an HTTP request to the component that answers it.

pub(crate) mod routing;
mod server;
