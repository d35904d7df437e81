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
mod tests {
    use super::*;

    const AUD: &[u8] = &[0x09, 0xf0];
    const IDR: &[u8] = &[0x65, 0x88, 0x84, 0x21];
    const P: &[u8] = &[0x41, 0x9a, 0x12];

    fn lengths(size: usize, units: &[&[u8]]) -> Vec<u8> {
        let length = |unit: &[u8]| (unit.len() as u32).to_be_bytes()[4 - size..].to_vec();
        units.iter().flat_map(|unit| [length(unit), unit.to_vec()].concat()).collect()
    }

    #[track_caller]
    fn check(payload: &[u8], expected: Framing, framing: Framing, units: &[&[u8]], stray: &[u8]) {
        let message = Message::read(NalCodec::H264, payload, expected).unwrap();
        assert_eq!((message.framing, message.stray), (framing, stray), "{payload:02x?}");
        assert_eq!(message.units().collect::<Vec<_>>(), units, "{payload:02x?}");
    }

    #[test]
    fn a_length_that_looks_like_a_start_code_is_one_where_it_leads_to_a_slice() {
        // 00 00 01 is a start code too, and what follows may begin a NAL unit: SEI, or a slice.
        for (size, expected) in
            [(0x106, Framing::StartCodes), (0x106, Framing::Lengths(4)), (0x141, Framing::Lengths(4))]
        {
            let long = [&[0x65, 0x88][..], &vec![0x84; size - 2]].concat();
            for stray in [&[][..], &[0xff; 3], &[0xff; 7]] {
                let one = [&lengths(4, &[&long]), stray].concat();
                let two = [&lengths(4, &[&long, P]), stray].concat();
                check(&one, expected, Framing::Lengths(4), &[&long], stray);
                check(&two, expected, Framing::Lengths(4), &[&long, P], stray);
            }
            let nested = lengths(4, &[&[&[0, 0, 0, 1], &long[4..]].concat()]);
            let framing = Framing::StartCodesInLengths(4);
            check(&nested, Framing::Lengths(4), framing, &[&long[4..]], &[]);
            check(&nested, framing, framing, &[&long[4..]], &[]);
        }
    }

    #[test]
    fn lengths_with_many_stray_bytes_behind_them_are_chance() {
        // 00 00 01 06 begins SEI in a byte stream, and is the length of what looks like a slice.
        let slice = [&[0x65, 0x88][..], &[0x84; 0x104]].concat();
        let payload = |stray: usize| [lengths(4, &[&slice]), vec![0xff; stray]].concat();
        let few = payload(MAX_USUAL_STRAY);
        check(&few, Framing::Lengths(4), Framing::Lengths(4), &[&slice], &[0xff; MAX_USUAL_STRAY]);
        let many = payload(MAX_USUAL_STRAY + 1);
        check(&many, Framing::Lengths(4), Framing::StartCodes, &[&many[3..]], &[]);
    }

    #[test]
    fn start_codes_stay_start_codes_though_they_look_like_lengths() {
        // 00 00 01 41 is a length too, which leads to the end.
        let long = [&[0x41, 0x9a][..], &[0x84; 0x140]].concat();
        let stream = [&[0, 0, 1][..], &long].concat();
        check(&stream, Framing::StartCodes, Framing::StartCodes, &[&long], &[]);
    }

    #[test]
    fn the_expected_framing_is_taken_where_it_fits() {
        for size in 1..=4 {
            let framing = Framing::Lengths(size);
            check(&lengths(size.into(), &[AUD, &[], IDR]), framing, framing, &[AUD, IDR], &[]);
        }
        let stream = [&[0, 0, 0, 1][..], AUD, &[0, 0, 1], IDR].concat();
        check(&stream, Framing::StartCodes, Framing::StartCodes, &[AUD, IDR], &[]);
        // One byte behind four can be both.
        let end = [0, 0, 0, 1, 0x0a];
        check(&end, Framing::StartCodes, Framing::StartCodes, &[&[0x0a]], &[]);
        check(&end, Framing::Lengths(4), Framing::Lengths(4), &[&[0x0a]], &[]);
    }

    #[test]
    fn start_codes_in_place_of_lengths_are_found() {
        for stream in [
            [&[0, 0, 0, 1][..], AUD, &[0, 0, 0, 1], IDR].concat(),
            [&[0, 0, 1][..], AUD, &[0, 0, 0, 1], IDR, &[0, 0, 0]].concat(),
            [&[0, 0, 0, 0, 0, 1][..], AUD, &[0, 0, 1], IDR].concat(),
        ] {
            check(&stream, Framing::Lengths(4), Framing::StartCodes, &[AUD, IDR], &[]);
        }
        let nested = lengths(4, &[&[&[0, 0, 0, 1], AUD].concat(), &[&[0, 0, 1], IDR].concat()]);
        check(&nested, Framing::Lengths(4), Framing::StartCodesInLengths(4), &[AUD, IDR], &[]);
    }

    #[test]
    fn lengths_of_another_size_than_expected_are_found() {
        let long = [&[0x65][..], &[0x88; 0x1_0203]].concat();
        for (said, sent) in [(4, 2), (2, 4), (1, 4), (4, 1), (3, 4), (4, 3)] {
            let unit = if sent > 2 { long.as_slice() } else { IDR };
            let payload = lengths(sent, &[AUD, unit, P]);
            let found = Framing::Lengths(sent as u8);
            check(&payload, Framing::Lengths(said), found, &[AUD, unit, P], &[]);
            check(&payload, found, found, &[AUD, unit, P], &[]);
        }
    }

    #[test]
    fn bytes_after_the_last_unit_are_stray() {
        for stray in [&[0xff, 0xff][..], &[1], &[0, 0, 1], &[0x7f; 40]] {
            let payload = [lengths(4, &[AUD, IDR]), stray.to_vec()].concat();
            check(&payload, Framing::Lengths(4), Framing::Lengths(4), &[AUD, IDR], stray);
        }
    }

    #[test]
    fn what_no_framing_explains_is_refused() {
        for payload in
            [&[0, 0, 0, 9, 0x65, 1][..], &[0xff; 9], &[0, 0, 0, 2, 0x09, 0xf0, 7, 7, 7, 7], &[0x65, 0x88]]
        {
            assert_eq!(Message::read(NalCodec::H264, payload, Framing::Lengths(4)), None, "{payload:02x?}");
        }
    }
}
