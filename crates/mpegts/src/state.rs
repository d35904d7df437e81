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
    /// When the program tables were last written, on the same clock.
    pub tables_90khz: Option<i64>,
}

impl MuxerState {
    /// Bytes of the encoded state.
    pub const SIZE: usize = 8 + 2 * 9;

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
        bytes[7] = self.program.mpeg4_profile_and_level;
        for (field, time) in bytes[8..].chunks_mut(9).zip([self.pcr_90khz, self.tables_90khz]) {
            field[0] = time.is_some().into();
            field[1..].copy_from_slice(&time.unwrap_or(0).to_be_bytes());
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote, or `None` where a field cannot be.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let [video, audio, version, c0, c1, c2, c3, mpeg4_profile_and_level, times @ ..] = *bytes;
        let video = match video {
            0 => None,
            1 => Some(VideoCodec::H264),
            2 => Some(VideoCodec::Hevc),
            3 => Some(VideoCodec::Mpeg4),
            _ => return None,
        };
        let audio = match audio {
            0 => None,
            0x0f => Some(AudioStream::Adts),
            0x03 => Some(AudioStream::Mpeg1),
            0x04 => Some(AudioStream::Mpeg2),
            _ => return None,
        };
        let continuity = [c0, c1, c2, c3];
        if version >= 32 || continuity.iter().any(|&counter| counter >= 16) {
            return None;
        }
        let (pcr, tables) = times.split_first_chunk::<9>()?;
        let (pcr_90khz, tables_90khz) = (decode_time(pcr)?, decode_time(tables.first_chunk()?)?);
        Some(Self {
            program: Program { video, audio, mpeg4_profile_and_level },
            version,
            continuity,
            pcr_90khz,
            tables_90khz,
        })
    }
}

/// A time that may be absent; `None` where it is none that a session reaches.
fn decode_time(&[is_some, ref time @ ..]: &[u8; 9]) -> Option<Option<i64>> {
    let time = i64::from_be_bytes(*time);
    match is_some {
        0 if time == 0 => Some(None),
        1 if (0..1 << 52).contains(&time) => Some(Some(time)),
        _ => None,
    }
}
