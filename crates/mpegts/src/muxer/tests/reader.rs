//! A transport stream taken apart by what the standard says: nothing here is the muxer's own.

use std::collections::BTreeMap;

/// What a stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Both tables.
    Tables(Tables),
    /// A clock reference by itself.
    Pcr(i64),
    Pes(Pes),
}

/// What the program map says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tables {
    pub(super) version: u8,
    pub(super) pcr_pid: u16,
    pub(super) streams: Vec<Stream>,
}

/// A stream type, a PID, and descriptors.
pub(super) type Stream = (u8, u16, Vec<u8>);

/// A PES packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pes {
    pub(super) pid: u16,
    pub(super) pcr: Option<i64>,
    /// Decoding can begin here: `random_access_indicator`.
    pub(super) is_entry: bool,
    pub(super) pts: i64,
    pub(super) dts: i64,
    /// `PES_packet_length`, and the bytes before the payload that it counts.
    length: usize,
    header: usize,
    pub(super) data: Vec<u8>,
}

/// The PAT of one program, 1, whose map has PID 0x1000.
const PAT: [u8; 17] = [0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0, 0x2a, 0xb1, 0x04, 0xb2];

/// Reads the slices of a session as one stream, and checks what holds for every stream.
pub(super) fn read(stream: &[u8]) -> Vec<Found> {
    let (packets, rest) = stream.as_chunks::<188>();
    assert!(rest.is_empty());
    let (mut found, mut counters, mut open) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let (mut clock, mut pcr_pid, mut has_association) = (None, None, false);
    for packet in packets {
        assert_eq!((packet[0], packet[1] & 0xa0, packet[3] & 0xc0), (0x47, 0, 0));
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let (is_start, has_payload) = (packet[1] & 0x40 != 0, packet[3] & 0x10 != 0);
        let counter = packet[3] & 0x0f;
        if let Some(last) = counters.insert(pid, counter) {
            assert_eq!(counter, (last + u8::from(has_payload)) % 16, "continuity of PID {pid:#x}");
        }
        let (begin, is_entry, pcr) = adaptation(packet);
        let payload = &packet[begin..];
        if let Some(pcr) = pcr {
            assert_eq!(Some(pid), pcr_pid);
            assert!(clock.is_none_or(|last| last < pcr), "{pcr} after {clock:?}");
            clock = Some(pcr);
        }
        match pid {
            0 => {
                assert_eq!(payload[..17], PAT);
                has_association = true;
            }
            0x1000 => {
                assert!(std::mem::take(&mut has_association), "the map comes after its PAT");
                let tables = program_map(payload);
                pcr_pid = Some(tables.pcr_pid);
                found.push(Found::Tables(tables));
            }
            _ if !has_payload => found.push(Found::Pcr(pcr.unwrap())),
            _ if is_start => {
                let pes = pes(pid, payload, pcr, is_entry);
                let early = pes.dts - clock.expect("a clock reference should come before media");
                assert!((1..=90_000).contains(&early), "due {early} after the clock");
                open.insert(pid, found.len());
                found.push(Found::Pes(pes));
            }
            _ => {
                assert!(!is_entry && pcr.is_none());
                let Found::Pes(pes) = &mut found[open[&pid]] else { unreachable!() };
                pes.data.extend_from_slice(payload);
            }
        }
    }
    for pes in found.iter().filter_map(|found| if let Found::Pes(pes) = found { Some(pes) } else { None }) {
        let size = pes.header + pes.data.len();
        assert!(pes.length == size || pes.length == 0 && size > 65_535 && pes.pid == 0x100);
    }
    found
}

/// Where the payload begins, and what the adaptation field says.
fn adaptation(packet: &[u8]) -> (usize, bool, Option<i64>) {
    if packet[3] & 0x20 == 0 {
        return (4, false, None);
    }
    let begin = 5 + usize::from(packet[4]);
    let Some(flags) = packet[5..begin].first() else { return (begin, false, None) };
    assert_eq!(flags & !0x50, 0);
    let pcr = (flags & 0x10 != 0).then(|| {
        assert_eq!((packet[10] & 0x7f, packet[11]), (0x7e, 0), "reserved bits, and no extension");
        let high = i64::from(u32::from_be_bytes(packet[6..10].try_into().unwrap()));
        high << 1 | i64::from(packet[10] >> 7)
    });
    let stuffing = &packet[if pcr.is_some() { 12 } else { 6 }..begin];
    assert!(stuffing.iter().all(|&byte| byte == 0xff));
    (begin, flags & 0x40 != 0, pcr)
}

fn program_map(payload: &[u8]) -> Tables {
    let end = 4 + usize::from(payload[3]);
    assert_eq!((payload[0], payload[1], payload[2]), (0, 2, 0xb0));
    assert_eq!((&payload[4..6], payload[6] & 0xc1, &payload[7..9]), (&[0, 1][..], 0xc1, &[0, 0][..]));
    let pid = |at: usize| u16::from_be_bytes([payload[at] & 0x1f, payload[at + 1]]);
    let (mut at, mut streams) = (13, Vec::new());
    while at < end - 4 {
        let descriptors = &payload[at + 5..][..usize::from(payload[at + 4])];
        streams.push((payload[at], pid(at + 1), descriptors.to_vec()));
        at += 5 + descriptors.len();
    }
    assert!(payload[end..].iter().all(|&byte| byte == 0xff));
    Tables { version: payload[6] >> 1 & 0x1f, pcr_pid: pid(9), streams }
}

fn pes(pid: u16, payload: &[u8], pcr: Option<i64>, is_entry: bool) -> Pes {
    let stream_id = if pid == 0x100 { 0xe0 } else { 0xc0 };
    assert_eq!(payload[..4], [0, 0, 1, stream_id]);
    assert_eq!(payload[6], 0x84);
    let time = |at: usize, prefix: u8| {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|n| i64::from(payload[at + n]));
        assert_eq!((a >> 4, a & 1, c & 1, e & 1), (prefix.into(), 1, 1, 1));
        (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
    };
    let (pts, dts, size) = match payload[7..9] {
        [0x80, 5] => (time(9, 2), time(9, 2), 14),
        [0xc0, 10] => (time(9, 3), time(14, 1), 19),
        ref fields => panic!("{fields:02x?}"),
    };
    let length = u16::from_be_bytes([payload[4], payload[5]]).into();
    Pes { pid, pcr, is_entry, pts, dts, length, header: size - 6, data: payload[size..].to_vec() }
}
