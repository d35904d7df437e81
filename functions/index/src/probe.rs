//! Whether the work bucket can hold decisions.

use shared::Refusal;
use shared::bucket::{Created, Error};

use crate::world::World;

/// The object that the probe creates.
const KEY: &str = "probe/conditional-create";

/// Finds out, once for each work bucket, whether it keeps an object that is there against a second create.
///
/// # Errors
/// 503 where it cannot be reached or replaces objects.
pub async fn work_bucket(world: &impl World) -> Result<(), Refusal> {
    let at = shared::work_bucket(world).await?;
    if shared::flag(world, "new_store").await? {
        world.begin_anew().await?;
    }
    if world.is_probed(&at).await? {
        return Ok(());
    }
    let what = format!("work bucket {}/{}", at.endpoint, at.bucket);
    let create = |tag| world.put_bytes(at.clone(), KEY, "text/plain", tag, tag.as_bytes().to_vec());
    // Two different objects under one name: one of the two creates is refused, now or since an earlier probe.
    let refused = match create("first").await {
        Ok(_) => create("second").await,
        refused => refused,
    };
    match refused {
        Err(Error::Taken) => Ok(world.note_probed(&at).await?),
        Ok(Created::Now | Created::Before) => {
            let message = format!(
                "{what} replaces objects in spite of If-None-Match; decisions need a store that keeps them"
            );
            Err(Refusal::unavailable("WorkBucketReplaces", message))
        }
        Err(error) => Err(Refusal::from(error).while_doing(&what)),
    }
}
