//! The tags of a file, in their order: what layout and writer both walk, so that they cannot differ.

use media::{AudioCodec, TrackKind, VideoCodec};
use sample_table::{AudioEntry, FileClock, Follows, Sample, SampleEntry, SampleTable, VideoEntry};

use super::Headers;
use crate::{Error, TagKind, script};

/// Bytes of the longest header of a tag's body: one byte, a FourCC, a composition time.
const MAX_HEADER_SIZE: usize = 8;

/// Bytes of a tag's longest body: their number has 24 bits.
const MAX_BODY_SIZE: usize = (1 << 24) - 1;

/// One tag of a file.
#[derive(Clone, Debug)]
pub(super) struct PlannedTag<'a> {
    pub(super) kind: TagKind,
    /// Unit: milliseconds of the file.
    pub(super) time_ms: u64,
    header: [u8; MAX_HEADER_SIZE],
    header_size: usize,
    pub(super) payload: Payload<'a>,
    /// A player can begin here: with a picture, or with the headers right before it.
    pub(super) is_entry: bool,
}

/// What follows the header of a tag's body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    /// A configuration record, or script data.
    Bytes(&'a [u8]),
    /// A sample: where it lies in the chunk's media, and its bytes.
    Sample { offset: u64, size: u32 },
}

impl<'a> PlannedTag<'a> {
    fn new(kind: TagKind, time_ms: u64, parts: &[&[u8]], payload: Payload<'a>) -> Self {
        let (mut header, mut header_size) = ([0; MAX_HEADER_SIZE], 0);
        for part in parts {
            header[header_size..header_size + part.len()].copy_from_slice(part);
            header_size += part.len();
        }
        Self { kind, time_ms, header, header_size, payload, is_entry: false }
    }

    pub(super) fn header(&self) -> &[u8] {
        &self.header[..self.header_size]
    }

    pub(super) fn body_size(&self) -> usize {
        let payload = match self.payload {
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Sample { size, .. } => size as usize,
        };
        self.header_size + payload
    }
}

/// Walks the tags of a file, chunk by chunk.
#[derive(Clone, Debug, Default)]
pub(super) struct Tags {
    headers: Headers,
    clock: FileClock,
    /// The first decoding time. Unit: 1/90 000 s of the file's clock.
    begin_90khz: Option<i64>,
    /// The last time of each track and of script data. Unit: milliseconds of the file.
    last_ms: [u64; 3],
    /// The sequence header in use: its whole body.
    video: Option<Vec<u8>>,
    audio: Option<Vec<u8>>,
    /// Samples so far, and those among them that no tag can hold.
    samples: u64,
    left_out: u64,
}

/// A sample, where it lies, and what it is of.
#[derive(Clone, Copy)]
struct Placed<'t, 'a> {
    sample: Sample,
    offset: u64,
    entry: &'t SampleEntry<'a>,
}

/// Tracks in the order in which tags of one time stand, and the place of script data in `last_ms`.
const TRACKS: [TrackKind; 2] = [TrackKind::Video, TrackKind::Audio];
const AUDIO: usize = 1;
const SCRIPT: usize = 2;

impl Tags {
    pub(super) fn new(headers: Headers) -> Self {
        Self { headers, ..Self::default() }
    }

    /// Samples so far, and those among them that no tag can hold.
    pub(super) fn samples(&self) -> (u64, u64) {
        (self.samples, self.left_out)
    }

    pub(super) fn clock(&self) -> &FileClock {
        &self.clock
    }

    /// The last time of a track. Unit: milliseconds of the file.
    pub(super) fn last_ms(&self) -> u64 {
        self.last_ms.into_iter().max().unwrap_or(0)
    }

