//! What the audio and video headers of Enhanced RTMP share: FourCC, `ModEx` prefixes, multitrack bodies.

use std::fmt;

use crate::Error;

/// Four characters that name a codec.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FourCc({self})")
    }
}

/// A header being read from the front of a tag body.
pub(crate) struct HeaderReader<'a> {
    kind: &'static str,
    body: &'a [u8],
    rest: &'a [u8],
}

impl<'a> HeaderReader<'a> {
    pub(crate) fn new(kind: &'static str, body: &'a [u8]) -> Self {
        Self { kind, body, rest: body }
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.truncated(N))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn skip(&mut self, n: usize) -> Result<(), Error> {
        self.rest = self.rest.get(n..).ok_or_else(|| self.truncated(n))?;
        Ok(())
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take::<1>()?[0])
    }

    /// SI24: a signed 24-bit number.
    pub(crate) fn signed24(&mut self) -> Result<i32, Error> {
        let [a, b, c] = self.take()?;
        Ok(i32::from_be_bytes([a, b, c, 0]) >> 8)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn truncated(&self, n: usize) -> Error {
        let read = self.body.len() - self.rest.len();
        Error::MessageTruncated {
            kind: self.kind,
            needed: read as u64 + n as u64,
            available: self.body.len() as u64,
        }
    }

    /// Skips `ModEx` prefixes (packet type 7) and returns the packet type after them (E-RTMP v2).
    pub(crate) fn skip_mod_ex(&mut self, mut packet_type: u8) -> Result<u8, Error> {
        while packet_type == 7 {
            let mut size = usize::from(self.byte()?) + 1;
            if size == 256 {
                size = usize::from(u16::from_be_bytes(self.take()?)) + 1;
            }
            self.skip(size)?;
            packet_type = self.byte()? & 0x0f;
        }
        Ok(packet_type)
    }

    /// The FourCC of an ordinary packet, or of the chosen track of a multitrack one (E-RTMP v2).
    ///
    /// `multitrack` tells which; the true packet type, the FourCC and the track number are returned, and
    /// the reader is left at, and limited to, that track's body.
    pub(crate) fn track(&mut self, packet_type: u8, multitrack: u8) -> Result<(u8, FourCc, u8), Error> {
        if packet_type != multitrack {
            return Ok((packet_type, FourCc(self.take()?), 0));
        }
        let byte = self.byte()?;
        let (layout, packet_type) = (byte >> 4, byte & 0x0f);
        let common = if layout == MANY_TRACKS_MANY_CODECS { None } else { Some(FourCc(self.take()?)) };
        if layout == ONE_TRACK {
            let codec = common.expect("one track has a common codec");
            return Ok((packet_type, codec, self.byte()?));
        }
        // Track 0 is the one to record; a message without it is told by its first track.
        let mut first = None;
        while !self.rest.is_empty() {
            let codec = match common {
                Some(codec) => codec,
                None => FourCc(self.take()?),
            };
            let id = self.byte()?;
            let [a, b, c] = self.take()?;
            let size = u32::from_be_bytes([0, a, b, c]) as usize;
            let body = self.rest.get(..size).ok_or_else(|| self.truncated(size))?;
            self.skip(size)?;
            if id == 0 {
                first = Some((codec, id, body));
                break;
            }
            first = first.or(Some((codec, id, body)));
        }
        let (codec, id, body) = first.ok_or_else(|| self.truncated(8))?;
        self.rest = body;
        Ok((packet_type, codec, id))
    }
}

const ONE_TRACK: u8 = 0;
const MANY_TRACKS_MANY_CODECS: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_four_cc_is_shown_by_its_characters() {
        assert_eq!(format!("{0} {0:?}", FourCc(*b"hvc1")), "hvc1 FourCc(hvc1)");
        assert_eq!(FourCc(*b"a\n\xff\0").to_string(), r"a\n\xff\x00");
    }
}
