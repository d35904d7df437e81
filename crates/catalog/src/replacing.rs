//! Buckets whose stores replace objects, whatever a create asks for.
//!
//! Whoever writes playlists finds that out, and slices have to go by it. That a bucket is such a one is a key that is
//! never taken back. A session reads it with its first chunk, and with each one once it is flagged; the sessions that are
//! being pushed when it is found out are flagged then. So it costs the chunks of other buckets nothing.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::session::{self, Session};
use crate::stream::StreamName;
use crate::{key, live};

/// A bucket whose store replaces objects.
#[derive(Serialize, Deserialize)]
struct Replacing {}

impl Record for Replacing {
    const VERSION: u32 = 1;
}

/// Notes that the store of a bucket replaces objects, for all sessions to come and for those of a stream that is recorded
/// into it.
///
/// # Errors
/// The store failed; then some of that may not be noted, and the same call can be made again.
pub async fn note(
    store: &impl Store,
    (endpoint, bucket): (&str, &str),
    stream: &StreamName,
    now_ms: u64,
) -> Result<(), Error> {
    write(store, &key::replacing(endpoint, bucket), &Replacing {}).await?;
    for session in live::of_stream(store, stream, now_ms).await? {
        session::flag(store, &session.id).await?;
    }
    Ok(())
}

/// Whether the store of the bucket that a session is recorded into replaces objects.
pub(crate) async fn is_of(store: &impl Store, session: &Session) -> Result<bool, Error> {
    let Some(rule) = &session.rule else { return Ok(false) };
    let found: Option<Replacing> = read(store, &key::replacing(&rule.endpoint, &rule.bucket)).await?;
    Ok(found.is_some())
}
