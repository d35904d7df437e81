//! Numbers of seven bits a byte, the least significant first.

use crate::Error;

/// Appends a number.
pub(crate) fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a number with a sign, those near zero short.
pub(crate) fn write_signed(out: &mut Vec<u8>, number: i64) {
    write_number(out, (number << 1 ^ number >> 63).cast_unsigned());
}

/// Appends bytes behind their count.
pub(crate) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// What is left to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, offset }
    }

    /// What has been read from `begin` on, to be read once more.
    pub(crate) fn until_here(&self, begin: usize) -> Self {
        Self { bytes: &self.bytes[..self.offset], offset: begin }
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.offset >= self.bytes.len()
    }

    pub(crate) fn byte(&mut self, field: &'static str) -> Result<u8, Error> {
        let truncated = Error::Truncated { field, offset: self.offset };
        let byte = *self.bytes.get(self.offset).ok_or(truncated)?;
        self.offset += 1;
        Ok(byte)
    }

    /// Reads a number up to `limit`. Each has one encoding: a last byte of zero is refused.
    pub(crate) fn number(&mut self, field: &'static str, limit: u64) -> Result<u64, Error> {
        let begin = self.offset;
        let out_of_range = Error::Range { field, offset: begin };
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(field).map_err(|_| Error::Truncated { field, offset: begin })?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(out_of_range);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                let is_shortest = byte != 0 || shift == 0;
                return if number <= limit && is_shortest { Ok(number) } else { Err(out_of_range) };
            }
        }
        Err(out_of_range)
    }

    /// Reads a number whose distance from zero is at most `limit`.
    pub(crate) fn signed(&mut self, field: &'static str, limit: i64) -> Result<i64, Error> {
        let number = self.number(field, limit.cast_unsigned() * 2)?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// Reads bytes behind their count.
    pub(crate) fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], Error> {
        let begin = self.offset;
        let size = self.number(field, usize::MAX as u64)? as usize;
        self.take(size).ok_or(Error::Truncated { field, offset: begin })
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.offset..self.offset.checked_add(size)?)?;
        self.offset += size;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_encoding() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            assert_eq!(Fields::new(&bytes, 0).number("n", u64::MAX), Ok(number));
            for cut in 0..bytes.len() {
                let outcome = Fields::new(&bytes[..cut], 0).number("n", u64::MAX);
                assert_eq!(outcome, Err(Error::Truncated { field: "n", offset: 0 }));
            }
            if number > 0 {
                let outcome = Fields::new(&bytes, 0).number("n", number - 1);
                assert_eq!(outcome, Err(Error::Range { field: "n", offset: 0 }));
            }
        }
        for bytes in [&[0x80, 0][..], &[0xff; 10], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]]
        {
            let outcome = Fields::new(bytes, 0).number("n", u64::MAX);
            assert_eq!(outcome, Err(Error::Range { field: "n", offset: 0 }), "{bytes:02x?}");
        }
    }

    #[test]
    fn signed_numbers_come_back() {
        for number in [0, 1, -1, 63, -64, 64, i64::from(i32::MIN), 1 << 40, -(1 << 40)] {
            let mut bytes = Vec::new();
            write_signed(&mut bytes, number);
            assert_eq!(Fields::new(&bytes, 0).signed("n", 1 << 40), Ok(number));
            assert_eq!(bytes.len() == 1, (-64..64).contains(&number));
        }
    }
}
