//! The order of things: which track is next, when tables and clock references are due.
//!
//! The sizing pass and the writing pass both walk a schedule, so that they cannot differ.

use media::{AccessUnit, AudioConfig, Media, TrackKind, VideoCodec};

use crate::{
    AudioStream, MuxerState, PCR_LEAD_90KHZ, Program, elementary::mpeg4_profile_and_level, lead::Leads,
};

/// The longest time between program tables. Unit: 1/90 000 s.
///
/// 100 ms, as players expect that join anywhere.
const MAX_TABLE_INTERVAL_90KHZ: i64 = 9_000;

/// From this age on tables are repeated with the next clock reference, so that they seldom need one of their
/// own. Unit: 1/90 000 s.
const TABLE_AGE_90KHZ: i64 = 4_500;

/// Audio frames of one PES packet begin within this time. Unit: 1/90 000 s.
const MAX_AUDIO_SPAN_90KHZ: i64 = 90 * 90;

/// Audio frames of one PES packet lie so near to where their durations put them. Unit: 1/90 000 s.
///
/// Timestamps in whole milliseconds are off by up to one.
const MAX_AUDIO_DEVIATION_90KHZ: i64 = 135;

/// A decoder's buffer for audio in bytes, for up to two channels and for more (13818-1 §2.4.2).
const AUDIO_BUFFER_SIZE: u64 = 3_584;
const MULTICHANNEL_BUFFER_SIZE: u64 = 8_976;

/// What an audio frame takes there beside its own bytes: an ADTS header, and maybe a PES header.
const AUDIO_HEADERS_SIZE: u64 = 7 + 14;

/// Bytes of parameter sets that are repeated before each keyframe; longer ones go once into a slice.
///
/// Encoders write one or two hundred. Bounds what a hostile sequence header can make of many small keyframes.
const MAX_REPEATED_HEADERS_SIZE: usize = 1_024;

/// Clock references without media in one slice: those of a pause of a hundred seconds at 100 ms.
///
/// Bounds what pauses in a hostile chunk can make of it.
const MAX_EMPTY_PCRS: u32 = 1_000;

/// What the muxer may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MuxerPolicy {
    /// The longest time between program clock references. Unit: 1/90 000 s.
    /// Default: 9 000 (100 ms, 13818-1 §2.7.2); 3 600 (40 ms) is what DVB asks for.
    pub max_pcr_interval_90khz: u32,
}

impl Default for MuxerPolicy {
    fn default() -> Self {
        Self { max_pcr_interval_90khz: 9_000 }
    }
}

/// One thing to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The program tables.
    Tables,
    /// A program clock reference by itself.
    Pcr(i64),
    /// A PES packet.
    Pes(Pes),
}

/// What goes into a PES packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pes {
    pub(crate) track: TrackKind,
    /// The track's access units `first..end`.
    pub(crate) first: usize,
    pub(crate) end: usize,
    /// The clock reference that it carries.
    pub(crate) pcr_90khz: Option<i64>,
    /// The headers of its configuration are due before its picture, as far as that does not bring its own.
    pub(crate) headers_due: bool,
}

/// Walks a slice.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    policy: MuxerPolicy,
    pub(crate) leads: Leads,
    video: usize,
    audio: usize,
    /// When the next video unit is due. It is asked for more often than it changes.
    video_due: Option<i64>,
    pub(crate) program: Program,
    pub(crate) version: u8,
    pub(crate) pcr_90khz: Option<i64>,
    /// The clock when tables were last written.
    pub(crate) tables_at: Option<i64>,
    /// The slice, or the program as it now is, has not had its tables.
    tables_missing: bool,
    /// What follows the tables just given out.
    after_tables: Option<Step>,
    empty_pcrs: u32,
    /// The video configuration whose headers were last due. They go before the first picture of a slice, be it a
    /// keyframe or not: a slice is decoded from wherever it can be entered.
    headers_of: Option<u32>,
    /// The first audio unit that the decoder has and has not decoded, and the bytes from it on.
    waiting: usize,
    waiting_bytes: u64,
}

impl Schedule {
    /// A schedule that begins where `state` ends, with the tracks that `media` begins with.
    pub(crate) fn new(media: &Media<'_>, state: &MuxerState, policy: MuxerPolicy) -> Self {
        let mut schedule = Self {
            policy,
            leads: Leads::new(media, state),
            video: 0,
            audio: 0,
            video_due: None,
            program: state.program,
            version: state.version,
            pcr_90khz: state.pcr_90khz,
            tables_at: state.tables_90khz,
            tables_missing: true,
            after_tables: None,
            empty_pcrs: 0,
            headers_of: None,
            waiting: 0,
            waiting_bytes: 0,
        };
        schedule.video_due = schedule.find_video_due(media);
        if !media.video.units.is_empty() {
            schedule.list(media, TrackKind::Video);
        }
        if !media.audio.units.is_empty() {
            schedule.list(media, TrackKind::Audio);
        }
        // One slice that changes both tracks is one change.
        let is_change = schedule.program != state.program && state.program != Program::default();
        schedule.version = (state.version + u8::from(is_change)) % 32;
        schedule
    }

    /// Lists the track's next unit in the program; whether that changed it.
    fn list(&mut self, media: &Media<'_>, track: TrackKind) -> bool {
        let mut program = self.program;
        match track {
            TrackKind::Video => {
                let unit = &media.video.units[self.video];
                let config = &media.video.configs[unit.config as usize];
                program.video = Some(config.codec);
                if config.codec == VideoCodec::Mpeg4 {
                    let found = mpeg4_profile_and_level(config, unit);
                    program.mpeg4_profile_and_level = found.unwrap_or(program.mpeg4_profile_and_level);
                }
            }
            TrackKind::Audio => {
                let config = media.audio.units[self.audio].config;
                program.audio = Some(AudioStream::of(&media.audio.configs[config as usize]));
            }
        }
        let changed = program != self.program;
        self.program = program;
        changed
    }

