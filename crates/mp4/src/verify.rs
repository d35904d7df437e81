//! Reads files back, and says what is wrong with them: for tests.
//!
//! Shares nothing with what writes: it reads boxes by their lengths, and knows no tables.

mod boxes;
mod rules;

pub use boxes::{Edit, Movie, Sample, Track};
pub use rules::check;
