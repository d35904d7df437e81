//! The next record file of a recording to write.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::Place;
use crate::error::Error;
use crate::key;
use crate::rule::Container;

/// The next file of a recording to write: a hint that may be set back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Next {
    pub(crate) number: u32,
    /// A chunk at or before the one that ends it.
    pub(crate) from: Place,
    /// Sessions after that chunk's, up to this one, have no chunks.
    pub(crate) empty_to: Option<String>,
    /// The last chunk that is in a written file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) done: Option<Place>,
}

impl Record for Next {
    const VERSION: u32 = 1;
}

/// The next record file of a recording, once one is written.
pub(crate) async fn noted(
    store: &impl Store,
    recording: &str,
    container: Container,
) -> Result<Option<Next>, Error> {
    Ok(read(store, &key::next_file(recording, container)).await?)
}

/// Notes it.
pub(crate) async fn note(
    store: &impl Store,
    recording: &str,
    container: Container,
    next: &Next,
) -> Result<(), Error> {
    Ok(write(store, &key::next_file(recording, container), next).await?)
}

/// Notes it, unless a later one is noted: another call has come further than this one. What a call that stalls sets back
/// all the same is written once more, of media that may be gone by then.
pub(crate) async fn advance(
    store: &impl Store,
    recording: &str,
    container: Container,
    next: &Next,
) -> Result<(), Error> {
    let noted = noted(store, recording, container).await?;
    if noted.is_some_and(|noted| noted.number > next.number) {
        return Ok(());
    }
    note(store, recording, container, next).await
}
