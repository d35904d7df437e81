//! What each action does.

mod content;
mod forbidden;
mod index_files;
mod notify;
mod performer;
mod rules;
mod streams;

pub use performer::Performer;
