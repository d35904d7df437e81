//! How frames and what comes before them are coded. Nobody decodes them, so slices have nothing but a header and a name.

use super::quirk::Quirk;

/// What pictures are coded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// 14496-10.
    Avc,
    /// 23008-2.
    Hevc,
    /// 14496-2.
    Mpeg4,
}

/// Which parameter sets hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sets {
    /// Those of the begin.
    First,
    /// Others, for pictures of the same size.
    Later,
    /// Those of smaller pictures.
    Smaller,
}

impl Sets {
    pub(super) const ALL: [Self; 3] = [Self::First, Self::Later, Self::Smaller];
}

/// What a picture needs to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picture {
    /// Nothing.
    Key,
    /// Pictures before it, and others need it.
    Reference,
    /// Pictures on both sides of it, and none needs it.
    NonReference,
}

/// `avcC` up to its sets (14496-15 §5.3.3.1.2): Main profile, lengths of four bytes.
const AVC: [u8; 5] = [1, 0x4d, 0x40, 0x0a, 0xff];

/// An SPS of 64 by 64 samples whose pictures may be reordered.
const AVC_SPS: [u8; 7] = [0x67, 0x4d, 0x40, 0x0a, 0xf6, 0x21, 0x32];

/// The same for 32 by 64 samples.
const AVC_SMALLER_SPS: [u8; 7] = [0x67, 0x4d, 0x40, 0x0a, 0xf6, 0x44, 0xc8];

/// The PPS of a stream, and the one that comes later.
const AVC_PPS: [[u8; 5]; 2] = [[0x68, 0xce, 0x0f, 0x2c, 0x80], [0x68, 0xce, 0x0f, 0x3c, 0x80]];

/// `hvcC` up to its sets (14496-15 §8.3.3.1.2): Main profile, lengths of four bytes, three arrays.
const HEVC: [u8; 23] =
    [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x3c, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3];

/// What stands for a VPS, and an SPS of 320 by 180 samples.
const HEVC_VPS: [u8; 3] = [0x40, 0x01, 0x0c];
const HEVC_SPS: [u8; 43] = [
    0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f, 0x79, 0x65, 0x66, 0x92, 0x4c, 0xaf, 0x01, 0x68, 0x08, 0x00, 0x00,
    0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x40,
];

/// An SPS of 160 by 90 samples.
const HEVC_SMALLER_SPS: [u8; 42] = [
    0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x1e, 0xa0, 0x14, 0x20, 0x61, 0xf2, 0x65, 0x95, 0x9a, 0x49, 0x32, 0xbc, 0x05, 0xa0, 0x20, 0x00, 0x00,
    0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x01, 0x41,
];

/// What stands for the PPS of a stream, and for the one that comes later.
const HEVC_PPS: [[u8; 3]; 2] = [[0x44, 0x01, 0xc0], [0x44, 0x01, 0xc1]];

/// Headers of a profile and level, for pictures of 64 samples a row or 32 (14496-2 §6.2.2, §6.2.3).
const fn mpeg4(profile_and_level: u8, width: u8) -> [u8; 31] {
    let mut headers = *b"\0\0\x01\xb0_\0\0\x01\xb5\xa9\x13\0\0\x01\0\0\0\x01\x20\x08\xd4\x8d\x08\0\xcd_\x04\x08\x14\x10\x3f";
    headers[4] = profile_and_level;
    headers[25] = width / 32;
    headers
}

/// Those of a stream, those that come later, and those of smaller pictures.
const MPEG4: [[u8; 31]; 3] = [mpeg4(0xf1, 64), mpeg4(0xf3, 64), mpeg4(0xf1, 32)];

/// What sound is coded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// 14496-3: AAC-LC, 8 kHz, one channel.
    Aac,
    /// The same at 16 kHz: two frames are shorter than what one PES packet may hold.
    ShortAac,
    /// 13818-3, in its extension to 8 kHz: layer III, 8 kbit/s, one channel.
    Mp3,
}

impl Sound {
    /// How long a frame lasts: 1,024 samples, or 576. Unit: ms.
    pub(super) fn frame_ms(self) -> u64 {
        match self {
            Self::Aac => 128,
            Self::ShortAac => 64,
            Self::Mp3 => 72,
        }
    }

    /// Its name in any rate.
    #[must_use]
    pub fn codec(self) -> &'static str {
        match self {
            Self::Aac | Self::ShortAac => "aac",
            Self::Mp3 => "mp3",
        }
    }

    /// An AudioSpecificConfig (14496-3 §1.6.2.1).
    pub(super) fn config(self) -> Option<[u8; 2]> {
        match self {
            Self::Aac => Some([0x15, 0x88]),
            Self::ShortAac => Some([0x14, 0x08]),
            Self::Mp3 => None,
        }
    }

    /// Profile and rate in an ADTS header (14496-3 §1.A.2.2).
    pub(super) fn adts(self) -> u8 {
        if self == Self::ShortAac { 0x60 } else { 0x6c }
    }
}

/// Bytes of a frame of MP3, which its header tells.
pub(super) const MP3_SIZE: usize = 72;

/// The body of the tag before all sound, where there is one.
pub(super) fn audio_header(sound: Sound) -> Option<[u8; 4]> {
    sound.config().map(|[high, low]| [0xaf, 0, high, low])
}

/// The body of a tag that is like it, and says nothing.
pub(super) const EMPTY_AUDIO_HEADER: [u8; 2] = [0xaf, 0];

/// How a frame of sound begins.
pub(super) fn audio_begin(sound: Sound) -> &'static [u8] {
    match sound {
        Sound::Aac | Sound::ShortAac => &[0x21],
        Sound::Mp3 => &[0xff, 0xe3, 0x18, 0xc0],
    }
}

