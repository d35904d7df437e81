//! `GET /` and `POST /`: the recording API.
//!
//! Gathers the request, authenticates it, reads its call by the table of actions, answers it from the components
//! `rules`, `catalog` and `bucket`, and writes the answer. What the actions are is said in the crate `api`.
//!
//! | module | what |
//! | --- | --- |
//! | [`serve`] | the way of a request |
//! | [`authenticate`] | who it is from; nothing reaches an action unauthenticated |
//! | [`actions`] | what each action does |
//! | [`backend`] | what the actions need of the world |

pub mod actions;
pub mod authenticate;
pub mod backend;
pub mod convert;
pub mod serve;
pub mod settings;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(test)]
mod tests;

/// The types of the WIT packages, and the imports.
#[expect(missing_docs, reason = "generated; wit/ documents each item")]
pub mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package recorder:api-function;
            world function {
                import recorder:rules/rules@0.1.0;
                import recorder:catalog/catalog@0.1.0;
                import recorder:bucket/objects@0.1.0;
            }",
        path: ["../../wit/rules", "../../wit/catalog", "../../wit/bucket"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        generate_all,
    });
}
