//! Transport stream packets of one PES packet: headers, adaptation fields, payload.

use crate::{clock::wire_time, segment::Segment};

/// Bytes of a transport stream packet.
pub const PACKET_SIZE: usize = 188;

/// Bytes of a packet after its header.
const BODY_SIZE: usize = PACKET_SIZE - 4;

/// Bytes of an adaptation field with flags alone, and with a program clock reference.
const FLAGS_SIZE: usize = 2;
const PCR_SIZE: usize = 8;

/// What the first packet of a PES packet says in its adaptation field.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstPacket {
    pub(crate) random_access: bool,
    /// Unit: 1/90 000 s, on the stream's clock.
    pub(crate) pcr_90khz: Option<i64>,
}

impl FirstPacket {
    fn adaptation_size(self) -> usize {
        match (self.pcr_90khz, self.random_access) {
            (Some(_), _) => PCR_SIZE,
            (None, true) => FLAGS_SIZE,
            (None, false) => 0,
        }
    }
}

/// Packets that a PES packet of `size` bytes takes.
pub(crate) fn packet_count(size: u64, first: FirstPacket) -> u64 {
    let capacity = (BODY_SIZE - first.adaptation_size()) as u64;
    1 + size.saturating_sub(capacity).div_ceil(BODY_SIZE as u64)
}

/// A packet that carries a program clock reference and nothing else.
///
/// `continuity` is that of the packet before it on the PID: a packet without payload does not count.
pub(crate) fn pcr_packet(pid: u16, continuity: u8, pcr_90khz: i64) -> [u8; PACKET_SIZE] {
    let mut packet = [0xff; PACKET_SIZE];
    packet[..4].copy_from_slice(&header(pid, false, 0x20, continuity));
    packet[4] = (BODY_SIZE - 1) as u8;
    packet[5] = 0x10;
    packet[6..12].copy_from_slice(&pcr(pcr_90khz));
    packet
}

fn header(pid: u16, start: bool, control: u8, continuity: u8) -> [u8; 4] {
    let [pid_high, pid_low] = pid.to_be_bytes();
    [0x47, u8::from(start) << 6 | pid_high, pid_low, control | continuity & 0x0f]
}

/// `program_clock_reference` with an extension of zero (13818-1 §2.4.3.5).
fn pcr(pcr_90khz: i64) -> [u8; 6] {
    let base = wire_time(pcr_90khz);
    [
        (base >> 25) as u8,
        (base >> 17) as u8,
        (base >> 9) as u8,
        (base >> 1) as u8,
        (base << 7) as u8 | 0x7e,
        0,
    ]
}

/// A PES packet being cut into transport stream packets.
#[derive(Debug, Default)]
pub(crate) struct Packetizer<'a> {
    /// The PES packet's bytes in order.
    segments: Vec<Segment<'a>>,
    /// The segment in turn and its bytes already written.
    segment: usize,
    offset: usize,
    /// Bytes of the PES packet not yet written.
    left: u64,
    pid: u16,
    /// What the first packet carries, until it is written.
    first: Option<FirstPacket>,
}

impl<'a> Packetizer<'a> {
    /// The list of segments, emptied, for the next PES packet.
    pub(crate) fn segments(&mut self) -> &mut Vec<Segment<'a>> {
        &mut self.segments
    }

    /// Begins with the PES packet of `size` bytes that was put into [`segments`](Self::segments).
    pub(crate) fn begin(&mut self, pid: u16, size: u64, first: FirstPacket) {
        (self.segment, self.offset) = (0, 0);
        self.left = size;
        self.pid = pid;
        self.first = Some(first);
    }

    /// Whether all has been written.
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Appends packets until the PES packet ends or `out` is full.
    ///
    /// `continuity` is the counter of the packet before.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, continuity: &mut u8) {
        while self.left > 0 && has_room(out) {
            *continuity = (*continuity + 1) & 0x0f;
            match self.first.take() {
                Some(first) => self.write_packet(out, Some(first), *continuity),
                None if self.left < BODY_SIZE as u64 => self.write_packet(out, None, *continuity),
                None => {
                    out.extend_from_slice(&header(self.pid, false, 0x10, *continuity));
                    self.copy(out, BODY_SIZE);
                    self.write_run(out, continuity);
                }
            }
        }
        if self.left == 0 {
            self.segments.clear();
        }
    }

    /// Appends the packets that one segment fills: nearly all of a large frame.
    fn write_run(&mut self, out: &mut Vec<u8>, continuity: &mut u8) {
        let Some(segment) = self.segments.get(self.segment) else { return };
        let (bodies, _) = segment.bytes()[self.offset..].as_chunks::<BODY_SIZE>();
        let room = (out.capacity() - out.len()) / PACKET_SIZE;
        // As a number the header is written at once, and not byte by byte.
        let header = u32::from_le_bytes(header(self.pid, false, 0x10, 0));
        let mut counter = *continuity;
        for body in bodies.iter().take(room) {
            counter = (counter + 1) & 0x0f;
            out.extend_from_slice(&(header | u32::from(counter) << 24).to_le_bytes());
            out.extend_from_slice(body);
        }
        *continuity = counter;
        let written = bodies.len().min(room) * BODY_SIZE;
        self.offset += written;
        self.left -= written as u64;
    }

    /// Appends a packet that has an adaptation field, or needs one as stuffing.
    fn write_packet(&mut self, out: &mut Vec<u8>, first: Option<FirstPacket>, continuity: u8) {
        let adaptation = first.unwrap_or_default();
        let capacity = BODY_SIZE - adaptation.adaptation_size();
        let payload = self.left.min(capacity as u64) as usize;
        let adaptation_size = BODY_SIZE - payload;
        let control = if adaptation_size > 0 { 0x30 } else { 0x10 };
        out.extend_from_slice(&header(self.pid, first.is_some(), control, continuity));
        if adaptation_size > 0 {
            let mut field = [0xff; BODY_SIZE];
            write_adaptation(&mut field[..adaptation_size], adaptation);
            out.extend_from_slice(&field[..adaptation_size]);
        }
        self.copy(out, payload);
    }

    /// Appends the next `size` bytes of the segments, which hold at least as many.
    fn copy(&mut self, out: &mut Vec<u8>, mut size: usize) {
        self.left -= size as u64;
        loop {
            let rest = &self.segments[self.segment].bytes()[self.offset..];
            if let Some(piece) = rest.get(..size) {
                out.extend_from_slice(piece);
                self.offset += size;
                return;
            }
            out.extend_from_slice(rest);
            size -= rest.len();
            self.segment += 1;
            self.offset = 0;
        }
    }
}

/// Whether a packet fits into what is allocated.
pub(crate) fn has_room(out: &Vec<u8>) -> bool {
    out.capacity() - out.len() >= PACKET_SIZE
}

/// Fills an adaptation field that begins as stuffing (13818-1 §2.4.3.4).
fn write_adaptation(field: &mut [u8], first: FirstPacket) {
    field[0] = (field.len() - 1) as u8;
    // A field of length zero has no flags: one byte of stuffing.
    let Some(flags) = field.get_mut(1) else { return };
    *flags = u8::from(first.random_access) << 6 | u8::from(first.pcr_90khz.is_some()) << 4;
    if let Some(pcr_90khz) = first.pcr_90khz {
        field[FLAGS_SIZE..PCR_SIZE].copy_from_slice(&pcr(pcr_90khz));
    }
}

#[cfg(test)]
mod tests;
