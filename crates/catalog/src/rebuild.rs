//! Fills a lost store anew from the work bucket: up to what was sealed last.
//!
//! | phase | objects | does |
//! | --- | --- | --- |
//! | `log` | `log/…` | has each part count, and notes how far its sessions are sealed |
//! | `files` | `files/…` | has each part count |
//! | `session` | `session/…` | puts back what is not over: its last record, its end, its place in the lists |
//! | `release` | `session/…` | forgets how far sessions that are over are sealed: they are found by their parts |
//!
//! What a store held of the time after the last seal is lost with it. Sessions go on behind it: their gateways tell chunks
//! that are missing then as lost, and a record file ends where the store was lost. What the lost part has numbered may
//! have been seen, so numbers of files go on well past it.
//!
//! A rebuild takes bounded steps, each of which can die anywhere and be made again, also at once with itself. Until the
//! last one no push begins, no tick does anything, and what the store does not hold is answered as
//! [unknown for now](Error::Rebuilding): a session is found once everything of it is there.

mod numbers;
mod parts;
mod sessions;

use store::Store;

use crate::decision::WorkBucket;
use crate::error::Error;
use crate::guard::{self, Rebuilt};
use crate::time::Retention;

/// So many objects are asked for at a time.
const NAMES: u32 = 100;

/// A step ends once it has found so many sessions, in parts or by themselves.
const MOST_SESSIONS: u64 = 400;

/// What a step of a rebuild found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Parts of what was recorded.
    pub parts: u64,
    /// Slices in them.
    pub slices: u64,
    /// Record files and indexes, by the days that their content touches.
    pub files: u64,
    /// Sessions, those that are over and offers that have expired included.
    pub sessions: u64,
    /// Sessions that were put back.
    pub restored: u64,
}

/// A step of a rebuild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Where the next step begins; `None` once everything is done.
    pub next: Option<String>,
    /// What it found.
    pub found: Found,
}

/// Whether a step writes anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It reads, from where the step before said; `None`: from the begin.
    DryRun(Option<String>),
    /// It goes on where the store says that the step before came to.
    Write,
}

/// What a step works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Log,
    Files,
    Session,
    Release,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Log, Self::Files, Self::Session, Self::Release];

    fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Files => "files",
            Self::Session => "session",
            Self::Release => "release",
        }
    }

    /// What the names of its objects begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Log => "log/",
            Self::Files => "files/",
            Self::Session | Self::Release => SESSIONS,
        }
    }

    fn after(self) -> Option<Self> {
        Self::ALL.into_iter().skip_while(|phase| *phase != self).nth(1)
    }
}

/// What the name of a session's object begins with.
const SESSIONS: &str = "session/";

/// Makes the next step of filling a store that was lost anew.
///
/// # Errors
/// [`Error::StoreInUse`] for a store that was not lost; [`Error::Record`] for an object that cannot be read; the store or
/// the work bucket failed: the step can be made again.
pub async fn step(
    store: &impl Store,
    bucket: &impl WorkBucket,
    mode: Mode,
    retention: Retention,
    now_ms: u64,
) -> Result<Step, Error> {
    let (at, is_dry_run) = match mode {
        Mode::DryRun(at) => (at, true),
        Mode::Write => match guard::rebuilt(store).await? {
            Rebuilt::Whole => return Ok(Step::default()),
            Rebuilt::To(at) => (at, false),
        },
    };
    let (phase, after) = place(at.as_deref());
    if !is_dry_run {
        // What the store does not hold is unknown from now on.
        guard::note_rebuilt(store, at.as_deref()).await?;
    }
    let mut found = Found::default();
    let mut last = None;
    for name in bucket.list(phase.prefix(), after, NAMES).await.map_err(Error::WorkBucket)? {
        let written = (!is_dry_run).then_some(store);
        take(written, bucket, (phase, &name), &mut found, retention, now_ms).await?;
        last = Some(name);
        if found.sessions >= MOST_SESSIONS {
            break;
        }
    }
    let next = match last {
        Some(name) => Some(format!("{} {name}", phase.word())),
        None => {
            phase.after().filter(|next| !is_dry_run || *next != Phase::Release).map(|next| next.word().into())
        }
    };
    if !is_dry_run {
        match &next {
            Some(next) => guard::note_rebuilt(store, Some(next)).await?,
            None => guard::note_whole(store, now_ms).await?,
        }
    }
    if phase == Phase::Log {
        // They are counted by their objects.
        found.sessions = 0;
    }
    Ok(Step { next, found })
}

/// The phase, and the name of the last object that was taken in it.
fn place(at: Option<&str>) -> (Phase, &str) {
    let at = at.unwrap_or(Phase::Log.word());
    let (word, after) = at.split_once(' ').unwrap_or((at, ""));
    let phase = Phase::ALL.into_iter().find(|phase| phase.word() == word);
    // Another version's: every step can be made again.
    phase.map_or((Phase::Log, ""), |phase| (phase, after))
}

/// Takes an object; without a store it is only looked at.
async fn take(
    store: Option<&impl Store>,
    bucket: &impl WorkBucket,
    (phase, name): (Phase, &str),
    found: &mut Found,
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let id = name.strip_prefix(SESSIONS).unwrap_or_default();
    match phase {
        Phase::Log => parts::sessions(store, bucket, name, found, retention).await,
        Phase::Files => parts::files(store, bucket, name, found, retention).await,
        Phase::Session => {
            found.sessions += 1;
            let Some(store) = store else { return Ok(()) };
            found.restored += sessions::restore(store, bucket, id, retention, now_ms).await?;
            Ok(())
        }
        Phase::Release => match store {
            Some(store) => sessions::release(store, id).await,
            None => Ok(()),
        },
    }
}
