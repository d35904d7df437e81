//! Fills a lost store anew: from the work bucket up to what was sealed last, and from there on from the users' buckets
//! where they may be listed.
//!
//! | phase | objects | does |
//! | --- | --- | --- |
//! | `log` | `log/…` | has each part count, and notes how far its sessions are sealed |
//! | `files` | `files/…` | has each part count |
//! | `session` | `session/…`, and the slices of those that are not over | puts back what is not over: its last record, the slices after it, its end, its place in the lists |
//! | `release` | `session/…` | forgets how far sessions that are over are sealed: they are found by their parts |
//!
//! The object of a slice says how it was committed (see `slice_note`), so that it is committed anew, up to the first one
//! that is missing. Record files that were written since the last seal are found in the users' buckets when they are written
//! again. What a store held beyond that is lost with it. Sessions go on behind it: their gateways tell chunks that are
//! missing then as lost, and a record file ends where the store was lost. What the lost part has numbered may have been
//! seen, so numbers of files go on well past it. See `tail` for when nothing is lost.
//!
//! A rebuild takes bounded steps, each of which can die anywhere and be made again, also at once with itself. Until the
//! last one no push begins, no tick does anything, and what the store does not hold is answered as
//! [unknown for now](Error::Rebuilding): a session is found once everything of it is there.

mod again;
mod numbers;
mod own_slices;
mod parts;
mod sessions;
mod tail;

use store::Store;

use crate::decision::WorkBucket;
use crate::error::Error;
use crate::guard::{self, Rebuild, Rebuilt};
use crate::session;
use crate::time::{DAY_MS, Retention};
use crate::users::UserBuckets;

/// So many objects are asked for at a time.
const NAMES: u32 = 100;

/// A step ends once it has found so many sessions, in parts or by themselves.
const MOST_SESSIONS: u64 = 400;

/// Or so many slices in users' buckets.
const MOST_TAIL: u64 = 300;

/// What a step of a rebuild found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Slices that were found in users' buckets, beyond the parts. A dry run counts them by their names, of which some may
    /// be another session's.
    pub tail: u64,
    /// Users' buckets that were not listed, as `endpoint/bucket`, since they cannot be or are to be left out: what was
    /// recorded into them ends with the last seal.
    pub unlisted: Vec<String>,
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

/// Makes the next step of filling a store that was lost anew. `without`: users' buckets, as `endpoint/bucket`, of which
/// nothing is asked.
///
/// # Errors
/// [`Error::StoreInUse`] for a store that was not lost; [`Error::Record`] for an object that cannot be read;
/// [`Error::UserBucket`]; the store or the work bucket failed: the step can be made again.
pub async fn step(
    (store, bucket, users): (&impl Store, &impl WorkBucket, &impl UserBuckets),
    mode: Mode,
    without: &[String],
    retention: Retention,
    now_ms: u64,
) -> Result<Step, Error> {
    let (mut rebuild, is_dry_run) = match mode {
        Mode::DryRun(at) => (Rebuild { at, ..Rebuild::default() }, true),
        Mode::Write => match guard::rebuilt(store).await? {
            Rebuilt::Whole => return Ok(Step::default()),
            Rebuilt::To(rebuild) => (rebuild, false),
        },
    };
    for bucket in without {
        if !rebuild.unseen.contains(bucket) {
            rebuild.unseen.push(bucket.clone());
        }
    }
    if !is_dry_run {
        // What the store does not hold is unknown from now on.
        guard::note_rebuilt(store, &rebuild).await?;
    }
    let written = (!is_dry_run).then_some(store);
    let Step { next, mut found } =
        take_some((written, bucket, users), &mut rebuild, retention, now_ms).await?;
    if !is_dry_run {
        match &next {
            Some(next) => {
                rebuild.at = Some(next.clone());
                guard::note_rebuilt(store, &rebuild).await?;
            }
            None => guard::note_whole(store, now_ms).await?,
        }
    }
    found.unlisted = rebuild.unseen;
    Ok(Step { next, found })
}

