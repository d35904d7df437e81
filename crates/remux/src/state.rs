//! What the next chunk of a session must know of those before it.

use media::{Timeline, TrackClock, VideoCodec, VideoConfig};
use mpegts::MuxerState;

/// Bytes that are no state of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Of another version.
    #[error("expected state version {}, found {found}", SessionState::VERSION)]
    Version {
        /// The version found.
        found: u8,
    },
    /// Cut off, or longer than what it says it holds.
    #[error(
        "expected a state of {} bytes and messages behind their lengths, found {found}",
        SessionState::SIZE
    )]
    Size {
        /// Bytes found.
        found: usize,
    },
    /// A field holds what it cannot.
    #[error("state field {field} is out of range")]
    Field {
        /// The field's name.
        field: &'static str,
    },
}

/// Where a session is between two chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionState<'a> {
    /// The tracks' clocks. Its policy is not kept: it is given anew with each chunk.
    pub timeline: Timeline,
    /// By how much video decoding times are earlier, for negative composition offsets. Unit: 1/90 000 s.
    pub decoding_shift_90khz: u32,
    /// The decoding time of the last video access unit as it was written. Unit: 1/90 000 s.
    pub last_video_dts_90khz: Option<i64>,
    /// Fingerprint of the video configuration last used.
    pub video_config: Option<u64>,
    /// Fingerprint of the audio configuration last used.
    pub audio_config: Option<u64>,
    /// Continuity counters, tables, clock reference.
    pub muxer: MuxerState,
    /// Video messages without a frame that ended the chunk, at most 2 048 bytes with two for each: they go
    /// before the next picture.
    pub companions: Vec<&'a [u8]>,
}

/// Bytes of messages without a frame that are kept for the next chunk.
pub(crate) const MAX_COMPANIONS_SIZE: usize = 2_048;

/// Times beyond this cannot come from a session: two thousand years. Keeps every sum in 64 bits.
const MAX_TIME_90KHZ: i64 = 1 << 52;

impl<'a> SessionState<'a> {
    /// The version of the encoding, its first byte.
    pub const VERSION: u8 = 2;

    /// Bytes of the encoding without companions.
    pub const SIZE: usize = 1 + 2 * 25 + 4 + 9 + 2 * 9 + MuxerState::SIZE;

    /// The state as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION];
        for clock in [self.timeline.video, self.timeline.audio] {
            bytes.push(clock.is_some().into());
            let (timestamp_ms, anchor, dts, delta) = clock.map_or((0, 0, 0, 0), |clock| {
                (clock.timestamp_ms, clock.anchor_90khz, clock.dts_90khz, clock.delta_90khz)
            });
            bytes.extend_from_slice(&timestamp_ms.to_be_bytes());
            bytes.extend_from_slice(&anchor.to_be_bytes());
            bytes.extend_from_slice(&dts.to_be_bytes());
            bytes.extend_from_slice(&delta.to_be_bytes());
        }
        bytes.extend_from_slice(&self.decoding_shift_90khz.to_be_bytes());
        encode_optional(&mut bytes, self.last_video_dts_90khz.map(i64::cast_unsigned));
        encode_optional(&mut bytes, self.video_config);
        encode_optional(&mut bytes, self.audio_config);
        bytes.extend_from_slice(&self.muxer.encode());
        for message in &self.companions {
            bytes.extend_from_slice(&(message.len() as u16).to_be_bytes());
            bytes.extend_from_slice(message);
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote; no bytes are the state before the first chunk.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, StateError> {
        match bytes.first() {
            None => return Ok(Self::default()),
            Some(&Self::VERSION) => {}
            Some(&found) => return Err(StateError::Version { found }),
        }
        let wrong_size = StateError::Size { found: bytes.len() };
        let (fixed, companions) = bytes.split_at_checked(Self::SIZE).ok_or(wrong_size)?;
        if companions.len() > MAX_COMPANIONS_SIZE {
            return Err(wrong_size);
        }
        let companions = decode_companions(companions).ok_or(wrong_size)?;
        let mut fields = Fields(&fixed[1..]);
        let video = fields.clock()?;
        let audio = fields.clock()?;
        let decoding_shift_90khz = u32::from_be_bytes(fields.take());
        if i64::from(decoding_shift_90khz) > crate::composition::MAX_SHIFT_90KHZ {
            return Err(StateError::Field { field: "decoding shift" });
        }
        let last_video_dts_90khz = fields.optional("last decoding time")?.map(u64::cast_signed);
        if !last_video_dts_90khz.is_none_or(is_time) {
            return Err(StateError::Field { field: "last decoding time" });
        }
        let video_config = fields.optional("video configuration")?;
        let audio_config = fields.optional("audio configuration")?;
        let muxer = MuxerState::decode(&fields.take()).ok_or(StateError::Field { field: "muxer" })?;
        let timeline = Timeline { video, audio, ..Timeline::default() };
        Ok(Self {
            timeline,
            decoding_shift_90khz,
            last_video_dts_90khz,
            video_config,
            audio_config,
            muxer,
            companions,
        })
    }
}

fn is_time(time_90khz: i64) -> bool {
    (-MAX_TIME_90KHZ..=MAX_TIME_90KHZ).contains(&time_90khz)
}

fn encode_optional(bytes: &mut Vec<u8>, value: Option<u64>) {
    bytes.push(value.is_some().into());
    bytes.extend_from_slice(&value.unwrap_or(0).to_be_bytes());
}

fn decode_companions(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut messages = Vec::new();
    while let Some((size, rest)) = bytes.split_first_chunk() {
        let (message, rest) = rest.split_at_checked(u16::from_be_bytes(*size).into())?;
        messages.push(message);
        bytes = rest;
    }
    bytes.is_empty().then_some(messages)
}

/// Fields of a state whose size has been checked.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_first_chunk().expect("the size should have been checked");
        self.0 = rest;
        *taken
    }

    fn flag(&mut self, field: &'static str) -> Result<bool, StateError> {
        match self.take() {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(StateError::Field { field }),
        }
    }

    fn optional(&mut self, field: &'static str) -> Result<Option<u64>, StateError> {
        let is_some = self.flag(field)?;
        let value = u64::from_be_bytes(self.take());
        Ok(is_some.then_some(value))
    }

    fn clock(&mut self) -> Result<Option<TrackClock>, StateError> {
        let is_some = self.flag("clock")?;
        let clock = TrackClock {
            timestamp_ms: u32::from_be_bytes(self.take()),
            anchor_90khz: i64::from_be_bytes(self.take()),
            dts_90khz: i64::from_be_bytes(self.take()),
            delta_90khz: u32::from_be_bytes(self.take()),
        };
        if !is_time(clock.anchor_90khz) || !is_time(clock.dts_90khz) {
            return Err(StateError::Field { field: "clock" });
        }
        Ok(is_some.then_some(clock))
    }
}

