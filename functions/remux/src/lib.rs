//! `PUT /streams/{domain}/{app}/{stream}/sessions/{session}/chunks/{seq}`
//!
//! One FLV chunk becomes one slice: remuxed by the component `media`, put into the user's bucket by `bucket`,
//! noted by `catalog`. The answer 200 means that all of it is durable.
//!
//! The media passes from the request to `media` and from there to `bucket` as streams: this function sees
//! none of it. A repeated chunk has the same name and the same bytes, and gets the same answer.

pub mod slice;

#[cfg(target_arch = "wasm32")]
mod handler;
#[cfg(target_arch = "wasm32")]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package recorder:remux-function;
            world function {
                import recorder:media/remux@0.1.0;
                import recorder:bucket/objects@0.1.0;
                import recorder:catalog/catalog@0.1.0;
            }",
        path: ["../../wit/media", "../../wit/bucket", "../../wit/catalog"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
