//! How much is taken, and for how long.

/// How far a request's time may lie from ours, either way, in seconds.
///
/// A nonce has to be remembered until a request of its time is refused for its age alone.
pub const WINDOW_S: u64 = 15 * 60;

/// Most parameters that one request may carry; the largest action has fewer than 60 in use.
pub const MAX_PARAMETERS: usize = 512;
