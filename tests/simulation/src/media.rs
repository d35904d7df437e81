//! The least that is recorded: one small picture a second, each of which a player can begin with.

use flv::TagKind;

/// `avcC` of a baseline stream of 64 by 64 samples (14496-15 §5.3.3.1.2), behind the header of a video tag.
const SEQUENCE_HEADER: [u8; 36] = [
    0x17, 0, 0, 0, 0, // keyframe, AVC; sequence header; no composition time
    1, 0x42, 0xc0, 0x0a, 0xff, 0xe1, 0, 10, // one SPS of 10 bytes
    0x67, 0x42, 0xc0, 0x0a, 0xda, 0x11, 0x1a, 0x10, 0x10, 0x08, // SPS
    1, 0, 5, 0x68, 0xce, 0x0f, 0x2c, 0x80, // one PPS of 5 bytes
    0, 0, 0, 0, 0,
];

/// A chunk: pictures from one second of the push up to another, in milliseconds after the push's begin.
#[must_use]
pub fn chunk(from_ms: u64, to_ms: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    flv::write_header(&mut bytes, false, true);
    let mut tag = |timestamp_ms: u64, body: &[u8]| {
        flv::write_tag(&mut bytes, TagKind::Video, timestamp_ms as u32, body).expect("the tag is short");
    };
    tag(from_ms, &SEQUENCE_HEADER[..31]);
    for at_ms in (from_ms..to_ms).step_by(1_000) {
        let mut picture = vec![0x17, 1, 0, 0, 0, 0, 0, 0, 8, 0x65, 0xb8, 0x40];
        picture.extend_from_slice(&(at_ms as u32).to_be_bytes());
        picture.push(0x80);
        tag(at_ms, &picture);
    }
    bytes
}
