//! What the next chunk of a session must know of those before it.

mod fields;
mod timeline;

use media::{PresentationStamps, Timeline, VideoCodec, VideoConfig};
use mpegts::MuxerState;

use fields::{Fields, write_optional};

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
    /// Presentation times that the push stamps its pictures with.
    pub presentation: PresentationStamps,
    /// By how much video decoding times are earlier, for negative composition offsets. Unit: 1/90 000 s.
    pub decoding_shift_90khz: u32,
    /// The decoding time of the last video access unit as it was written. Unit: 1/90 000 s.
    pub last_video_dts_90khz: Option<i64>,
    /// Where the slices so far end, and where the last one begins. Unit: 1/90 000 s.
    pub end_90khz: Option<i64>,
    /// See `end_90khz`.
    pub start_90khz: i64,
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

impl<'a> SessionState<'a> {
    /// The version of the encoding, its first byte.
    pub const VERSION: u8 = 3;

    /// Bytes of the encoding without companions.
    pub const SIZE: usize =
        1 + timeline::TIMELINE_SIZE + timeline::PRESENTATION_SIZE + 4 + 9 + 9 + 8 + 2 * 9 + MuxerState::SIZE;

    /// The state as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION];
        timeline::write(&self.timeline, &mut bytes);
        timeline::write_presentation(&self.presentation, &mut bytes);
        bytes.extend_from_slice(&self.decoding_shift_90khz.to_be_bytes());
        write_optional(&mut bytes, self.last_video_dts_90khz.map(i64::cast_unsigned));
        write_optional(&mut bytes, self.end_90khz.map(i64::cast_unsigned));
        bytes.extend_from_slice(&self.start_90khz.to_be_bytes());
        write_optional(&mut bytes, self.video_config);
        write_optional(&mut bytes, self.audio_config);
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
        let timeline = timeline::read(&mut fields)?;
        let presentation = timeline::read_presentation(&mut fields)?;
        let decoding_shift_90khz = u32::from_be_bytes(fields.take());
        if i64::from(decoding_shift_90khz) > crate::composition::MAX_SHIFT_90KHZ {
            return Err(StateError::Field { field: "decoding shift" });
        }
        let last_video_dts_90khz = fields.optional_time("last decoding time")?;
        let end_90khz = fields.optional_time("end")?;
        let start_90khz = fields.time("start")?;
        let video_config = fields.optional("video configuration")?;
        let audio_config = fields.optional("audio configuration")?;
        let muxer = MuxerState::decode(&fields.take()).ok_or(StateError::Field { field: "muxer" })?;
        Ok(Self {
            timeline,
            presentation,
            decoding_shift_90khz,
            last_video_dts_90khz,
            end_90khz,
            start_90khz,
            video_config,
            audio_config,
            muxer,
            companions,
        })
    }
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
    use media::{Arrival, ArrivalPoint, Lead, Pace, TrackClock};

    use super::*;

    fn sample() -> SessionState<'static> {
        let clock = TrackClock {
            timestamp_ms: u32::MAX,
            stamp_ms: 1 << 33,
            offset_90khz: -(1 << 40),
            home_90khz: (1 << 40) - 90,
            dts_90khz: (1 << 40) + 1,
            time_90khz: 1 << 40,
            unproven_90khz: 45_000,
            pace: Pace {
                ideal_90khz: 1 << 40,
                frame_256: 3_600 << 8,
                jitter_90khz: 30,
                last_step_90khz: -1,
                steps: 255,
            },
            lead: Lead { mean_90khz: -1_000, spread_90khz: 400, units: 9 },
        };
        let point = ArrivalPoint { arrival_ms: 5_000, time_90khz: -9 };
        let mut arrival = Arrival::default();
        (arrival.last, arrival.collapsed_90khz) = (Some(point), 1);
        SessionState {
            timeline: Timeline {
                video: Some(clock),
                audio: None,
                settled: true,
                last_shift_90khz: -6_300,
                arrival,
                ..Timeline::default()
            },
            presentation: PresentationStamps { depth: 8, frame_ms: 40, ..PresentationStamps::default() },
            end_90khz: Some(1 << 40),
            start_90khz: 1 << 39,
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
