//! What a table says before its runs.

use media::TrackKind;

use crate::{
    Error, MAX_ENTRIES, SampleEntry,
    fields::{Fields, write_bytes, write_number, write_signed},
    run::MAX_TIME_90KHZ,
};

/// Messages of script data that a table keeps, at most.
pub const MAX_SCRIPTS: usize = 256;

/// The longest that a track's last sample is taken to last: an hour. Unit: 1/90 000 s.
const MAX_LAST_DURATION_90KHZ: u64 = 3_600 * 90_000;

const VIDEO_ENHANCED: u8 = 1;
const AUDIO_ENHANCED: u8 = 2;

/// What a table says before its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head<'a> {
    /// Pictures.
    pub video: TrackHead,
    /// Sound.
    pub audio: TrackHead,
    /// What decoders must know; runs refer to it. At most [`MAX_ENTRIES`].
    pub entries: Vec<SampleEntry<'a>>,
    /// Script data of the push, in the order in which it came. At most [`MAX_SCRIPTS`].
    pub scripts: Vec<Script<'a>>,
}

/// What holds for a track's samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackHead {
    /// How long the track's last sample lasts in all likelihood. Unit: 1/90 000 s.
    pub last_duration_90khz: u32,
    /// The push has the track in messages of Enhanced RTMP.
    pub is_enhanced: bool,
}

/// A message of script data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script<'a> {
    /// When it came, on the clock of the samples. Unit: 1/90 000 s.
    pub time_90khz: i64,
    /// AMF0, as it was pushed.
    pub body: &'a [u8],
}

impl<'a> Head<'a> {
    /// What holds for a track's samples.
    #[must_use]
    pub fn track(&self, track: TrackKind) -> &TrackHead {
        match track {
            TrackKind::Video => &self.video,
            TrackKind::Audio => &self.audio,
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let enhanced = [(self.video, VIDEO_ENHANCED), (self.audio, AUDIO_ENHANCED)];
        out.push(enhanced.iter().filter(|(track, _)| track.is_enhanced).map(|(_, flag)| flag).sum());
        write_number(out, self.video.last_duration_90khz.into());
        write_number(out, self.audio.last_duration_90khz.into());
        write_number(out, self.entries.len() as u64);
        self.entries.iter().for_each(|entry| entry.write(out));
        write_number(out, self.scripts.len() as u64);
        for script in &self.scripts {
            write_signed(out, script.time_90khz);
            write_bytes(out, script.body);
        }
    }

    pub(crate) fn read(fields: &mut Fields<'a>) -> Result<Self, Error> {
        let offset = fields.offset();
        let flags = fields.byte("flags")?;
        if flags > (VIDEO_ENHANCED | AUDIO_ENHANCED) {
            return Err(Error::Range { field: "flags", offset });
        }
        let mut track = |flag| {
            let last = fields.number("last duration", MAX_LAST_DURATION_90KHZ)?;
            Ok(TrackHead { last_duration_90khz: last as u32, is_enhanced: flags & flag != 0 })
        };
        let (video, audio) = (track(VIDEO_ENHANCED)?, track(AUDIO_ENHANCED)?);
        let count = fields.number("sample entries", MAX_ENTRIES as u64)?;
        let entries = (0..count).map(|_| SampleEntry::read(fields)).collect::<Result<_, _>>()?;
        let count = fields.number("scripts", MAX_SCRIPTS as u64)?;
        let scripts = (0..count).map(|_| {
            let time_90khz = fields.signed("script time", MAX_TIME_90KHZ)?;
            Ok(Script { time_90khz, body: fields.bytes("script")? })
        });
        let scripts = scripts.collect::<Result<_, _>>()?;
        Ok(Self { video, audio, entries, scripts })
    }
}
