//! Making a record file known.

use crate::catalog::RecordFile;
use crate::{Catalog, Clock, Refusal, Rules};

/// Notes that a record file is in the bucket under a name. Whether the user's server is told of it is as the domain's
/// config says now; where that cannot be read, the delivery finds out.
///
/// # Errors
/// The catalog failed; the call can then be made again.
pub async fn commit_file(
    world: &(impl Catalog + Rules + Clock),
    file: RecordFile,
    object: &str,
) -> Result<(), Refusal> {
    let session = world.get_session(&file.recording).await?;
    let config = world.get_notify(&session.stream.domain).await;
    let is_told = config.map_or(true, |config| config.is_some_and(|config| config.notify_url.is_some()));
    Ok(world.commit_file(file, object, is_told, world.now_ms()).await?)
}
