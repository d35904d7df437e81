//! Up to 64 chunks of a session in a few bytes each.
//!
//! A chunk's record carries its page: what all chunks since the last multiple of [`PAGE`] are. A page is read
//! from the record of its last chunk, so that a query reads one record for 64 slices.
//!
//! Layout of a chunk in a page, all numbers as LEB128 unless a width is named:
//!
//! | field | present | unit |
//! | --- | --- | --- |
//! | flags | always, one byte | see the constants of this module |
//! | anchor | `ANCHOR`: it differs from that of the slice before in this page | Unix ms |
//! | start less the end of the slice before in this page, signed | slice | 1/90 000 s |
//! | duration | slice | 1/90 000 s |
//! | size | slice | bytes, of transport packets where `PACKETS` is set |
//! | names taken, one byte | `NAMES` | |
//! | codecs (one byte), width, height | `TRACKS`: they differ from the slice before in this page | samples |
//! | reason (one byte), begin, length | gap | ms |
//!
//! A slice of 5 s whose tracks stay the same takes 10 to 12 bytes.

use crate::chunk::{AudioCodec, Chunk, Gap, GapReason, Slice, Tracks, VideoCodec};

/// Chunks a page.
pub const PAGE: u64 = 64;

/// Bytes of a transport packet (13818-1 §2.4.3.2), which every slice has a whole number of.
const PACKET_BYTES: u64 = 188;

const SLICE: u8 = 1;
const GAP: u8 = 2;
const ENTERABLE: u8 = 4;
const DISCONTINUOUS: u8 = 8;
const NAMES: u8 = 16;
const TRACKS: u8 = 32;
const PACKETS: u8 = 64;
const ANCHOR: u8 = 128;

/// A page whose bytes are not a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("page of slices cannot be read at byte {at} of {bytes}")]
pub struct Unreadable {
    /// Where.
    pub at: usize,
    /// Of how many bytes.
    pub bytes: usize,
}

/// A page's chunks as bytes.
#[must_use]
pub fn encode(chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(chunks.len() * 12);
    let mut last: Option<Slice> = None;
    for chunk in chunks {
        match chunk {
            Chunk::Empty => bytes.push(0),
            Chunk::Gap(gap) => {
                bytes.extend([GAP, reason_code(gap.reason)]);
                put(&mut bytes, gap.from_ms);
                put(&mut bytes, gap.to_ms.saturating_sub(gap.from_ms));
            }
            Chunk::Slice(slice) => {
                put_slice(&mut bytes, slice, last.as_ref());
                last = Some(*slice);
            }
        }
    }
    bytes
}

fn put_slice(bytes: &mut Vec<u8>, slice: &Slice, last: Option<&Slice>) {
    let has_tracks = last.map(|last| last.tracks) != Some(slice.tracks);
    let has_anchor = last.map(|last| last.anchor_ms) != Some(slice.anchor_ms);
    let in_packets = slice.size.is_multiple_of(PACKET_BYTES);
    let mut flags = SLICE;
    for (flag, is_set) in [
        (ENTERABLE, slice.is_enterable),
        (DISCONTINUOUS, slice.is_discontinuous),
        (NAMES, slice.names_taken > 0),
        (TRACKS, has_tracks),
        (PACKETS, in_packets),
        (ANCHOR, has_anchor),
    ] {
        flags |= if is_set { flag } else { 0 };
    }
    bytes.push(flags);
    if has_anchor {
        put(bytes, slice.anchor_ms);
    }
    let step = slice.start_90khz.wrapping_sub(last.map_or(0, Slice::end_90khz)).cast_signed();
    put(bytes, (step << 1 ^ step >> 63).cast_unsigned());
    put(bytes, slice.duration_90khz);
    put(bytes, if in_packets { slice.size / PACKET_BYTES } else { slice.size });
    if slice.names_taken > 0 {
        bytes.push(slice.names_taken);
    }
    if has_tracks {
        bytes.push(codecs_code(slice.tracks));
        put(bytes, slice.tracks.width.into());
        put(bytes, slice.tracks.height.into());
    }
}

