//! The configuration record of a sequence header, read by its codec.

use codec::{Configuration, nal_video::NalCodec};

use crate::{AudioCodec, AudioTagHeader, VideoCodec, VideoTagHeader};

impl VideoCodec {
    /// The codec of NAL units, where it is one.
    #[must_use]
    pub fn nal_codec(self) -> Option<NalCodec> {
        match self {
            Self::Avc => Some(NalCodec::H264),
            Self::Hevc => Some(NalCodec::Hevc),
            Self::Mpeg4 | Self::Legacy(_) | Self::Enhanced(_) => None,
        }
    }
}

impl<'a> VideoTagHeader<'a> {
    /// The configuration that a sequence header holds; `None` where it is no sequence header, or its record cannot be
    /// used.
    #[must_use]
    pub fn configuration(&self) -> Option<Configuration<'a>> {
        if !self.is_sequence_header() {
            return None;
        }
        match (self.codec.nal_codec(), self.codec) {
            (Some(codec), _) => Configuration::nal(codec, self.payload),
            (None, VideoCodec::Mpeg4) => Configuration::mpeg4(self.payload),
            (None, _) => Configuration::other(self.payload),
        }
    }

    /// Whether a coded frame begins a picture. `false` only for H.264 and HEVC, where its first coded slice is not the
    /// first of its picture; `length_size` is that of the track's configuration record.
    #[must_use]
    pub fn begins_picture(&self, length_size: u8) -> bool {
        self.codec.nal_codec().is_none_or(|codec| codec.message_begins_picture(self.payload, length_size))
    }

    /// Width and height of the pictures that a coded frame of H.264 or HEVC says by parameter sets of its own; `None`
    /// where it has none. `length_size` is that of the track's configuration record.
    #[must_use]
    pub fn picture_size(&self, length_size: u8) -> Option<(u32, u32)> {
        self.codec.nal_codec()?.message_picture_size(self.payload, length_size)
    }
}

impl<'a> AudioTagHeader<'a> {
    /// The configuration that a sequence header holds; `None` where it is no sequence header, or its record cannot be
    /// used.
    #[must_use]
    pub fn configuration(&self) -> Option<Configuration<'a>> {
        if !self.is_sequence_header() {
            return None;
        }
        match self.codec {
            AudioCodec::Aac => Configuration::aac(self.payload),
            AudioCodec::Mp3 | AudioCodec::Legacy(_) | AudioCodec::Enhanced(_) => {
                Configuration::other(self.payload)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_header_gives_the_configuration_of_its_codec() {
        let video = |body| VideoTagHeader::parse(body).unwrap().configuration();
        let without_sets = video(&[0x17, 0, 0, 0, 0, 1, 0x42, 0, 0x1f, 0xff, 0xe0, 0]);
        assert!(without_sets.is_some_and(|found| !found.is_complete()));
        assert_eq!(video(&[0x17, 0, 0, 0, 0]), None);
        assert_eq!(video(&[0x17, 1, 0, 0, 0, 1]), None);
        assert_eq!(video(b"\x90av01\x81"), Some(Configuration::Other(b"\x81")));
        assert_eq!(video(b"\x90av01"), None);
        let audio = |body| AudioTagHeader::parse(body).unwrap().configuration();
        assert_eq!(audio(&[0xaf, 0, 0x12, 0x10]), Configuration::aac(&[0x12, 0x10]));
        assert_eq!(audio(b"\x90mp4a\x12\x10"), Configuration::aac(&[0x12, 0x10]));
        assert_eq!((audio(&[0xaf, 0]), audio(&[0xaf, 1, 0x12, 0x10])), (None, None));
        assert_eq!(audio(b"\x90Opus\x01"), Some(Configuration::Other(b"\x01")));
    }

    #[test]
    fn the_size_of_pictures_is_that_of_the_sets_before_them() {
        const SPS: &[u8] =
            b"\x67\x64\0\x0c\xac\xd9\x41\x41\x9f\x9f\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xf1\x42\x99\x60";
        let idr: &[u8] = b"\x65\x88\x80";
        let size = |header: &[u8], framed: &[&[u8]]| {
            let body = [header, &framed.concat()].concat();
            VideoTagHeader::parse(&body).unwrap().picture_size(4)
        };
        let (avc, found) = (&[0x17, 1, 0, 0, 0][..], Some((320, 180)));
        let [sps_length, idr_length] = [SPS, idr].map(|unit| (unit.len() as u32).to_be_bytes());
        let [before, after] = [&[&sps_length[..], SPS], &[&idr_length[..], idr]];
        assert_eq!(size(avc, &[before[0], before[1], after[0], after[1]]), found);
        assert_eq!(size(avc, before), found);
        assert_eq!(size(avc, &[b"\0\0\0\x01", SPS, b"\0\0\x01", idr]), found);
        // Sets behind a slice are of what follows, and other codecs have none.
        assert_eq!(size(avc, &[after[0], after[1], before[0], before[1]]), None);
        assert_eq!(size(avc, after), None);
        assert_eq!(size(&[0x19, 1, 0, 0, 0], before), None);
    }

    #[test]
    fn frames_of_other_codecs_begin_pictures() {
        let begins = |body| VideoTagHeader::parse(body).unwrap().begins_picture(4);
        assert!(begins(&[0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88]));
        assert!(!begins(&[0x27, 1, 0, 0, 0, 0, 0, 0, 3, 0x41, 0x00, 0x73]));
        assert!(begins(&[0x19, 1, 0, 0, 0, 0, 0, 0, 3, 0x41, 0x00, 0x73]));
        assert!(begins(b"\xa1av01\x12"));
    }
}
