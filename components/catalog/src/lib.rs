//! The catalog: what is pushed, what is recorded of it, what is due.
//!
//! This component adapts the crate `catalog` to the WIT package `recorder:catalog`, and does nothing else: [`Service`]
//! takes and answers the package's types, [`convert`] turns them into the crate's. It gives the crate Spin's key-value
//! store and the work bucket.

#![expect(clippy::missing_errors_doc, reason = "the variants of `Error` say when a function fails with them")]

pub mod convert;
pub mod service;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
mod users;
#[cfg(target_arch = "wasm32")]
mod work_bucket;

pub use service::Service;

/// The types of the WIT package, and the export.
#[expect(missing_docs, reason = "generated; wit/catalog documents each item")]
pub mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package recorder:catalog-component; world component { export recorder:catalog/catalog@0.2.0; }",
        path: ["../../wit/catalog"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [serde::Serialize, serde::Deserialize, PartialEq],
        generate_all,
    });
}

pub use bindings::exports::recorder::catalog::catalog as types;
