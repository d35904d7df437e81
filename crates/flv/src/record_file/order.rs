//! The order of a file's tags: samples of both tracks and script data by their times, across the borders of chunks.

use media::TrackKind;
use sample_table::{Run, Runs, Sample, SampleEntry, Samples, Script};

use super::{RecordPlan, body};
use crate::script;

/// Tracks in the order in which tags of one time stand.
pub(super) const TRACKS: [TrackKind; 2] = [TrackKind::Video, TrackKind::Audio];
pub(super) const VIDEO: usize = 0;
pub(super) const AUDIO: usize = 1;

/// A sample in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    /// The chunk that it is of.
    pub(super) chunk: usize,
    pub(super) sample: Sample,
    /// When it is decoded. Unit: 1/90 000 s of the file's clock.
    pub(super) time_90khz: i64,
    /// Where it lies in the media of all chunks.
    pub(super) offset: u64,
    pub(super) entry: &'a SampleEntry<'a>,
    pub(super) is_enhanced: bool,
}

/// What comes next in a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next<'a> {
    Sample {
        track: usize,
        placed: Placed<'a>,
    },
    /// With its time, which is not after what follows. Unit: 1/90 000 s of the file's clock.
    Script {
        script: &'a Script<'a>,
        time_90khz: i64,
    },
}

/// How far the tags of a file have come.
#[derive(Clone, Debug)]
pub(super) struct Order<'a> {
    pub(super) tracks: [Cursor<'a>; 2],
    scripts: Scripts<'a>,
}

impl<'a> Order<'a> {
    pub(super) fn new(plan: &RecordPlan<'a>) -> Self {
        Self { tracks: TRACKS.map(|track| Cursor::new(plan, track)), scripts: Scripts::new(plan) }
    }

    /// When the earliest sample that is left is decoded. Unit: 1/90 000 s of the file's clock.
    pub(super) fn earliest_90khz(&self) -> Option<i64> {
        self.tracks.iter().filter_map(|cursor| Some(cursor.head?.time_90khz)).min()
    }

    /// What comes next; `None` behind the last.
    pub(super) fn peek(&self, plan: &RecordPlan<'a>) -> Option<Next<'a>> {
        let next = self.next_track(plan).and_then(|track| Some((track, self.tracks[track].head?)));
        if let Some(script) = self.scripts.head {
            let chunk = self.scripts.chunk;
            let time_90khz = script.time_90khz + plan.chunks[chunk].shift_90khz;
            let is_due = next.is_none_or(|(_, placed)| {
                chunk < placed.chunk || chunk == placed.chunk && time_90khz <= placed.time_90khz
            });
            if is_due {
                let latest = next.map_or(i64::MAX, |(_, placed)| placed.time_90khz);
                return Some(Next::Script { script, time_90khz: time_90khz.min(latest) });
            }
        }
        next.map(|(track, placed)| Next::Sample { track, placed })
    }

    /// Passes over what comes next.
    pub(super) fn advance(&mut self, plan: &RecordPlan<'a>, next: &Next<'a>) {
        match next {
            Next::Sample { track, .. } => self.tracks[*track].advance(plan),
            Next::Script { .. } => self.scripts.advance(plan),
        }
    }

    /// The track whose sample is decoded first, unless too much of the other one would have to wait for it.
    fn next_track(&self, plan: &RecordPlan<'a>) -> Option<usize> {
        let (video, audio) = match self.tracks.each_ref().map(|cursor| cursor.head) {
            [Some(video), Some(audio)] => (video, audio),
            [Some(_), None] => return Some(VIDEO),
            [None, Some(_)] => return Some(AUDIO),
            [None, None] => return None,
        };
        let is_audio = audio.time_90khz < video.time_90khz;
        let (first, other) = if is_audio { (audio, video) } else { (video, audio) };
        let waits = plan.chunks[first.chunk].media_first.saturating_sub(other.offset);
        Some(usize::from(is_audio != (waits > plan.max_waiting)))
    }
}

/// Script data, chunk by chunk, but for what describes the stream: a file has one such description, its own.
#[derive(Clone, Debug)]
struct Scripts<'a> {
    /// What comes next, and its chunk.
    head: Option<&'a Script<'a>>,
    chunk: usize,
    /// Where in the chunk the one behind it is.
    next: usize,
}