/// The chunks of a page.
///
/// # Errors
/// Bytes that [`encode`] did not write.
pub fn decode(bytes: &[u8]) -> Result<Vec<Chunk>, Unreadable> {
    let mut reader = Reader::new(bytes);
    let mut chunks = Vec::new();
    let mut last: Option<Slice> = None;
    while reader.at < bytes.len() {
        let begin = reader.at;
        let chunk = read_chunk(&mut reader, last.as_ref());
        let chunk = chunk.ok_or(Unreadable { at: begin, bytes: bytes.len() })?;
        if let Chunk::Slice(slice) = chunk {
            last = Some(slice);
        }
        chunks.push(chunk);
    }
    Ok(chunks)
}

fn read_chunk(reader: &mut Reader<'_>, last: Option<&Slice>) -> Option<Chunk> {
    let flags = reader.byte()?;
    if flags == 0 {
        return Some(Chunk::Empty);
    }
    if flags == GAP {
        let reason = reason(reader.byte()?)?;
        let from_ms = reader.number()?;
        return Some(Chunk::Gap(Gap { reason, from_ms, to_ms: from_ms.checked_add(reader.number()?)? }));
    }
    if flags & SLICE == 0 {
        return None;
    }
    let anchor_ms = if flags & ANCHOR != 0 { reader.number()? } else { last?.anchor_ms };
    let step = reader.number()?;
    let step = (step >> 1).cast_signed() ^ -(step & 1).cast_signed();
    let start_90khz = last.map_or(0, Slice::end_90khz).wrapping_add_signed(step);
    let duration_90khz = reader.number()?;
    start_90khz.checked_add(duration_90khz)?;
    let size = reader.number()?;
    let size = if flags & PACKETS != 0 { size.checked_mul(PACKET_BYTES)? } else { size };
    let names_taken = if flags & NAMES != 0 { reader.byte()? } else { 0 };
    let tracks = if flags & TRACKS != 0 {
        let codecs = reader.byte()?;
        let (width, height) = (reader.number()?.try_into().ok()?, reader.number()?.try_into().ok()?);
        tracks(codecs, width, height)?
    } else {
        last?.tracks
    };
    Some(Chunk::Slice(Slice {
        anchor_ms,
        start_90khz,
        duration_90khz,
        size,
        is_enterable: flags & ENTERABLE != 0,
        is_discontinuous: flags & DISCONTINUOUS != 0,
        names_taken,
        tracks,
    }))
}

fn reason_code(reason: GapReason) -> u8 {
    match reason {
        GapReason::Refused => 0,
        GapReason::Shed => 1,
        GapReason::Damaged => 2,
        GapReason::Acknowledged => 3,
    }
}

fn reason(code: u8) -> Option<GapReason> {
    Some(match code {
        0 => GapReason::Refused,
        1 => GapReason::Shed,
        2 => GapReason::Damaged,
        3 => GapReason::Acknowledged,
        _ => return None,
    })
}

/// The video codec in the low four bits, the audio codec in the high ones; 0 for none.
pub(crate) fn codecs_code(tracks: Tracks) -> u8 {
    let video = match tracks.video {
        None => 0,
        Some(VideoCodec::H264) => 1,
        Some(VideoCodec::Hevc) => 2,
        Some(VideoCodec::Mpeg4) => 3,
    };
    let audio = match tracks.audio {
        None => 0,
        Some(AudioCodec::Aac) => 1,
        Some(AudioCodec::Mp3) => 2,
    };
    video | audio << 4
}

/// The tracks of such a code.
pub(crate) fn tracks(codecs: u8, width: u16, height: u16) -> Option<Tracks> {
    let video = match codecs & 15 {
        0 => None,
        1 => Some(VideoCodec::H264),
        2 => Some(VideoCodec::Hevc),
        3 => Some(VideoCodec::Mpeg4),
        _ => return None,
    };
    let audio = match codecs >> 4 {
        0 => None,
        1 => Some(AudioCodec::Aac),
        2 => Some(AudioCodec::Mp3),
        _ => return None,
    };
    Some(Tracks { video, audio, width, height })
}

/// Appends a number as LEB128.
pub(crate) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads what stands in some bytes, one after the other; `None` where they end, or are none that were written so.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// So many bytes.
    pub(crate) fn bytes(&mut self, length: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// Whatever is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// A number as LEB128.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
