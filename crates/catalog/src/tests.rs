//! Races, in every schedule: each chunk ends up in exactly one record file, in order.

mod history;
mod races;
mod world;
