//! What the caller may choose.

/// What the caller may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// When the stream began, in seconds since 1970; `None`: nothing is said.
    pub created_unix_s: Option<u64>,
}
