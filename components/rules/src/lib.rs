//! Recording rules and notify configs.
//!
//! This component adapts the WIT package `recorder:rules` to the key-value store as the crate `store` has it: get,
//! set, delete, exists and an atomic increment, no compare-and-swap, no batch, no listing of keys.
//!
//! | module | what |
//! | --- | --- |
//! | [`register`] | one value that many callers change at once, each change decided upon the value before it |
//! | [`index`] | which triples of a domain have a rule |
//! | [`rules`] | rules: a register a triple, an index a domain |
//! | [`notify`] | notify configs: a register a domain |
//! | [`key`] | the layout of the keys |
//!
//! Records are the types of the WIT package as JSON: the package's version is the version of the data.

pub mod error;
pub mod index;
pub mod key;
pub mod notify;
pub mod register;
pub mod rules;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(test)]
mod tests;

/// The types of the WIT package, and the export.
#[expect(missing_docs, reason = "generated; wit/rules documents each item")]
pub mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package recorder:rules-component; world component { export recorder:rules/rules@0.1.0; }",
        path: ["../../wit/rules"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [serde::Serialize, serde::Deserialize, PartialEq],
        generate_all,
    });
}

pub use bindings::exports::recorder::rules::rules as types;
