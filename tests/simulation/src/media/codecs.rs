//! How frames and what comes before them are coded. Nobody decodes them, so slices have nothing but a header and a name.

/// What pictures are coded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// 14496-10.
    Avc,
    /// 23008-2.
    Hevc,
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

/// What stands for the PPS of a stream, and for the one that comes later.
const HEVC_PPS: [[u8; 3]; 2] = [[0x44, 0x01, 0xc0], [0x44, 0x01, 0xc1]];

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

/// How a frame of sound begins.
pub(super) fn audio_begin(sound: Sound) -> &'static [u8] {
    match sound {
        Sound::Aac | Sound::ShortAac => &[0x21],
        Sound::Mp3 => &[0xff, 0xe3, 0x18, 0xc0],
    }
}

/// The parameter sets of a stream, those that hold at first or the later ones.
#[must_use]
pub fn parameter_sets(codec: Codec, is_changed: bool) -> Vec<&'static [u8]> {
    match codec {
        Codec::Avc => vec![&AVC_SPS, &AVC_PPS[usize::from(is_changed)]],
        Codec::Hevc => vec![&HEVC_VPS, &HEVC_SPS, &HEVC_PPS[usize::from(is_changed)]],
    }
}

/// How the NAL unit of a picture begins: an IDR or another slice (14496-10 table 7-1), or IDR_W_RADL, TRAIL_R or TRAIL_N
/// (23008-2 table 7-1).
pub(super) fn begin(codec: Codec, picture: Picture) -> Vec<u8> {
    match (codec, picture) {
        (Codec::Avc, Picture::Key) => vec![0x65],
        (Codec::Avc, Picture::Reference) => vec![0x41, 0xe0],
        (Codec::Avc, Picture::NonReference) => vec![0x01, 0xa8],
        (Codec::Hevc, Picture::Key) => vec![0x26, 1],
        (Codec::Hevc, Picture::Reference) => vec![0x02, 1],
        (Codec::Hevc, Picture::NonReference) => vec![0x00, 1],
    }
}

/// The body of the tag before all pictures.
pub(super) fn video_header(codec: Codec, is_changed: bool) -> Vec<u8> {
    let sets = parameter_sets(codec, is_changed);
    let mut body = match codec {
        Codec::Avc => [&[0x17, 0, 0, 0, 0][..], &AVC].concat(),
        Codec::Hevc => [&[0x90][..], b"hvc1", &HEVC].concat(),
    };
    for (set, number) in sets.into_iter().zip(0..) {
        body.extend(match codec {
            // One SPS, with three bits that are set before the count; one PPS.
            Codec::Avc => vec![if number == 0 { 0xe1 } else { 1 }],
            // An array that is complete, of one.
            Codec::Hevc => vec![0x80 | set[0] >> 1, 0, 1],
        });
        body.extend((set.len() as u16).to_be_bytes());
        body.extend(set);
    }
    body
}

/// The body of a picture's tag.
pub(super) fn video_body(codec: Codec, is_key: bool, composition_ms: u32, unit: &[u8]) -> Vec<u8> {
    let frame_type = if is_key { 1 } else { 2 };
    let mut body = match codec {
        Codec::Avc => vec![frame_type << 4 | 7, 1],
        // Enhanced RTMP: coded frames with a composition time.
        Codec::Hevc => [&[0x81 | frame_type << 4][..], b"hvc1"].concat(),
    };
    body.extend(&composition_ms.to_be_bytes()[1..]);
    body.extend((unit.len() as u32).to_be_bytes());
    body.extend(unit);
    body
}

/// The body of the tag of a frame of sound.
pub(super) fn audio_body(sound: Sound, frame: &[u8]) -> Vec<u8> {
    let begin: &[u8] = match sound {
        Sound::Aac | Sound::ShortAac => &[0xaf, 1],
        // Its format has a number of its own at 8 kHz.
        Sound::Mp3 => &[0xe2],
    };
    [begin, frame].concat()
}
