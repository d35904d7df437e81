//! What answers calls: the handlers of the functions, or the components that are built of them.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use recorder_compose_function::Sizes;
use shared::Answer;
use shared::testing::World;

use crate::call::{Ask, serve};
use crate::gateway::Engine;

/// A call that goes on by one operation of the world's each time that it is polled.
pub type Answering = Pin<Box<dyn Future<Output = Answer>>>;

/// What answers calls.
pub trait Functions {
    /// Answers a call that reaches a host, by the host's place.
    fn answer(&self, host: usize, world: Rc<World>, ask: Ask) -> Answering;

    /// How large parts and blocks of record files are, where a history may not draw it.
    fn sizes(&self) -> Option<Sizes> {
        None
    }

    /// A real gateway of a name, which goes in the place of the model.
    fn gateway(&self, _name: &str) -> Option<Box<dyn Engine>> {
        None
    }

    /// The rule or the notify config of the world is another.
    fn configure(&self, world: &World);
}

/// The handlers themselves. They look a rule up in the world.
#[derive(Clone, Copy, Debug)]
pub struct Handlers;

impl Functions for Handlers {
    fn answer(&self, _: usize, world: Rc<World>, ask: Ask) -> Answering {
        Box::pin(serve(world, ask))
    }

    fn configure(&self, _: &World) {}
}
