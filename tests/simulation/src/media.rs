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

/// How a picture begins: an IDR slice's NAL unit header, and its slice header.
const PICTURE: [u8; 3] = [0x65, 0xb8, 0x40];

/// How a picture ends.
const PICTURE_END: u8 = 0x80;

/// Bytes that tell the pictures of all pushes apart: four bits each, so that no container has to change them.
const TOLD_APART: usize = 24;

/// A picture: which push it is of, and when it comes after that push's begin. Unit: ms.
pub type Picture = (u32, u64);

/// A chunk of the push 0: pictures from one second of the push up to another, in milliseconds after the push's begin.
#[must_use]
pub fn chunk(from_ms: u64, to_ms: u64) -> Vec<u8> {
    chunk_of(0, from_ms, to_ms)
}

/// A chunk of a push.
#[must_use]
pub fn chunk_of(push: u32, from_ms: u64, to_ms: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    flv::write_header(&mut bytes, false, true);
    let mut tag = |timestamp_ms: u64, body: &[u8]| {
        flv::write_tag(&mut bytes, TagKind::Video, timestamp_ms as u32, body).expect("the tag is short");
    };
    tag(from_ms, sequence_header());
    for at_ms in (from_ms..to_ms).step_by(1_000) {
        tag(at_ms, &video_tag((push, at_ms)));
    }
    bytes
}

/// The body of the tag that comes before all pictures.
#[must_use]
pub fn sequence_header() -> &'static [u8] {
    &SEQUENCE_HEADER[..31]
}

/// The body of a picture's tag.
#[must_use]
pub fn video_tag(told_apart: Picture) -> Vec<u8> {
    let picture = picture(told_apart);
    let mut body = vec![0x17, 1, 0, 0, 0];
    body.extend((picture.len() as u32).to_be_bytes());
    body.extend(picture);
    body
}

/// The NAL unit of a picture.
fn picture((push, at_ms): Picture) -> Vec<u8> {
    let told_apart = u128::from(push) << 64 | u128::from(at_ms);
    let mut unit = PICTURE.to_vec();
    unit.extend((0..TOLD_APART).rev().map(|place| 0x40 | (told_apart >> (4 * place)) as u8 & 0xf));
    unit.push(PICTURE_END);
    unit
}

/// The pictures of some bytes and nothing else, as what they are told apart by is read again.
#[must_use]
pub fn only_pictures(bytes: &[u8]) -> Vec<u8> {
    pictures(bytes).into_iter().flat_map(picture).collect()
}

/// The pictures that stand whole in some bytes of any container, each exactly as it was pushed, in order.
#[must_use]
pub fn pictures(bytes: &[u8]) -> Vec<Picture> {
    let length = PICTURE.len() + TOLD_APART + 1;
    let begins = memchr::memmem::find_iter(bytes, &PICTURE);
    begins.filter_map(|at| read(bytes.get(at..at + length)?)).collect()
}

fn read(unit: &[u8]) -> Option<Picture> {
    let told_apart = unit.strip_prefix(&PICTURE)?.strip_suffix(&[PICTURE_END])?;
    let bits = told_apart
        .iter()
        .try_fold(0_u128, |bits, byte| (byte & 0xf0 == 0x40).then_some(bits << 4 | u128::from(byte & 0xf)))?;
    Some(((bits >> 64) as u32, bits as u64))
}
