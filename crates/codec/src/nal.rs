//! NAL units as MP4 and FLV frame them: each behind its length.

/// A NAL unit's length exceeds the bytes that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("NAL unit of {declared} bytes at offset {offset}, {available} are left")]
pub struct NalLengthError {
    /// The length found; 0 where the length field itself is cut.
    pub declared: u64,
    /// Where the length field begins.
    pub offset: u64,
    /// Bytes left after it.
    pub available: u64,
}

/// The NAL units of one sample (14496-15 §4.3.3), empty ones left out.
///
/// Up to three bytes of padding after the last one are passed over.
/// After an error the iterator ends.
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    sample: &'a [u8],
    offset: usize,
    length_size: usize,
}

impl<'a> NalUnits<'a> {
    /// Reads `sample` with length fields of `length_size` bytes, 1 to 4.
    ///
    /// # Panics
    /// When `length_size` is not 1 to 4.
    #[must_use]
    pub fn new(sample: &'a [u8], length_size: u8) -> Self {
        assert!((1..=4).contains(&length_size), "length field of {length_size} bytes");
        Self { sample, offset: 0, length_size: length_size.into() }
    }
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = Result<&'a [u8], NalLengthError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = &self.sample[self.offset..];
            let offset = self.offset as u64;
            let Some((length, rest)) = rest.split_at_checked(self.length_size) else {
                self.offset = self.sample.len();
                let padding = rest.iter().all(|&byte| byte == 0);
                return (!padding).then_some(Err(NalLengthError {
                    declared: 0,
                    offset,
                    available: rest.len() as u64,
                }));
            };
            let declared = length.iter().fold(0_u32, |value, &byte| value << 8 | u32::from(byte));
            let Some(unit) = rest.get(..declared as usize) else {
                self.offset = self.sample.len();
                let available = rest.len() as u64;
                return Some(Err(NalLengthError { declared: declared.into(), offset, available }));
            };
            self.offset += self.length_size + unit.len();
            if !unit.is_empty() {
                return Some(Ok(unit));
            }
        }
    }
}

/// Whether the bytes begin with a start code: two zeros or more, and a one (14496-10 annex B).
#[must_use]
pub fn begins_with_start_code(bytes: &[u8]) -> bool {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    zeros >= 2 && bytes.get(zeros) == Some(&1)
}

/// The NAL units of a byte stream (14496-10 annex B), empty ones left out.
///
/// Start codes of three and of four bytes may be mixed. Zeros before a start code and at the end belong to no unit,
/// and neither do bytes before the first start code.
#[derive(Clone, Debug)]
pub struct ByteStreamUnits<'a> {
    /// What follows the last start code found; `None` at the end.
    rest: Option<&'a [u8]>,
}

impl<'a> ByteStreamUnits<'a> {
    /// Reads `stream` from its first start code on.
    #[must_use]
    pub fn new(stream: &'a [u8]) -> Self {
        Self { rest: find_start_code(stream).map(|position| &stream[position + 3..]) }
    }
}

impl<'a> Iterator for ByteStreamUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let bytes = self.rest?;
            let end = find_start_code(bytes);
            self.rest = end.map(|position| &bytes[position + 3..]);
            let unit = &bytes[..end.unwrap_or(bytes.len())];
            // No NAL unit ends with a zero byte (14496-10 §7.4.1).
            let size = unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            if size > 0 {
                return Some(&unit[..size]);
            }
        }
    }
}

/// Where the next `00 00 01` lies.
fn find_start_code(bytes: &[u8]) -> Option<usize> {
    let mut position = 0;
    // The third byte of a window tells how far the next candidate is.
    while let Some(window) = bytes.get(position..position + 3) {
        match *window {
            [0, 0, 1] => return Some(position),
            [_, _, 0] => position += 1,
            _ => position += 3,
        }
    }
    None
}

/// The RBSP of a NAL unit's first bytes: emulation prevention bytes taken out (14496-10 §7.4.1.1).
///
/// At most `limit` bytes are read, so that a parameter set's size bounds the copy.
#[must_use]
pub fn unescape(unit: &[u8], limit: usize) -> Vec<u8> {
    let unit = &unit[..unit.len().min(limit)];
    #[cfg(test)]
    READ.with(|read| read.set(read.get() + unit.len()));
    let mut rbsp = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

#[cfg(test)]
thread_local! {
    /// Bytes that a test's thread has read as RBSP: the work of parameter sets and slice headers.
    pub(crate) static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_behind_lengths_of_every_width() {
        for width in 1..=4_u8 {
            let mut sample = Vec::new();
            for unit in [&[0x67, 1][..], &[], &[0x65, 2, 3]] {
                let length = (unit.len() as u32).to_be_bytes();
                sample.extend_from_slice(&length[4 - usize::from(width)..]);
                sample.extend_from_slice(unit);
            }
            let units: Result<Vec<_>, _> = NalUnits::new(&sample, width).collect();
            assert_eq!(units.unwrap(), [&[0x67, 1][..], &[0x65, 2, 3]], "width {width}");
        }
    }

    #[test]
    fn a_length_past_the_end_is_an_error() {
        let mut units = NalUnits::new(&[0, 0, 0, 1, 9, 0xff, 0xff, 0xff, 0xff, 1], 4);
        assert_eq!(units.next(), Some(Ok(&[9][..])));
        let error = NalLengthError { declared: 0xffff_ffff, offset: 5, available: 1 };
        assert_eq!(units.next(), Some(Err(error)));
        assert_eq!(units.next(), None);
    }

    #[test]
    fn padding_shorter_than_a_length_is_passed_over() {
        assert_eq!(NalUnits::new(&[0, 0, 0, 1, 9, 0, 0], 4).count(), 1);
        assert!(NalUnits::new(&[0, 0, 0, 1, 9, 0, 1], 4).last().unwrap().is_err());
    }

    #[track_caller]
    fn check_byte_stream(stream: &[u8], expected: &[&[u8]]) {
        assert_eq!(ByteStreamUnits::new(stream).collect::<Vec<_>>(), expected, "{stream:02x?}");
    }

    #[test]
    fn start_codes_of_three_and_four_bytes_are_mixed() {
        check_byte_stream(
            &[0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x65, 1, 0, 0, 0, 1, 0x41],
            &[&[9, 0xf0], &[0x65, 1], &[0x41]],
        );
        check_byte_stream(&[0, 0, 0, 0, 0, 1, 0x65, 7, 0, 0, 0, 0], &[&[0x65, 7]]);
        check_byte_stream(&[0, 0, 1, 0, 0, 1, 0x65], &[&[0x65]]);
        check_byte_stream(&[5, 6, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 1], &[&[0x65, 0, 0, 3, 1, 0, 1]]);
        check_byte_stream(&[0x65, 0, 0, 2], &[]);
        check_byte_stream(&[], &[]);
    }

    #[test]
    fn a_start_code_has_two_zeros_or_more() {
        for stream in [&[0, 0, 1][..], &[0, 0, 0, 1, 9], &[0, 0, 0, 0, 1]] {
            assert!(begins_with_start_code(stream), "{stream:?}");
        }
        for stream in [&[][..], &[0, 1], &[0, 0, 0], &[0, 0, 0, 2, 9], &[1]] {
            assert!(!begins_with_start_code(stream), "{stream:?}");
        }
    }

    #[test]
    fn emulation_prevention_bytes_are_taken_out() {
        assert_eq!(unescape(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3], 100), [0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(unescape(&[1, 2, 3, 4], 2), [1, 2]);
    }
}
