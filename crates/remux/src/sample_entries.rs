//! The configurations of a chunk as sample entries of its table.

use codec::{aac::AdtsFrame, nal_video::NalCodec};
use media::{AudioCodec, AudioConfig, Media, VideoCodec, VideoConfig};
use sample_table::{AudioEntry, SampleEntry, VideoEntry};

/// Bytes of all records of a table, at most. Ordinary ones take a hundred each, and hardly ever change.
///
/// Bounds what a hostile chunk of many configurations can make of long parameter sets, and so the tables of a file, which
/// are in memory together when it is written. What does not fit any more stays with the entry before.
const MAX_RECORDS_SIZE: usize = 16 << 10;

/// The records of a chunk, and which entry each configuration has.
#[derive(Debug, Default)]
pub(crate) struct Entries<'a> {
    kinds: Vec<Kind<'a>>,
    size: usize,
    /// For each video and audio configuration the number of its entry.
    pub(crate) video: Vec<u32>,
    pub(crate) audio: Vec<u32>,
}

/// A sample entry that owns its record.
#[derive(Debug, PartialEq, Eq)]
enum Kind<'a> {
    Video {
        codec: VideoCodec,
        width: u16,
        height: u16,
        record: Vec<u8>,
    },
    Audio(AudioEntry<'a>),
    /// A record made from an ADTS header.
    AudioFromAdts(AudioEntry<'a>, [u8; 2]),
}

impl<'a> Entries<'a> {
    pub(crate) fn new(media: &Media<'a>, audio_records: &[&'a [u8]]) -> Self {
        let mut entries = Self::default();
        for config in &media.video.configs {
            let number = entries.add(video_entry(config));
            entries.video.push(number);
        }
        for (config, record) in media.audio.configs.iter().zip(audio_records) {
            let number = entries.add(audio_entry(config, record));
            entries.audio.push(number);
        }
        entries
    }

    fn add(&mut self, entry: Kind<'a>) -> u32 {
        if let Some(known) = self.kinds.iter().position(|kind| *kind == entry) {
            return known as u32;
        }
        let size = entry.record().len();
        let is_full = self.size + size > MAX_RECORDS_SIZE;
        let before = self.kinds.iter().rposition(|kind| kind.codec() == entry.codec());
        if let Some(before) = before.filter(|_| is_full) {
            return before as u32;
        }
        self.size += size;
        self.kinds.push(if is_full { entry.without_record() } else { entry });
        self.kinds.len() as u32 - 1
    }

    pub(crate) fn list(&self) -> Vec<SampleEntry<'_>> {
        self.kinds.iter().map(Kind::entry).collect()
    }
}

impl Kind<'_> {
    fn entry(&self) -> SampleEntry<'_> {
        match self {
            Self::Video { codec, width, height, record } => {
                SampleEntry::Video(VideoEntry { codec: *codec, width: *width, height: *height, record })
            }
            Self::Audio(entry) => SampleEntry::Audio(*entry),
            Self::AudioFromAdts(entry, record) => SampleEntry::Audio(AudioEntry { record, ..*entry }),
        }
    }

    fn record(&self) -> &[u8] {
        match self.entry() {
            SampleEntry::Video(entry) => entry.record,
            SampleEntry::Audio(entry) => entry.record,
        }
    }

    fn codec(&self) -> &'static str {
        match self {
            Self::Video { codec, .. } => codec.name(),
            Self::Audio(entry) | Self::AudioFromAdts(entry, _) => entry.codec.name(),
        }
    }

    fn without_record(self) -> Self {
        match self {
            Self::Video { codec, width, height, .. } => {
                Self::Video { codec, width, height, record: record(codec, &[]) }
            }
            Self::Audio(entry) | Self::AudioFromAdts(entry, _) => {
                Self::Audio(AudioEntry { record: &[], ..entry })
            }
        }
    }
}

fn video_entry<'a>(config: &VideoConfig<'_>) -> Kind<'a> {
    let side = |side: Option<u32>| side.and_then(|side| u16::try_from(side).ok()).unwrap_or(0);
    let size: usize = config.headers.iter().map(|unit| unit.len()).sum();
    let headers = if size > MAX_RECORDS_SIZE { &[][..] } else { &config.headers };
    Kind::Video {
        codec: config.codec,
        width: side(config.size.map(|size| size.width)),
        height: side(config.size.map(|size| size.height)),
        record: record(config.codec, headers),
    }
}

/// What a decoder must know before pictures, of the headers that stand before them.
fn record(codec: VideoCodec, headers: &[&[u8]]) -> Vec<u8> {
    let mut record = Vec::new();
    match codec {
        VideoCodec::H264 => NalCodec::H264.write_record(headers, &mut record),
        VideoCodec::Hevc => NalCodec::Hevc.write_record(headers, &mut record),
        VideoCodec::Mpeg4 => record = headers.concat(),
    }
    record
}

fn audio_entry<'a>(config: &AudioConfig, record: &'a [u8]) -> Kind<'a> {
    let rate_hz = u64::from(config.sample_rate_hz);
    let core_hz = config.aac.map_or(rate_hz, |aac| aac.core_sample_rate_hz().into());
    let frame_samples = match config.codec {
        AudioCodec::Aac if !config.has_adts_headers => 1_024 * rate_hz / core_hz.max(1),
        // Their number is told by how long they last.
        AudioCodec::Aac | AudioCodec::Mp3 => {
            (u64::from(config.frame_duration_90khz) * rate_hz + 45_000) / 90_000
        }
    };
    let entry = AudioEntry {
        codec: config.codec,
        sample_rate_hz: config.sample_rate_hz.max(1),
        channels: config.channels.and_then(|channels| u8::try_from(channels).ok()).unwrap_or(0),
        frame_samples: u16::try_from(frame_samples).unwrap_or(u16::MAX),
        in_adts: config.has_adts_headers,
        record,
    };
    match config.aac {
        Some(aac) if AdtsFrame::parse(record).is_some() => {
            Kind::AudioFromAdts(AudioEntry { record: &[], ..entry }, aac.core_record())
        }
        _ => Kind::Audio(entry),
    }
}
