//! What a slice leaves for the next one.

use media::VideoCodec;

use crate::{AudioStream, Program};

/// Where the stream is between two slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MuxerState {
    /// The tracks listed so far; none before the first slice.
    pub program: Program,
    /// Version of the program map table, 0 to 31.
    pub version: u8,
    /// Continuity counters of the last packets: PAT, PMT, video, audio; 0 to 15.
    pub continuity: [u8; 4],
    /// The last program clock reference. Unit: 1/90 000 s, on the stream's clock, not reduced to 33 bits.
    pub pcr_90khz: Option<i64>,
}

impl MuxerState {
    /// Bytes of the encoded state.
    pub const SIZE: usize = 16;

    /// The state as bytes.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let video = match self.program.video {
            None => 0,
            Some(VideoCodec::H264) => 1,
            Some(VideoCodec::Hevc) => 2,
            Some(VideoCodec::Mpeg4) => 3,
        };
        let audio = self.program.audio.map_or(0, AudioStream::stream_type);
        let mut bytes = [0; Self::SIZE];
        bytes[..3].copy_from_slice(&[video, audio, self.version]);
        bytes[3..7].copy_from_slice(&self.continuity);
        bytes[7] = self.pcr_90khz.is_some().into();
        bytes[8..].copy_from_slice(&self.pcr_90khz.unwrap_or(0).to_be_bytes());
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote, or `None` where a field cannot be.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let video = match bytes[0] {
            0 => None,
            1 => Some(VideoCodec::H264),
            2 => Some(VideoCodec::Hevc),
            3 => Some(VideoCodec::Mpeg4),
            _ => return None,
        };
        let audio = match bytes[1] {
            0 => None,
            0x0f => Some(AudioStream::Adts),
            0x03 => Some(AudioStream::Mpeg1),
            0x04 => Some(AudioStream::Mpeg2),
            _ => return None,
        };
        let [_, _, version, c0, c1, c2, c3, has_pcr, pcr @ ..] = *bytes;
        let pcr = i64::from_be_bytes(pcr);
        let pcr_90khz = match has_pcr {
            0 if pcr == 0 => None,
            1 if (0..1 << 52).contains(&pcr) => Some(pcr),
            _ => return None,
        };
        let continuity = [c0, c1, c2, c3];
        let in_range = version < 32 && continuity.iter().all(|&counter| counter < 16);
        in_range.then_some(Self { program: Program { video, audio }, version, continuity, pcr_90khz })
    }
}
