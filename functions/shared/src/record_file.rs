//! What writers of record files have in common.

use http::StatusCode;

use crate::bucket::Location;
use crate::catalog::{RecordFile, Session};
use crate::{Bucket, Catalog, Clock, Refusal, Rules};

/// Where the record files of a recording are written to, by its first session.
///
/// # Errors
/// 503 where no rule records the session.
pub fn location(session: &Session) -> Result<Location, Refusal> {
    let rule = session.rule.as_ref().ok_or_else(|| {
        Refusal::unavailable("NotRecorded", format!("no rule records session {:?}", session.id))
    })?;
    Ok(Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() })
}

/// Notes that a record file is in the bucket under a name. Whether the user's server is told of it is as the domain's
/// config says now; where that cannot be read, the delivery finds out.
///
/// Where creating it has shown that the store replaces objects, that is noted first: slices go by it, which another function
/// creates.
///
/// # Errors
/// The catalog failed; the call can then be made again.
pub async fn commit(
    world: &(impl Bucket + Catalog + Rules + Clock),
    session: &Session,
    file: RecordFile,
    object: &str,
) -> Result<(), Refusal> {
    let at = location(session)?;
    if world.is_replacing(at.clone()).await? {
        world.note_replacing(&at, session.stream.clone(), world.now_ms()).await?;
    }
    let config = world.get_notify(&session.stream.domain).await;
    let is_told = config.map_or(true, |config| config.is_some_and(|config| config.notify_url.is_some()));
    Ok(world.commit_file(file, Some(object), is_told, world.now_ms()).await?)
}

/// Notes that there will be no record file, since nothing of what was recorded can be in one: those after it are next.
///
/// # Errors
/// The catalog failed; the call can then be made again.
pub async fn pass_over(world: &(impl Catalog + Clock), file: RecordFile) -> Result<(), Refusal> {
    Ok(world.commit_file(file, None, false, world.now_ms()).await?)
}

/// Has the user's server be told that the user's bucket refuses what is recorded of a session, or of the recording that it
/// begins, if that is why something is refused. What was to be done does not wait for that.
pub async fn note_refused(world: &(impl Catalog + Clock), session: &str, refusal: &Refusal) {
    if refusal.status == StatusCode::FAILED_DEPENDENCY
        && let Err(error) = world.note_refused(session, world.now_ms()).await
    {
        eprintln!(
            "session {session}: nobody is told that its bucket refuses: {}",
            Refusal::from(error).problem.message
        );
    }
}
