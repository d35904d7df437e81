//! What a codec's configuration record says, so that two can be compared by meaning.

use crate::{
    aac::{self, AdtsFrame, AudioSpecificConfig},
    mpeg4::{self, VideoObjectLayer},
    nal_video::{NalCodec, NalConfiguration},
};

/// What a configuration record says. Two are equal where they mean the same, be their bytes the same or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Configuration<'a> {
    /// Of H.264 or HEVC.
    Nal(NalConfiguration<'a>),
    /// Of MPEG-4 part 2: the headers before the first picture.
    Mpeg4(&'a [u8]),
    /// Of AAC in a profile that ADTS can carry.
    Aac(AudioSpecificConfig),
    /// Of AAC in another profile, or of a codec that is not read here: the record itself.
    Other(&'a [u8]),
}

impl<'a> Configuration<'a> {
    /// Reads the record of H.264 or HEVC; `None` where it cannot be used, because it is empty or cut.
    #[must_use]
    pub fn nal(codec: NalCodec, record: &'a [u8]) -> Option<Self> {
        NalConfiguration::parse(codec, record).map(Self::Nal)
    }

    /// Reads the headers of MPEG-4 part 2; `None` where they hold no whole video object layer.
    #[must_use]
    pub fn mpeg4(headers: &'a [u8]) -> Option<Self> {
        VideoObjectLayer::find(headers).ok()?.map(|_| Self::Mpeg4(mpeg4::before_first_picture(headers)))
    }

    /// Reads an `AudioSpecificConfig`, or the ADTS header that some encoders send in its place; `None` where it is
    /// empty, cut, or without a meaning.
    #[must_use]
    pub fn aac(record: &'a [u8]) -> Option<Self> {
        if let Some(frame) = AdtsFrame::parse(record) {
            return Some(Self::Aac(frame.config));
        }
        match AudioSpecificConfig::parse(record) {
            Ok(config) => Some(Self::Aac(config)),
            // An object type or a sampling frequency that nothing has: what was known is better.
            Err(
                aac::Error::Truncated(_)
                | aac::Error::ObjectType { found: 0 }
                | aac::Error::SamplingFrequency { found: 0 },
            ) => None,
            Err(_) => Some(Self::Other(record)),
        }
    }

    /// Takes the record of a codec that is not read here; `None` where it is empty.
    #[must_use]
    pub fn other(record: &'a [u8]) -> Option<Self> {
        (!record.is_empty()).then_some(Self::Other(record))
    }

    /// Whether a decoder can begin with it as far as can be told. Only H.264 and HEVC may leave what a decoder needs to
    /// the stream; such a record should not take the place of one that has it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Nal(configuration) => configuration.is_complete(),
            Self::Mpeg4(_) | Self::Aac(_) | Self::Other(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = &[
        0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
        0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
    ];
    const PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];

    fn avcc(profile: u8, sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
        let sets = |units: &[&[u8]]| -> Vec<u8> {
            units.iter().flat_map(|unit| [&(unit.len() as u16).to_be_bytes(), *unit].concat()).collect()
        };
        [&[1, profile, 0, 0x1f, 0xff, 0xe0 | sps.len() as u8][..], &sets(sps), &[pps.len() as u8], &sets(pps)]
            .concat()
    }

    fn h264(record: &[u8]) -> Option<Configuration<'_>> {
        Configuration::nal(NalCodec::H264, record)
    }

    #[test]
    fn h264_records_are_compared_by_their_parameter_sets() {
        let pps_1: &[u8] = &[0x68, 0x5f, 0x0f, 0xc8];
        let record = avcc(66, &[SPS], &[PPS, pps_1]);
        assert_eq!(h264(&record), h264(&avcc(100, &[SPS, SPS], &[pps_1, PPS])));
        assert_ne!(h264(&record), h264(&avcc(66, &[SPS], &[PPS])));
        assert_eq!(h264(&avcc(66, &[SPS], &[PPS])), h264(&[&[0, 0, 0, 1], SPS, &[0, 0, 1], PPS].concat()));
        assert!(h264(&record).unwrap().is_complete());
    }

    #[test]
    fn h264_records_that_are_empty_or_cut_cannot_be_used() {
        let record = avcc(66, &[SPS], &[PPS]);
        assert_eq!(h264(&[]), None);
        for cut in 0..record.len() {
            assert_eq!(h264(&record[..cut]), None, "cut at {cut}");
        }
        for lacking in
            [avcc(66, &[], &[PPS]), avcc(66, &[SPS], &[]), avcc(66, &[], &[]), avcc(66, &[&SPS[..6]], &[PPS])]
        {
            assert!(!h264(&lacking).unwrap().is_complete(), "{lacking:02x?}");
        }
    }

    #[test]
    fn aac_records_are_compared_by_their_fields() {
        let plain = Configuration::aac(&[0x11, 0x90]);
        // SBR is said to be absent, and the ADTS header of the same stream.
        assert_eq!(plain, Configuration::aac(&[0x11, 0x90, 0x56, 0xe5, 0x00]));
        assert_eq!(plain, Configuration::aac(&[0xff, 0xf1, 0x4c, 0x80, 0x01, 0x1f, 0xfc]));
        assert_ne!(plain, Configuration::aac(&[0x12, 0x10]));
        assert_eq!((Configuration::aac(&[]), Configuration::aac(&[0x12])), (None, None));
        // Object type 0, and a reserved sampling frequency.
        assert_eq!((Configuration::aac(&[0, 0]), Configuration::aac(&[0x16, 0x90])), (None, None));
        assert_eq!(Configuration::aac(&[0xb9, 0x90]), Some(Configuration::Other(&[0xb9, 0x90])));
    }

    #[test]
    fn mpeg4_headers_need_a_video_object_layer() {
        assert_eq!(Configuration::mpeg4(&[]), None);
        assert_eq!(Configuration::mpeg4(&[0, 0, 1, 0xb0, 1]), None);
        // What FFmpeg writes for 320 × 240.
        let layer = [0, 0, 1, 0x20, 0, 0xc4, 0x8d, 0x88, 0, 0xcd, 0x0a, 0x04, 0x1e, 0x14, 0x63];
        assert_eq!(Configuration::mpeg4(&layer), Some(Configuration::Mpeg4(&layer)));
        // A group of VOPs, whose time code is another each time, is none of it.
        for time in [0x10, 0x11] {
            let with_group = [&layer[..], &[0, 0, 1, 0xb3, 0, time, 7]].concat();
            assert_eq!(Configuration::mpeg4(&with_group), Some(Configuration::Mpeg4(&layer)));
        }
        assert_eq!(
            (Configuration::other(&[]), Configuration::other(&[1])),
            (None, Some(Configuration::Other(&[1])))
        );
    }
}