impl<'a> Scripts<'a> {
    fn new(plan: &RecordPlan<'a>) -> Self {
        let mut scripts = Self { head: None, chunk: 0, next: 0 };
        scripts.advance(plan);
        scripts
    }

    fn advance(&mut self, plan: &RecordPlan<'a>) {
        self.head = None;
        while let Some(chunk) = plan.chunks.get(self.chunk) {
            let Some(script) = chunk.table.head().scripts.get(self.next) else {
                (self.chunk, self.next) = (self.chunk + 1, 0);
                continue;
            };
            self.next += 1;
            if script::name(script.body) != Some(script::ON_META_DATA) && !script.body.is_empty() {
                self.head = Some(script);
                return;
            }
        }
    }
}

/// The samples of a track that tags can hold, from chunk to chunk.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    track: TrackKind,
    /// The next sample.
    pub(super) head: Option<Placed<'a>>,
    /// Samples that no tag can hold, of those that were passed.
    pub(super) left_out: u64,
    /// The chunk that is read, its runs that are left, and of the run that is read its samples that are left.
    chunk: usize,
    runs: Option<Runs<'a>>,
    run: Option<(Run<'a>, Samples<'a>)>,
    /// Where the next sample of the run lies in the media of all chunks.
    offset: u64,
}

impl<'a> Cursor<'a> {
    fn new(plan: &RecordPlan<'a>, track: TrackKind) -> Self {
        let runs = plan.chunks.first().map(|chunk| chunk.table.runs());
        let mut cursor = Self { track, head: None, left_out: 0, chunk: 0, runs, run: None, offset: 0 };
        cursor.advance(plan);
        cursor
    }

    /// Goes on to the next sample that a tag can hold.
    pub(super) fn advance(&mut self, plan: &RecordPlan<'a>) {
        loop {
            self.head = self.read(plan);
            match &self.head {
                Some(placed) if !body::holds(placed.entry, placed.is_enhanced, placed.sample.size) => {
                    self.left_out += 1;
                }
                _ => return,
            }
        }
    }

    /// The samples that are left of the chunks up to one.
    pub(super) fn until<'p>(
        &self,
        plan: &'p RecordPlan<'a>,
        chunk: usize,
    ) -> impl Iterator<Item = Placed<'a>> + use<'p, 'a> {
        let mut rest = self.clone();
        std::iter::from_fn(move || {
            let placed = rest.head.filter(|placed| placed.chunk <= chunk)?;
            rest.advance(plan);
            Some(placed)
        })
    }

    fn read(&mut self, plan: &RecordPlan<'a>) -> Option<Placed<'a>> {
        loop {
            let chunk = plan.chunks.get(self.chunk)?;
            if let Some((run, samples)) = &mut self.run
                && let Some(sample) = samples.next()
            {
                let offset = self.offset;
                self.offset += u64::from(sample.size);
                return Some(Placed {
                    chunk: self.chunk,
                    sample,
                    time_90khz: sample.dts_90khz + chunk.shift_90khz,
                    offset,
                    entry: &chunk.table.head().entries[run.entry as usize],
                    is_enhanced: chunk.table.head().track(self.track).is_enhanced,
                });
            }
            self.run = None;
            match self.runs.as_mut()?.find(|run| run.track == self.track) {
                Some(run) => {
                    self.offset = chunk.media_first + run.offset;
                    let samples = run.samples();
                    self.run = Some((run, samples));
                }
                None => {
                    self.chunk += 1;
                    self.runs = plan.chunks.get(self.chunk).map(|chunk| chunk.table.runs());
                }
            }
        }
    }
}
