//! What gives access units their times: the session's timeline, and what follows in the chunk.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use flv::{AudioPacket, AudioTagHeader, FrameType, Reader, Tag, TagKind, VideoPacket, VideoTagHeader};
use media::{Placed, PresentationStamps, RepairKind, Repairs, TICKS_PER_MS, Timeline, TrackKind, Upcoming};

use crate::{
    composition,
    recorded::{audio_codec, video_codec},
};

/// Tags after an access unit that are looked at, at most: several seconds of an ordinary push.
const MAX_AHEAD: u32 = 256;

/// Tags that are looked at in a chunk, at most, as a multiple of its own: every stamp of a hostile chunk may be odd.
const MAX_LOOKS_EACH: u32 = 8;
const MIN_LOOKS: u32 = 4_096;

/// Bytes of a message that is read again with each look. A longer one, which may have to be read to its end, is read once:
/// hundreds of short ones may look at it.
const MAX_REREAD: usize = 4 << 10;

/// Gives access units their times.
pub(crate) struct Clock<'c, 'a> {
    timeline: &'c mut Timeline,
    presentation: &'c mut PresentationStamps,
    /// What is set right on the way.
    pub(crate) repairs: &'c mut Repairs,
    /// The tags after the one that is read.
    rest: Option<Reader<'a>>,
    /// The last picture's timestamp.
    picture_ms: u32,
    looks: Looks,
}

impl<'c, 'a> Clock<'c, 'a> {
    pub(crate) fn new(
        timeline: &'c mut Timeline,
        presentation: &'c mut PresentationStamps,
        repairs: &'c mut Repairs,
    ) -> Self {
        let looks = Looks { left: Cell::new(MIN_LOOKS), long: RefCell::default() };
        Self { timeline, presentation, repairs, rest: None, picture_ms: 0, looks }
    }

    /// A tag is read; `rest` are those after it.
    pub(crate) fn advance(&mut self, rest: &Reader<'a>) {
        self.rest = Some(rest.clone());
        let left = self.looks.left.get_mut();
        *left = left.saturating_add(MAX_LOOKS_EACH);
    }

    /// Decoding and presentation time of the next picture; the latter may lie before the former where the offset
    /// is below zero.
    pub(crate) fn video(&mut self, timestamp_ms: u32, composition_ms: i32, is_key: bool) -> (i64, i64) {
        self.picture_ms = timestamp_ms;
        if is_key || self.timeline.video.is_none() {
            let first = Upcoming { track: TrackKind::Video, timestamp_ms, composition_ms };
            let last_ms = self.timeline.video.map(|clock| clock.timestamp_ms);
            let mut presentation = *self.presentation;
            presentation.recognise(last_ms, first, self.ahead());
            *self.presentation = presentation;
        }
        let (stamp_ms, composition_ms) = self.presentation.next(timestamp_ms, composition_ms);
        if stamp_ms != timestamp_ms {
            self.repairs.count(RepairKind::PresentationTimestamp);
        }
        let Placed { time_90khz, dts_90khz } = self.place(TrackKind::Video, stamp_ms, None);
        let pts = composition::presentation(time_90khz, composition_ms, self.repairs);
        let earliest =
            dts_90khz + i64::from(composition_ms.clamp(-composition::MAX_OFFSET_MS, 0)) * TICKS_PER_MS;
        // A frame that is decoded late is shown late, unless it is shown later anyway.
        let pts = if dts_90khz == time_90khz { pts } else { pts.max(earliest) };
        (dts_90khz, pts)
    }

    /// The time of the last access unit; 0 before the first. Unit: 1/90 000 s.
    pub(crate) fn now(&self) -> i64 {
        let clocks = [&self.timeline.video, &self.timeline.audio];
        clocks.into_iter().flatten().map(|clock| clock.dts_90khz).max().unwrap_or(0)
    }

    /// Decoding time of the next audio message, of frames that last `frame_90khz` each.
    pub(crate) fn audio(&mut self, timestamp_ms: u32, frame_90khz: u32) -> i64 {
        self.place(TrackKind::Audio, timestamp_ms, Some(frame_90khz)).dts_90khz
    }

