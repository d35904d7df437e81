//! Sample entries: what decoders must know, as `stsd` holds it.

use codec::{PixelAspect, h264, mpeg4};
use media::{AudioCodec, VideoCodec};
use sample_table::{AudioEntry, SampleEntry, VideoEntry};

/// Object types of MPEG-4 systems, as `esds` names codecs.
const MPEG4_VISUAL: u8 = 0x20;
const AAC: u8 = 0x40;
const MPEG2_AUDIO: u8 = 0x69;
const MPEG1_AUDIO: u8 = 0x6b;

/// Stream types of MPEG-4 systems, with the bit beside them that is always set.
const VISUAL_STREAM: u8 = 0x04 << 2 | 1;
const AUDIO_STREAM: u8 = 0x05 << 2 | 1;

/// Sample rates from here on are those of MPEG-1 audio.
const MPEG1_RATE_HZ: u32 = 32_000;

/// The box of a sample entry; `None` for what no MP4 file can hold.
pub(crate) fn sample_entry(entry: &SampleEntry<'_>) -> Option<Vec<u8>> {
    match entry {
        SampleEntry::Video(entry) => Some(video(entry)),
        SampleEntry::Audio(entry) if entry.in_adts => None,
        SampleEntry::Audio(entry) => Some(audio(entry)),
    }
}

/// Fields that every sample entry begins with: reserved bytes, and that the media is in this file.
const BEGIN: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

fn video(entry: &VideoEntry<'_>) -> Vec<u8> {
    let mut content = BEGIN.to_vec();
    content.extend_from_slice(&[0; 16]);
    content.extend_from_slice(&entry.width.to_be_bytes());
    content.extend_from_slice(&entry.height.to_be_bytes());
    // 72 dots an inch either way.
    content.extend_from_slice(&[0, 0x48, 0, 0, 0, 0x48, 0, 0, 0, 0, 0, 0]);
    // One frame a sample, no compressor's name, a depth of 24, no colour table.
    content.extend_from_slice(&[0, 1]);
    content.extend_from_slice(&[0; 32]);
    content.extend_from_slice(&[0, 24, 0xff, 0xff]);
    let (kind, config) = match entry.codec {
        VideoCodec::H264 => (b"avc1", small_box(*b"avcC", entry.record)),
        VideoCodec::Hevc => (b"hvc1", small_box(*b"hvcC", entry.record)),
        VideoCodec::Mpeg4 => (b"mp4v", esds(MPEG4_VISUAL, VISUAL_STREAM, entry.record)),
    };
    content.extend_from_slice(&config);
    if let Some(PixelAspect { width, height }) = pixel_aspect(entry).filter(|aspect| !aspect.is_square()) {
        let sides = [width, height].map(|side| u32::from(side).to_be_bytes());
        content.extend_from_slice(&small_box(*b"pasp", &sides.concat()));
    }
    small_box(*kind, &content)
}

/// The shape of a pixel, as the configuration says it. Of HEVC it stands behind all else in a parameter set, where players
/// find it themselves.
fn pixel_aspect(entry: &VideoEntry<'_>) -> Option<PixelAspect> {
    match entry.codec {
        VideoCodec::H264 => {
            let record = h264::AvcDecoderConfigurationRecord::parse(entry.record).ok()?;
            h264::SequenceParameterSet::parse(record.sps.first()?).ok()?.pixel_aspect
        }
        VideoCodec::Mpeg4 => mpeg4::VideoObjectLayer::find(entry.record).ok()??.pixel_aspect,
        VideoCodec::Hevc => None,
    }
}

/// The size at which pictures are shown (14496-12 §8.3.2): pixels that are not square make them wider or narrower.
/// Unit: 1/65 536 pixel.
pub(crate) fn shown_size(entry: &VideoEntry<'_>) -> (u32, u32) {
    let [width, height] = [entry.width, entry.height].map(|side| u32::from(side) << 16);
    let shown = pixel_aspect(entry)
        .map(|aspect| u64::from(width) * u64::from(aspect.width) / u64::from(aspect.height))
        .and_then(|shown| u32::try_from(shown).ok());
    (shown.unwrap_or(width), height)
}

fn audio(entry: &AudioEntry<'_>) -> Vec<u8> {
    let mut content = BEGIN.to_vec();
    content.extend_from_slice(&[0; 8]);
    let channels = if entry.channels == 0 { 2 } else { entry.channels };
    content.extend_from_slice(&[0, channels, 0, 16, 0, 0, 0, 0]);
    // A fixed-point number of 16 bits before the point; higher rates stand in the record alone.
    let rate = u16::try_from(entry.sample_rate_hz).unwrap_or(0);
    content.extend_from_slice(&[rate.to_be_bytes(), [0, 0]].concat());
    let object_type = match entry.codec {
        AudioCodec::Aac => AAC,
        AudioCodec::Mp3 if entry.sample_rate_hz < MPEG1_RATE_HZ => MPEG2_AUDIO,
        AudioCodec::Mp3 => MPEG1_AUDIO,
    };
    content.extend_from_slice(&esds(object_type, AUDIO_STREAM, entry.record));
    small_box(*b"mp4a", &content)
}

