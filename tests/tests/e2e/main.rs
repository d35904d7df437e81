//! End to end: encoders push RTMP, the built bundle records, parsers and players that we did not write judge.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod bad_input;
mod breaks;
mod browser;
mod bucket_keys;
mod cases;
mod commands;
mod components;
mod copied;
mod crash;
mod events;
mod flv_tags;
mod forbidden;
mod guard;
mod hevc;
mod hosts;
mod judge;
mod lost_store;
mod many;
mod media_files;
mod moto;
mod mp4box;
mod on_demand;
mod operated;
mod players;
mod publisher;
mod record;
mod seeking;
mod source;
mod stage;
mod traces;
mod transport_stream;
mod write_only;
