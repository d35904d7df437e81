//! What slices and record files are called.
//!
//! A name follows from the session, the rule's template and what is committed, so that every try of a call has the same
//! one. Where an object of another writer has it, that is noted before the next name is used, which ends in what is the
//! object's own. The later slices of the session then begin with such a name: two pushes at once name all their slices
//! alike, not only one, and where names have to be an object's own, all have to be.

use naming::{Kind, ObjectName, Timezone, Values, tag};
use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::Run;
use crate::error::Error;
use crate::key;
use crate::rule::{Container, Rule};
use crate::session::{self, Session};

/// How many names of a slice or a file turned out to be another writer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Taken {
    names: u32,
}

impl Record for Taken {
    const VERSION: u32 = 1;
}

/// What a slice of a session is called that begins at a time.
///
/// # Errors
/// [`Error::Name`]; [`Error::NotRecorded`] where the session's rule asks for no slices.
pub fn slice(session: &Session, seq: u64, start_ms: u64, names_taken: u32) -> Result<String, Error> {
    let slices = session.rule.as_ref().and_then(Rule::slices);
    let slices = slices.ok_or_else(|| Error::NotRecorded(session.id.clone()))?;
    let values = values(session, seq, (start_ms, start_ms))?;
    let name = ObjectName { kind: Kind::Slice, template: &slices.object_prefix, values, extension: ".ts" };
    Ok(name.build_for(&tag::slice(&session.id, seq), names_taken)?)
}

/// What a record file is called of a recording that begins with a session.
///
/// # Errors
/// As [`slice()`].
pub fn file(first: &Session, run: &Run, container: Container, names_taken: u32) -> Result<String, Error> {
    let rule = first.rule.as_ref();
    let format = rule.and_then(|rule| rule.formats.iter().find(|format| format.container == container));
    let format = format.ok_or_else(|| Error::NotRecorded(first.id.clone()))?;
    let values = values(first, run.number.into(), (run.start_ms, run.end_ms))?;
    let extension = match container {
        Container::M3u8 => ".m3u8",
        Container::Mp4 => ".mp4",
        Container::Flv => ".flv",
    };
    let tag = tag::file(&first.id, &extension[1..], run.number);
    let name = ObjectName { kind: Kind::RecordFile, template: &format.object_prefix, values, extension };
    Ok(name.build_for(&tag, names_taken)?)
}

fn values(session: &Session, sequence: u64, (start_ms, end_ms): (u64, u64)) -> Result<Values<'_>, Error> {
    let timezone: Timezone = session.timezone.parse()?;
    let (app, stream) = (&session.stream.app, &session.stream.stream);
    Ok(Values { app, stream, sequence, start_ms, end_ms, timezone })
}

/// How many names of a chunk's slice are another writer's.
pub(crate) async fn slice_taken(store: &impl Store, session: &str, seq: u64) -> Result<u32, Error> {
    taken(store, &key::slice_names(session, seq)).await
}

/// Notes it.
///
/// # Errors
/// The store failed.
pub async fn take_slice(store: &impl Store, session: &str, seq: u64, names: u32) -> Result<u32, Error> {
    session::flag(store, session).await?;
    write(store, &key::slice_names(session, seq), &Taken { names }).await?;
    Ok(names)
}

/// Forgets it, once the slice is sealed.
pub(crate) async fn forget_slice(store: &impl Store, session: &str, seq: u64) -> Result<(), Error> {
    Ok(store.delete(&key::slice_names(session, seq)).await?)
}

/// How many names of a record file are another writer's.
///
/// # Errors
/// The store failed.
pub async fn file_taken(
    store: &impl Store,
    recording: &str,
    container: Container,
    number: u32,
) -> Result<u32, Error> {
    taken(store, &key::file_names(recording, container, number)).await
}

/// Notes it.
///
/// # Errors
/// The store failed.
pub async fn take_file(
    store: &impl Store,
    recording: &str,
    container: Container,
    number: u32,
    names: u32,
) -> Result<u32, Error> {
    write(store, &key::file_names(recording, container, number), &Taken { names }).await?;
    Ok(names)
}

async fn taken(store: &impl Store, key: &str) -> Result<u32, Error> {
    let taken: Option<Taken> = read(store, key).await?;
    Ok(taken.map_or(0, |taken| taken.names))
}