    /// The next thing to write, or `None` at the end of the slice.
    pub(crate) fn next(&mut self, media: &Media<'_>) -> Option<Step> {
        if let Some(step) = self.after_tables.take() {
            return Some(step);
        }
        let (track, due) = self.next_due(media)?;
        // References rise: one that repeats would be taken for a wrap of the clock.
        let clock = self.pcr_90khz.map_or(due, |last| due.max(last + 1));
        if self.list(media, track) {
            self.version = (self.version + 1) % 32;
            self.tables_missing = true;
        }
        let carries_pcr = track == TrackKind::Video || self.program.video.is_none();
        let deadline = match self.deadline() {
            // A track that carries no clock reference begins the session.
            None => (!carries_pcr).then_some(clock),
            Some(deadline) => (clock > deadline && self.empty_pcrs < MAX_EMPTY_PCRS).then_some(deadline),
        };
        let pcr_90khz = deadline.or(carries_pcr.then_some(clock));
        self.pcr_90khz = pcr_90khz.or(self.pcr_90khz);
        let step = if let Some(pcr_90khz) = deadline {
            self.empty_pcrs += 1;
            Step::Pcr(pcr_90khz)
        } else if track == TrackKind::Video {
            let AccessUnit { random_access, config, .. } = media.video.units[self.video];
            let headers = &media.video.configs[config as usize].headers;
            let size = || headers.iter().map(|header| header.len()).sum::<usize>();
            let repeats = random_access && size() <= MAX_REPEATED_HEADERS_SIZE;
            let headers_due = repeats || self.headers_of != Some(config);
            self.headers_of = Some(config);
            self.video += 1;
            self.video_due = self.find_video_due(media);
            Step::Pes(Pes { track, first: self.video - 1, end: self.video, pcr_90khz, headers_due })
        } else {
            let first = self.audio;
            self.audio = self.audio_run_end(media, first);
            Step::Pes(Pes { track, first, end: self.audio, pcr_90khz, headers_due: false })
        };
        // Tables go first in a slice, and then just before clock references.
        let is_old = |pcr: i64| self.tables_at.is_none_or(|at| pcr - at >= TABLE_AGE_90KHZ);
        if self.tables_missing || pcr_90khz.is_some_and(is_old) {
            self.tables_missing = false;
            self.tables_at = Some(pcr_90khz.unwrap_or(clock));
            self.after_tables = Some(step);
            return Some(Step::Tables);
        }
        Some(step)
    }

    /// The track whose next access unit is due first, and when.
    fn next_due(&self, media: &Media<'_>) -> Option<(TrackKind, i64)> {
        let audio = media.audio.units.get(self.audio).map(|unit| self.leads.audio_due(unit.dts_90khz));
        match (self.video_due, audio) {
            (None, None) => None,
            (Some(video), Some(audio)) if audio < video => Some((TrackKind::Audio, audio)),
            (Some(video), _) => Some((TrackKind::Video, video)),
            (None, Some(audio)) => Some((TrackKind::Audio, audio)),
        }
    }

    fn find_video_due(&self, media: &Media<'_>) -> Option<i64> {
        media.video.units.get(self.video).map(|unit| self.leads.video_due(unit.dts_90khz))
    }

    /// When a clock reference has to come, be there media or not; `None` before the first one.
    fn deadline(&self) -> Option<i64> {
        let last = self.pcr_90khz?;
        let by_interval = last + i64::from(self.policy.max_pcr_interval_90khz.max(1));
        let by_tables = self.tables_at.map_or(by_interval, |at| at + MAX_TABLE_INTERVAL_90KHZ);
        Some(by_interval.min(by_tables).max(last + 1))
    }

    /// Where the run of audio frames that share a PES packet with `first` ends.
    ///
    /// Only the first frame's time is written; a decoder counts on from it, so the others must lie where it
    /// counts to. All of them arrive at once, beside those that still wait.
    fn audio_run_end(&mut self, media: &Media<'_>, first: usize) -> usize {
        let units = &media.audio.units;
        let size = |unit: &AccessUnit<'_>| unit.data.size() + AUDIO_HEADERS_SIZE;
        let AccessUnit { dts_90khz: start, config, .. } = units[first];
        let AudioConfig { frame_duration_90khz, channels, .. } = media.audio.configs[config as usize];
        let buffer_size = if channels.is_some_and(|channels| channels > 2) {
            MULTICHANNEL_BUFFER_SIZE
        } else {
            AUDIO_BUFFER_SIZE
        };
        while units[self.waiting].dts_90khz <= start - PCR_LEAD_90KHZ {
            self.waiting_bytes -= size(&units[self.waiting]);
            self.waiting += 1;
        }
        self.waiting_bytes += size(&units[first]);
        if self.waiting == 0 {
            // What waits of the slice before is not known here.
            return first + 1;
        }
        let mut expected = start;
        let mut end = first + 1;
        while let Some(unit) = units.get(end) {
            expected += i64::from(frame_duration_90khz);
            let bytes = self.waiting_bytes + size(unit);
            let fits = unit.config == config
                && unit.dts_90khz - start < MAX_AUDIO_SPAN_90KHZ
                && (unit.dts_90khz - expected).abs() <= MAX_AUDIO_DEVIATION_90KHZ
                && bytes <= buffer_size;
            if !fits {
                break;
            }
            self.waiting_bytes = bytes;
            end += 1;
        }
        end
    }
}

#[cfg(test)]
mod tests;
