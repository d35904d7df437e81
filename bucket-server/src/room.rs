//! Room on the disk: what objects may take of it, and what is left to others.
//!
//! The buckets share a disk with what the recorder needs to go on: its key-value store and the gateway's spool. A disk
//! that recordings fill would take these down with it, so objects leave a floor of it free. What would pass the floor is
//! refused before its body is read. Small objects may take some of the floor: they are what the recorder itself writes to
//! end and to tell recordings.
//!
//! Uploads that run at the same time see the same free bytes. So each is promised its own before it begins, and a promise
//! counts as taken until its bytes are written or the upload has ended.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use s3s::S3Result;

use crate::fault::full;

/// The most that is kept free where no setting says how much: a spool as large as gateways make it by default, and a GiB
/// for the store.
const MOST_BYTES: u64 = 5 << 30;

/// At most such a part of the disk is kept free then.
const MOST_PART: u64 = 20;

/// The largest body that is small.
const SMALL_BYTES: u64 = 256 << 10;

/// So much of the floor is for small objects, though at most half. It is little beside a spool: slices of quiet streams are
/// small as well.
const FOR_SMALL_BYTES: u64 = 256 << 20;

/// For how long a refusal counts as a sign that there is no room: longer than clients wait before they try again.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// The least time between two lines of the log, however often room comes and goes.
const LOG_PAUSE: Duration = Duration::from_secs(60);

/// A disk, as the system sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Its bytes.
    pub size: u64,
    /// Those that this process may still write.
    pub free: u64,
}

/// Looks at a disk.
pub type Look = Arc<dyn Fn() -> io::Result<Space> + Send + Sync>;

/// What of its disk the server leaves free.
#[derive(Clone, Default)]
pub struct KeepFree {
    /// So many bytes; 0 keeps nothing free, and refuses nothing. By default 5 GiB, but at most a twentieth of the disk.
    pub bytes: Option<u64>,
    /// How the disk is looked at; by default the system is asked for that of the buckets' folder.
    pub look: Option<Look>,
}

impl KeepFree {
    /// Nothing is kept free: what the disk takes is taken.
    pub const NOTHING: Self = Self { bytes: Some(0), look: None };
}

/// The room that objects have, which all uploads share.
pub struct Room {
    look: Look,
    floor: u64,
    /// What running uploads may still write. It grows under the lock of the state alone; who ends waits for no lock, since a
    /// disk may hang that is being looked at.
    promised: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What would have had to be free for all that was refused lately, and when the last of it was.
    refused: Option<(u64, Instant)>,
    refusals: u64,
    told: Told,
}

/// What the log says.
#[derive(Default)]
struct Told {
    is_short: bool,
    at: Option<Instant>,
}

/// Why a write is refused, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The disk's free bytes.
    pub free: u64,
    /// Those of them that running uploads may still write.
    pub promised: u64,
    /// What is kept free.
    pub floor: u64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { free, promised, floor } = self;
        write!(
            f,
            "the disk that holds the buckets has {free} bytes free, of which {promised} are promised to running uploads, \
             and {floor} are kept free (--keep-free)"
        )
    }
}

impl Shortage {
    /// What is free and promised to nobody.
    fn left(self) -> u64 {
        self.free.saturating_sub(self.promised)
    }
}

impl Room {
    /// The room on the disk of `folder`.
    ///
    /// The default floor is computed here, once: only who has the folder knows its disk, and a floor that moved with the
    /// disk's size would be no number to go by.
    pub(crate) fn open(folder: &Path, KeepFree { bytes, look }: KeepFree) -> io::Result<Self> {
        let look = look.unwrap_or_else(|| of_folder(folder.to_owned()));
        let floor = match bytes {
            Some(bytes) => bytes,
            None => MOST_BYTES.min(look()?.size / MOST_PART),
        };
        let room = Self { look, floor, promised: AtomicU64::new(0), state: Mutex::default() };
        // Where there is no room from the beginning, the log says so.
        let _ = room.shortage();
        Ok(room)
    }

