//! From what gateways say to what the components know.

use protocol::StreamPath;

use crate::catalog::{Generation, StreamName};

impl From<&StreamPath> for StreamName {
    fn from(path: &StreamPath) -> Self {
        Self { domain: path.domain().into(), app: path.app().into(), stream: path.stream().into() }
    }
}

impl From<protocol::Generation> for Generation {
    fn from(generation: protocol::Generation) -> Self {
        Self { orders: generation.orders, files: generation.files }
    }
}
