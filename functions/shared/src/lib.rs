//! What the functions that a gateway calls have in common.
//!
//! | module | what |
//! | --- | --- |
//! | [`world`] | what a function asks of its host and of the components, one trait each |
//! | [`body`] | the body of a request |
//! | [`request`] | what is read of a request |
//! | [`refusal`] | why a call is refused; what each component's error is to a caller |
//! | [`answer`] | what an answer looks like |
//! | [`lane`] | the loop of a function that attends to what is due |
//! | `convert` | what gateways say as the components know it |
//! | `host` | the world as Spin gives it, where this is compiled for Wasm |
//! | `testing` | a world in memory, with the feature `testing` |
//!
//! A function's own logic is written against the traits, and so runs natively in tests as it does in Spin.

pub mod answer;
pub mod body;
mod convert;
pub mod lane;
pub mod record_file;
pub mod refusal;
pub mod request;
pub mod world;

#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(target_arch = "wasm32")]
mod outgoing;
#[cfg(feature = "testing")]
pub mod testing;

pub use answer::{Answer, answer_to, ok};
pub use body::{Body, BodyError};
pub use naming::tag;
pub use refusal::Refusal;
pub use request::{read_body, read_json};
pub use world::{
    Bucket, CALLBACK_MS, Catalog, Clock, Denial, Files, Media, Piece, Random, Receivers, Rules, Streams,
    USER_AGENT, Unanswered, Variables, authorize, display_name, flag, private_callbacks, timezone,
    work_bucket,
};

#[cfg(target_arch = "wasm32")]
pub use host::Host;

/// The types of the WIT packages, and the imports.
#[expect(missing_docs, reason = "generated; wit/ documents each item")]
pub mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package recorder:functions;
            world function {
                import recorder:bucket/objects@0.1.0;
                import recorder:catalog/catalog@0.2.0;
                import recorder:media/files@0.1.0;
                import recorder:media/remux@0.1.0;
                import recorder:rules/rules@0.1.0;
            }",
        path: ["../../wit/bucket", "../../wit/catalog", "../../wit/media", "../../wit/rules"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
        generate_all,
    });
}

pub use bindings::recorder::{
    bucket::objects as bucket, catalog::catalog, media::files, media::remux as media, rules::rules,
};
