//! An ADTS frame that goes on from message to message.

use codec::aac::AdtsFrame;

/// An ADTS frame of which the end has not come.
#[derive(Clone, Debug)]
pub(crate) struct PartialFrame<'a> {
    pub(crate) frame: AdtsFrame,
    /// The header of the frame.
    pub(crate) header: &'a [u8],
    /// The time of the message in which the frame begins.
    pub(crate) timestamp_ms: u32,
    /// The raw frame as far as it has come.
    pub(crate) pieces: Vec<&'a [u8]>,
    /// Bytes that are still to come.
    missing: usize,
}

impl<'a> PartialFrame<'a> {
    /// Begins with the end of a message, from the frame's header on.
    pub(crate) fn begin(frame: AdtsFrame, bytes: &'a [u8], timestamp_ms: u32) -> Self {
        let (header, piece) = bytes.split_at(frame.header_size.min(bytes.len()));
        Self { frame, header, timestamp_ms, pieces: vec![piece], missing: frame.frame_size - bytes.len() }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.missing == 0
    }

    /// Adds what the next message brings of the frame, and gives what follows it.
    ///
    /// # Errors
    /// The message, where it does not go on with the frame: the frame was cut.
    pub(crate) fn go_on(mut self, message: &'a [u8]) -> Result<(Self, &'a [u8]), &'a [u8]> {
        let begins_anew = AdtsFrame::parse(message).is_some();
        if begins_anew && is_all_adts(message) {
            return Err(message);
        }
        match message.split_at_checked(self.missing) {
            Some((end, rest)) if rest.is_empty() || AdtsFrame::parse(rest).is_some() => {
                self.pieces.push(end);
                self.missing = 0;
                Ok((self, rest))
            }
            None if !begins_anew && !message.is_empty() => {
                self.pieces.push(message);
                self.missing -= message.len();
                Ok((self, &[]))
            }
            _ => Err(message),
        }
    }
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
    const HEADER: &[u8] = &[0xff, 0xf1, 0x50, 0x80, 0x01, 0x3f, 0xfc];

    fn partial<'a>(bytes: &'a [u8]) -> PartialFrame<'a> {
        PartialFrame::begin(AdtsFrame::parse(HEADER).unwrap(), bytes, 5)
    }

    #[test]
    fn a_frame_goes_on_until_it_is_whole() {
        let (frame, rest) = partial(HEADER).go_on(&[1]).unwrap();
        assert!(!frame.is_whole() && rest.is_empty());
        let (frame, rest) = frame.go_on(&[2]).unwrap();
        assert!(frame.is_whole() && rest.is_empty());
        assert_eq!((frame.header, frame.pieces.concat(), frame.timestamp_ms), (HEADER, vec![1, 2], 5));
        // And another frame after it.
        let message = [&[1, 2], HEADER].concat();
        let (frame, rest) = partial(HEADER).go_on(&message).unwrap();
        assert!(frame.is_whole() && rest == HEADER);
    }

    #[test]
    fn a_message_that_begins_anew_says_that_the_frame_was_cut() {
        let whole = [HEADER, &[3, 4]].concat();
        assert_eq!(partial(HEADER).go_on(&whole).unwrap_err(), whole);
        assert_eq!(partial(HEADER).go_on(&[1, 2, 3]).unwrap_err(), [1, 2, 3]);
        assert!(partial(HEADER).go_on(&[]).is_err());
    }
}
