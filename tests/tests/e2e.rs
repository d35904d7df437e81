//! End to end: a real encoder pushes RTMP, the built bundle records, somebody else's parsers judge.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "e2e/bad_input.rs"]
mod bad_input;
#[path = "e2e/crash.rs"]
mod crash;
#[path = "e2e/many.rs"]
mod many;
#[path = "e2e/record.rs"]
mod record;
