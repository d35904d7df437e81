//! The catalog: what was pushed, what was recorded of it, what is due.
//!
//! This component adapts the WIT package `recorder:catalog` to the key-value store of the crate `store`.
//! It knows no media, no bucket, no clock and no HTTP.
//!
//! Each module explains how it lays its facts out, and why concurrent and repeated calls of it are safe:
//!
//! | module | facts |
//! | --- | --- |
//! | [`key`] | the layout of the keys |
//! | [`sessions`] | pushes: begin, end, heartbeat |
//! | [`log`] | the slices of a session, committed one after the other |
//! | [`files`] | record files: which run of slices each one holds |
//! | [`commands`] | commands of RealTimeRecordCommand |
//! | [`continuity`] | how slices follow one another |
//! | [`content`] | what is recorded in a range of time |
//! | [`indexes`] | index files: record files, and M3U8 made on request, to be looked up |
//! | [`timers`] | which streams are due, and when |
//!
//! Records are the types of the WIT package as JSON: the package's version is the version of the data.

#![expect(clippy::missing_errors_doc, reason = "the variants of `Error` say when a function fails with them")]

pub mod commands;
pub mod content;
pub mod continuity;
pub mod files;
pub mod indexes;
pub mod key;
pub mod log;
pub mod record;
pub mod sessions;
pub mod timers;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(test)]
mod tests;

/// The types of the WIT package, and the export.
#[expect(missing_docs, reason = "generated; wit/catalog documents each item")]
pub mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package recorder:catalog-component; world component { export recorder:catalog/catalog@0.1.0; }",
        path: ["../../wit/catalog"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [serde::Serialize, serde::Deserialize, PartialEq],
        generate_all,
    });
}

pub use bindings::exports::recorder::catalog::catalog as types;
