//! Documents generated from the definitions of the actions: Markdown for people, OpenAPI for programs.
//!
//! Both lie in `docs/`; a test fails where they differ from what the definitions say, and writes them anew if asked.

mod errors;
mod markdown;
mod openapi;
mod prose;

pub use markdown::markdown;
pub use openapi::openapi;
