//! Record files: which run of the stream's log each one holds.
//!
//! The log only grows, and files are runs of it, one after the other: the next begins where the last one
//! ended. Nothing that is committed can thus fall between two files or into both.
//!
//! A file ends before the first slice that can be entered after its cycle is full or a command had it cut; an
//! M3U8 also before a slice that brings a track or a codec that the file has not had, and before a push that
//! comes back with other tracks. All of that is known once the slice after the file is, or the session's end.
//!
//! What a file holds follows from the log alone, but for one thing: that a break has lasted long enough.
//! Two ticks at once can see that differently; the function `index` therefore writes down each decision as an
//! object that is created once, and acts on what was written first.

use serde::{Deserialize, Serialize};
use store::Store;

use crate::commands::{self, CLOSING_MS};
use crate::continuity::{Tracks, append, end_ms, lasts_until};
use crate::record::{Error, read, write};
use crate::sessions::{self, BEGIN_BOUND_MS, End, patience_ms};
use crate::types::{
    Container, Entry, Format, NextFile, Position, RecordFile, Session, Slice, SliceRange, StreamName,
};
use crate::{key, log};

/// How long a session has to be found silent before it is ended, in milliseconds: several heartbeats.
const SILENCE_MS: u64 = 5_000;

/// Where a stream's next record file begins.
///
/// Sessions before it have ended, and all of their slices are in files.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frontier {
    /// The first slice that is in no file.
    pub at: Position,
    /// Number of the next file.
    pub sequence: u64,
}

impl Default for Frontier {
    fn default() -> Self {
        Self { at: Position { session: 1, slice: 0 }, sequence: 0 }
    }
}

/// A file while its slices are gathered.
struct Open {
    first: Position,
    session: Session,
    format: Format,
    start_ms: u64,
    tracks: Tracks,
    slices: u64,
    /// Sum of the durations of all slices but the last. Unit: 1/90 000 s.
    before_last_90khz: u64,
    last: Slice,
    /// Number of the session that the last slice is of.
    last_session: u64,
}

impl Open {
    fn begin(at: Position, session: &Session, format: &Format, slice: Slice) -> Self {
        Self {
            first: at,
            session: session.clone(),
            format: format.clone(),
            start_ms: slice.start_ms,
            tracks: Tracks::of(&slice),
            slices: 1,
            before_last_90khz: 0,
            last: slice,
            last_session: at.session,
        }
    }

    /// Adds a slice, whose begin [`last_until`](Self::last_until) has been told of.
    fn add(&mut self, session: u64, slice: Slice) {
        self.before_last_90khz += self.last.duration90khz;
        self.slices += 1;
        (self.last, self.last_session) = (slice, session);
    }

    /// Lets the last slice last until the one after it begins.
    fn last_until(&mut self, session: u64, next: &Slice) {
        if self.last_session == session {
            lasts_until(&mut self.last, next);
        }
    }

    fn duration_90khz(&self) -> u64 {
        self.before_last_90khz + self.last.duration90khz
    }

    /// Media time that is missing to a whole cycle, in milliseconds.
    fn missing_ms(&self) -> u64 {
        self.cycle_ms().saturating_sub(self.duration_90khz() / 90)
    }

    fn cycle_ms(&self) -> u64 {
        u64::from(self.format.cycle_seconds) * 1000
    }

    /// Whether the file ends before a slice; `cut` says that a command wants it to.
    ///
    /// The next file begins with that slice, so where there is a choice it is one that can be entered. That is
    /// waited for as long as another cycle.
    fn ends_before(&self, session: u64, slice: &Slice, cut: bool) -> bool {
        let goes_on = if self.last_session == session {
            self.tracks.admit(slice)
        } else {
            self.tracks == Tracks::of(slice)
        };
        if self.format.container == Container::M3u8 && !goes_on {
            return true;
        }
        let overdue = self.duration_90khz() / 90 >= 2 * self.cycle_ms();
        (cut || self.missing_ms() == 0) && (slice.independent || overdue)
    }

    /// Whether a session's slices may go on in this file: what its rule says of it has not changed.
    fn fits(&self, session: &Session) -> bool {
        let bucket = |session: &Session| {
            session.rule.as_ref().map(|rule| (rule.oss_endpoint.clone(), rule.oss_bucket.clone()))
        };
        bucket(session) == bucket(&self.session)
            && format(session, self.format.container) == Some(&self.format)
    }