/// The parameter sets of a stream, or its headers.
#[must_use]
pub fn parameter_sets(codec: Codec, sets: Sets) -> Vec<&'static [u8]> {
    let pps = usize::from(sets == Sets::Later);
    match (codec, sets) {
        (Codec::Avc, Sets::Smaller) => vec![&AVC_SMALLER_SPS, &AVC_PPS[pps]],
        (Codec::Avc, _) => vec![&AVC_SPS, &AVC_PPS[pps]],
        (Codec::Hevc, Sets::Smaller) => vec![&HEVC_VPS, &HEVC_SMALLER_SPS, &HEVC_PPS[pps]],
        (Codec::Hevc, _) => vec![&HEVC_VPS, &HEVC_SPS, &HEVC_PPS[pps]],
        (Codec::Mpeg4, sets) => vec![&MPEG4[sets as usize]],
    }
}

/// How a picture begins: an IDR or another slice (14496-10 table 7-1); IDR_W_RADL, TRAIL_R or TRAIL_N (23008-2 table 7-1); a
/// VOP whose `vop_coding_type` is I, P or B (14496-2).
pub(super) fn begin(codec: Codec, picture: Picture) -> Vec<u8> {
    match (codec, picture) {
        (Codec::Avc, Picture::Key) => vec![0x65],
        (Codec::Avc, Picture::Reference) => vec![0x41, 0xe0],
        (Codec::Avc, Picture::NonReference) => vec![0x01, 0xa8],
        (Codec::Hevc, Picture::Key) => vec![0x26, 1],
        (Codec::Hevc, Picture::Reference) => vec![0x02, 1],
        (Codec::Hevc, Picture::NonReference) => vec![0x00, 1],
        (Codec::Mpeg4, Picture::Key) => vec![0xb6, 0x10],
        (Codec::Mpeg4, Picture::Reference) => vec![0xb6, 0x50],
        (Codec::Mpeg4, Picture::NonReference) => vec![0xb6, 0x90],
    }
}

/// The body of the tag before all pictures.
pub(super) fn video_header(codec: Codec, sets: &[&[u8]]) -> Vec<u8> {
    let mut body = empty_video_header(codec);
    match codec {
        Codec::Avc => body.extend(AVC),
        Codec::Hevc => body.extend(HEVC),
        Codec::Mpeg4 => body.extend(sets.concat()),
    }
    let framed = |set: &[u8]| [&(set.len() as u16).to_be_bytes()[..], set].concat();
    match (codec, sets) {
        // Three bits that are set before the count of SPS; one PPS.
        (Codec::Avc, [sps, pps]) => body.extend([&[0xe1][..], &framed(sps), &[1], &framed(pps)].concat()),
        (Codec::Avc, _) => body.extend([0xe0, 0]),
        // Each in an array that is complete, of one.
        (Codec::Hevc, sets) => {
            body.extend(sets.iter().flat_map(|set| [&[0x80 | set[0] >> 1, 0, 1][..], &framed(set)].concat()));
        }
        (Codec::Mpeg4, _) => {}
    }
    body
}

/// A tag that is like one before all pictures, and says nothing.
pub(super) fn empty_video_header(codec: Codec) -> Vec<u8> {
    match codec {
        Codec::Avc => vec![0x17, 0, 0, 0, 0],
        Codec::Hevc => [&[0x90][..], b"hvc1"].concat(),
        Codec::Mpeg4 => vec![0x19, 0, 0, 0, 0],
    }
}

/// The body of the tag of a picture that has these NAL units, or of a VOP.
pub(super) fn video_body(
    codec: Codec,
    is_key: bool,
    composition_ms: u32,
    units: &[&[u8]],
    quirk: Option<Quirk>,
) -> Vec<u8> {
    let frame_type = if is_key { 1 } else { 2 };
    let mut body = match codec {
        Codec::Avc => vec![frame_type << 4 | 7, 1],
        // Enhanced RTMP: coded frames with a composition time.
        Codec::Hevc => [&[0x81 | frame_type << 4][..], b"hvc1"].concat(),
        // As FFmpeg writes it: the header of AVC.
        Codec::Mpeg4 => vec![frame_type << 4 | 9, 1],
    };
    body.extend(&composition_ms.to_be_bytes()[1..]);
    for unit in units {
        match (codec, quirk) {
            (Codec::Mpeg4, _) => body.extend([0, 0, 1]),
            (_, Some(Quirk::StartCodes)) => body.extend([0, 0, 0, 1]),
            _ => body.extend((unit.len() as u32).to_be_bytes()),
        }
        body.extend(*unit);
    }
    if quirk == Some(Quirk::StrayBytes) {
        body.extend([0x12, 0x34]);
    }
    body
}

/// The body of the tag of a frame of sound.
pub(super) fn audio_body(sound: Sound, frame: &[u8], quirk: Option<Quirk>) -> Vec<u8> {
    match (sound, quirk) {
        (Sound::Aac | Sound::ShortAac, Some(Quirk::Adts)) => {
            [&[0xaf, 1][..], &adts_header(sound, frame.len()), frame].concat()
        }
        (Sound::Aac | Sound::ShortAac, _) => [&[0xaf, 1], frame].concat(),
        // Its format has a number of its own at 8 kHz.
        (Sound::Mp3, _) => [&[0xe2], frame].concat(),
    }
}

/// An ADTS header without a checksum, of a frame of one channel (14496-3 §1.A.2.2).
fn adts_header(sound: Sound, size: usize) -> [u8; 7] {
    let size = size + 7;
    [0xff, 0xf1, sound.adts(), 0x40 | (size >> 11) as u8, (size >> 3) as u8, (size << 5) as u8 | 0x1f, 0xfc]
}
