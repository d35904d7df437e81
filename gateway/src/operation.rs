//! What an operator sees of a gateway and has it do.
//!
//! What counts is counted where it happens ([`Metrics`]), and looked at where it is when somebody asks: a scrape costs
//! what is live, and nothing while nobody scrapes.

mod control;
mod health;
mod metrics;
mod process;
mod publishers;
mod report;
mod traces;
mod traffic;

pub use control::{Control, DrainPlan, DrainState};
pub use health::Reason;
pub use publishers::PublisherView;

pub(crate) use control::{Parts, patience};
pub(crate) use health::Kind;
pub(crate) use metrics::{
    ChunkOutcome, ConnectionRefused, Failure, Lane, LaneCalls, Metrics, PublishRefused, TrackKind,
};
pub(crate) use publishers::{LivePush, Registered};
pub(crate) use report::of_process;
pub(crate) use traces::{CallTrace, ChunkTrace};
pub(crate) use traffic::Traffic;
