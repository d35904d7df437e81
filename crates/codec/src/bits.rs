//! Fixed-length and Exp-Golomb codes, from the most significant bit on.
//!
//! ```
//! let mut reader = codec::bits::BitReader::new(&[0b1010_0110]);
//! assert_eq!(reader.bits(3)?, 0b101);
//! assert_eq!(reader.exp_golomb()?, 5); // 00110
//! # Ok::<(), codec::bits::EndOfBits>(())
//! ```

/// The bytes end inside a field, or an Exp-Golomb code has more than 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("header ends at bit {position}")]
pub struct EndOfBits {
    /// The bit at which the field begins.
    pub position: u64,
}

/// Reads a header's fields.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits; never past the end.
    position: u64,
}

impl<'a> BitReader<'a> {
    /// Begins with the most significant bit of the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bits read so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bits left.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.bytes.len() as u64 * 8 - self.position
    }

    /// Reads `count` bits, at most 32, as an unsigned number.
    ///
    /// # Errors
    /// When fewer are left; nothing is read then.
    pub fn bits(&mut self, count: u32) -> Result<u32, EndOfBits> {
        if u64::from(count) > self.remaining() {
            return Err(EndOfBits { position: self.position });
        }
        let mut value = 0_u64;
        for _ in 0..count {
            let byte = self.bytes[(self.position / 8) as usize];
            value = value << 1 | u64::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Ok(value as u32)
    }

    /// Reads one bit.
    ///
    /// # Errors
    /// When none is left.
    pub fn flag(&mut self) -> Result<bool, EndOfBits> {
        Ok(self.bits(1)? == 1)
    }

    /// Passes over `count` bits.
    ///
    /// # Errors
    /// When fewer are left; nothing is passed over then.
    pub fn skip(&mut self, count: u64) -> Result<(), EndOfBits> {
        if count > self.remaining() {
            return Err(EndOfBits { position: self.position });
        }
        self.position += count;
        Ok(())
    }

    /// Reads `ue(v)` (14496-10 §9.1).
    ///
    /// # Errors
    /// When the bits end inside the code, or it is longer than any value of 32 bits.
    pub fn exp_golomb(&mut self) -> Result<u32, EndOfBits> {
        let start = self.position;
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == 32 {
                return Err(EndOfBits { position: start });
            }
        }
        Ok(((1_u64 << zeros) - 1) as u32 + self.bits(zeros)?)
    }

    /// Reads `se(v)` (14496-10 §9.1.1).
    ///
    /// # Errors
    /// As [`exp_golomb`](Self::exp_golomb).
    pub fn signed_exp_golomb(&mut self) -> Result<i32, EndOfBits> {
        let code = i64::from(self.exp_golomb()?);
        let magnitude = (code + 1) / 2;
        Ok(if code % 2 == 1 { magnitude } else { -magnitude } as i32)
    }
}

/// Bytes of bits that a test writes down, the last one filled up with zeros. Spaces mean nothing.
#[cfg(test)]
pub(crate) fn bytes_of(bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits.bytes().filter(|bit| *bit != b' ').map(|bit| bit & 1).collect();
    bits.chunks(8).map(|byte| byte.iter().zip((0..8).rev()).map(|(bit, shift)| bit << shift).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_of_the_standard() {
        // 14496-10 table 9-2: 1, 010, 011, 00100, 00101.
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<u32> = (0..5).map(|_| reader.exp_golomb().unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<i32> = (0..5).map(|_| reader.signed_exp_golomb().unwrap()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn the_end_is_an_error_with_its_place() {
        let mut reader = BitReader::new(&[0xff, 0]);
        assert_eq!(reader.bits(8), Ok(255));
        assert_eq!(reader.bits(9), Err(EndOfBits { position: 8 }));
        assert_eq!(reader.exp_golomb(), Err(EndOfBits { position: 16 }));
        assert_eq!(BitReader::new(&[0; 9]).exp_golomb(), Err(EndOfBits { position: 0 }));
    }

    #[test]
    fn the_longest_exp_golomb_code() {
        let mut reader = BitReader::new(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(reader.exp_golomb(), Ok(u32::MAX - 1));
    }
}
