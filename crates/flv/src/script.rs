//! Script tags: their name, and what `onMetaData` says of the stream (FLV 10.1 §E.4.4, §E.5).

use amf0::Value;

/// The name of the script tag that describes the stream.
pub const ON_META_DATA: &[u8] = b"onMetaData";

/// The name at the start of a script tag's body, or `None` where no string begins it.
#[must_use]
pub fn name(body: &[u8]) -> Option<&[u8]> {
    // An AMF0 string: its type 2, its length in two bytes, its bytes.
    let (&[2, high, low], rest) = body.split_first_chunk()? else { return None };
    rest.get(..u16::from_be_bytes([high, low]).into())
}

/// What `onMetaData` announces, as far as a recorder can use it.
///
/// Encoders fill it in by hand and often leave fields out or wrong: it announces, the media decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamMetadata {
    /// Whether video will come: by `videocodecid`, else by `hasVideo`; `None` where it says neither.
    pub has_video: Option<bool>,
    /// Whether audio will come: by `audiocodecid`, else by `hasAudio`; `None` where it says neither.
    pub has_audio: Option<bool>,
    /// `videodatarate`, rounded down. Unit: kbit/s.
    pub video_kbps: Option<u32>,
}

impl StreamMetadata {
    /// Reads the body of a script tag; `None` where it is not `onMetaData` or not AMF0.
    ///
    /// Values after one that cannot be read are not missed: they count as absent.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        if name(body)? != ON_META_DATA {
            return None;
        }
        let fields = Value::decode(&mut &body[3 + ON_META_DATA.len()..]).ok()?;
        let video_kbps = fields.get("videodatarate").and_then(Value::as_number).filter(|&rate| rate > 0.0);
        Some(Self {
            has_video: is_announced(&fields, "videocodecid", "hasVideo"),
            has_audio: is_announced(&fields, "audiocodecid", "hasAudio"),
            video_kbps: video_kbps.map(|rate| rate as u32),
        })
    }
}

/// Whether a track is announced by its codec's number or name, else by the flag.
fn is_announced(fields: &Value, codec_id: &str, flag: &str) -> Option<bool> {
    let by_codec = match fields.get(codec_id) {
        Some(Value::Number(id)) => Some(*id > 0.0),
        // OBS and others write the FourCC or a name such as `avc1`.
        Some(Value::String(name)) => Some(!name.is_empty()),
        _ => None,
    };
    match (by_codec, fields.get(flag)) {
        (Some(true), _) => Some(true),
        (_, Some(Value::Boolean(has_track))) => Some(*has_track),
        (by_codec, _) => by_codec,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(fields: &[(&str, Value)]) -> Vec<u8> {
        let mut body = Vec::new();
        Value::String("onMetaData".into()).encode(&mut body);
        let fields = fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        Value::EcmaArray(fields).encode(&mut body);
        body
    }

    #[track_caller]
    fn check(fields: &[(&str, Value)], has_video: Option<bool>, has_audio: Option<bool>) {
        let found = StreamMetadata::parse(&metadata(fields)).unwrap();
        assert_eq!((found.has_video, found.has_audio), (has_video, has_audio), "{fields:?}");
    }

    #[test]
    fn tracks_are_announced_by_codec_or_by_flag() {
        let number = Value::Number;
        let text = |text: &str| Value::String(text.into());
        check(&[], None, None);
        check(&[("videocodecid", number(7.0)), ("audiocodecid", number(10.0))], Some(true), Some(true));
        check(&[("videocodecid", text("hvc1")), ("audiocodecid", text("mp4a"))], Some(true), Some(true));
        check(&[("videocodecid", text("")), ("audiocodecid", number(0.0))], Some(false), Some(false));
        check(
            &[("hasVideo", Value::Boolean(true)), ("hasAudio", Value::Boolean(false))],
            Some(true),
            Some(false),
        );
        // The number 0 is that of uncompressed sound, too: the flag decides.
        let has_audio = Value::Boolean(true);
        check(&[("audiocodecid", number(0.0)), ("hasAudio", has_audio)], None, Some(true));
    }

    #[test]
    fn the_bit_rate_is_a_positive_number() {
        let rate = |value| StreamMetadata::parse(&metadata(&[("videodatarate", value)])).unwrap().video_kbps;
        assert_eq!(rate(Value::Number(2_499.9)), Some(2_499));
        assert_eq!((rate(Value::Number(-1.0)), rate(Value::Number(0.0))), (None, None));
        assert_eq!(rate(Value::Number(f64::NAN)), None);
        assert_eq!(rate(Value::Number(1e300)), Some(u32::MAX));
        assert_eq!(rate(Value::Null), None);
    }

    #[test]
    fn every_cut_of_a_body_is_no_metadata() {
        let body = metadata(&[("videodatarate", Value::Number(1.0))]);
        assert!(StreamMetadata::parse(&body).is_some());
        for cut in 0..body.len() {
            assert_eq!(StreamMetadata::parse(&body[..cut]), None, "cut at {cut}");
        }
        assert_eq!(name(b"\x02\0\x0aonTextData\x08"), Some(&b"onTextData"[..]));
        assert_eq!(name(b"\x05"), None);
        assert_eq!(StreamMetadata::parse(b"\x02\0\x0aonTextData\x08"), None);
    }
}
