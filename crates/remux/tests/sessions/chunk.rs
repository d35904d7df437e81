//! Chunks made by hand, and what becomes of them.

use flv::TagKind::{self, Audio, Video};
use media::RepairKind;
use mpegts::Muxer;
use recorder_remux::{Policy, Slice, remux};

/// 1920 × 1080 and 320 × 180, as x264 writes them, in configuration records.
pub(crate) const AVC_1080: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x28\xff\xe1\0\x1a\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\xc0\x44\x00\x00\x03\x00\x04\x00\x00\x03\x00\xc8\x3c\x60\xc9\x20\x01\0\x04\x68\xcb\x83\xcb";
pub(crate) const AVC_180: &[u8] = b"\x17\0\0\0\0\x01\x64\x00\x0c\xff\xe1\0\x1a\x67\x64\x00\x0c\xac\xd9\x41\x41\x9f\x9f\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\x99\x60\x01\0\x02\x68\xce";
pub(crate) const SPS_180: &[u8] = b"\x67\x64\x00\x0c\xac\xd9\x41\x41\x9f\x9f\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\x99\x60";
pub(crate) const AAC_44100: &[u8] = b"\xaf\0\x12\x10";
pub(crate) const AAC_48000: &[u8] = b"\xaf\0\x11\x90";

/// A chunk being written.
pub(crate) struct Chunk(pub(crate) Vec<u8>);

impl Chunk {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::new();
        flv::write_header(&mut bytes, true, true);
        Self(bytes)
    }

    pub(crate) fn with_headers() -> Self {
        Self::new().tag(Video, 0, AVC_1080).tag(Audio, 0, AAC_44100)
    }

    pub(crate) fn tag(mut self, kind: TagKind, timestamp_ms: u32, body: &[u8]) -> Self {
        flv::write_tag(&mut self.0, kind, timestamp_ms, body).unwrap();
        self
    }

    /// A message of NAL units given by their bytes.
    pub(crate) fn avc(self, timestamp_ms: u32, is_key: bool, units: &[&[u8]]) -> Self {
        let mut body = vec![if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
        for unit in units {
            body.extend_from_slice(&(unit.len() as u32).to_be_bytes());
            body.extend_from_slice(unit);
        }
        self.tag(Video, timestamp_ms, &body)
    }

    pub(crate) fn key(self, timestamp_ms: u32) -> Self {
        self.avc(timestamp_ms, true, &[b"\x65\x88\x80"])
    }

    pub(crate) fn inter(self, timestamp_ms: u32) -> Self {
        self.avc(timestamp_ms, false, &[b"\x41\x9a\x01"])
    }

    pub(crate) fn aac(self, timestamp_ms: u32) -> Self {
        self.tag(Audio, timestamp_ms, &[0xaf, 1, 0x21, 0x10, 0x04])
    }
}

/// Remuxes and writes a chunk; the stream is checked to have the size told.
pub(crate) fn record(chunk: &Chunk, state: &[u8]) -> (Slice, Vec<u8>) {
    let (slice, muxer) = remux(&chunk.0, state, &Policy::default()).unwrap();
    let stream = write(muxer, slice.size);
    (slice, stream)
}

pub(crate) fn write(mut muxer: Muxer<'_>, size: u64) -> Vec<u8> {
    let mut stream = Vec::with_capacity(size as usize + 188);
    muxer.write(&mut stream);
    assert_eq!(stream.len() as u64, size);
    stream
}

pub(crate) fn repairs(slice: &Slice) -> Vec<(RepairKind, u32)> {
    slice.repairs.iter().collect()
}

/// An access unit read back from a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The packet says that decoding can begin here.
    pub(crate) random_access: bool,
    pub(crate) data: Vec<u8>,
}

/// The PES packets of the video PID or of the audio PID, their headers taken off.
pub(crate) fn units(stream: &[u8], kind: TagKind) -> Vec<Unit> {
    let pid = if kind == Video { 0x100 } else { 0x101 };
    let mut units: Vec<Unit> = Vec::new();
    for packet in stream.chunks(188) {
        let has_payload = packet[3] & 0x10 != 0;
        if u16::from_be_bytes([packet[1] & 0x1f, packet[2]]) != pid || !has_payload {
            continue;
        }
        let adaptation = if packet[3] & 0x20 == 0 { &[][..] } else { &packet[5..5 + usize::from(packet[4])] };
        let start = if packet[3] & 0x20 == 0 { 4 } else { 5 + adaptation.len() };
        let mut payload = &packet[start..];
        if packet[1] & 0x40 != 0 {
            payload = &payload[9 + usize::from(payload[8])..];
            let random_access = adaptation.first().is_some_and(|flags| flags & 0x40 != 0);
            units.push(Unit { random_access, data: Vec::new() });
        }
        units.last_mut().unwrap().data.extend_from_slice(payload);
    }
    units
}

