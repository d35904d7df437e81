//! What the next chunk of a session must know of those before it.

mod fields;
mod timeline;
mod tracks;

use media::{PictureSize, PresentationStamps, Timeline, VideoCodec};
use mpegts::MuxerState;

pub use tracks::VideoState;
pub(crate) use tracks::{MAX_AUDIO_RECORD_SIZE, MAX_LEADING_SIZE, size_of};

use crate::adts::PartialFrame;
use fields::{Fields, write_optional};
use tracks::Tracks;

/// Decoding times are moved earlier by at most this much. Unit: 1/90 000 s.
///
/// One second: deeper reordering than any live encoder's.
pub(crate) const MAX_SHIFT_90KHZ: i64 = 90_000;

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
    #[error("expected a state of {} bytes and parts behind their lengths, found {found}", SessionState::SIZE)]
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
    /// What is known of the video track, once there is one.
    pub video: Option<VideoState<'a>>,
    /// The sequence header of AAC in use, or an ADTS header in its place: at most 128 bytes.
    pub audio_record: Option<&'a [u8]>,
    /// NAL units that ended the chunk without a picture, at most 2 048 bytes with three for each: they go before the
    /// next picture.
    pub leading_units: Vec<&'a [u8]>,
    /// The ADTS frame that goes on in the next chunk: at most 8 190 bytes.
    pub adts_frame: Option<PartialFrame<'a>>,
}

impl<'a> SessionState<'a> {
    /// The version of the encoding, its first byte.
    pub const VERSION: u8 = 5;

    /// Bytes of the encoding without the parts whose size varies.
    pub const SIZE: usize = 1
        + timeline::TIMELINE_SIZE
        + timeline::PRESENTATION_SIZE
        + 4
        + 9
        + 9
        + 8
        + 2 * 9
        + tracks::TRACKS_SIZE
        + MuxerState::SIZE;

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
        tracks::write_video(self.video.as_ref(), &mut bytes);
        bytes.extend_from_slice(&self.muxer.encode());
        tracks::write_parts(
            self.video.as_ref(),
            self.audio_record,
            &self.leading_units,
            self.adts_frame.as_ref(),
            &mut bytes,
        );
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
        let (fixed, parts) = bytes.split_at_checked(Self::SIZE).ok_or(wrong_size)?;
        let mut fields = Fields(&fixed[1..]);
        let timeline = timeline::read(&mut fields)?;
        let presentation = timeline::read_presentation(&mut fields)?;
        let decoding_shift_90khz = u32::from_be_bytes(fields.take());
        if i64::from(decoding_shift_90khz) > MAX_SHIFT_90KHZ {
            return Err(StateError::Field { field: "decoding shift" });
        }
        let last_video_dts_90khz = fields.optional_time("last decoding time")?;
        let end_90khz = fields.optional_time("end")?;
        let start_90khz = fields.time("start")?;
        let video_config = fields.optional("video configuration")?;
        let audio_config = fields.optional("audio configuration")?;
        let mut tracks = Tracks { video: tracks::read_video(&mut fields)?, ..Tracks::default() };
        tracks::read_parts(parts, &mut tracks).ok_or(wrong_size)?;
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
            video: tracks.video,
            audio_record: tracks.audio_record,
            leading_units: tracks.leading_units,
            adts_frame: tracks.adts_frame,
        })
    }
}

/// Tells a configuration from others, by a fingerprint of its sequence header and the size of its pictures.
pub(crate) fn identity(codec: VideoCodec, header: u64, size: Option<PictureSize>) -> u64 {
    let [width, height] =
        size.map_or([[0; 4]; 2], |size| [size.width.to_be_bytes(), size.height.to_be_bytes()]);
    fingerprint([codec.name().as_bytes(), &header.to_be_bytes(), &width, &height])
}

/// FNV-1a: tells configurations apart, guards nothing.
pub(crate) fn fingerprint<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> u64 {
    let bytes = parts.into_iter().flatten();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
