//! Real media, recorded: what comes out is compared with what went in, and judged by others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changes;
mod chunks;
mod compare;
mod corpus;
mod entries;
mod ffmpeg;
mod flv_muxer;
mod interleaving;
mod odd;
mod packets;
mod record_files;
mod reported;
mod target_decoder;
mod transport_stream;
mod tstools;
