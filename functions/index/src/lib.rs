//! `POST /tick`
//!
//! Looks at the streams that are due: closes record files whose cycle is full or whose break has lasted too
//! long, and writes their playlists into the users' buckets.
//!
//! Every step can be repeated and can run twice at once: what a file holds is decided once (see
//! `decide` in `handler.rs`), everything after follows from that decision, and objects are only ever created.

pub mod record_file;

#[cfg(target_arch = "wasm32")]
mod bucket;
#[cfg(target_arch = "wasm32")]
mod handler;
#[cfg(target_arch = "wasm32")]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package recorder:index-function;
            world function {
                import recorder:bucket/objects@0.1.0;
                import recorder:catalog/catalog@0.1.0;
            }",
        path: ["../../wit/bucket", "../../wit/catalog"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [serde::Serialize, serde::Deserialize],
        generate_all,
    });
}
