//! The tags of a file, in their order: what layout and writer both walk, so that they cannot differ.

use media::AudioCodec;
use sample_table::SampleEntry;

use super::body::{Payload, PlannedTag, VideoPacket, audio_header, video_header};
use super::order::{AUDIO, Next, Order, Placed, VIDEO};
use super::plan::{Headers, RecordPlan};
use crate::{Error, TagKind};

/// Walks the tags of a file.
#[derive(Clone, Debug)]
pub(super) struct Tags<'a> {
    pub(super) order: Order<'a>,
    /// The first decoding time. Unit: 1/90 000 s of the file's clock.
    begin_90khz: i64,
    /// The last time of each track, and of all tags. Unit: milliseconds of the file.
    last_ms: [u64; 2],
    pub(super) latest_ms: u64,
    /// The sequence headers in use.
    video: Option<SequenceHeader<'a>>,
    audio: Option<SequenceHeader<'a>>,
    /// Bytes of samples since sequence headers were last repeated.
    since_headers: u64,
    /// Samples so far.
    pub(super) samples: u64,
}

/// The body of a sequence header: what it begins with, and the configuration record.
type SequenceHeader<'a> = (Vec<u8>, &'a [u8]);

impl<'a> Tags<'a> {
    pub(super) fn new(plan: &RecordPlan<'a>) -> Self {
        let order = Order::new(plan);
        let begin_90khz = order.earliest_90khz().unwrap_or(0);
        Self {
            order,
            begin_90khz,
            last_ms: [0; 2],
            latest_ms: 0,
            video: None,
            audio: None,
            since_headers: 0,
            samples: 0,
        }
    }

    /// Gives the tags of the next sample, or the next one of script data, to `take`, as they follow each other.
    pub(super) fn step(
        &mut self,
        plan: &RecordPlan<'a>,
        next: &Next<'a>,
        take: &mut impl FnMut(&PlannedTag<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.order.advance(plan, next);
        match *next {
            Next::Script { script, time_90khz } => {
                let end_ms = milliseconds(i64::try_from(plan.duration_90khz).unwrap_or(i64::MAX - 45));
                let time_ms = milliseconds(time_90khz - self.begin_90khz).min(end_ms).max(self.latest_ms);
                self.latest_ms = time_ms;
                take(&PlannedTag::new(TagKind::Script, time_ms, &[], Payload::Bytes(script.body)))
            }
            Next::Sample { track, placed } => {
                let time_ms = milliseconds(placed.time_90khz - self.begin_90khz).max(self.last_ms[track]);
                self.last_ms[track] = time_ms;
                self.latest_ms = self.latest_ms.max(time_ms);
                self.samples += 1;
                self.since_headers += u64::from(placed.sample.size);
                if track == VIDEO {
                    self.take_picture(plan, placed, time_ms, take)
                } else {
                    self.take_sound(placed, time_ms, take)
                }
            }
        }
    }

    fn take_picture(
        &mut self,
        plan: &RecordPlan<'a>,
        placed: Placed<'a>,
        time_ms: u64,
        take: &mut impl FnMut(&PlannedTag<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Placed { sample, entry: SampleEntry::Video(entry), is_enhanced, .. } = placed else {
            return Ok(());
        };
        let header = video_header(entry, is_enhanced, true, VideoPacket::SequenceHeader);
        let is_new = is_new(&mut self.video, &header, entry.record);
        // Repeated headers are never more than the media: long ones between tiny keyframes would multiply a file.
        let of_audio = self.audio.as_ref().map_or(0, |(_, record)| record.len());
        let is_worth = self.since_headers >= (entry.record.len() + of_audio) as u64;
        let is_repeated = plan.headers == Headers::BeforeKeyframes && sample.is_sync && (is_new || is_worth);
        if is_repeated {
            self.since_headers = 0;
        }
        if is_new || is_repeated {
            let record = Payload::Bytes(entry.record);
            let mut tag = PlannedTag::new(TagKind::Video, time_ms, &[&header], record);
            tag.is_entry = is_repeated;
            take(&tag)?;
        }
        if let Some((header, record)) = self.audio.as_ref().filter(|_| is_repeated && is_worth) {
            // Times of a track never go back, also where sound is behind by more than can wait.
            let next =
                self.order.tracks[AUDIO].head.map(|next| milliseconds(next.time_90khz - self.begin_90khz));
            let time_ms = time_ms.min(next.unwrap_or(time_ms)).max(self.last_ms[AUDIO]);
            take(&PlannedTag::new(TagKind::Audio, time_ms, &[header], Payload::Bytes(record)))?;
        }
        let shown = placed.time_90khz + i64::from(sample.composition_offset_90khz) - self.begin_90khz;
        let offset_ms = milliseconds(shown).saturating_sub(time_ms).min((1 << 23) - 1);
        let header = video_header(entry, is_enhanced, sample.is_sync, VideoPacket::Frame(offset_ms as u32));
        let mut tag = PlannedTag::new(TagKind::Video, time_ms, &[&header], Payload::Sample(sample.size));
        tag.is_entry = sample.is_sync && !is_repeated;
        take(&tag)
    }

    fn take_sound(
        &mut self,
        placed: Placed<'a>,
        time_ms: u64,
        take: &mut impl FnMut(&PlannedTag<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Placed { sample, entry: SampleEntry::Audio(entry), is_enhanced, .. } = placed else {
            return Ok(());
        };
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
        take(&PlannedTag::new(TagKind::Audio, time_ms, &[&header], Payload::Sample(sample.size)))
    }
}

/// Remembers a sequence header; whether it is another than before.
fn is_new<'a>(in_use: &mut Option<SequenceHeader<'a>>, header: &[u8], record: &'a [u8]) -> bool {
    let is_same = in_use.as_ref().is_some_and(|used| used.0 == header && used.1 == record);
    if !is_same {
        *in_use = Some((header.to_vec(), record));
    }
    !is_same
}

/// A time of the file in whole milliseconds; what lies before the begin is at it.
fn milliseconds(time_90khz: i64) -> u64 {
    u64::try_from((time_90khz + 45) / 90).unwrap_or(0)
}
