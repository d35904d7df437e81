//! Made-up pushes, and what became of them.

use std::path::Path;

use bytes::Bytes;
use flv::{AudioTagHeader, Reader, TagKind, VideoTagHeader};

/// A tag of coded media.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) kind: u8,
    pub(crate) timestamp_ms: u32,
    pub(crate) body: Vec<u8>,
}

impl Tag {
    fn of(tag: &flv::Tag<'_>) -> Self {
        Self { kind: tag.kind.wire(), timestamp_ms: tag.timestamp_ms, body: tag.body.to_vec() }
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = &self.body[..self.body.len().min(12)];
        write!(f, "{}@{} {} bytes {start:02x?}", self.kind, self.timestamp_ms, self.body.len())
    }
}

/// A configuration of AVC; its last byte is one of its picture parameter set's.
pub(crate) const VIDEO_HEADER: [u8; 45] = [
    0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x28, 0xff, 0xe1, 0, 25, 0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08,
    0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a, 1,
    0, 4, 0x68, 0xce, 0x0f, 0x1f,
];
pub(crate) const AUDIO_HEADER: [u8; 4] = [0xaf, 0, 0x12, 0x10];

/// What a made-up push is like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) frames: u32,
    /// Frames between keyframes; 0: one at the beginning alone.
    pub(crate) gop: u32,
    pub(crate) frame_ms: u32,
    pub(crate) first_ms: u32,
    pub(crate) frame_bytes: usize,
    /// Makes the bytes of two pushes differ.
    pub(crate) seed: u32,
}

pub(crate) const SHAPE: Shape =
    Shape { frames: 500, gop: 50, frame_ms: 40, first_ms: 0, frame_bytes: 2_000, seed: 0 };

/// Writes an FLV file: headers, then video with audio after each frame. Returns the tags of coded media.
pub(crate) fn write_flv(path: &Path, shape: Shape) -> Vec<Tag> {
    let mut file = Vec::new();
    flv::write_header(&mut file, true, true);
    let metadata = [
        &b"\x02\x00\x0aonMetaData\x08\0\0\0\x01\0\x0dvideodatarate\0"[..],
        &2500.0_f64.to_be_bytes(),
        &[0, 0, 9],
    ];
    flv::write_tag(&mut file, TagKind::Script, shape.first_ms, &metadata.concat()).unwrap();
    flv::write_tag(&mut file, TagKind::Video, shape.first_ms, &VIDEO_HEADER).unwrap();
    flv::write_tag(&mut file, TagKind::Audio, shape.first_ms, &AUDIO_HEADER).unwrap();
    let mut tags = Vec::new();
    for frame in 0..shape.frames {
        let timestamp_ms = shape.first_ms.wrapping_add(frame * shape.frame_ms);
        let is_key = frame == 0 || shape.gop > 0 && frame % shape.gop == 0;
        let mut video = vec![if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
        fill(&mut video, shape.frame_bytes, shape.seed ^ frame);
        let mut audio = vec![0xaf, 1];
        fill(&mut audio, 100 + (frame % 200) as usize, shape.seed ^ frame ^ 0xffff);
        tags.push(Tag { kind: 9, timestamp_ms, body: video });
        tags.push(Tag { kind: 8, timestamp_ms: timestamp_ms.wrapping_add(3), body: audio });
    }
    for tag in &tags {
        let kind = if tag.kind == 9 { TagKind::Video } else { TagKind::Audio };
        flv::write_tag(&mut file, kind, tag.timestamp_ms, &tag.body).unwrap();
    }
    std::fs::write(path, file).unwrap();
    tags
}

fn fill(body: &mut Vec<u8>, bytes: usize, seed: u32) {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    body.extend((0..bytes).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    }));
}

/// The coded media of chunks, each checked to be FLV that stands alone.
pub(crate) fn frames<'a>(chunks: impl IntoIterator<Item = &'a (u64, Bytes)>) -> Vec<Tag> {
    let mut frames = Vec::new();
    for (seq, chunk) in chunks {
        let mut has_video_header = false;
        let mut first = None;
        for tag in Reader::new(chunk).unwrap() {
            let tag = tag.unwrap_or_else(|error| panic!("chunk {seq}: {error}"));
            let first_ms = *first.get_or_insert(tag.timestamp_ms);
            let is_header = match tag.kind {
                TagKind::Video => VideoTagHeader::parse(tag.body).unwrap().is_sequence_header(),
                TagKind::Audio => AudioTagHeader::parse(tag.body).unwrap().is_sequence_header(),
                TagKind::Script => true,
            };
            if is_header {
                has_video_header |= tag.kind == TagKind::Video;
                assert_eq!(tag.timestamp_ms, first_ms, "chunk {seq}: headers have the first tag's time");
            } else {
                assert!(has_video_header || tag.kind == TagKind::Audio, "chunk {seq} has no video header");
                frames.push(Tag::of(&tag));
            }
        }
    }
    frames
}

/// Whether a chunk begins with a keyframe.
pub(crate) fn begins_with_keyframe(chunk: &Bytes) -> bool {
    let tags = Reader::new(chunk).unwrap().map(Result::unwrap);
    let mut video =
        tags.filter(|tag| tag.kind == TagKind::Video).map(|tag| VideoTagHeader::parse(tag.body).unwrap());
    video.find(|tag| !tag.is_sequence_header()).is_some_and(|tag| tag.is_keyframe())
}

/// The coded media of a file.
pub(crate) fn file_frames(path: &Path) -> Vec<Tag> {
    coded(&std::fs::read(path).unwrap())
}

/// The coded media of FLV, wherever its headers are.
pub(crate) fn coded(flv: &[u8]) -> Vec<Tag> {
    let tags = Reader::new(flv).unwrap().map(Result::unwrap);
    let is_media = |tag: &flv::Tag<'_>| match tag.kind {
        TagKind::Video => !VideoTagHeader::parse(tag.body).unwrap().is_sequence_header(),
        TagKind::Audio => !AudioTagHeader::parse(tag.body).unwrap().is_sequence_header(),
        TagKind::Script => false,
    };
    tags.filter(is_media).map(|tag| Tag::of(&tag)).collect()
}
