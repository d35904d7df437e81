//! Recording rules, forbidden streams and notify configs: adapts `crates/rules` to the WIT package `recorder:rules`, on
//! Spin's key-value store, with copies in the work bucket.
//!
//! That crate says what a rule is, how it is stored and why concurrent callers are safe; this one only converts.

pub mod convert;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
mod copies;

/// The types of the WIT package, and the export.
#[expect(missing_docs, reason = "generated; wit/rules documents each item")]
pub mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package recorder:rules-component; world component { export recorder:rules/rules@0.1.0; }",
        path: ["../../wit/rules"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        generate_all,
    });
}
