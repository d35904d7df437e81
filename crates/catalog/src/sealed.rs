//! How far a session is sealed.

use serde::{Deserialize, Serialize};
use store::record::read;
use store::{Record, Store};

use crate::error::Error;
use crate::key;
use crate::log::part::Where;

/// How far a session is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// The first chunk that is not.
    pub(crate) next: u64,
    /// Its last run.
    pub(crate) at: Where,
    /// It is over, and leaves the store: no chunk may be committed.
    pub(crate) is_held: bool,
    /// While a store is rebuilt: the session that is held had been over before.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub(crate) is_revived: bool,
}

impl Record for Sealed {
    const VERSION: u32 = 1;
}

/// How far a session is sealed, if anything of it is.
pub(crate) async fn sealed(store: &impl Store, session: &str) -> Result<Option<Sealed>, Error> {
    Ok(read(store, &key::sealed(session)).await?)
}
