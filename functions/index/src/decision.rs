//! What a record file holds, once and for all.
//!
//! Two ticks at once can see a break differently: one before, one after a late chunk. The first of them to
//! create the decision's object in the work bucket wins, and both write the file that it says. Without a work
//! bucket each acts on what it saw.

use shared::bucket::{self, Created, Location};
use shared::catalog::{RecordFile, StreamName};
use shared::{Bucket, Refusal, Variables, display_name};

/// Largest decision that is read back, in bytes; one is written in about 500.
const MAX_BYTES: u32 = 64 << 10;

/// The file to write in place of the one that is due by what this tick saw.
///
/// # Errors
/// 503 where the work bucket, or the variable that names it, is of no use.
pub async fn decide<W: Bucket + Variables>(
    world: &W,
    stream: &StreamName,
    due: RecordFile,
) -> Result<RecordFile, Refusal> {
    let work_bucket = world.variable("work_bucket").await?;
    if work_bucket.is_empty() {
        return Ok(due);
    }
    let Some((endpoint, bucket)) = work_bucket.rsplit_once('/') else {
        let message = format!("variable work_bucket is {work_bucket:?}, not endpoint/bucket");
        return Err(Refusal::unavailable("BadVariable", message));
    };
    let at = Location { endpoint: endpoint.into(), bucket: bucket.into() };
    let key = format!("decisions/{}/m3u8/{}-{}.json", display_name(stream), due.sequence, due.session);
    let decision = format!("decision {key:?}");
    let unreadable = |error: serde_json::Error| {
        Refusal::unavailable("BadDecision", error.to_string()).while_doing(&decision)
    };
    let own = serde_json::to_vec(&due).map_err(unreadable)?;
    match put_or_read(world, at, &key, own).await {
        Ok(None) => Ok(due),
        Ok(Some(decided)) => serde_json::from_slice(&decided).map_err(unreadable),
        Err(error) => Err(Refusal::from(error).while_doing(&decision)),
    }
}

/// Creates an object unless there is one, whose bytes are answered then.
async fn put_or_read(
    world: &impl Bucket,
    at: Location,
    key: &str,
    bytes: Vec<u8>,
) -> Result<Option<Vec<u8>>, bucket::Error> {
    match world.put_bytes(at.clone(), key, "application/json", "decision", bytes).await {
        Ok(Created::Now) => Ok(None),
        Ok(Created::Before) | Err(bucket::Error::Taken) => {
            world.get_small(at, key, MAX_BYTES).await.map(Some)
        }
        Err(error) => Err(error),
    }
}
