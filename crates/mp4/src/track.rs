//! A track of a file as it is put together.

use media::TrackKind;
use sample_table::{Sample, SampleEntry};

use crate::{
    Error,
    entry::{sample_entry, shown_size},
    pieces::{Column, Pieces, RunColumn},
    time::{Scale, TICKS_A_SECOND},
};

/// Sample entries of a track, at most. Later ones share the last: their pictures bring their parameter sets.
const MAX_ENTRIES: usize = 1_000;

/// How long a sample lasts at most, in the track's units: FFmpeg reads durations as signed.
const MAX_DURATION: i64 = i32::MAX as i64;

/// Sound that lies so near to where the frames before it end begins there. Unit: 1/90 000 s.
///
/// FLV stamps are whole milliseconds, and a frame's length is not: two milliseconds are what rounding can make of both
/// ends, and no ear hears them.
const ROUNDING_90KHZ: i64 = 180;

/// A track of a file.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) kind: TrackKind,
    pub(crate) scale: Scale,
    /// The size that pictures are shown at. Unit: 1/65 536 pixel.
    pub(crate) shown_size: (u32, u32),
    /// Sample entries, as boxes.
    entries: Vec<Vec<u8>>,
    /// The decoding time of the first sample, on the file's clock. Unit: 1/90 000 s.
    pub(crate) origin_90khz: i64,
    /// Samples so far.
    pub(crate) count: u32,
    /// Decoding time of the last sample, in the track's units from the first.
    last: i64,
    /// Where sound ends so far, if frames follow each other without a gap.
    expected: Option<i64>,
    /// How long the last sample lasts unless another follows.
    last_duration: i64,
    /// The earliest and the latest presentation time, in the track's units.
    pub(crate) first_shown: i64,
    last_shown: i64,
    durations: RunColumn,
    offsets: RunColumn,
    has_offsets: bool,
    sizes: Column,
    sync: Column,
    chunks: Column,
    chunk_offsets: Column,
    /// Samples and sample entry of the chunks so far that are alike.
    last_chunk: Option<(u32, u32)>,
}

/// What a track's media ends with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    /// All durations, in the track's units: what `mdhd` says.
    pub(crate) media: u64,
    /// The end of the last picture shown, in the track's units from the first decoding time.
    pub(crate) shown_until: i64,
}

impl Track {
    /// A track that begins with samples of `entry`, the first of which is decoded at `origin_90khz`.
    pub(crate) fn new(entry: &SampleEntry<'_>, origin_90khz: i64) -> Self {
        let (kind, timescale, shown_size) = match entry {
            SampleEntry::Video(entry) => (TrackKind::Video, TICKS_A_SECOND, shown_size(entry)),
            SampleEntry::Audio(entry) => (TrackKind::Audio, entry.sample_rate_hz, (0, 0)),
        };
        Self {
            kind,
            scale: Scale(timescale),
            shown_size,
            entries: Vec::new(),
            origin_90khz,
            count: 0,
            last: 0,
            expected: None,
            last_duration: 0,
            first_shown: i64::MAX,
            last_shown: i64::MIN,
            durations: RunColumn::default(),
            offsets: RunColumn::default(),
            has_offsets: false,
            sizes: Column::default(),
            sync: Column::default(),
            chunks: Column::default(),
            chunk_offsets: Column::default(),
            last_chunk: None,
        }
    }

    /// The number of a sample entry; `None` for one that no MP4 file can hold.
    pub(crate) fn entry(&mut self, entry: &SampleEntry<'_>) -> Option<u32> {
        let found = sample_entry(entry)?;
        if let Some(known) = self.entries.iter().position(|entry| *entry == found) {
            return Some(known as u32 + 1);
        }
        if self.entries.len() < MAX_ENTRIES {
            self.entries.push(found);
        }
        Some(self.entries.len() as u32)
    }

    /// Adds a chunk of `count` samples of a sample entry.
    pub(crate) fn add_chunk(&mut self, media_offset: u64, count: u32, entry: u32) {
        self.chunk_offsets.push_offset(media_offset);
        if self.last_chunk.replace((count, entry)) != Some((count, entry)) {
            self.chunks.push([self.chunk_offsets.count() as u32, count, entry]);
        }
    }

    /// Adds a sample, whose times are those of the file.
    ///
    /// `frame`: how long it lasts if the format says so, in samples at a rate of the second number. `lasts_90khz`: how
    /// long it lasts in all likelihood if none follows.
    pub(crate) fn add(&mut self, sample: &Sample, frame: Option<(u16, u32)>, lasts_90khz: i64) {
        let stamp = self.scale.of(sample.dts_90khz - self.origin_90khz);
        let tolerance = self.scale.of(ROUNDING_90KHZ);
        let time = match self.expected {
            Some(expected) if (stamp - expected).abs() <= tolerance => expected,
            _ => stamp,
        };
        if self.count > 0 {
            // What one sample cannot last, the next one does besides.
            let duration = (time - self.last).clamp(1, MAX_DURATION);
            self.durations.push(duration as u32);
            self.last += duration;
        }
        let frame = frame.and_then(|(samples, rate)| self.scale.exactly(samples, rate));
        self.expected = frame.map(|frame| self.last + frame);
        // A message of MP3 may hold several frames.
        let lasts = self.scale.of(lasts_90khz);
        let frame = frame.filter(|frame| lasts <= frame + tolerance);
        self.last_duration = frame.unwrap_or(lasts).clamp(1, MAX_DURATION);
        let offset = self.scale.of(sample.composition_offset_90khz.into());
        let offset = u32::try_from(offset).unwrap_or(u32::MAX).min(i32::MAX as u32);
        self.has_offsets |= offset != 0;
        self.offsets.push(offset);
        let shown = self.last + i64::from(offset);
        self.first_shown = self.first_shown.min(shown);
        self.last_shown = self.last_shown.max(shown);
        self.sizes.push([sample.size]);
        self.count = self.count.saturating_add(1);
        if sample.is_sync {
            self.sync.push([self.count]);
        }
    }

    pub(crate) fn lengths(&self) -> Lengths {
        let media = (self.last + self.last_duration).cast_unsigned();
        Lengths { media, shown_until: self.last_shown + self.last_duration }
    }

    /// The sample table box.
    pub(crate) fn into_stbl(mut self) -> Result<Pieces, Error> {
        self.durations.push(self.last_duration as u32);
        let mut content = Pieces::default();
        let count = (self.entries.len() as u32).to_be_bytes();
        let mut entries = Pieces::default();
        entries.push_bytes([[0; 4], count].concat());
        self.entries.into_iter().for_each(|entry| entries.push_bytes(entry));
        content.append(entries.into_box(*b"stsd")?);
        content.append(self.durations.into_box(*b"stts")?);
        if self.has_offsets {
            content.append(self.offsets.into_box(*b"ctts")?);
        }
        // Where decoding can begin with every sample, the box says nothing.
        if self.sync.count() < u64::from(self.count) {
            content.append(self.sync.into_box(*b"stss", &[])?);
        }
        content.append(self.chunks.into_box(*b"stsc", &[])?);
        content.append(self.sizes.into_box(*b"stsz", &[0])?);
        content.append(self.chunk_offsets.into_box(*b"co64", &[])?);
        content.into_box(*b"stbl")
    }
}
