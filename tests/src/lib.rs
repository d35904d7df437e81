//! What the end-to-end tests and the benchmarks share: the bundle as a user runs it, its API as a
//! client calls it, and ffmpeg as a judge.
//!
//! Nothing here looks inside the recorder: it is a process with three ports, and its results are objects.

pub mod api;
pub mod bucket;
pub mod bucket_process;
pub mod ffmpeg;
pub mod functions;
pub mod gateway;
pub mod nal;
pub mod process;
pub mod receiver;
pub mod redis;
pub mod server;
mod shared;
pub mod site;
pub mod wasi;

use std::path::PathBuf;

/// The project's folder.
#[must_use]
pub fn root() -> PathBuf {
    // Read at run time if possible: a target folder that several checkouts share holds one binary for all of them.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    std::path::Path::new(&package).parent().expect("packages lie in the project's folder").to_path_buf()
}

/// A client that takes every status for an answer.
#[must_use]
pub fn http_agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// The bundled sample: 30 s of H.264 with B-frames and AAC.
#[must_use]
pub fn sample() -> PathBuf {
    root().join("tests/assets/sample.flv")
}