    /// Whether a cut before this slice of a session falls into this file.
    fn is_cut_at(&self, session: u64, cut: u64) -> bool {
        self.first.session < session || self.first.slice < cut
    }

    fn due(&self, sequence: u64, end: Position) -> NextFile {
        NextFile::Due(RecordFile {
            container: self.format.container,
            sequence,
            slices: SliceRange { first: self.first, end },
            session: self.session.id.clone(),
            start_ms: self.start_ms,
            end_ms: end_ms(&self.last),
            duration90khz: self.duration_90khz(),
            slice_count: self.slices,
        })
    }
}

/// Ends the sessions that have been silent for too long, and answers the next record file.
pub async fn advance(
    store: &impl Store,
    stream: &StreamName,
    container: Container,
    now_ms: u64,
) -> Result<NextFile, Error> {
    let frontier: Frontier = read(store, &key::frontier(stream, container)).await?.unwrap_or_default();
    let count = sessions::count(store, stream).await?;
    let mut open: Option<Open> = None;
    let mut at = frontier.at;
    let mut session = match next_session(store, stream, at.session, count, now_ms).await? {
        Next::Session(number, session) => {
            if number > at.session {
                at = Position { session: number, slice: 0 };
            }
            *session
        }
        Next::Wait(until_ms) => return Ok(NextFile::NotBefore(until_ms)),
        Next::None => return Ok(NextFile::None),
    };
    loop {
        let ended = read::<End>(store, &key::end(&session.id)).await?;
        let length = match &ended {
            Some(End { chunks: Some(chunks), .. }) => *chunks,
            _ => log::length(store, &session.id).await?,
        };
        if gather(store, &mut open, &mut at, &session, container, length).await?
            && let Some(open) = &open
        {
            return Ok(open.due(frontier.sequence, at));
        }

        let last_ms = match &ended {
            Some(end) => end.at_ms,
            None => sessions::last_sign_ms(store, &session, length).await?,
        };
        let deadline_ms = last_ms + patience_ms(&session);
        if !matches!(ended, Some(End { chunks: Some(_), .. })) {
            if ended.is_none() && now_ms >= deadline_ms {
                // The session has been silent for as long as a break may last. The functions may have been
                // down meanwhile, so its gateway gets a moment to be heard again.
                let since_ms = sessions::silent_since(store, &session.id, last_ms, now_ms).await?;
                if now_ms < since_ms + SILENCE_MS {
                    return Ok(NextFile::NotBefore(since_ms + SILENCE_MS));
                }
            }
            if ended.is_some() || now_ms >= deadline_ms {
                // The session is over, or its end call broke off. A chunk that comes later is refused, and its
                // gateway sends it into a session of its own.
                sessions::end(store, &session.id, last_ms).await?;
                continue;
            }
            let orders = commands::orders(store, &session).await?;
            if let (Some(open), false) = (&open, orders.record) {
                // A command has stopped the recording. The file closes as after a break; the session goes on,
                // and can be recorded again.
                let wait_ms = if orders.close { CLOSING_MS } else { patience_ms(&session) };
                let close_ms = orders.at_ms + wait_ms;
                return Ok(if now_ms >= close_ms {
                    open.due(frontier.sequence, at)
                } else {
                    NextFile::NotBefore(close_ms.min(deadline_ms))
                });
            }
            if let Some(open) = open.as_ref().filter(|open| open.missing_ms() == 0) {
                // The slice after it tells where the file ends; that is not waited for longer than for a push.
                let last = log::committed(store, &session.id, length.saturating_sub(1)).await?;
                if last.is_some_and(|last| now_ms >= last.at_ms + patience_ms(&session)) {
                    return Ok(open.due(frontier.sequence, at));
                }
            }
            let whole_ms = open.as_ref().map_or(u64::MAX, |open| now_ms + open.missing_ms().max(1000));
            return Ok(NextFile::NotBefore(whole_ms.min(deadline_ms)));
        }

        if let Some(open) = open.as_ref().filter(|open| open.missing_ms() == 0) {
            // No slice of this session comes any more that would tell where the file ends.
            return Ok(open.due(frontier.sequence, at));
        }
        match (next_session(store, stream, at.session + 1, count, now_ms).await?, &open) {
            (Next::Session(_, next), Some(open)) if next.began_ms > deadline_ms || !open.fits(&next) => {
                return Ok(open.due(frontier.sequence, at));
            }
            (Next::Session(number, next), _) => {
                at = Position { session: number, slice: 0 };
                session = *next;
            }
            (_, Some(open)) if now_ms >= deadline_ms => return Ok(open.due(frontier.sequence, at)),
            (Next::Wait(until_ms), _) => return Ok(NextFile::NotBefore(until_ms)),
            (Next::None, Some(_)) => return Ok(NextFile::NotBefore(deadline_ms)),
            (Next::None, None) => {
                at = Position { session: at.session + 1, slice: 0 };
                write(store, &key::frontier(stream, container), &Frontier { at, ..frontier }).await?;
                return Ok(NextFile::None);
            }
        }
    }
}

