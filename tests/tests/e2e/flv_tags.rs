//! FLV tags as the publisher of a test sends them, read and bent byte by byte.
//!
//! What is under test reads FLV with `crates/flv`; this module does not, so that one mistake cannot hide in both.

/// What a tag carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Audio,
    Video,
    Script,
}

impl Kind {
    /// The type of the FLV tag, and of the RTMP message that carries its body.
    pub(crate) fn type_id(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }
}

/// A tag, and the moment at which a publisher sends it.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) kind: Kind,
    /// What the tag says its time is, in milliseconds.
    pub(crate) timestamp_ms: u32,
    /// When the tag is sent, in milliseconds of the show: its true place, which a bent timestamp hides.
    pub(crate) sent_ms: u64,
    pub(crate) body: Vec<u8>,
}

impl Tag {
    /// The same moment and kind with another body.
    pub(crate) fn with_body(&self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.clone() }
    }

    /// The same tag with another timestamp; `timestamp_ms` wraps as 32 bits do.
    pub(crate) fn stamped(&self, timestamp_ms: i64) -> Self {
        Self { timestamp_ms: timestamp_ms as u32, ..self.clone() }
    }

    /// An AVC sequence header (FLV 10.1 §E.4.3.1).
    pub(crate) fn is_video_header(&self) -> bool {
        self.kind == Kind::Video && self.body[0] & 0x0f == 7 && self.body[1] == 0
    }

    /// An AAC sequence header (FLV 10.1 §E.4.2.1).
    pub(crate) fn is_audio_header(&self) -> bool {
        self.kind == Kind::Audio && self.body[0] >> 4 == 10 && self.body[1] == 0
    }

    /// A coded picture.
    pub(crate) fn is_picture(&self) -> bool {
        self.kind == Kind::Video && self.body[1] == 1
    }

    /// A coded picture that a decoder can begin with.
    pub(crate) fn is_keyframe(&self) -> bool {
        self.is_picture() && self.body[0] >> 4 == 1
    }

    /// A coded audio frame.
    pub(crate) fn is_sound(&self) -> bool {
        self.kind == Kind::Audio && !self.is_audio_header()
    }

    /// The composition time offset of a picture: 24 bits, signed.
    pub(crate) fn composition_offset_ms(&self) -> i32 {
        i32::from_be_bytes([self.body[2], self.body[3], self.body[4], 0]) >> 8
    }

    /// What follows the header of a picture or of an AAC tag.
    pub(crate) fn payload(&self) -> &[u8] {
        if self.kind == Kind::Video { &self.body[5..] } else { &self.body[2..] }
    }

    /// The same header with another payload.
    pub(crate) fn with_payload(&self, payload: &[u8]) -> Self {
        let header = self.body.len() - self.payload().len();
        self.with_body([&self.body[..header], payload].concat())
    }
}

/// The tags of an FLV file whose writer is known; each is sent at the time that it says.
pub(crate) fn read(file: &[u8]) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = &file[13..];
    while let Some((header, body)) = rest.split_first_chunk::<11>() {
        let kind = match header[0] {
            8 => Kind::Audio,
            9 => Kind::Video,
            18 => Kind::Script,
            other => panic!("ffmpeg writes no tag of type {other}"),
        };
        let size = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        let timestamp_ms = u32::from_be_bytes([header[7], header[4], header[5], header[6]]);
        let body_bytes = body[..size].to_vec();
        // The tag that ends an AVC sequence says nothing to a recorder.
        if !(kind == Kind::Video && body_bytes[1] == 2) {
            tags.push(Tag { kind, timestamp_ms, sent_ms: u64::from(timestamp_ms), body: body_bytes });
        }
        rest = &body[size + 4..];
    }
    tags
}

/// The NAL units of a payload that gives their lengths in four bytes.
pub(crate) fn nal_units(payload: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let mut rest = payload;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (unit, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        units.push(unit);
        rest = after;
    }
    units
}
