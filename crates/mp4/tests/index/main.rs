//! Files made of tables, read back: what they hold, when it plays, and that readers which we did not write agree.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod files;
mod timing;
mod tracks;
mod verifier;