/// Takes the next objects; without a store they are only looked at.
async fn take_some(
    (store, bucket, users): (Option<&impl Store>, &impl WorkBucket, &impl UserBuckets),
    rebuild: &mut Rebuild,
    retention: Retention,
    now_ms: u64,
) -> Result<Step, Error> {
    let at = rebuild.at.clone();
    let (phase, after) = place(at.as_deref());
    let mut found = Found::default();
    let (mut last, mut is_unfinished) = (None, false);
    for name in bucket.list(phase.prefix(), after, NAMES).await.map_err(Error::WorkBucket)? {
        let to = (store, bucket, users);
        is_unfinished = take(to, (phase, &name), rebuild, &mut found, retention, now_ms).await?;
        if is_unfinished {
            break;
        }
        last = Some(name);
        if found.sessions >= MOST_SESSIONS || found.tail >= MOST_TAIL {
            break;
        }
    }
    let next = match last {
        Some(name) => Some(format!("{} {name}", phase.word())),
        None if is_unfinished => Some(format!("{} {after}", phase.word())),
        None => phase
            .after()
            .filter(|next| store.is_some() || *next != Phase::Release)
            .map(|next| next.word().into()),
    };
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

/// Takes an object; without a store it is only looked at. Answers whether there is more of it to take.
async fn take(
    (store, bucket, users): (Option<&impl Store>, &impl WorkBucket, &impl UserBuckets),
    (phase, name): (Phase, &str),
    rebuild: &mut Rebuild,
    found: &mut Found,
    retention: Retention,
    now_ms: u64,
) -> Result<bool, Error> {
    let id = name.strip_prefix(SESSIONS).unwrap_or_default();
    match phase {
        Phase::Log => parts::sessions(store, bucket, name, found, retention).await?,
        Phase::Files => parts::files(store, bucket, name, found, retention).await?,
        Phase::Session => {
            let Some(store) = store else {
                found.sessions += 1;
                return look(bucket, users, id, rebuild, found, now_ms).await.map(|()| false);
            };
            let to = (store, bucket, users);
            let restored = sessions::restore(to, (id, MOST_TAIL), rebuild, retention, now_ms).await?;
            found.sessions += u64::from(!restored.is_unfinished);
            found.restored += restored.sessions;
            found.tail += restored.slices;
            return Ok(restored.is_unfinished);
        }
        Phase::Release => {
            if let Some(store) = store {
                sessions::release(store, id).await?;
            }
        }
    }
    Ok(false)
}

/// Looks at what a user's bucket has of a session.
async fn look(
    bucket: &impl WorkBucket,
    users: &impl UserBuckets,
    id: &str,
    rebuild: &mut Rebuild,
    found: &mut Found,
    now_ms: u64,
) -> Result<(), Error> {
    let Some(session) = session::object(bucket, id).await? else { return Ok(()) };
    let Some((endpoint, name)) = own_slices::bucket_of(&session) else { return Ok(()) };
    let place = format!("{endpoint}/{name}");
    // What ended before is sealed, or waits for something; nothing is counted of it.
    let is_old = |at_ms: u64| at_ms.saturating_add(2 * DAY_MS) < now_ms;
    let end = session::decided_end(bucket, id).await?;
    if rebuild.unseen.contains(&place) || end.is_some_and(|end| is_old(end.ended_ms)) {
        return Ok(());
    }
    let run = sessions::last_run(bucket, &session).await?;
    if run.as_ref().map_or(is_old(session.began_ms), |run| run.over.is_some()) {
        return Ok(());
    }
    match tail::count(bucket, users, (&session, run.as_ref()), now_ms).await? {
        Ok(slices) => found.tail += slices,
        Err(_) => rebuild.unseen.push(place),
    }
    Ok(())
}
