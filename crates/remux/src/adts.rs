//! An ADTS frame that goes on from message to message, and from chunk to chunk.

use codec::aac::AdtsFrame;

/// An ADTS frame of which the end has not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialFrame<'a> {
    /// From the header on, as far as it has come: less than the header says, which itself may be cut.
    pieces: Vec<&'a [u8]>,
    /// Bytes of these.
    size: usize,
    /// The time of the message in which the frame begins.
    pub timestamp_ms: u32,
}

impl<'a> PartialFrame<'a> {
    /// Begins with the end of a message; `None` where no frame begins with it, or all of one is there.
    #[must_use]
    pub fn begin(bytes: &'a [u8], timestamp_ms: u32) -> Option<Self> {
        let is_cut =
            AdtsFrame::parse(bytes).map_or(is_cut_header(bytes), |frame| bytes.len() < frame.frame_size);
        is_cut.then(|| Self { pieces: vec![bytes], size: bytes.len(), timestamp_ms })
    }

    /// The frame as far as it has come.
    #[must_use]
    pub fn pieces(&self) -> &[&'a [u8]] {
        &self.pieces
    }

    /// Adds what the next message brings of the frame: at least the rest of its header.
    ///
    /// # Errors
    /// Where the message does not go on with the frame: the frame was cut.
    pub(crate) fn go_on(mut self, message: &'a [u8]) -> Result<Continued<'a>, CutFrame> {
        let frame = self.header(message).ok_or(CutFrame)?;
        let begins_anew = AdtsFrame::parse(message).is_some();
        if begins_anew && is_all_adts(message) {
            return Err(CutFrame);
        }
        match message.split_at_checked(frame.frame_size - self.size) {
            Some((end, rest)) if rest.is_empty() || begins_frame(rest) => {
                self.pieces.push(end);
                Ok(Continued::Whole(self, frame, rest))
            }
            None if !begins_anew && !message.is_empty() => {
                self.pieces.push(message);
                self.size += message.len();
                Ok(Continued::Partial(self))
            }
            _ => Err(CutFrame),
        }
    }

    /// The frame's header, of which a part may stand in the next message.
    fn header(&self, message: &[u8]) -> Option<AdtsFrame> {
        let mut bytes = self.pieces.iter().copied().chain([message]).flatten();
        let mut header = [0; AdtsFrame::READ_SIZE];
        for byte in &mut header {
            *byte = *bytes.next()?;
        }
        AdtsFrame::parse(&header)
    }

    /// The pieces, without the first `size` bytes.
    pub(crate) fn without(mut self, mut size: usize) -> Vec<&'a [u8]> {
        for piece in &mut self.pieces {
            let (cut, rest) = piece.split_at(size.min(piece.len()));
            (*piece, size) = (rest, size - cut.len());
        }
        self.pieces.retain(|piece| !piece.is_empty());
        self.pieces
    }
}

/// A message does not go on with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutFrame;

/// What a message made of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Continued<'a> {
    /// It goes on in the next message.
    Partial(PartialFrame<'a>),
    /// All of it is there; what the message brings after it.
    Whole(PartialFrame<'a>, AdtsFrame, &'a [u8]),
}

/// Whether an ADTS frame begins, as far as can be told.
fn begins_frame(bytes: &[u8]) -> bool {
    AdtsFrame::parse(bytes).is_some() || is_cut_header(bytes)
}

/// Whether these bytes are too few for a header and may begin one.
fn is_cut_header(bytes: &[u8]) -> bool {
    bytes.len() < AdtsFrame::READ_SIZE && AdtsFrame::may_begin(bytes)
}

/// Whether a message consists of whole ADTS frames.
fn is_all_adts(mut message: &[u8]) -> bool {
    while let Some(frame) = AdtsFrame::parse(message) {
        let Some(rest) = message.get(frame.frame_size..) else { return false };
        if rest.is_empty() {
            return true;
        }
        message = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AAC LC, 44.1 kHz, stereo, of 9 bytes: two after the header.
    const FRAME: &[u8] = &[0xff, 0xf1, 0x50, 0x80, 0x01, 0x3f, 0xfc, 1, 2];

    fn partial(size: usize) -> PartialFrame<'static> {
        PartialFrame::begin(&FRAME[..size], 5).unwrap()
    }

    #[test]
    fn a_frame_goes_on_until_it_is_whole() {
        for begin in 1..FRAME.len() {
            // In one more message, alone and with another frame after it or the begin of one.
            for after in [&FRAME[..0], FRAME, &FRAME[..1]] {
                let message = [&FRAME[begin..], after].concat();
                let Ok(Continued::Whole(frame, header, rest)) = partial(begin).go_on(&message) else {
                    panic!("{begin} bytes, {} after it", after.len());
                };
                assert_eq!((rest, frame.timestamp_ms, header.frame_size), (after, 5, FRAME.len()));
                assert_eq!(frame.without(header.header_size).concat(), [1, 2]);
            }
        }
        // In two more.
        let Ok(Continued::Partial(frame)) = partial(7).go_on(&[1]) else { panic!() };
        let Ok(Continued::Whole(frame, ..)) = frame.go_on(&[2]) else { panic!() };
        assert_eq!(frame.without(0).concat(), FRAME);
    }

    #[test]
    fn a_message_that_begins_anew_says_that_the_frame_was_cut() {
        for begin in 1..FRAME.len() {
            assert_eq!(partial(begin).go_on(FRAME), Err(CutFrame), "{begin} bytes");
            assert_eq!(partial(begin).go_on(&[]), Err(CutFrame));
        }
        assert_eq!(partial(7).go_on(&[1, 2, 3]), Err(CutFrame));
    }

    #[test]
    fn whole_frames_begin_anew_and_what_only_looks_like_one_goes_on() {
        // A frame of 18 bytes. What is missing is as long as a frame.
        let long = [&[0xff, 0xf1, 0x50, 0x80, 0x02, 0x5f, 0xfc, 1, 2][..], &[0; 9]].concat();
        let begun = || PartialFrame::begin(&long[..9], 5).unwrap();
        assert_eq!(begun().go_on(FRAME), Err(CutFrame));
        // Sound that begins as a frame of 20 bytes would, of which there are 9.
        let alike = [0xff, 0xf1, 0x50, 0x80, 0x02, 0x9f, 0xfc, 1, 2];
        for after in [&FRAME[..0], FRAME] {
            let message = [&alike, after].concat();
            let Ok(Continued::Whole(frame, header, rest)) = begun().go_on(&message) else { panic!() };
            assert_eq!((rest, header.frame_size), (after, 18));
            assert_eq!(frame.without(0).concat(), [&long[..9], &alike].concat());
        }
    }

    #[test]
    fn what_is_whole_or_no_frame_is_not_begun() {
        for bytes in [FRAME, &[], &[0x21], &[0xff, 0xe1], &[0xff, 0xf1, 0x50, 0x80, 0x00, 0x3f, 0xfc]] {
            assert_eq!(PartialFrame::begin(bytes, 0), None, "{bytes:02x?}");
        }
    }
}
