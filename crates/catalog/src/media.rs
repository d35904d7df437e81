//! The media of MP4 and FLV record files, which lies in the work bucket until the files are made.
//!
//! A chunk's media is one object for all files that it is in. It is deleted once each of them is written, by a timer of
//! the lane [`Compose`](crate::timer::Lane::Compose): `x {recording} {session} {first} {last} {waits}`.

use store::Store;

use crate::account::{Place, Run};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::file;
use crate::rule::{Container, Rule};
use crate::time::{CALL_MAX_MS, DAY_MS};
use crate::{next_file, session, timer, upload};

/// How long what a record file is made of stays where the bucket may only be written.
pub const WRITE_ONLY_MS: u64 = 3 * DAY_MS;

/// So many objects are deleted at a time.
const MOST: u64 = 200;

/// The media of a chunk of a record file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaChunk {
    /// The chunk.
    pub at: Place,
    /// How long nothing was recorded before it, where it begins a session, or the chunk before it is lost. Unit: ms.
    pub gap_ms: Option<u64>,
}

impl From<file::Entry> for MediaChunk {
    fn from(entry: file::Entry) -> Self {
        Self { at: entry.at, gap_ms: entry.gap_ms }
    }
}

impl Container {
    /// Its record files hold media of their own, where M3U8 names slices.
    #[must_use]
    pub fn holds_media(self) -> bool {
        matches!(self, Self::Mp4 | Self::Flv)
    }
}

impl Rule {
    /// Whether some of its record files hold media of their own.
    #[must_use]
    pub fn holds_media(&self) -> bool {
        self.formats.iter().any(|format| format.container.holds_media())
    }
}

/// The chunks whose media a record file holds, in order.
///
/// # Errors
/// The store or the work bucket failed, or no longer holds the run.
pub async fn chunks(
    store: &impl Store,
    bucket: &impl WorkBucket,
    run: &Run,
) -> Result<Vec<MediaChunk>, Error> {
    let entries = file::entries(store, bucket, run).await?;
    Ok(entries.into_iter().map(Into::into).collect())
}

/// Has a recording looked at by the lane that makes record files with media, where its rule asks for such.
pub(crate) async fn ask(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    now_ms: u64,
) -> Result<(), Error> {
    let rule = match session::get(store, bucket, recording).await {
        Ok(session) => session.rule,
        // An offer that has expired meanwhile has no files.
        Err(Error::NoSuchSession(_)) => None,
        Err(error) => return Err(error),
    };
    ask_by(store, rule.as_ref(), recording, now_ms).await
}

/// The same, where the rule of one of its sessions is at hand: all have an equal one.
pub(crate) async fn ask_by(
    store: &impl Store,
    rule: Option<&Rule>,
    recording: &str,
    now_ms: u64,
) -> Result<(), Error> {
    if rule.is_some_and(Rule::holds_media) {
        timer::set(store, now_ms, &format!("m {recording}")).await?;
    }
    Ok(())
}

/// Has the media of a record file deleted once no file needs it, and the file was there for so long: where nobody can look
/// whether it is there, what it is made of has to stay. To be called before it is noted that the file is written: a call
/// that dies in between leaves a timer that waits.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn release(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (recording, container): (&str, Container),
    run: &Run,
    stays_ms: u64,
    now_ms: u64,
) -> Result<(), Error> {
    let now_ms = now_ms + stays_ms;
    upload::forget(store, recording, container).await?;
    let chunks = chunks(store, bucket, run).await?;
    for session in chunks.chunk_by(|one, next| one.at.session == next.at.session) {
        if let (Some(first), Some(last)) = (session.first(), session.last()) {
            arm(store, (recording, &first.at.session), (first.at.seq, last.at.seq), 0, now_ms).await?;
        }
    }
    Ok(())
}

/// Another call may still read what this one has made a file of, and one that brings a chunk again may put its media down
/// once more.
async fn arm(
    store: &impl Store,
    (recording, session): (&str, &str),
    (first, last): (u64, u64),
    waits: u32,
    now_ms: u64,
) -> Result<(), Error> {
    let due_ms = now_ms + (CALL_MAX_MS << waits.min(5));
    timer::set(store, due_ms, &format!("x {recording} {session} {first} {last} {waits}")).await
}

/// Deletes the media of chunks of a session, as far as no file needs it, and comes back for the rest.
pub(crate) async fn delete(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (recording, session): (&str, &str),
    (first, last): (u64, u64),
    waits: u32,
    now_ms: u64,
) -> Result<(), Error> {
    let free = match free_to(store, bucket, recording, session).await {
        // Nothing is known of it any more, and nothing is made of it.
        Err(Error::NoSuchSession(_)) => None,
        free => free?,
    };
    let end = free.map_or(last + 1, |free| free.clamp(first, last + 1));
    let until = end.min(first + MOST);
    for seq in first..until {
        let name = naming::media_object(session, seq);
        bucket.delete(&name).await.map_err(Error::WorkBucket)?;
    }
    if until > last {
        return Ok(());
    }
    if until < end {
        let what = format!("x {recording} {session} {until} {last} {waits} {}", timer::AGAIN);
        return timer::set(store, now_ms, &what).await;
    }
    arm(store, (recording, session), (until, last), waits + 1, now_ms).await
}

/// Up to which chunk of a session no file needs the media; `None`: none needs any of it.
async fn free_to(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    session: &str,
) -> Result<Option<u64>, Error> {
    let first = session::get(store, bucket, recording).await?;
    let is_open = session::find(store, recording).await?.is_some();
    if session::find(store, session).await?.is_none() {
        // It has left the store: the files that it is in are written, or beyond retention.
        return Ok(None);
    }
    let mut free: Option<u64> = None;
    for format in first.rule.iter().flat_map(|rule| &rule.formats) {
        if !format.container.holds_media() {
            continue;
        }
        let Some(next) = next_file::noted(store, recording, format.container).await? else {
            if is_open {
                return Ok(Some(0));
            }
            // Nothing is noted of a recording that is over: its files are written.
            continue;
        };
        let to = match next.done {
            None => 0,
            Some(done) if done.session == session => done.seq + 1,
            Some(done) if session::is_before(store, bucket, session, &done.session).await? => continue,
            Some(_) => 0,
        };
        free = Some(free.map_or(to, |free| free.min(to)));
    }
    Ok(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_are_made_of_stays_for_three_days_where_nobody_can_look() {
        assert_eq!(WRITE_ONLY_MS, 259_200_000);
    }
}