/// Tells a video configuration from others; the size may be another than the record's.
///
/// Of MPEG-4 part 2 it does not count: the headers may come once, in the first keyframe of a session.
pub(crate) fn video_fingerprint(config: &VideoConfig<'_>) -> u64 {
    let size = match config.codec {
        VideoCodec::Mpeg4 => [0, 0],
        VideoCodec::H264 | VideoCodec::Hevc => [config.width, config.height],
    };
    let [width, height] = size.map(u32::to_be_bytes);
    fingerprint(&[config.codec.name().as_bytes(), config.record, &width, &height])
}

/// FNV-1a: tells configurations apart, guards nothing.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SessionState<'static> {
        let clock = TrackClock {
            timestamp_ms: u32::MAX,
            anchor_90khz: 1 << 40,
            dts_90khz: (1 << 40) + 1,
            delta_90khz: 3600,
        };
        SessionState {
            timeline: Timeline { video: Some(clock), audio: None, ..Timeline::default() },
            decoding_shift_90khz: 7200,
            last_video_dts_90khz: Some(-5),
            video_config: Some(u64::MAX),
            audio_config: None,
            muxer: MuxerState { version: 31, continuity: [0, 15, 7, 8], ..MuxerState::default() },
            companions: vec![&[6, 1, 0x80], &[9, 0xf0]],
        }
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        for state in [sample(), SessionState::default()] {
            let bytes = state.encode();
            let companions: usize = state.companions.iter().map(|message| 2 + message.len()).sum();
            assert_eq!(bytes.len(), SessionState::SIZE + companions);
            assert_eq!(SessionState::decode(&bytes), Ok(state));
        }
        assert_eq!(SessionState::decode(&[]), Ok(SessionState::default()));
    }

    #[test]
    fn other_versions_and_lengths_are_refused() {
        let bytes = sample().encode();
        assert_eq!(SessionState::decode(&[1]), Err(StateError::Version { found: 1 }));
        // Between two companions a state may end.
        for size in
            (1..bytes.len()).filter(|&size| ![SessionState::SIZE, SessionState::SIZE + 5].contains(&size))
        {
            assert_eq!(SessionState::decode(&bytes[..size]), Err(StateError::Size { found: size }));
        }
        for more in [1, MAX_COMPANIONS_SIZE] {
            let longer = [bytes.as_slice(), &vec![0; more]].concat();
            assert_eq!(SessionState::decode(&longer), Err(StateError::Size { found: longer.len() }));
        }
    }

    #[test]
    fn every_changed_byte_gives_a_state_or_an_error() {
        let bytes = sample().encode();
        for index in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[index] = value;
                if let Ok(state) = SessionState::decode(&changed) {
                    assert_eq!(SessionState::decode(&state.encode()), Ok(state), "byte {index} as {value}");
                }
            }
        }
    }
}
