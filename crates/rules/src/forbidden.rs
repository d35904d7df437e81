//! Streams that may not be pushed: a register a triple, a directory a domain.

use serde::{Deserialize, Serialize};
use store::{Record, SharedStore};

use crate::directory::Directory;
use crate::entry::{self, Entry};
use crate::register::{Register, State};
use crate::{Error, Forbidden, Triple, key};

/// So many that hold no more are removed by one that lists them.
const REMOVED_AT_ONCE: usize = 256;

/// They are kept for so long: the host that lists them may be ahead of those that judge by them, and who resumed them may
/// have failed on the way. Unit: seconds.
pub const KEPT_S: u64 = 86_400;

/// What is resumed counts as over since so long ago: no host's clock is as far behind. Unit: seconds.
const OVER_SINCE_S: u64 = 3_600;

/// A forbidden stream as it is stored: with the slot that the domain's directory has it in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entered {
    pub(crate) forbidden: Forbidden,
    pub(crate) slot: u64,
}

impl Record for Entered {
    const VERSION: u32 = 1;
}

impl Entry for Entered {
    fn slot(&self) -> u64 {
        self.slot
    }
}

/// Forbids a stream. Of concurrent calls for one stream exactly one succeeds.
///
/// # Errors
/// [`Error::AlreadyExists`] where it is forbidden by then; the store fails.
pub async fn add(store: &impl SharedStore, forbidden: Forbidden) -> Result<(), Error> {
    let stream = &forbidden.stream;
    let check = |before: &State<Entered>| match &before.value {
        Some(before) if before.forbidden.holds(forbidden.since_s) => {
            Err(Error::AlreadyExists { what: name(stream) })
        }
        _ => Ok(()),
    };
    let entry = |slot| Entered { forbidden: forbidden.clone(), slot };
    entry::enter(&register(store, stream), &directory(store, stream), stream, check, entry).await
}

/// Lets a stream be pushed again, whether it was forbidden or not. What forbade it is over then, and stays like all that is
/// over: who looks back finds of which streams this was begun, and maybe no more.
///
/// # Errors
/// The store fails.
pub async fn resume(store: &impl SharedStore, stream: &Triple, now_s: u64) -> Result<(), Error> {
    let until_s = now_s.saturating_sub(OVER_SINCE_S);
    let end = |before: &State<Entered>| match &before.value {
        Some(Entered { forbidden, slot }) if forbidden.holds(until_s) => {
            Ok(Some(Entered { forbidden: Forbidden { until_s, ..forbidden.clone() }, slot: *slot }))
        }
        _ => Err(Error::NotFound { what: name(stream) }),
    };
    found(register(store, stream).change(end).await.map(drop))
}

/// What forbids a stream. Costs one operation where it never was forbidden.
///
/// # Errors
/// The store fails.
pub async fn get(store: &impl SharedStore, stream: &Triple, now_s: u64) -> Result<Option<Forbidden>, Error> {
    let state: State<Entered> = register(store, stream).read().await?;
    Ok(state.value.map(|entered| entered.forbidden).filter(|forbidden| forbidden.holds(now_s)))
}

/// The streams of a domain that may not be pushed, oldest first. Some of those that may again are forgotten. With a moment
/// up to [`KEPT_S`] ago, those that may be pushed again since are listed, too.
///
/// # Errors
/// The store fails.
pub async fn list_domain(
    store: &impl SharedStore,
    domain: &str,
    now_s: u64,
) -> Result<Vec<Forbidden>, Error> {
    let (mut found, mut removed) = (Vec::new(), 0);
    for (slot, stream) in Directory::of_forbidden(store, domain).slots_in_use().await? {
        let state: State<Entered> = register(store, &stream).read().await?;
        match state.value.filter(|entered| entered.slot == slot) {
            Some(Entered { forbidden, .. }) if forbidden.holds(now_s) => found.push(forbidden),
            // On the way, so that a list of very many that dies leaves fewer to the next one, which tries again.
            Some(Entered { forbidden, .. }) if !forbidden.holds(now_s.saturating_sub(KEPT_S)) => {
                if removed < REMOVED_AT_ONCE {
                    let _ = forget(store, &forbidden).await;
                    removed += 1;
                }
            }
            Some(_) | None => {}
        }
    }
    found.sort_by_key(|forbidden| forbidden.since_s);
    Ok(found)
}

/// Removes what forbade a stream, unless another one does since.
async fn forget(store: &impl SharedStore, known: &Forbidden) -> Result<(), Error> {
    let stream = &known.stream;
    let check = |before: &State<Entered>| match &before.value {
        Some(before) if before.forbidden == *known => Ok(()),
        _ => Err(Error::NotFound { what: name(stream) }),
    };
    found(entry::remove(&register(store, stream), &directory(store, stream), check).await)
}

/// There may be nothing to change.
fn found(changed: Result<(), Error>) -> Result<(), Error> {
    match changed {
        Err(Error::NotFound { .. }) => Ok(()),
        changed => changed,
    }
}

fn register<'a, S: SharedStore>(store: &'a S, stream: &Triple) -> Register<'a, S> {
    Register::new(store, key::forbidden(stream))
}

fn directory<'a, S: SharedStore>(store: &'a S, stream: &Triple) -> Directory<'a, S> {
    Directory::of_forbidden(store, &stream.domain)
}

fn name(stream: &Triple) -> String {
    format!("forbidden stream {}/{}/{}", stream.domain, stream.app, stream.stream)
}
