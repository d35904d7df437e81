//! What is wrong with bytes that should be a table.

/// Bytes that are no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Of another version, or no bytes.
    #[error("expected sample table version {expected}, found {found:?}")]
    Version {
        /// The version that this reader knows.
        expected: u8,
        /// The version found; `None` where there are no bytes.
        found: Option<u8>,
    },
    /// The bytes end inside a field.
    #[error("{field} ends early at byte {offset}")]
    Truncated {
        /// The field.
        field: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// A field holds what it cannot.
    #[error("{field} at byte {offset} is out of range")]
    Range {
        /// The field.
        field: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// The runs hold another number of samples than the head says.
    #[error("expected {expected} samples of a track, found {found}")]
    Count {
        /// What the head says.
        expected: u32,
        /// What the runs hold.
        found: u32,
    },
}
