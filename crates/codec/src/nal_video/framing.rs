//! How the NAL units of a message are told apart, as it is said and as it is found.

use super::{NalCodec, UnitRole};
use crate::nal::{ByteStreamUnits, NalUnits, begins_with_start_code};

/// How the NAL units of a message are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each stands behind its length in so many bytes, 1 to 4 (14496-15): what FLV asks for.
    Lengths(u8),
    /// Each stands behind a start code (14496-10 annex B).
    StartCodes,
    /// Each stands behind its length in so many bytes, and then behind a start code too.
    StartCodesInLengths(u8),
}

/// A message's NAL units, once their framing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The framing found.
    pub framing: Framing,
    /// The bytes that are so framed.
    pub framed: &'a [u8],
    /// Bytes after them that are no NAL unit.
    pub stray: &'a [u8],
}

impl<'a> Message<'a> {
    /// Finds out how a message of coded video is framed; `expected` is tried first.
    ///
    /// Encoders send start codes where lengths belong, lengths of another size than the configuration record says,
    /// and bytes after the last NAL unit. `None` where no framing gives a whole coded slice or whole NAL units alone.
    #[must_use]
    pub fn read(codec: NalCodec, payload: &'a [u8], expected: Framing) -> Option<Self> {
        let whole = |framing| Self { framing, framed: payload, stray: &[] };
        let size = match expected {
            Framing::Lengths(size) | Framing::StartCodesInLengths(size) => size,
            Framing::StartCodes => 4,
        };
        let by_lengths = Lengths::read(codec, payload, size);
        let stream = Stream::read(codec, payload);
        let is_stream = stream.is_plausible && !by_lengths.explain_better(&stream, payload);
        if expected == Framing::StartCodes && is_stream {
            return Some(whole(expected));
        }
        if by_lengths.is_whole && by_lengths.are_plausible {
            return Some(whole(Framing::Lengths(size)));
        }
        if by_lengths.is_whole && by_lengths.have_start_codes {
            return Some(whole(Framing::StartCodesInLengths(size)));
        }
        if is_stream {
            return Some(whole(Framing::StartCodes));
        }
        let others = [4, 2, 3, 1].into_iter().filter(|&other| other != size);
        for (other, found) in others.map(|other| (other, Lengths::read(codec, payload, other))) {
            if found.is_whole && found.are_plausible {
                return Some(whole(Framing::Lengths(other)));
            }
        }
        if by_lengths.is_whole {
            return Some(whole(Framing::Lengths(size)));
        }
        let (framed, stray) = payload.split_at(by_lengths.size);
        let is_usable = by_lengths.are_plausible && by_lengths.have_slice;
        is_usable.then_some(Self { framing: Framing::Lengths(size), framed, stray })
    }

    /// The NAL units, empty ones left out.
    #[must_use]
    pub fn units(&self) -> Units<'a> {
        let (length_size, stream) = match self.framing {
            Framing::Lengths(size) | Framing::StartCodesInLengths(size) => (Some(size), None),
            Framing::StartCodes => (None, Some(ByteStreamUnits::new(self.framed))),
        };
        Units {
            lengths: length_size.map(|size| NalUnits::new(self.framed, size)),
            stream,
            has_nested_streams: matches!(self.framing, Framing::StartCodesInLengths(_)),
        }
    }
}

/// Walks the NAL units of a [`Message`].
#[derive(Clone, Debug)]
pub struct Units<'a> {
    lengths: Option<NalUnits<'a>>,
    /// The byte stream in turn: the message, or what stands behind one length of it.
    stream: Option<ByteStreamUnits<'a>>,
    has_nested_streams: bool,
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(unit) = self.stream.as_mut().and_then(Iterator::next) {
                return Some(unit);
            }
            let unit = self.lengths.as_mut()?.next()?.ok()?;
            if !self.has_nested_streams || !begins_with_start_code(unit) {
                return Some(unit);
            }
            self.stream = Some(ByteStreamUnits::new(unit));
        }
    }
}

/// Stray bytes that lengths lead to by chance in a byte stream of a few hundred bytes, though seldom.
const MAX_USUAL_STRAY: usize = 16;

/// What reading a message by lengths of one size gives.
struct Lengths {
    /// Every byte belongs to a length, a NAL unit or padding.
    is_whole: bool,
    /// Bytes up to the end of the last whole NAL unit.
    size: usize,
    /// Every NAL unit, of which there is at least one, can be one by its header.
    are_plausible: bool,
    /// Every NAL unit, of which there is at least one, begins with a start code.
    have_start_codes: bool,
    /// One of them is a coded slice.
    have_slice: bool,
}

impl Lengths {
    fn read(codec: NalCodec, payload: &[u8], size: u8) -> Self {
        let mut found = Self {
            is_whole: true,
            size: payload.len(),
            are_plausible: true,
            have_start_codes: true,
            have_slice: false,
        };
        let mut is_empty = true;
        for unit in NalUnits::new(payload, size) {
            match unit {
                Ok(unit) => {
                    is_empty = false;
                    found.are_plausible &= codec.is_plausible(unit);
                    found.have_start_codes &= begins_with_start_code(unit);
                    found.have_slice |= codec.role(unit) == UnitRole::CodedSlice;
                }
                Err(error) => {
                    found.is_whole = false;
                    found.size = error.offset as usize;
                }
            }
        }
        found.are_plausible &= !is_empty;
        found.have_start_codes &= !is_empty;
        found
    }

    /// Whether a message that may be a byte stream rather stands behind lengths, maybe with stray bytes at its end: a
    /// length from 256 to 511 looks like a start code.
    fn explain_better(&self, stream: &Stream, payload: &[u8]) -> bool {
        let looks_like_both = payload.starts_with(&[0, 0, 1]);
        let is_usual = self.are_plausible && self.have_slice && payload.len() - self.size <= MAX_USUAL_STRAY;
        looks_like_both && is_usual && !stream.begins_picture
    }
}

/// What reading a message as a byte stream gives.
struct Stream {
    /// It begins with a start code, and every NAL unit, of which there is at least one, can be one by its header.
    is_plausible: bool,
    /// One of them is a coded slice that begins a picture.
    begins_picture: bool,
}

impl Stream {
    fn read(codec: NalCodec, payload: &[u8]) -> Self {
        let mut found = Self { is_plausible: false, begins_picture: false };
        if begins_with_start_code(payload) {
            let mut units = ByteStreamUnits::new(payload).peekable();
            found.is_plausible = units.peek().is_some()
                && units.all(|unit| {
                    found.begins_picture |=
                        codec.role(unit) == UnitRole::CodedSlice && codec.begins_picture(unit);
                    codec.is_plausible(unit)
                });
        }
        found
    }
}

#[cfg(test)]
mod tests;
