//! `POST …/sessions`, `POST …/sessions/{session}/end`, `POST /heartbeat`
//!
//! Decides whether a push is recorded, by the rule that it falls under, and tells the gateway how to cut it.

pub mod decision;

#[cfg(target_arch = "wasm32")]
mod handler;
#[cfg(target_arch = "wasm32")]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package recorder:on-demand-function;
            world function {
                import recorder:rules/rules@0.1.0;
                import recorder:catalog/catalog@0.1.0;
            }",
        path: ["../../wit/rules", "../../wit/catalog"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        generate_all,
    });
}
