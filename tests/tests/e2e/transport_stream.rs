//! A slice taken apart: its program map, and the NAL units of its H.264 track.
//!
//! What is under test writes transport streams with `crates/mpegts`; this module reads them by itself.

use std::collections::BTreeMap;

/// `stream_type` of H.264 (13818-1 table 2-34).
const H264: u8 = 0x1b;

/// Types of MPEG-1 and MPEG-2 audio and of AAC behind ADTS.
pub(crate) const SOUND: [u8; 3] = [0x03, 0x04, 0x0f];

/// Types of the elementary streams by PID, as the first program map says them (13818-1 §2.4.4.9).
pub(crate) fn program_map(stream: &[u8]) -> BTreeMap<u16, u8> {
    let mut map_pid = None;
    for packet in packets(stream).filter(|packet| packet.starts_unit) {
        // A section begins after its pointer field.
        let section = |payload: &[u8]| payload[1 + usize::from(payload[0])..].to_vec();
        if packet.pid == 0 {
            let table = section(packet.payload);
            map_pid = Some(pid(table[10], table[11]));
        } else if Some(packet.pid) == map_pid {
            let table = section(packet.payload);
            let end = 3 + length(table[1], table[2]) - 4;
            let mut at = 12 + length(table[10], table[11]);
            let mut types = BTreeMap::new();
            while at < end {
                types.insert(pid(table[at + 1], table[at + 2]), table[at]);
                at += 5 + length(table[at + 3], table[at + 4]);
            }
            return types;
        }
    }
    panic!("a slice has no program map")
}

/// The earliest presentation time of any track.
pub(crate) fn begin_90khz(stream: &[u8]) -> i64 {
    let media: Vec<u16> = program_map(stream).into_keys().collect();
    let starts = packets(stream).filter(|packet| packet.starts_unit && media.contains(&packet.pid));
    starts.map(|packet| timestamp(&packet.payload[9..])).min().expect("a slice should have media")
}

/// A time field of a PES header: 33 bits between marker bits (13818-1 §2.4.3.6).
fn timestamp(field: &[u8]) -> i64 {
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|at| i64::from(field[at]));
    (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
}

/// `nal_unit_type` of each NAL unit of the H.264 track, access unit by access unit.
pub(crate) fn h264_access_units(stream: &[u8]) -> Vec<Vec<u8>> {
    let types = program_map(stream);
    let Some(video) = types.iter().find(|(_, kind)| **kind == H264).map(|(pid, _)| *pid) else {
        return Vec::new();
    };
    let mut units: Vec<Vec<u8>> = Vec::new();
    for packet in packets(stream).filter(|packet| packet.pid == video) {
        if packet.starts_unit {
            // The PES header ends after the length that its ninth byte says (13818-1 §2.4.3.6).
            units.push(packet.payload[9 + usize::from(packet.payload[8])..].to_vec());
        } else if let Some(unit) = units.last_mut() {
            unit.extend_from_slice(packet.payload);
        }
    }
    units.iter().map(|unit| nal_unit_types(unit)).collect()
}

fn nal_unit_types(unit: &[u8]) -> Vec<u8> {
    let starts = unit.windows(4).filter(|bytes| bytes[..3] == [0, 0, 1]);
    starts.map(|bytes| bytes[3] & 0x1f).collect()
}

struct Packet<'a> {
    pid: u16,
    starts_unit: bool,
    payload: &'a [u8],
}

/// The packets that carry payload.
fn packets(stream: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    assert!(stream.len().is_multiple_of(188), "{} bytes are no whole packets", stream.len());
    stream.chunks(188).filter(|packet| packet[3] & 0x10 != 0).map(|packet| {
        assert_eq!(packet[0], 0x47, "a packet begins with its sync byte");
        let field = if packet[3] & 0x20 == 0 { 0 } else { usize::from(packet[4]) + 1 };
        Packet {
            pid: pid(packet[1], packet[2]),
            starts_unit: packet[1] & 0x40 != 0,
            payload: &packet[4 + field..],
        }
    })
}

fn pid(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high & 0x1f, low])
}

fn length(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high & 0x0f, low]))
}
