//! Races, in every schedule: each chunk ends up in exactly one record file, in order.

mod blocks;
mod clocks;
mod content;
mod events;
mod files;
mod gateways;
mod history;
mod index_files;
mod known;
mod live;
pub(crate) mod media;
mod missing;
mod names;
mod over;
// As Wasm it takes more than a minute, and nothing of it has to do with 32 bits.
#[cfg(not(target_family = "wasm"))]
mod oracle;
mod races;
mod released;
mod sealing;
mod sessions;
mod status;
mod tries;
pub(crate) mod world;