    /// How much is kept free.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// How much the disk has room for; nothing where it does not say.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        (self.look)().ok().map(|space| space.free)
    }

    /// How many writes were refused.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.state().refusals
    }

    /// Why objects find no room; nothing where they do. It heals by itself, though nothing is written.
    #[must_use]
    pub fn shortage(&self) -> Option<Shortage> {
        let mut state = self.state();
        let seen = self.see()?;
        self.observe(&mut state, seen)
    }

    /// What there is now; nothing where the disk does not say.
    ///
    /// Promises are read first: a write is counted by the disk before its promise is given back, so that it is counted twice
    /// for a moment, but never not at all.
    fn see(&self) -> Option<Shortage> {
        let promised = self.promised.load(Ordering::Acquire);
        Some(Shortage { free: self.free()?, promised, floor: self.floor })
    }

    /// Promises an upload its room; of one that does not say how long it is, only that there is some.
    pub(crate) fn promise(self: &Arc<Self>, length: Option<u64>) -> S3Result<Promise> {
        let is_small = length.is_some_and(|length| length <= SMALL_BYTES);
        let for_small = if is_small { FOR_SMALL_BYTES.min(self.floor / 2) } else { 0 };
        let floor = self.floor - for_small;
        let mut promise = Promise { room: self.clone(), floor, left: 0 };
        promise.grow(length.unwrap_or(0))?;
        Ok(promise)
    }

    /// Promises `bytes` more, where `floor` stays free beside all that is promised.
    fn take(&self, bytes: u64, floor: u64) -> S3Result<()> {
        let mut state = self.state();
        // A disk that does not answer says so to who writes.
        let seen = self.see().filter(|_| self.floor > 0);
        let needed = floor.saturating_add(bytes);
        let is_refused = seen.is_some_and(|seen| seen.left() < needed);
        if is_refused {
            let before = state.refused.map_or(0, |(needed, _)| needed);
            state.refused = Some((needed.max(before), Instant::now()));
            state.refusals += 1;
        }
        let shortage = seen.and_then(|seen| self.observe(&mut state, seen));
        match shortage.filter(|_| is_refused) {
            Some(shortage) => Err(full(format!("{bytes} bytes more find no room: {shortage}"))),
            None => {
                self.promised.fetch_add(bytes, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Whether there is no room now: the floor is reached, or what was refused lately would be refused again. A change is
    /// logged.
    fn observe(&self, state: &mut State, seen: Shortage) -> Option<Shortage> {
        let now = Instant::now();
        let finds_room = |needed: u64| seen.left() >= needed;
        let counts = |at: Instant| now.saturating_duration_since(at) < REMEMBERED;
        state.refused = state.refused.filter(|(needed, at)| counts(*at) && !finds_room(*needed));
        let is_short = seen.free < self.floor || state.refused.is_some();
        state.told.tell(is_short, &seen, now);
        is_short.then_some(seen)
    }

    fn give_back(&self, bytes: u64) {
        self.promised.fetch_sub(bytes, Ordering::Release);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn tell(&mut self, is_short: bool, shortage: &Shortage, now: Instant) {
        let is_soon = self.at.is_some_and(|at| now.saturating_duration_since(at) < LOG_PAUSE);
        if is_short == self.is_short || is_soon {
            return;
        }
        *self = Self { is_short, at: Some(now) };
        if is_short {
            tracing::warn!("objects are refused until there is room: {shortage}");
        } else {
            tracing::info!("objects find room again: {shortage}");
        }
    }
}

/// Room that an upload has to itself, until it is written or dropped.
pub(crate) struct Promise {
    room: Arc<Room>,
    /// What has to stay free beside it.
    floor: u64,
    left: u64,
}

impl Promise {
    /// Is promised more.
    pub(crate) fn grow(&mut self, bytes: u64) -> S3Result<()> {
        self.room.take(bytes, self.floor)?;
        self.left += bytes;
        Ok(())
    }

    /// So much is on the disk now, which counts it itself.
    pub(crate) fn spend(&mut self, bytes: u64) {
        let bytes = bytes.min(self.left);
        self.left -= bytes;
        self.room.give_back(bytes);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.room.give_back(self.left);
    }
}

fn of_folder(folder: PathBuf) -> Look {
    Arc::new(move || {
        let disk = rustix::fs::statvfs(&folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Ok(Space { size: bytes(disk.f_blocks), free: bytes(disk.f_bavail) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_a_twentieth_of_a_small_disk_is_kept_free_and_5_gib_of_a_large_one() {
        for (size, floor) in [(1 << 30, (1 << 30) / 20), (20 << 30, 1 << 30), (4 << 40, 5 << 30)] {
            let look: Look = Arc::new(move || Ok(Space { size, free: size }));
            let keep_free = KeepFree { bytes: None, look: Some(look) };
            assert_eq!(Room::open(Path::new("unused"), keep_free).unwrap().floor(), floor, "{size}");
        }
        let folder = tempfile::tempdir().unwrap();
        let room = Room::open(folder.path(), KeepFree::default()).unwrap();
        assert!((1..=MOST_BYTES).contains(&room.floor()) && room.free().is_some());
    }

    #[test]
    fn a_disk_that_does_not_say_how_full_it_is_refuses_nothing() {
        let look: Look = Arc::new(|| Err(io::ErrorKind::Other.into()));
        let keep_free = KeepFree { bytes: Some(100), look: Some(look) };
        let room = Arc::new(Room::open(Path::new("unused"), keep_free).unwrap());
        let mut promise = room.promise(Some(1 << 40)).unwrap();
        promise.spend(1 << 30);
        assert_eq!(room.promised.load(Ordering::Relaxed), (1 << 40) - (1 << 30));
        drop(promise);
        assert_eq!(room.promised.load(Ordering::Relaxed), 0);
        assert_eq!(room.shortage(), None);
    }
}
