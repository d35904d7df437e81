//! Supplemental enhancement information: the messages of one NAL unit (14496-10 §7.3.2.3, 23008-2 §7.3.2.4).

use crate::nal;

/// `payloadType` of a recovery point: decoding can begin here, and pictures are whole some frames later.
const RECOVERY_POINT: u32 = 6;

/// Bytes of a unit that are read. A recovery point comes first or after a few short messages.
const READ_LIMIT: usize = 512;

/// Whether an SEI NAL unit holds a recovery point; `header_size` is that of its NAL unit header, 1 or 2.
///
/// The payload type is the same for H.264 and HEVC.
#[must_use]
pub fn has_recovery_point(unit: &[u8], header_size: usize) -> bool {
    let Some(messages) = unit.get(header_size..) else { return false };
    // The usual unit holds nothing that has to be unescaped before its first message.
    if messages.first().is_some_and(|&first| u32::from(first) == RECOVERY_POINT) {
        return true;
    }
    let rbsp = nal::unescape(messages, READ_LIMIT);
    let mut rest = rbsp.as_slice();
    // What is left of the trailing bits is one byte.
    while rest.len() > 2 {
        let (Some(kind), Some(size)) = (take_number(&mut rest), take_number(&mut rest)) else { return false };
        if kind == RECOVERY_POINT {
            return true;
        }
        let Some(next) = rest.get(size as usize..) else { return false };
        rest = next;
    }
    false
}

/// A number as the sum of bytes up to the first that is not 255.
fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number += u32::from(byte);
        if byte != 255 {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_point_is_found_after_other_messages() {
        // x264: a recovery point of 0 frames.
        assert!(has_recovery_point(&[0x06, 0x06, 0x01, 0xc4, 0x80], 1));
        assert!(has_recovery_point(&[0x06, 0x01, 0x01, 0x04, 0x06, 0x02, 0x18, 0x40, 0x80], 1));
        assert!(has_recovery_point(&[0x4e, 0x01, 0x06, 0x01, 0xc4, 0x80], 2));
        // A message of 260 bytes before it.
        let long = [&[0x06, 0x05, 0xff, 0x05][..], &[0x11; 260], &[0x06, 0x01, 0xc4, 0x80]].concat();
        assert!(has_recovery_point(&long, 1));
    }

    #[test]
    fn other_messages_and_cut_ones_are_none() {
        assert!(!has_recovery_point(&[0x06, 0x01, 0x01, 0x06, 0x80], 1));
        assert!(!has_recovery_point(&[0x06, 0x01, 0x01, 0x04, 0x06, 0x80], 1));
        assert!(!has_recovery_point(&[0x06, 0x05, 0xff, 0xff], 1));
        assert!(!has_recovery_point(&[0x06, 0x05, 0x10, 0x06, 0x01], 1));
        assert!(!has_recovery_point(&[0x06], 1));
        assert!(!has_recovery_point(&[], 1));
    }
}
