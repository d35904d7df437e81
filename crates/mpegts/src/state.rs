//! What a slice leaves for the next one.

use media::VideoCodec;

use crate::{AudioStream, MAX_LAG_90KHZ, Program};

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
    /// By how much audio ends before the last video unit, as far as the clock waits for it: 0 to [`MAX_LAG_90KHZ`]. Unit: 1/90 000 s.
    pub audio_lag_90khz: u32,
    /// Where audio ends, on the same clock.
    pub audio_end_90khz: Option<i64>,
    /// The decoding time of the last video unit, on the same clock.
    pub video_dts_90khz: Option<i64>,
}

impl MuxerState {
    /// Bytes of the encoded state.
    pub const SIZE: usize = 8 + 4 + 4 * 9;

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
        bytes[8..12].copy_from_slice(&self.audio_lag_90khz.to_be_bytes());
        let times = [self.pcr_90khz, self.tables_90khz, self.audio_end_90khz, self.video_dts_90khz];
        for (field, time) in bytes[12..].chunks_mut(9).zip(times) {
            field[0] = time.is_some().into();
            field[1..].copy_from_slice(&time.unwrap_or(0).to_be_bytes());
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote, or `None` where a field cannot be.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let [video, audio, version, c0, c1, c2, c3, mpeg4_profile_and_level, l0, l1, l2, l3, times @ ..] =
            *bytes;
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
        let audio_lag_90khz = u32::from_be_bytes([l0, l1, l2, l3]);
        let fits = version < 32
            && continuity.iter().all(|&counter| counter < 16)
            && i64::from(audio_lag_90khz) <= MAX_LAG_90KHZ;
        if !fits {
            return None;
        }
        let mut times = times.as_chunks::<9>().0.iter().map(decode_time);
        let mut time = || times.next()?;
        Some(Self {
            program: Program { video, audio, mpeg4_profile_and_level },
            version,
            continuity,
            pcr_90khz: time()?,
            tables_90khz: time()?,
            audio_lag_90khz,
            audio_end_90khz: time()?,
            video_dts_90khz: time()?,
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

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: MuxerState = MuxerState {
        program: Program {
            video: Some(VideoCodec::Mpeg4),
            audio: Some(AudioStream::Mpeg2),
            mpeg4_profile_and_level: 0xf5,
        },
        version: 31,
        continuity: [15, 0, 7, 15],
        pcr_90khz: Some((1 << 52) - 1),
        tables_90khz: Some(0),
        audio_lag_90khz: MAX_LAG_90KHZ as u32,
        audio_end_90khz: Some(1),
        video_dts_90khz: None,
    };

    #[test]
    fn a_state_comes_back() {
        let videos = [None, Some(VideoCodec::H264), Some(VideoCodec::Hevc), Some(VideoCodec::Mpeg4)];
        let audios = [None, Some(AudioStream::Adts), Some(AudioStream::Mpeg1), Some(AudioStream::Mpeg2)];
        for video in videos {
            for audio in audios {
                let program = Program { video, audio, ..FULL.program };
                let state = MuxerState { program, ..FULL };
                assert_eq!(MuxerState::decode(&state.encode()), Some(state));
            }
        }
        let bytes = [
            &[3, 4, 31, 15, 0, 7, 15, 0xf5, 0, 1, 0x07, 0xac][..],
            &[1, 0, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 9],
        ];
        assert_eq!(FULL.encode()[..], bytes.concat());
        assert_eq!(MuxerState::default().encode(), [0; MuxerState::SIZE]);
        assert_eq!(MuxerState::decode(&[0; MuxerState::SIZE]), Some(MuxerState::default()));
    }

    #[test]
    fn what_no_session_reaches_is_refused() {
        let changed = |at: usize, byte: u8| {
            let mut bytes = FULL.encode();
            bytes[at] = byte;
            MuxerState::decode(&bytes)
        };
        // Codecs, version, counters, lag, a time past 2^52, one below zero, one that is neither there nor not, one that
        // is not there and not zero.
        let cannot_be = [
            (0, 4),
            (1, 5),
            (2, 32),
            (3, 16),
            (6, 16),
            (8, 1),
            (11, 0xad),
            (14, 0x10),
            (13, 0x80),
            (12, 2),
            (30, 0),
            (41, 1),
            (47, 1),
        ];
        for (at, byte) in cannot_be {
            assert_eq!(changed(at, byte), None, "byte {at} as {byte}");
        }
        // Whatever is read is written in the same bytes.
        for at in 0..MuxerState::SIZE {
            for byte in 0..=255 {
                let state = changed(at, byte);
                assert!(state.is_none_or(|state| state.encode()[at] == byte), "byte {at} as {byte}");
            }
        }
    }
}
