//! What can be wrong with an address, and what a store can answer.

/// Why a call cannot be made, or did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint is not `[scheme://]host[:port]`.
    #[error("endpoint {0:?} is not of the form [http:// or https://]host[:port]")]
    Endpoint(String),
    /// The bucket's name is not one.
    #[error(
        "bucket name {0:?} is not 3 to 63 lowercase letters, digits, dots and hyphens, a letter or digit first and last"
    )]
    BucketName(String),
    /// A setting for endpoints is not `host=region/style`.
    #[error("{0:?} is not of the form host=region, host=region/path or host=region/virtual-hosted")]
    Setting(String),
    /// An entry for buckets has no pattern that can be read. What stands there is not told: it may be of a secret.
    #[error("entry {entry} {problem}")]
    KeyPattern {
        /// Its place, from 1.
        entry: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// What a pattern stands for is no key, or no options.
    #[error("entry {entry}, for {pattern:?}, {problem}")]
    KeyValue {
        /// Its place, from 1.
        entry: usize,
        /// Its pattern.
        pattern: String,
        /// What is wrong, without what was found.
        problem: &'static str,
    },
    /// Two keys for buckets have one pattern.
    #[error("entries {first} and {second} both are for {pattern:?}")]
    KeyRepeated {
        /// The place of the first, from 1.
        first: usize,
        /// The place of the second.
        second: usize,
        /// The pattern.
        pattern: String,
    },
    /// The object's name is not one.
    #[error(transparent)]
    Key(#[from] naming::Error),
    /// The bucket is absent.
    #[error("{reason}")]
    NoSuchBucket {
        /// What was called and what was answered.
        reason: String,
    },
    /// The store cannot be reached at all.
    #[error("{reason}")]
    Unreachable {
        /// What was called and why there is no answer.
        reason: String,
    },
    /// The store refuses, and will until somebody changes something there or here: a right, a key, a quota.
    #[error("{reason}")]
    Refused {
        /// What was called and what was answered, with the store's code.
        reason: String,
    },
    /// The name is in use for an object that does not carry the tag.
    #[error("object {key:?} is there already, and another writer put it there")]
    Taken {
        /// The object's name.
        key: String,
    },
    /// There is no such object.
    #[error("there is no object {key:?}")]
    NoSuchObject {
        /// The object's name.
        key: String,
    },
    /// There is no such upload in parts: it is completed, aborted, or never was.
    #[error("there is no upload {upload:?} of object {key:?}")]
    NoSuchUpload {
        /// The object's name.
        key: String,
        /// The upload's id.
        upload: String,
    },
    /// The object is larger than what was asked for.
    #[error("object {key:?} has more than {max_bytes} bytes")]
    TooLarge {
        /// The object's name.
        key: String,
        /// What was asked for at most.
        max_bytes: u32,
    },
    /// The store failed, is too busy, or could not be reached; the same call can succeed later.
    #[error("{reason}")]
    Unavailable {
        /// What was called and what was answered.
        reason: String,
    },
}
