//! What can go wrong.

/// Why the catalog cannot answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No session has this id, or it was offered and never adopted.
    #[error("there is no session {0:?}")]
    NoSuchSession(String),
    /// The session began so long ago that what was recorded of it is not kept any more.
    #[error("what was recorded of session {0:?} is not kept any more")]
    Expired(String),
    /// A chunk of another session has to be committed first.
    #[error("session {session:?} continues {before:?}, of which chunk {expected} is not committed")]
    Before {
        /// The session whose chunk came.
        session: String,
        /// The session that it continues.
        before: String,
        /// The first chunk of that one which is missing.
        expected: u64,
    },
    /// A chunk before this one is missing.
    #[error("chunk {seq} of session {session:?} came where {expected} is next")]
    OutOfOrder {
        /// The session.
        session: String,
        /// The chunk that came.
        seq: u64,
        /// The chunk that is next.
        expected: u64,
    },
    /// The chunk was told lost, and its media comes after all.
    #[error("chunk {seq} of session {session:?} was told lost")]
    Lost {
        /// The session.
        session: String,
        /// The chunk.
        seq: u64,
    },
    /// The session is over and leaves the store; it can be found again soon.
    #[error("session {0:?} is being sealed: try again in some minutes")]
    Sealing(String),
    /// Chunks of the session that a lost store held are being told lost.
    #[error("missing chunks of session {0:?} are being told lost: try again in some minutes")]
    Missing(String),
    /// The spool's boot is older than one that was heard, or another spool uses the gateway's name.
    #[error("gateway {gateway:?} boot {found:?} is not the one that is heard, {heard:?}")]
    Boot {
        /// The gateway.
        gateway: String,
        /// The boot that called.
        found: String,
        /// The boot that is heard.
        heard: String,
    },
    /// The store holds records of an earlier version.
    #[error(
        "the key-value store holds what a development version before 0.2 recorded, which this one cannot read: begin with an empty store"
    )]
    EarlierVersion,
    /// The store is empty, and the work bucket is not.
    #[error(
        "the key-value store is empty and the work bucket is not: the store may be lost. `live-recorder catalog rebuild` fills it anew; the variable new_store, or --new, begins without what was recorded"
    )]
    StoreLost,
    /// The store is being filled anew from the work bucket.
    #[error("the key-value store is being filled anew from the work bucket")]
    Rebuilding,
    /// The store is none that was lost.
    #[error("the key-value store is in use: only an empty one is filled anew from the work bucket")]
    StoreInUse,
    /// No rule records the session in this format.
    #[error("no rule records session {0:?} in this format")]
    NotRecorded(String),
    /// A slice or a file cannot be named by its rule's template.
    #[error(transparent)]
    Name(#[from] naming::Error),
    /// A record cannot be read.
    #[error("record {key:?} cannot be read: {reason}")]
    Record {
        /// Its key, or the name of its object.
        key: String,
        /// Why.
        reason: String,
    },
    /// The key-value store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The work bucket failed.
    #[error("work bucket: {0}")]
    WorkBucket(String),
    /// A user's bucket failed.
    #[error("bucket {bucket:?}: {reason}; a rebuild goes on once it answers, or without it")]
    UserBucket {
        /// Endpoint and name.
        bucket: String,
        /// Why.
        reason: String,
    },
}