    /// Gives each tag of the file's next chunk to `take`.
    pub(super) fn each<'a>(
        &mut self,
        table: &SampleTable<'a>,
        follows: Follows,
        take: &mut impl FnMut(&PlannedTag<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let shift = self.clock.place(table, follows);
        let mut tracks = TRACKS.map(|track| samples(table, track).peekable());
        let firsts = tracks.each_mut().map(|samples| samples.peek().map(|placed| placed.sample.dts_90khz));
        let Some(first) = firsts.into_iter().flatten().min() else { return Ok(()) };
        let begin = *self.begin_90khz.get_or_insert(first + shift);
        let of_script = |script: &&sample_table::Script<'_>| {
            script::name(script.body) != Some(script::ON_META_DATA) && !script.body.is_empty()
        };
        let mut scripts = table.head().scripts.iter().filter(of_script).peekable();
        loop {
            let dts = tracks.each_mut().map(|samples| samples.peek().map(|placed| placed.sample.dts_90khz));
            let next = match dts {
                [Some(video), Some(audio)] => usize::from(audio < video),
                [None, Some(_)] => 1,
                [Some(_), None] => 0,
                [None, None] => 2,
            };
            let next_dts = dts.get(next).copied().flatten();
            if let Some(script) =
                scripts.next_if(|script| next_dts.is_none_or(|next| script.time_90khz <= next))
            {
                let time_ms = self.time_ms(SCRIPT, script.time_90khz + shift - begin);
                take(&PlannedTag::new(TagKind::Script, time_ms, &[], Payload::Bytes(script.body)))?;
                continue;
            }
            let Some(placed) = tracks.get_mut(next).and_then(Iterator::next) else { return Ok(()) };
            let time_ms = self.time_ms(next, placed.sample.dts_90khz + shift - begin);
            let is_enhanced = table.head().track(TRACKS[next]).is_enhanced;
            self.take_sample(placed, time_ms, shift - begin, is_enhanced, take)?;
        }
    }

    /// Times of a track never go back.
    fn time_ms(&mut self, track: usize, time_90khz: i64) -> u64 {
        let time_ms = milliseconds(time_90khz).max(self.last_ms[track]);
        self.last_ms[track] = time_ms;
        time_ms
    }

    fn take_sample(
        &mut self,
        placed: Placed<'_, '_>,
        time_ms: u64,
        shift: i64,
        is_enhanced: bool,
        take: &mut impl FnMut(&PlannedTag<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Placed { sample, offset, entry } = placed;
        let payload = Payload::Sample { offset, size: sample.size };
        self.samples += 1;
        if sample.size as usize > MAX_BODY_SIZE - header_size(entry, is_enhanced) {
            self.left_out += 1;
            return Ok(());
        }
        match entry {
            SampleEntry::Video(entry) => {
                let header = video_header(entry, is_enhanced, true, VideoPacket::SequenceHeader);
                let is_repeated = self.headers == Headers::BeforeKeyframes && sample.is_sync;
                if is_new(&mut self.video, &header, entry.record) || is_repeated {
                    let record = Payload::Bytes(entry.record);
                    let mut tag = PlannedTag::new(TagKind::Video, time_ms, &[&header], record);
                    tag.is_entry = is_repeated;
                    take(&tag)?;
                }
                if let Some(body) = self.audio.as_ref().filter(|_| is_repeated) {
                    // Times of a track never go back.
                    let time_ms = self.last_ms[AUDIO];
                    take(&PlannedTag::new(TagKind::Audio, time_ms, &[], Payload::Bytes(body)))?;
                }
                let shown = sample.dts_90khz + i64::from(sample.composition_offset_90khz) + shift;
                let offset_ms = milliseconds(shown).saturating_sub(time_ms).min((1 << 23) - 1);
                let packet = VideoPacket::Frame(offset_ms as u32);
                let header = video_header(entry, is_enhanced, sample.is_sync, packet);
                let mut tag = PlannedTag::new(TagKind::Video, time_ms, &[&header], payload);
                tag.is_entry = sample.is_sync && !is_repeated;
                take(&tag)
            }
            SampleEntry::Audio(entry) => {
                if entry.codec == AudioCodec::Aac {
                    let header = audio_header(entry, is_enhanced, 0);
                    if is_new(&mut self.audio, &header, entry.record) {
                        let record = Payload::Bytes(entry.record);
                        take(&PlannedTag::new(TagKind::Audio, time_ms, &[&header], record))?;
                    }
                } else {
                    self.audio = None;
                }
                let header = audio_header(entry, is_enhanced, 1);
                take(&PlannedTag::new(TagKind::Audio, time_ms, &[&header], payload))
            }
        }
    }
}

