//! Small objects: written once, read back.

use spin_sdk::wit_bindgen;

use crate::bindings::recorder::bucket::objects::{self, Created, Error, Location};
use crate::bindings::wit_stream;

/// Largest object that is read back.
const MAX_BYTES: u32 = 64 << 10;

/// Creates an object from bytes.
pub(crate) async fn put(
    at: Location,
    key: &str,
    content_type: &str,
    tag: &str,
    bytes: Vec<u8>,
) -> Result<Created, Error> {
    let size = bytes.len() as u64;
    let (mut body, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        body.write_all(bytes).await;
    });
    objects::put_new(at, key.into(), content_type.into(), tag.into(), size, reader).await
}

/// Creates an object unless there is one, and answers what is there.
pub(crate) async fn put_or_read(at: &Location, key: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    match put(at.clone(), key, "application/json", "decision", bytes.clone()).await {
        Ok(Created::Now) => Ok(bytes),
        Ok(Created::Before) | Err(Error::Taken) => {
            objects::get_small(at.clone(), key.into(), MAX_BYTES).await
        }
        Err(error) => Err(error),
    }
}

/// `endpoint/bucket`, as the variable `work_bucket` says it.
pub(crate) fn location(text: &str) -> Option<Location> {
    let (endpoint, bucket) = text.rsplit_once('/')?;
    Some(Location { endpoint: endpoint.into(), bucket: bucket.into() })
}
