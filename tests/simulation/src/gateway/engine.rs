//! What stands in for the model: a real gateway, as it is told what happens.

use std::fmt;
use std::path::PathBuf;

use http::Request;
use protocol::StreamPath;
use shared::{Answer, testing};

/// The argument of a push URL that tells the pushes of a history apart.
pub const MARK: &str = "mark";

/// What a gateway that dies loses of its spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// What it had not written yet.
    Tail,
    /// Nothing that it had received a moment before.
    Nothing,
    /// A push, by the gateway's own name of it.
    Push(String),
    /// All of it.
    Spool,
}

/// A call that a real gateway makes.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its number.
    pub number: u64,
    /// When the gateway made it, in true time.
    pub at_ms: u64,
    /// What it asks.
    pub request: Request<testing::Sent>,
}

/// What a publisher has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many pictures.
    pub pictures: u64,
    /// When the first and the last one were sent, in true time.
    pub times_ms: Option<(u64, u64)>,
    /// The gateway has ended the connection.
    pub is_sent_away: bool,
}

/// A real gateway with its publishers, in true time that is given to it.
pub trait Engine: fmt::Debug {
    /// A publisher comes, whose pictures are told apart by `mark`: one each second, each of which can be begun with.
    fn publish(&mut self, mark: u32, stream: &StreamPath, argument: Option<&str>);

    /// A publisher leaves.
    fn unpublish(&mut self, mark: u32);

    /// What a publisher has sent.
    fn sent(&self, mark: u32) -> Sent;

    /// What the spool holds of pushes, and of chunks that were refused.
    fn spooled(&self) -> Vec<PathBuf>;

    /// The gateway dies at a moment, with the connections of its publishers, and starts again.
    fn restart(&mut self, now_ms: u64, loss: &Loss);

    /// Lets time pass up to a moment; answers the calls that were made.
    fn run_until(&mut self, now_ms: u64) -> Vec<Asked>;

    /// Answers a call, or closes its connection without an answer. Whether the gateway had waited for it.
    fn reply(&mut self, call: u64, answer: Option<Answer>) -> bool;
}