/// Remembers a sequence header; whether it is another than before.
fn is_new(in_use: &mut Option<Vec<u8>>, header: &[u8], record: &[u8]) -> bool {
    let is_same = in_use.as_ref().is_some_and(|body| body.strip_prefix(header) == Some(record));
    if !is_same {
        *in_use = Some([header, record].concat());
    }
    !is_same
}

/// A time of the file in whole milliseconds; what lies before the begin is at it.
fn milliseconds(time_90khz: i64) -> u64 {
    u64::try_from((time_90khz + 45) / 90).unwrap_or(0)
}

/// A track's samples, and where they lie.
fn samples<'t, 'a>(
    table: &'t SampleTable<'a>,
    track: TrackKind,
) -> impl Iterator<Item = Placed<'t, 'a>> + use<'t, 'a> {
    let entries = &table.head().entries;
    table.runs().filter(move |run| run.track == track).flat_map(move |run| {
        let mut next = run.offset;
        let entry = &entries[run.entry as usize];
        run.samples().map(move |sample| {
            let offset = next;
            next += u64::from(sample.size);
            Placed { sample, offset, entry }
        })
    })
}

enum VideoPacket {
    SequenceHeader,
    /// With its composition time in milliseconds.
    Frame(u32),
}

/// The header of a video tag's body (FLV 10.1 §E.4.3.1; E-RTMP v2).
fn video_header(entry: &VideoEntry<'_>, is_enhanced: bool, is_key: bool, packet: VideoPacket) -> Vec<u8> {
    let frame_type: u8 = if is_key { 1 } else { 2 };
    let (packet_type, offset_ms) = match packet {
        VideoPacket::SequenceHeader => (0, None),
        VideoPacket::Frame(offset_ms) => (1, Some(offset_ms)),
    };
    let (codec_id, four_cc) = match entry.codec {
        VideoCodec::H264 => (7, Some(b"avc1")),
        VideoCodec::Hevc => (12, Some(b"hvc1")),
        VideoCodec::Mpeg4 => (9, None),
    };
    let offset = offset_ms.map(u32::to_be_bytes);
    match four_cc.filter(|_| is_enhanced) {
        Some(four_cc) => {
            let first = 0x80 | frame_type << 4 | packet_type;
            [&[first][..], four_cc, offset.as_ref().map_or(&[][..], |offset| &offset[1..])].concat()
        }
        None => {
            let offset = offset.unwrap_or_default();
            [&[frame_type << 4 | codec_id, packet_type][..], &offset[1..]].concat()
        }
    }
}

/// Bytes of the header of a sample's tag.
fn header_size(entry: &SampleEntry<'_>, is_enhanced: bool) -> usize {
    match entry {
        SampleEntry::Video(entry) => video_header(entry, is_enhanced, true, VideoPacket::Frame(0)).len(),
        SampleEntry::Audio(entry) => audio_header(entry, is_enhanced, 1).len(),
    }
}

/// The header of an audio tag's body (FLV 10.1 §E.4.2.1; E-RTMP v2). Packet type 0 is a sequence header, 1 a frame.
fn audio_header(entry: &AudioEntry<'_>, is_enhanced: bool, packet_type: u8) -> Vec<u8> {
    match (entry.codec, is_enhanced) {
        (AudioCodec::Aac, true) => [&[0x90 | packet_type][..], b"mp4a"].concat(),
        (AudioCodec::Mp3, true) => [&[0x90 | packet_type][..], b".mp3"].concat(),
        // Rate, size and channels of AAC are constants.
        (AudioCodec::Aac, false) => vec![0xaf, packet_type],
        (AudioCodec::Mp3, false) => {
            let (format, rate) = match entry.sample_rate_hz {
                8_000 => (14, 0),
                0..=10_999 => (2, 0),
                11_000..=15_999 => (2, 1),
                16_000..=31_999 => (2, 2),
                // There is no number for 48 kHz, and readers go by the frames.
                _ => (2, 3),
            };
            vec![format << 4 | rate << 2 | 1 << 1 | u8::from(entry.channels != 1)]
        }
    }
}
