//! A transport stream taken apart: PES packets by the `mpeg2ts` crate, which we did not write, and the
//! multiplex itself packet by packet.

use std::collections::BTreeMap;

use mpeg2ts::{
    pes::{PesPacketReader, ReadPesPacket},
    ts::TsPacketReader,
};

/// One PES packet. Times are those written, on the 90 kHz clock.
#[derive(Clone)]
pub(crate) struct Pes {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    pub(crate) data: Vec<u8>,
}

/// PES packets of the video and of the audio track.
pub(crate) fn pes_packets(stream: &[u8]) -> (Vec<Pes>, Vec<Pes>) {
    let (mut video, mut audio) = (Vec::new(), Vec::new());
    let mut reader = PesPacketReader::new(TsPacketReader::new(stream));
    while let Some(packet) = reader.read_pes_packet().expect("mpeg2ts should accept the stream") {
        let pts = packet.header.pts.expect("every packet has a time").as_u64() as i64;
        let dts = packet.header.dts.map_or(pts, |dts| dts.as_u64() as i64);
        let track = if packet.header.stream_id.is_video() { &mut video } else { &mut audio };
        track.push(Pes { pts, dts, data: packet.data });
    }
    // The reader gives the last packets of both tracks in no order of its own.
    video.sort_by_key(|pes| pes.dts);
    audio.sort_by_key(|pes| pes.dts);
    (video, audio)
}

/// What the multiplex showed.
#[derive(Debug, Default)]
pub(crate) struct Multiplex {
    pub(crate) packets: usize,
    pub(crate) pcrs: Vec<i64>,
    pub(crate) versions: Vec<u8>,
}

/// Checks the rules of the multiplex on a session's slices put together.
pub(crate) fn check_multiplex(stream: &[u8], max_pcr_interval: i64) -> Multiplex {
    assert_eq!(stream.len() % 188, 0);
    let mut found = Multiplex::default();
    let mut continuity: BTreeMap<u16, u8> = BTreeMap::new();
    let mut table_clocks: BTreeMap<u16, i64> = BTreeMap::new();
    let mut tables = Vec::new();
    let mut pcr_pid = None;
    let mut clock: Option<i64> = None;
    for packet in stream.chunks(188) {
        found.packets += 1;
        assert_eq!(packet[0], 0x47);
        let pid = pid(packet);
        let has_payload = packet[3] & 0x10 != 0;
        let counter = packet[3] & 0x0f;
        if let Some(last) = continuity.insert(pid, counter) {
            assert_eq!(counter, (last + u8::from(has_payload)) & 0x0f, "continuity of PID {pid:#x}");
        }
        assert!(field_size(packet) <= 184 - usize::from(has_payload));
        if let Some(pcr) = pcr(packet) {
            assert_eq!(Some(pid), pcr_pid, "PID of the clock reference");
            if let Some(last) = found.pcrs.last() {
                assert!(pcr > *last, "clock reference {pcr} after {last}");
                assert!(pcr - last <= max_pcr_interval, "{} between clock references", pcr - last);
            }
            found.pcrs.push(pcr);
            clock = Some(pcr);
            // A table's time is that of the clock reference after it.
            for table in std::mem::take(&mut tables) {
                if let Some(last) = table_clocks.insert(table, pcr) {
                    assert!(pcr - last <= 9_000, "{} between tables of PID {table:#x}", pcr - last);
                }
            }
        }
        let payload = payload(packet);
        let is_start = packet[1] & 0x40 != 0;
        if pid == 0 || pid == 0x1000 {
            tables.push(pid);
            if pid == 0x1000 {
                pcr_pid = Some(u16::from_be_bytes([payload[9] & 0x1f, payload[10]]));
                let version = payload[6] >> 1 & 0x1f;
                if found.versions.last() != Some(&version) {
                    found.versions.push(version);
                }
            }
        } else if is_start && has_payload {
            assert!(pcr_pid.is_some(), "media before the program map");
            let has_dts = payload[7] & 0x40 != 0;
            let dts = timestamp(&payload[if has_dts { 14 } else { 9 }..]);
            let clock = clock.expect("a clock reference should come before media");
            assert!(clock < dts, "clock {clock} not before decoding time {dts}");
            assert!(dts - clock <= 90_000, "more than a second early");
        }
    }
    found
}

pub(crate) fn pid(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[1] & 0x1f, packet[2]])
}

/// Bytes of the adaptation field with its length.
fn field_size(packet: &[u8]) -> usize {
    if packet[3] & 0x20 == 0 { 0 } else { usize::from(packet[4]) + 1 }
}

pub(crate) fn payload(packet: &[u8]) -> &[u8] {
    &packet[4 + field_size(packet)..]
}

/// The program clock reference, where the packet has one.
pub(crate) fn pcr(packet: &[u8]) -> Option<i64> {
    let has_pcr = field_size(packet) > 1 && packet[5] & 0x10 != 0;
    has_pcr.then(|| {
        let [a, b, c, d, e] = [6, 7, 8, 9, 10].map(|index| i64::from(packet[index]));
        (a << 32 | b << 24 | c << 16 | d << 8 | e) >> 7
    })
}

fn timestamp(field: &[u8]) -> i64 {
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|index| i64::from(field[index]));
    (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
}