/// An elementary stream descriptor. Buffer size and bit rates are left open, as a variable rate may leave them.
fn esds(object_type: u8, stream_type: u8, record: &[u8]) -> Vec<u8> {
    let mut config = vec![object_type, stream_type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    if !record.is_empty() {
        config.extend_from_slice(&descriptor(5, record));
    }
    let content = [&[0, 0, 0][..], &descriptor(4, &config), &descriptor(6, &[2])].concat();
    small_box(*b"esds", &[&[0; 4][..], &descriptor(3, &content)].concat())
}

/// A descriptor with a length of four times seven bits.
fn descriptor(tag: u8, content: &[u8]) -> Vec<u8> {
    let size = content.len();
    let length = [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f | if shift > 0 { 0x80 } else { 0 });
    [&[tag][..], &length, content].concat()
}

/// A box of far less than 4 GiB.
pub(crate) fn small_box(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let size = (content.len() + 8) as u32;
    [&size.to_be_bytes()[..], &kind, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_descriptor_is_in_groups_of_seven_bits() {
        for size in [0, 127, 128, 300, 16_383, 16_384, 2_097_152] {
            let bytes = descriptor(5, &vec![0xff; size]);
            let (length, content) = bytes[1..].split_at(4);
            // All groups but the last say that another follows.
            assert_eq!(length.iter().map(|group| group >> 7).collect::<Vec<_>>(), [1, 1, 1, 0]);
            let read = length.iter().fold(0, |read, group| read << 7 | usize::from(group & 0x7f));
            assert_eq!((bytes[0], read, content.len()), (5, size, size));
        }
    }

    /// The record of a baseline stream of 144 by 144 pixels, of so wide ones.
    fn avcc(aspect: Option<(u16, u16)>) -> Vec<u8> {
        let usage = aspect.map_or_else(
            || "0".to_owned(),
            |(width, height)| format!("1 1 11111111 {width:016b} {height:016b}"),
        );
        let bits = format!("1 1 1 1 010 0 0001001 0001001 1 1 0 {usage}").replace(' ', "");
        let fields = bits.as_bytes().chunks(8).map(|bits| {
            let byte = bits.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
            byte << (8 - bits.len())
        });
        let sps: Vec<u8> = [0x67, 0x42, 0xc0, 0x1e].into_iter().chain(fields).collect();
        let pps = [0x68, 0xce];
        let mut record = Vec::new();
        let (sps, pps) = (vec![sps.as_slice()], vec![&pps[..]]);
        h264::AvcDecoderConfigurationRecord { length_size: 4, sps, pps, sps_ext: Vec::new() }
            .write(&mut record);
        record
    }

    #[test]
    fn pixels_that_are_not_square_are_told_and_shown() {
        let shown = |aspect| {
            let record = avcc(aspect);
            let entry = VideoEntry { codec: VideoCodec::H264, width: 144, height: 144, record: &record };
            let content = video(&entry);
            let pasp =
                content.windows(4).position(|kind| kind == b"pasp").map(|at| content[at + 4..].to_vec());
            (pasp, shown_size(&entry))
        };
        let side = 144 << 16;
        assert_eq!(shown(None), (None, (side, side)));
        assert_eq!(shown(Some((1, 1))), (None, (side, side)));
        assert_eq!(shown(Some((16, 11))), (Some(vec![0, 0, 0, 16, 0, 0, 0, 11]), (13_726_813, side)));
        // Wider than the box can say.
        assert_eq!(shown(Some((65_535, 1))).1, (side, side));
    }

    fn mp3(sample_rate_hz: u32) -> AudioEntry<'static> {
        AudioEntry {
            codec: AudioCodec::Mp3,
            sample_rate_hz,
            channels: 2,
            frame_samples: 1_152,
            in_adts: false,
            record: &[],
        }
    }

    /// Behind the fields of an entry, the header of `esds` and the begins of two descriptors.
    const IN_ESDS: usize = 12 + 8 + 5;

    #[test]
    fn esds_says_whether_it_is_of_pictures_or_of_sound() {
        // The object type, and the stream type (14496-1 table 6) in six bits before a zero and a one.
        let picture = VideoEntry { codec: VideoCodec::Mpeg4, width: 16, height: 16, record: &[] };
        assert_eq!(video(&picture)[86 + IN_ESDS..][..2], [0x20, 0b0001_0001]);
        assert_eq!(audio(&mp3(48_000))[36 + IN_ESDS..][..2], [0x6b, 0b0001_0101]);
        let aac = AudioEntry { codec: AudioCodec::Aac, ..mp3(48_000) };
        assert_eq!(audio(&aac)[36 + IN_ESDS..][..2], [0x40, 0b0001_0101]);
    }

    #[test]
    fn mp3_at_the_rates_of_mpeg_1_is_named_so() {
        let object_type = |sample_rate_hz| audio(&mp3(sample_rate_hz))[36 + IN_ESDS];
        assert_eq!([32_000, 44_100, 48_000].map(object_type), [MPEG1_AUDIO; 3]);
        assert_eq!([16_000, 22_050, 24_000].map(object_type), [MPEG2_AUDIO; 3]);
    }
}
