//! `onMetaData` of a record file (FLV 10.1 §E.5).

use amf0::Value;
use media::{AudioCodec, VideoCodec};
use sample_table::{AudioEntry, VideoEntry};

use crate::script::ON_META_DATA;

/// Keyframes that the index names, at most; of more, those that lie evenly apart.
const MAX_KEYFRAMES: usize = 16_384;

/// Where a player can begin.
#[derive(Clone, Debug)]
pub(super) struct Keyframes {
    /// Time in milliseconds and position in bytes after the metadata.
    list: Vec<(u64, u64)>,
    /// Only every so many-th one is kept.
    every: u64,
    seen: u64,
    pub(super) last_ms: u64,
}

impl Default for Keyframes {
    fn default() -> Self {
        Self { list: Vec::new(), every: 1, seen: 0, last_ms: 0 }
    }
}

impl Keyframes {
    pub(super) fn push(&mut self, time_ms: u64, position: u64) {
        self.last_ms = time_ms;
        if self.seen.is_multiple_of(self.every) {
            if self.list.len() == MAX_KEYFRAMES {
                let mut number = 0;
                self.list.retain(|_| {
                    number += 1;
                    number % 2 == 1
                });
                self.every *= 2;
            }
            if self.seen.is_multiple_of(self.every) {
                self.list.push((time_ms, position));
            }
        }
        self.seen += 1;
    }
}

/// What is known of a file when its first pass is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) duration_ms: u64,
    pub(super) last_ms: u64,
    /// Bytes behind the metadata's tag.
    pub(super) size: u64,
    /// Codec, form, width and height.
    pub(super) video: Option<(VideoCodec, bool, u16, u16)>,
    /// Codec, form, sample rate, channels.
    pub(super) audio: Option<(AudioCodec, bool, u32, u8)>,
    pub(super) keyframes: Keyframes,
    /// The fields of the push's own `onMetaData`.
    pub(super) pushed: Vec<(String, Value)>,
}

impl Facts {
    pub(super) fn take_video(&mut self, entry: &VideoEntry<'_>, is_enhanced: bool) {
        self.video.get_or_insert((entry.codec, is_enhanced, entry.width, entry.height));
    }

    pub(super) fn take_audio(&mut self, entry: &AudioEntry<'_>, is_enhanced: bool) {
        self.audio.get_or_insert((entry.codec, is_enhanced, entry.sample_rate_hz, entry.channels));
    }

    /// Keeps what the push said first, in its own words.
    pub(super) fn take_metadata(&mut self, body: &[u8]) {
        if self.pushed.is_empty()
            && body.len() <= MAX_PUSHED_SIZE
            && let Some(mut rest) = body.get(3 + ON_META_DATA.len()..)
            && let Ok(value) = Value::decode(&mut rest)
        {
            self.pushed = value.as_fields().unwrap_or_default().to_vec();
        }
    }

