//! PES packet headers.

use crate::{
    clock::{PTS_BASE_90KHZ, wire_time},
    segment::{MAX_MADE_SIZE, Segment},
};

/// Bytes of the longest payload of a PES packet that must tell its length, as audio must; it has no decoding
/// time beside the presentation time.
pub const MAX_AUDIO_SIZE: usize = u16::MAX as usize - 8;

/// The header of a PES packet (13818-1 §2.4.3.6).
///
/// `PES_packet_length` is 0, which video alone may use, where `payload_size` does not fit.
pub(crate) fn header(stream_id: u8, dts: i64, pts: i64, payload_size: u64) -> Segment<'static> {
    let has_dts = dts != pts;
    let size = if has_dts { 19 } else { 14 };
    let length = u16::try_from(payload_size + size as u64 - 6).unwrap_or(0);
    let [length_high, length_low] = length.to_be_bytes();
    let mut header = [0; MAX_MADE_SIZE];
    // 0x84: the payload begins with an access unit (data_alignment_indicator).
    header[..9].copy_from_slice(&[
        0,
        0,
        1,
        stream_id,
        length_high,
        length_low,
        0x84,
        if has_dts { 0xc0 } else { 0x80 },
        size as u8 - 9,
    ]);
    header[9..14].copy_from_slice(&timestamp(if has_dts { 3 } else { 2 }, pts));
    if has_dts {
        header[14..].copy_from_slice(&timestamp(1, dts));
    }
    Segment::Made(header, size as u8)
}

fn timestamp(prefix: u8, time_90khz: i64) -> [u8; 5] {
    let time = wire_time(time_90khz + PTS_BASE_90KHZ);
    [
        prefix << 4 | (time >> 29) as u8 & 0x0e | 1,
        (time >> 22) as u8,
        (time >> 14) as u8 | 1,
        (time >> 7) as u8,
        (time << 1) as u8 | 1,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_wrap_at_33_bits() {
        let at_zero = timestamp(2, -PTS_BASE_90KHZ);
        assert_eq!(at_zero, [0x21, 0, 1, 0, 1]);
        assert_eq!(timestamp(2, (1 << 33) - PTS_BASE_90KHZ), at_zero);
        assert_eq!(timestamp(2, (1 << 33) - PTS_BASE_90KHZ - 1), [0x2f, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn a_session_begins_at_three_seconds() {
        // 270,000 in 3, 15 and 15 bits, each followed by a one.
        assert_eq!(timestamp(2, 0), [0x21, 0x00, 0x11, 0x3d, 0x61]);
    }

    #[test]
    fn the_longest_audio_is_the_longest_whose_length_is_told() {
        let length = |payload_size| {
            let header = header(0xc0, 0, 0, payload_size);
            u64::from(u16::from_be_bytes(header.bytes()[4..6].try_into().unwrap()))
        };
        let longest = MAX_AUDIO_SIZE as u64;
        assert_eq!([longest, longest + 1].map(length), [u16::MAX.into(), 0]);
    }

    #[test]
    fn the_length_is_zero_where_it_does_not_fit() {
        assert_eq!(header(0xe0, 0, 0, 65_527).bytes()[4..6], [0xff, 0xff]);
        assert_eq!(header(0xe0, 0, 0, 65_528).bytes()[4..6], [0, 0]);
        assert_eq!(header(0xe0, 0, 1, 65_522).bytes()[4..6], [0xff, 0xff]);
    }
}