/// Adds a session's slices to the open file, and says whether it ends before the one at `at`.
async fn gather(
    store: &impl Store,
    open: &mut Option<Open>,
    at: &mut Position,
    session: &Session,
    container: Container,
    length: u64,
) -> Result<bool, Error> {
    let Some(format) = format(session, container) else {
        at.slice = length;
        return Ok(false);
    };
    let cuts = if at.slice < length { commands::orders(store, session).await?.cuts } else { Vec::new() };
    while at.slice < length {
        for slice in log::page(store, &session.id, at.slice, length).await? {
            match (open.as_mut(), slice) {
                (_, None) => {}
                (None, Some(slice)) => *open = Some(Open::begin(*at, session, format, slice)),
                (Some(open), Some(slice)) => {
                    open.last_until(at.session, &slice);
                    let cut = cuts.iter().any(|&cut| cut <= at.slice && open.is_cut_at(at.session, cut));
                    if open.ends_before(at.session, &slice, cut) {
                        return Ok(true);
                    }
                    open.add(at.session, slice);
                }
            }
            at.slice += 1;
        }
    }
    Ok(false)
}

/// The slices of a range, each with the duration that the slice after it gives it.
///
/// The last one's is its own: how long the file lasts says its record.
pub async fn entries(
    store: &impl Store,
    stream: &StreamName,
    slices: SliceRange,
) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    for number in slices.first.session..=slices.end.session {
        let Some(session) = sessions::numbered(store, stream, number).await? else { continue };
        let mut at = if number == slices.first.session { slices.first.slice } else { 0 };
        let end =
            if number == slices.end.session { slices.end.slice } else { ended_at(store, &session).await? };
        let mut new_session = true;
        while at < end {
            let page = log::page(store, &session.id, at, end).await?;
            at += page.len() as u64;
            for slice in page.into_iter().flatten() {
                append(&mut entries, slice, new_session);
                new_session = false;
            }
        }
    }
    Ok(entries)
}

/// Notes that a file is in the bucket.
pub async fn commit_file(store: &impl Store, stream: &StreamName, file: RecordFile) -> Result<(), Error> {
    let next = Frontier { at: file.slices.end, sequence: file.sequence + 1 };
    let key = key::frontier(stream, file.container);
    let frontier: Frontier = read(store, &key).await?.unwrap_or_default();
    // A late tick must not set back what another has committed since.
    if frontier.sequence >= next.sequence {
        return Ok(());
    }
    write(store, &key, &next).await
}

/// The session at or after a number.
enum Next {
    Session(u64, Box<Session>),
    /// A begin call may be running; at this moment (Unix milliseconds) it counts as broken off.
    Wait(u64),
    None,
}

/// The first session of at least this number.
async fn next_session(
    store: &impl Store,
    stream: &StreamName,
    from: u64,
    count: u64,
    now_ms: u64,
) -> Result<Next, Error> {
    for number in from..=count {
        if let Some(session) = sessions::numbered(store, stream, number).await? {
            // A lower number has no session while its begin call runs, or for good if that call broke off.
            let certain_ms = session.began_ms + BEGIN_BOUND_MS;
            return Ok(if number > from && now_ms < certain_ms {
                Next::Wait(certain_ms)
            } else {
                Next::Session(number, Box::new(session))
            });
        }
    }
    Ok(Next::None)
}

async fn ended_at(store: &impl Store, session: &Session) -> Result<u64, Error> {
    let key = key::end(&session.id);
    match read::<End>(store, &key).await? {
        Some(End { chunks: Some(chunks), .. }) => Ok(chunks),
        _ => Err(Error::Missing { key }),
    }
}

fn format(session: &Session, container: Container) -> Option<&Format> {
    session.rule.as_ref()?.formats.iter().find(|format| format.container == container)
}
