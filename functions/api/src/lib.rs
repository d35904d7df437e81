//! `GET /` and `POST /`: the recording API.
//!
//! Gathers the request, authenticates it, reads its call by the definitions of the actions, answers it from the
//! components `rules`, `catalog` and `bucket`, and writes the answer. The crate `api` defines the actions.
//!
//! | module | what |
//! | --- | --- |
//! | [`handler`] | from the request over HTTP to its answer |
//! | [`authenticate`] | who it is from; nothing reaches an action unauthenticated |
//! | [`actions`] | what each action does |
//! | [`backend`] | what the function needs of the components and of its host |
//! | [`convert`] | between the types of the components and those of the core |
//! | `host` | the components as Spin gives them, where this is compiled for Wasm |
//! | `told` | what the rules answer, for worlds in memory |
//! | `testing` | the components over the world in memory of the functions beside, with the feature `testing` |

pub mod actions;
pub mod authenticate;
pub mod backend;
pub mod convert;
pub mod handler;
pub mod settings;

#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(feature = "testing")]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "testing"))]
mod told;

/// The types of the WIT packages, and the imports.
#[expect(missing_docs, reason = "generated; wit/ documents each item")]
pub mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package recorder:api-function;
            world function {
                import recorder:rules/rules@0.1.0;
                import recorder:catalog/catalog@0.2.0;
                import recorder:bucket/objects@0.1.0;
            }",
        path: ["../../wit/rules", "../../wit/catalog", "../../wit/bucket"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
        generate_all,
    });
}

#[cfg(target_arch = "wasm32")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> shared::Answer {
    handler::handle(&shared::Host, request).await
}