/// The NAL units of each picture, without the delimiter that the muxer writes.
pub(crate) fn pictures(stream: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let nals = |unit: &Unit| -> Vec<Vec<u8>> {
        let mut nals: Vec<Vec<u8>> =
            codec::nal::ByteStreamUnits::new(&unit.data).map(<[u8]>::to_vec).collect();
        assert_eq!(nals.remove(0).len() / 4, 0, "a delimiter of two or three bytes comes first");
        nals
    };
    units(stream, Video).iter().map(nals).collect()
}

/// The raw frames of AAC, their ADTS headers taken off.
pub(crate) fn aac_frames(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for unit in units(stream, Audio) {
        let mut rest = unit.data.as_slice();
        while let Some(frame) = codec::aac::AdtsFrame::parse(rest) {
            frames.push(rest[frame.header_size..frame.frame_size].to_vec());
            rest = &rest[frame.frame_size..];
        }
        assert!(rest.is_empty());
    }
    frames
}

/// Fields of a header, bit by bit.
#[derive(Default)]
pub(crate) struct Bits(String);

impl Bits {
    pub(crate) fn put(mut self, width: usize, value: u32) -> Self {
        self.0.push_str(&format!("{value:0width$b}"));
        self
    }

    /// `ue(v)`.
    pub(crate) fn ue(self, value: u32) -> Self {
        let digits = (value + 1).ilog2() as usize + 1;
        self.put(2 * digits - 1, value + 1)
    }

    /// The bytes after `header`, ended by a one and zeros, and no two zero bytes in a row.
    pub(crate) fn unit(self, header: &[u8]) -> Vec<u8> {
        let bits = self.0 + "1";
        let byte = |bits: &[u8]| {
            bits.iter().chain(std::iter::repeat(&b'0')).take(8).fold(0, |byte, bit| byte << 1 | (bit & 1))
        };
        header.iter().copied().chain(bits.as_bytes().chunks(8).map(byte)).collect()
    }
}

/// A sequence parameter set of H.264, baseline: its identifier, a width in macroblocks, `frame_num` of 4 bits, and
/// picture order counts of 4 bits.
pub(crate) fn sps(id: u32, width_in_mbs: u32) -> Vec<u8> {
    let bits = Bits::default().put(24, 0x42_c0_1e).ue(id).ue(0).ue(0).ue(0).ue(1).put(1, 0);
    bits.ue(width_in_mbs - 1).ue(0).put(1, 1).put(1, 1).put(1, 0).put(1, 0).unit(&[0x67])
}

/// A picture parameter set of H.264 that refers to a sequence parameter set.
pub(crate) fn pps(id: u32, sps_id: u32, qp: u32) -> Vec<u8> {
    Bits::default().ue(id).ue(sps_id).put(2, 0).ue(0).ue(0).ue(0).put(3, 0).ue(qp).unit(&[0x68])
}

/// A coded slice of H.264 that refers to these sets.
pub(crate) fn slice(first_mb: u32, picture: u32, is_idr: bool) -> Vec<u8> {
    let bits = Bits::default().ue(first_mb).ue(if is_idr { 7 } else { 5 }).ue(0).put(4, picture % 16);
    let bits = if is_idr { bits.ue(picture % 2) } else { bits };
    bits.put(4, picture * 2 % 16).put(16, 0xabcd).unit(&[if is_idr { 0x65 } else { 0x41 }])
}

/// A configuration record of H.264 with these sets and lengths of so many bytes, as a sequence header.
pub(crate) fn avc_header(length_size: u8, sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
    let sets = |units: &[&[u8]]| -> Vec<u8> {
        units.iter().flat_map(|unit| [&(unit.len() as u16).to_be_bytes(), *unit].concat()).collect()
    };
    let head = [0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xfc | (length_size - 1), 0xe0 | sps.len() as u8];
    [&head[..], &sets(sps), &[pps.len() as u8], &sets(pps)].concat()
}
