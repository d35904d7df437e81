//! Section 2.2.1 and following: extensions, of a type, a length and a value each.

use crate::error::Error;

/// `PP2_TYPE_CRC32C`, section 2.2.3: a checksum of the whole header, its own bytes taken as zero.
const CRC32C: u8 = 0x03;

/// A type and a length of two bytes.
const HEAD_BYTES: usize = 3;

/// Checks that the extensions from `at` on fill the header, and that a checksum among them is right.
pub(super) fn check(header: &[u8], mut at: usize) -> Result<(), Error> {
    let mut has_checksum = false;
    while at < header.len() {
        let Some(&[kind, high, low]) = header.get(at..at + HEAD_BYTES) else {
            return Err(Error::Extension { at });
        };
        let value_at = at + HEAD_BYTES;
        let end = value_at + usize::from(u16::from_be_bytes([high, low]));
        let value = header.get(value_at..end).ok_or(Error::Extension { at })?;
        if kind == CRC32C {
            let is_right = <[u8; 4]>::try_from(value)
                .is_ok_and(|told| u32::from_be_bytes(told) == checksum(header, value_at));
            if !is_right || has_checksum {
                return Err(Error::Checksum { at });
            }
            has_checksum = true;
        }
        at = end;
    }
    Ok(())
}

/// The checksum of a header that has the four bytes of one at `at`.
fn checksum(header: &[u8], at: usize) -> u32 {
    let (before, rest) = header.split_at(at);
    let zeroed = crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]);
    crc32c::crc32c_append(zeroed, &rest[4..])
}
