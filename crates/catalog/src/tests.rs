//! Races, in every schedule: each chunk ends up in exactly one record file, in order.

mod blocks;
mod clocks;
mod content;
mod files;
mod gateways;
mod history;
mod index_files;
mod media;
mod names;
mod oracle;
mod races;
mod sealing;
mod status;
mod tries;
pub(crate) mod world;