    fn place(&mut self, track: TrackKind, timestamp_ms: u32, frame_90khz: Option<u32>) -> Placed {
        if let Some(placed) = self.timeline.place_regular(track, timestamp_ms, frame_90khz) {
            return placed;
        }
        let ahead = Messages {
            rest: self.rest.clone(),
            left: MAX_AHEAD,
            presentation: *self.presentation,
            picture_ms: self.picture_ms,
            looks: &self.looks,
        };
        self.timeline.place(track, timestamp_ms, frame_90khz, ahead, self.repairs)
    }

    /// The coming messages with the stamps that they were pushed with.
    fn ahead(&self) -> Messages<'_, 'a> {
        let presentation = PresentationStamps::default();
        let (rest, picture_ms) = (self.rest.clone(), self.picture_ms);
        Messages { rest, left: MAX_AHEAD, presentation, picture_ms, looks: &self.looks }
    }
}

/// The coming messages that hold access units, up to the next keyframe.
#[derive(Clone)]
struct Messages<'l, 'a> {
    rest: Option<Reader<'a>>,
    left: u32,
    presentation: PresentationStamps,
    /// Messages of the picture that is placed may follow.
    picture_ms: u32,
    looks: &'l Looks,
}

impl Iterator for Messages<'_, '_> {
    type Item = Upcoming;

    fn next(&mut self) -> Option<Upcoming> {
        loop {
            let tag = self.rest.as_mut()?.next()?.ok()?;
            if self.left == 0 {
                return None;
            }
            self.left -= 1;
            let timestamp_ms = tag.timestamp_ms;
            match self.looks.take(&tag)? {
                Coming::Picture { is_key, .. } if is_key && timestamp_ms != self.picture_ms => {
                    self.rest = None;
                    return None;
                }
                Coming::Picture { composition_ms, .. } => {
                    let (timestamp_ms, composition_ms) = self.presentation.next(timestamp_ms, composition_ms);
                    return Some(Upcoming { track: TrackKind::Video, timestamp_ms, composition_ms });
                }
                Coming::Sound => {
                    return Some(Upcoming { track: TrackKind::Audio, timestamp_ms, composition_ms: 0 });
                }
                Coming::Nothing => {}
            }
        }
    }
}

/// Looks at coming messages, each of which many before it may take.
struct Looks {
    /// How many more may be taken.
    left: Cell<u32>,
    /// What long messages are, by where they lie.
    long: RefCell<BTreeMap<usize, Coming>>,
}

impl Looks {
    /// Looks at a message; `None` where no more looks may be taken.
    fn take(&self, tag: &Tag<'_>) -> Option<Coming> {
        self.left.set(self.left.get().checked_sub(1)?);
        if tag.body.len() <= MAX_REREAD {
            return Some(Coming::read(tag));
        }
        let place = tag.body.as_ptr().addr();
        Some(*self.long.borrow_mut().entry(place).or_insert_with(|| Coming::read(tag)))
    }
}

/// What a coming message is to those before it.
#[derive(Clone, Copy)]
enum Coming {
    /// It begins a picture.
    Picture { is_key: bool, composition_ms: i32 },
    /// It holds sound.
    Sound,
    /// It has no time of its own.
    Nothing,
}

impl Coming {
    fn read(tag: &Tag<'_>) -> Self {
        match tag.kind {
            TagKind::Video => match VideoTagHeader::parse(tag.body) {
                // What goes on with a picture has no time of its own. The size of lengths is found out.
                Ok(message)
                    if message.packet == VideoPacket::Frame
                        && video_codec(&message).is_some()
                        && message.begins_picture(4) =>
                {
                    let is_key = message.frame_type == FrameType::Key;
                    Self::Picture { is_key, composition_ms: message.composition_time_ms }
                }
                _ => Self::Nothing,
            },
            TagKind::Audio => match AudioTagHeader::parse(tag.body) {
                Ok(message) if message.packet == AudioPacket::Frame && audio_codec(&message).is_some() => {
                    Self::Sound
                }
                _ => Self::Nothing,
            },
            TagKind::Script => Self::Nothing,
        }
    }
}
