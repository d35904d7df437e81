//! Index files: record files, and M3U8 made on request, as they can be looked up.
//!
//! They are numbered in the order in which they become known. A deleted one leaves its number empty.

use store::Store;

use crate::key;
use crate::record::{Error, count, counted, read, write};
use crate::types::{IndexFile, StreamName};

/// Makes an index file known; harmless when repeated.
///
/// The pointer from id to number is written last. A call that breaks off before leaves a number to which no
/// pointer leads, and lists pass over such a number.
pub async fn add(store: &impl Store, index: &IndexFile) -> Result<(), Error> {
    if store.exists(&key::index(&index.id)).await? {
        return Ok(());
    }
    let number = counted(store, &key::indexes(&index.stream), 1).await?;
    write(store, &key::numbered_index(&index.stream, number), index).await?;
    write(store, &key::index(&index.id), &number).await
}

/// A stream's index file of this id.
pub async fn get(store: &impl Store, stream: &StreamName, id: &str) -> Result<Option<IndexFile>, Error> {
    let Some(number) = read::<u64>(store, &key::index(id)).await? else { return Ok(None) };
    let index: Option<IndexFile> = read(store, &key::numbered_index(stream, number)).await?;
    Ok(index.filter(|index| index.id == id))
}

/// A stream's index files whose content overlaps a range, oldest first.
pub async fn list(
    store: &impl Store,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<IndexFile>, Error> {
    let mut found = Vec::new();
    for number in 1..=count(store, &key::indexes(stream)).await? {
        let Some(index) = read::<IndexFile>(store, &key::numbered_index(stream, number)).await? else {
            continue;
        };
        let overlaps = index.start_ms < to_ms && index.end_ms > from_ms;
        if overlaps && read(store, &key::index(&index.id)).await? == Some(number) {
            found.push(index);
        }
    }
    Ok(found)
}

/// Forgets an index file; answers whether it was known.
pub async fn delete(store: &impl Store, stream: &StreamName, id: &str) -> Result<bool, Error> {
    if get(store, stream, id).await?.is_none() {
        return Ok(false);
    }
    if let Some(number) = read::<u64>(store, &key::index(id)).await? {
        store.delete(&key::numbered_index(stream, number)).await?;
    }
    store.delete(&key::index(id)).await?;
    Ok(true)
}