    /// The body of the tag, in which positions are counted from the first byte of the file; `before` it are so many.
    ///
    /// Its size does not depend on `before`.
    pub(super) fn body(&self, before: u64) -> Vec<u8> {
        let number = |number: u64| Value::Number(number as f64);
        let seconds = |ms: u64| Value::Number(ms as f64 / 1_000.0);
        let mut fields = vec![("duration".into(), seconds(self.duration_ms))];
        fields.push(("filesize".into(), number(before + self.size)));
        fields.push(("hasVideo".into(), Value::Boolean(self.video.is_some())));
        fields.push(("hasAudio".into(), Value::Boolean(self.audio.is_some())));
        fields.push(("lasttimestamp".into(), seconds(self.last_ms)));
        if let Some((codec, is_enhanced, width, height)) = self.video {
            let id = match (codec, is_enhanced) {
                (VideoCodec::H264, false) => 7,
                (VideoCodec::Hevc, false) => 12,
                (VideoCodec::Mpeg4, _) => 9,
                (VideoCodec::H264, true) => u32::from_be_bytes(*b"avc1"),
                (VideoCodec::Hevc, true) => u32::from_be_bytes(*b"hvc1"),
            };
            fields.push(("videocodecid".into(), number(id.into())));
            if width > 0 && height > 0 {
                fields.push(("width".into(), number(width.into())));
                fields.push(("height".into(), number(height.into())));
            }
        }
        if let Some((codec, is_enhanced, sample_rate_hz, channels)) = self.audio {
            let id = match (codec, is_enhanced) {
                (AudioCodec::Aac, false) => 10,
                (AudioCodec::Mp3, false) => 2,
                (AudioCodec::Aac, true) => u32::from_be_bytes(*b"mp4a"),
                (AudioCodec::Mp3, true) => u32::from_be_bytes(*b".mp3"),
            };
            fields.push(("audiocodecid".into(), number(id.into())));
            fields.push(("audiosamplerate".into(), number(sample_rate_hz.into())));
            fields.push(("stereo".into(), Value::Boolean(channels != 1)));
        }
        // One keyframe leads nowhere, and FFmpeg warns of an index of one.
        let list = Some(&self.keyframes.list).filter(|list| list.len() > 1);
        fields.push(("hasKeyframes".into(), Value::Boolean(list.is_some())));
        // What the push said of itself, but for what holds for the file alone.
        let own: Vec<String> = fields.iter().map(|(name, _): &(String, Value)| name.clone()).collect();
        let is_pushed = |(name, _): &&(String, Value)| {
            !own.contains(name) && !OF_A_FILE.iter().any(|of_a_file| name == of_a_file)
        };
        fields.extend(self.pushed.iter().filter(is_pushed).cloned());
        if let Some(list) = list {
            fields.push(("lastkeyframetimestamp".into(), seconds(self.keyframes.last_ms)));
            let times = list.iter().map(|(time_ms, _)| seconds(*time_ms)).collect();
            let positions = list.iter().map(|(_, position)| number(before + position)).collect();
            let index = vec![
                ("filepositions".into(), Value::StrictArray(positions)),
                ("times".into(), Value::StrictArray(times)),
            ];
            fields.push(("keyframes".into(), Value::Object(index)));
        }
        let mut body = Vec::new();
        Value::String("onMetaData".into()).encode(&mut body);
        Value::EcmaArray(fields).encode(&mut body);
        body
    }
}

/// The longest `onMetaData` of a push that is kept: encoders write some hundred bytes.
const MAX_PUSHED_SIZE: usize = 16 * 1024;

/// Fields that a push may have from another file.
const OF_A_FILE: [&str; 9] = [
    "width",
    "height",
    "keyframes",
    "lastkeyframetimestamp",
    "lastkeyframelocation",
    "canSeekToEnd",
    "hasMetadata",
    "datasize",
    "hasCuePoints",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(fields: &[(&str, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        Value::String("onMetaData".into()).encode(&mut body);
        let field = |(name, value): &(&str, &str)| ((*name).into(), Value::String((*value).into()));
        Value::EcmaArray(fields.iter().map(field).collect()).encode(&mut body);
        body
    }

    /// The fields that a file has.
    fn fields(facts: &Facts) -> Value {
        Value::decode(&mut &facts.body(0)[3 + ON_META_DATA.len()..]).unwrap()
    }

    #[test]
    fn what_the_push_said_first_is_kept() {
        let mut facts = Facts::default();
        // Too long, and cut: neither says anything.
        let long = pushed(&[("encoder", &"x".repeat(MAX_PUSHED_SIZE))]);
        facts.take_metadata(&long);
        facts.take_metadata(&pushed(&[("encoder", "cut")])[..20]);
        assert_eq!(fields(&facts).get("encoder"), None);
        // As long as some hundred fields.
        let comment = "x".repeat(16_000);
        for name in ["one", "two"] {
            facts.take_metadata(&pushed(&[
                ("encoder", name),
                ("duration", "long"),
                ("datasize", "9"),
                ("comment", &comment),
            ]));
        }
        let fields = fields(&facts);
        assert_eq!(fields.get("encoder").and_then(Value::as_str), Some("one"));
        // What the file says itself, and what holds for another one.
        assert_eq!(fields.get("duration"), Some(&Value::Number(0.0)));
        assert_eq!(fields.get("datasize"), None);
    }

    #[test]
    fn a_size_is_said_where_it_is_known() {
        for (width, height, is_known) in [(640, 360, true), (1, 1, true), (640, 0, false), (0, 360, false)] {
            let mut facts = Facts::default();
            let codec = VideoCodec::H264;
            facts.take_video(&VideoEntry { codec, width, height, record: &[] }, false);
            let expected = |size: u16| is_known.then_some(Value::Number(size.into()));
            let fields = fields(&facts);
            assert_eq!(fields.get("width").cloned(), expected(width));
            assert_eq!(fields.get("height").cloned(), expected(height));
        }
    }
}
