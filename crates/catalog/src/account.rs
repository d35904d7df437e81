//! Accounting: which record file of each format a chunk is in, and how far that file is.
//!
//! A pure function of the account before a chunk and of what the chunk brings. A commit writes its result into
//! the chunk's own record, so that looking at a stream costs the same after six hours as at its begin.
//!
//! | a file ends before a chunk | formats |
//! | --- | --- |
//! | that an order parts from the chunk before (restart, cancel_delay, an edge of a window) | all |
//! | after the file was closed while its gateway was silent | all |
//! | that a player can begin with, once the file's media time has reached the cycle | all |
//! | in which a track has another codec | all: few players play such a file |
//! | that has the first coded frame of a track, or begins a push without a track | M3U8: browsers play no playlist whose tracks change |
//!
//! Breaks end files too; they are seen by the tick, not by a commit: see [`file`](crate::file).

pub(crate) mod compact;

use serde::{Deserialize, Serialize};

use crate::chunk::{Slice, Tracks};
use crate::rule::Container;

/// A chunk of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its session.
    pub session: String,
    /// Its number in the session.
    pub seq: u64,
}

/// A run of slices that are in one record file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Number of the file among the recording's files of its format, from 0.
    pub number: u32,
    /// Its first slice.
    pub first: Place,
    /// Its last slice so far.
    pub last: Place,
    /// Begin of its first slice, Unix milliseconds.
    pub start_ms: u64,
    /// End of its last slice, Unix milliseconds.
    pub end_ms: u64,
    /// The same in the last slice's session. Unit: 1/90 000 s.
    pub end_90khz: u64,
    /// Sum of the durations of its slices; one that another one continues lasts until that one begins. Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// How many slices.
    pub slices: u32,
    /// How many chunks between its first and its last slice will never come.
    pub gaps: u32,
    /// The tracks that have had coded frames, and the first picture size.
    pub tracks: Tracks,
    /// Nothing more comes into it: it has reached its cycle and the next chunk can begin a file, or an order
    /// parts it from what comes.
    pub is_full: bool,
}

/// Where the files of one format stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The format.
    pub container: Container,
    /// The file that the last slice is in; `None` before the first slice.
    pub file: Option<Run>,
    /// Chunks since that slice that will never come.
    pub gaps: u32,
    /// No file that is still to begin has a number below this one: a store that was lost may have known others.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub(crate) least: u32,
}

/// What a chunk brings to the accounts of all formats.
#[derive(Clone, Copy, Debug)]
pub struct Brought<'a> {
    /// The chunk.
    pub at: &'a Place,
    /// The slice.
    pub slice: &'a Slice,
    /// Time in which nothing was recorded lies between the slice before in its session and this one.
    pub is_moved: bool,
    /// The chunk after this one begins with an access unit that a player can begin with.
    pub is_followed_by_entry: bool,
}

impl Run {
    /// A run before its first slice, which is brought.
    fn begin(number: u32, brought: Brought<'_>) -> Self {
        Self {
            number,
            first: brought.at.clone(),
            last: brought.at.clone(),
            start_ms: brought.slice.start_ms(),
            end_ms: 0,
            end_90khz: 0,
            duration_90khz: 0,
            slices: 0,
            gaps: 0,
            tracks: Tracks::default(),
            is_full: false,
        }
    }
}

impl Account {
    /// No file yet.
    #[must_use]
    pub fn new(container: Container) -> Self {
        Self { container, file: None, gaps: 0, least: 0 }
    }

    /// The account after a slice, and the file that ended before it. `parted`: the slice is in another file than
    /// what came before, for a reason outside the media.
    #[must_use]
    pub fn after(&self, brought: Brought<'_>, cycle_seconds: u32, parted: bool) -> (Self, Option<Run>) {
        let cycle_90khz = u64::from(cycle_seconds) * 90_000;
        let Brought { at, slice, .. } = brought;
        let before = self.file.clone().map(|run| self.until(run, brought, parted));
        let ends = |run: &Run| {
            parted
                || run.is_full
                || run.duration_90khz >= cycle_90khz && slice.is_enterable
                || changes_codec(run.tracks, slice.tracks)
                || self.container == Container::M3u8 && changes_tracks(run, brought)
        };
        let (mut run, ended) = match before {
            Some(run) if !ends(&run) => (run, None),
            ended => {
                let number = ended.as_ref().map_or(0, |ended| ended.number + 1).max(self.least);
                (Run::begin(number, brought), ended)
            }
        };
        if run.slices > 0 {
            run.gaps += self.gaps;
        }
        run.last = at.clone();
        run.end_ms = slice.end_ms();
        run.end_90khz = slice.end_90khz();
        run.duration_90khz += slice.duration_90khz;
        run.slices += 1;
        run.tracks = union(run.tracks, slice.tracks);
        run.is_full = run.duration_90khz >= cycle_90khz && brought.is_followed_by_entry;
        (Self { file: Some(run), gaps: 0, ..self.clone() }, ended)
    }

    /// A run whose last slice lasts until the slice that is brought begins, where that one continues it. One that may
    /// have been found complete before stays as it was found.
    fn until(&self, mut run: Run, brought: Brought<'_>, parted: bool) -> Run {
        let Brought { at, slice, .. } = brought;
        let continues = run.last.session == at.session && self.gaps == 0 && !brought.is_moved;
        if continues && !parted && !run.is_full {
            let step_90khz = slice.start_90khz.wrapping_sub(run.end_90khz).cast_signed();
            run.duration_90khz = run.duration_90khz.saturating_add_signed(step_90khz);
            run.end_90khz = slice.start_90khz;
            run.end_ms = slice.start_ms();
        }
        run
    }

    /// The account after a chunk that will never come.
    #[must_use]
    pub fn after_gap(&self) -> Self {
        Self { gaps: self.gaps + 1, ..self.clone() }
    }

    /// The account where the next slice is in another file, whatever comes before it.
    #[must_use]
    pub fn parted(&self) -> Self {
        let file = self.file.clone().map(|run| Run { is_full: true, ..run });
        Self { file, ..self.clone() }
    }

    /// The account where the next file has at least a number.
    #[must_use]
    pub(crate) fn from(&self, least: u32) -> Self {
        Self { least: self.least.max(least), ..self.clone() }
    }
}

/// Whether a slice has another codec of a track than a file.
fn changes_codec(file: Tracks, slice: Tracks) -> bool {
    let has_other_video = slice.video.is_some() && file.video.is_some() && slice.video != file.video;
    let has_other_audio = slice.audio.is_some() && file.audio.is_some() && slice.audio != file.audio;
    has_other_video || has_other_audio
}

/// Whether a slice has a track that a file has not had. A track that falls silent within a push changes nothing; a push
/// that comes without one does.
fn changes_tracks(run: &Run, brought: Brought<'_>) -> bool {
    let (file, slice) = (run.tracks, brought.slice.tracks);
    let is_new_push = run.last.session != brought.at.session;
    let lacks =
        slice.audio.is_none() && file.audio.is_some() || slice.video.is_none() && file.video.is_some();
    let has_new =
        slice.audio.is_some() && file.audio.is_none() || slice.video.is_some() && file.video.is_none();
    has_new || is_new_push && lacks
}

fn union(file: Tracks, slice: Tracks) -> Tracks {
    let size = if file.width > 0 { (file.width, file.height) } else { (slice.width, slice.height) };
    Tracks {
        video: slice.video.or(file.video),
        audio: slice.audio.or(file.audio),
        width: size.0,
        height: size.1,
    }
}

#[cfg(test)]
mod tests;
