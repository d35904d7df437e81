//! Messages and their types (RTMP 1.0 §5.4, §7.1).

use flv::TagKind;

use crate::Skipped;

pub(crate) const SET_CHUNK_SIZE: u8 = 1;
pub(crate) const ABORT: u8 = 2;
pub(crate) const ACKNOWLEDGEMENT: u8 = 3;
pub(crate) const USER_CONTROL: u8 = 4;
pub(crate) const WINDOW_ACKNOWLEDGEMENT_SIZE: u8 = 5;
pub(crate) const SET_PEER_BANDWIDTH: u8 = 6;
pub(crate) const AUDIO: u8 = 8;
pub(crate) const VIDEO: u8 = 9;
pub(crate) const DATA_AMF3: u8 = 15;
pub(crate) const COMMAND_AMF3: u8 = 17;
pub(crate) const DATA_AMF0: u8 = 18;
pub(crate) const COMMAND_AMF0: u8 = 20;
pub(crate) const AGGREGATE: u8 = 22;

/// A whole message, borrowing its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is (RTMP 1.0 §5.4, §7.1).
    pub type_id: u8,
    /// Message stream that it belongs to; 0 for the connection itself.
    pub stream_id: u32,
    /// Milliseconds, 32 bits that wrap.
    pub timestamp_ms: u32,
    /// The bytes.
    pub payload: &'a [u8],
}

impl Message<'_> {
    /// The first four bytes as a number.
    pub(crate) fn first_u32(&self) -> Result<u32, Skipped> {
        match self.payload.first_chunk() {
            Some(bytes) => Ok(u32::from_be_bytes(*bytes)),
            None => Err(Skipped::MessageTooShort {
                type_id: self.type_id,
                needed: 4,
                available: self.payload.len(),
            }),
        }
    }
}

/// An audio, video or data message of the published stream: the body of an FLV tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// What it carries; script data is AMF0, `@setDataFrame` taken off.
    pub kind: TagKind,
    /// Milliseconds, 32 bits that wrap.
    pub timestamp_ms: u32,
    /// The tag's body.
    pub body: &'a [u8],
}
