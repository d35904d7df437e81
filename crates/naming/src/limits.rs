//! How long templates and names may be.

/// Longest template, in bytes of UTF-8: "under 256 bytes" in the recording API.
pub const MAX_TEMPLATE_BYTES: usize = 255;

/// Longest object name, in bytes of UTF-8: the limit of OSS (OSS User Guide, "Object naming conventions"). S3
/// allows one byte more (S3 User Guide, "Naming Amazon S3 objects").
pub const MAX_OBJECT_NAME_BYTES: usize = 1023;
