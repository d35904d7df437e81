//! MPEG-4 part 2: which headers a picture is read by, whether keyframes bring them or a sequence header.

use flv::TagKind::Video;
use media::RepairKind::SequenceHeaderMissing;

use crate::chunk::{Bits, Chunk, record, repairs, units};

/// A video object layer of this size; the shape is 0 where it is rectangular.
pub(crate) fn layer(shape: u32, width: u32, height: u32) -> Vec<u8> {
    let bits = Bits::default().put(9, 1).put(1, 0).put(4, 1).put(1, 0).put(2, shape);
    let bits = bits.put(1, 1).put(16, 25).put(1, 1).put(1, 0);
    let bits =
        if shape == 0 { bits.put(1, 1).put(13, width).put(1, 1).put(13, height).put(1, 1) } else { bits };
    bits.put(16, 0xaaaa).unit(b"\0\0\x01\x20")
}

pub(crate) const VOP: &[u8] = b"\0\0\x01\xb6\x10\x61";

/// Adds a frame with headers before it.
pub(crate) fn frame(chunk: Chunk, timestamp_ms: u32, is_key: bool, headers: &[u8]) -> Chunk {
    let head = [if is_key { 0x19 } else { 0x29 }, 1, 0, 0, 0];
    chunk.tag(Video, timestamp_ms, &[&head[..], headers, VOP].concat())
}

/// A group of VOPs that begins at so many seconds.
pub(crate) fn group(second: u8) -> Vec<u8> {
    [b"\0\0\x01\xb3", &[0, 0x10 | second >> 2, second << 6 | 7][..]].concat()
}

#[test]
fn a_size_of_mpeg4_that_a_header_changes_is_a_discontinuity() {
    let chunk = |layer: &[u8], timestamp_ms| {
        let header = [b"\x19\0\0\0\0", layer].concat();
        frame(Chunk::new().tag(Video, timestamp_ms, &header), timestamp_ms, true, &[])
    };
    let (first, _) = record(&chunk(&layer(0, 320, 240), 0), &[]);
    let (same, _) = record(&chunk(&layer(0, 320, 240), 40), &first.state);
    let (other, stream) = record(&chunk(&layer(0, 640, 480), 40), &first.state);
    assert_eq!([first.discontinuity, same.discontinuity, other.discontinuity], [false, false, true]);
    assert_eq!(units(&stream, Video)[0].data, [&layer(0, 640, 480), VOP].concat());
    assert_eq!(other.video.unwrap().size.unwrap().width, 640);
    // An object of another shape has no size that it is shown in.
    let (shaped, _) = record(&chunk(&layer(1, 0, 0), 0), &[]);
    assert_eq!((shaped.video.as_ref().unwrap().size, shaped.video.unwrap().access_units), (None, 1));
}

#[test]
fn a_size_of_mpeg4_that_changes_in_the_keyframes_alone_is_a_discontinuity() {
    let chunk = |timestamp_ms, headers: &[u8]| frame(Chunk::new(), timestamp_ms, true, headers);
    let (small, large) = (layer(0, 320, 240), layer(0, 640, 480));
    let (first, _) = record(&chunk(0, &small), &[]);
    let told = [&small[..], b"\0\0\x01\xb2told"].concat();
    let (same, _) = record(&chunk(40, &told), &first.state);
    let (other, _) = record(&chunk(80, &large), &same.state);
    let (next, _) = record(&chunk(120, &large), &other.state);
    let found = [first, same, other, next].map(|slice| slice.discontinuity);
    assert_eq!(found, [false, false, true, false]);
}

/// They are longer than what is kept from one chunk to the next.
#[test]
fn long_headers_of_mpeg4_are_no_discontinuity_and_lost_in_no_chunk() {
    let long = [&layer(0, 320, 240)[..], b"\0\0\x01\xb2", &[0x55; 1_300]].concat();
    let header = |timestamp_ms| Chunk::new().tag(Video, timestamp_ms, &[b"\x19\0\0\0\0", &long[..]].concat());
    let in_header = |n: u32| frame(header(40 * n), 40 * n, true, &[]);
    let is_key = |n: u32| n.is_multiple_of(2);
    let in_keyframes = |n| frame(Chunk::new(), 40 * n, is_key(n), if is_key(n) { &long } else { &[] });
    let in_keyframes_later =
        |n: u32| frame(frame(Chunk::new(), 40 * n, n == 0, &long), 40 * n + 20, true, &long);
    let pushes: [&dyn Fn(u32) -> Chunk; 3] = [&in_header, &in_keyframes, &in_keyframes_later];
    for (push, chunk) in pushes.into_iter().enumerate() {
        let mut state = Vec::new();
        for n in 0..6 {
            let (slice, stream) = record(&chunk(n), &state);
            assert!(!slice.discontinuity, "push {push}, chunk {n}");
            let is_entered = push != 1 || is_key(n);
            let has_headers = units(&stream, Video).iter().any(|unit| unit.data.starts_with(&long));
            assert_eq!(has_headers, is_entered, "push {push}, chunk {n}");
            state = slice.state;
        }
    }
}

#[test]
fn frames_of_mpeg4_before_any_header_are_dropped_and_counted() {
    for is_key in [true, false] {
        let chunk = frame(frame(Chunk::new(), 0, is_key, &[]), 40, is_key, &[]);
        let (found, _) = record(&chunk, &[]);
        assert_eq!((found.size, repairs(&found)), (0, vec![(SequenceHeaderMissing, 2)]));
    }
}

#[test]
fn a_keyframe_of_mpeg4_without_headers_has_the_last_ones_before_it() {
    let (one, two) = (layer(0, 320, 240), [&layer(0, 320, 240)[..], b"\0\0\x01\xb2two"].concat());
    let chunk = frame(Chunk::new(), 0, true, &one);
    let chunk = frame(frame(chunk, 40, true, &two), 80, false, &[]);
    let chunk = frame(frame(chunk, 120, true, &[]), 160, false, &[]);
    let (found, stream) = record(&chunk, &[]);
    let data: Vec<Vec<u8>> = units(&stream, Video).into_iter().map(|unit| unit.data).collect();
    let with = |headers: &[u8]| [headers, VOP].concat();
    assert_eq!(data, [with(&one), with(&two), with(&[]), with(&two), with(&[])]);
    assert!(!found.discontinuity && repairs(&found).is_empty());
}

/// Adds a frame of parts that begin with their start codes, or with lengths in place of these.
fn frame_of(chunk: Chunk, timestamp_ms: u32, is_key: bool, parts: &[&[u8]], has_lengths: bool) -> Chunk {
    let framed = |part: &&[u8]| match has_lengths {
        true => [&(part.len() as u32 - 3).to_be_bytes()[..], &part[3..]].concat(),
        false => part.to_vec(),
    };
    let head = vec![if is_key { 0x19 } else { 0x29 }, 1, 0, 0, 0];
    chunk.tag(Video, timestamp_ms, &[head, parts.iter().flat_map(framed).collect()].concat())
}

#[test]
fn a_group_of_vops_goes_with_its_picture_and_before_no_other() {
    let (layer, told): (&[u8], &[u8]) = (&layer(0, 320, 240), b"\0\0\x01\xb2told");
    let groups = [group(0), group(1), group(2)];
    for has_lengths in [false, true] {
        let key = |chunk, second: u32, parts: &[&[u8]]| {
            let parts = [parts, &[&groups[second as usize][..], VOP]].concat();
            frame_of(chunk, second * 1_000, true, &parts, has_lengths)
        };
        let inter = |chunk, timestamp_ms| frame_of(chunk, timestamp_ms, false, &[VOP], has_lengths);
        let chunk = key(inter(key(Chunk::new(), 0, &[layer, told]), 40), 1, &[layer, told]);
        let (first, stream) = record(&chunk, &[]);
        let data = |stream: &[u8]| -> Vec<Vec<u8>> {
            units(stream, Video).into_iter().map(|unit| unit.data).collect()
        };
        let with = |second: usize| [layer, told, &groups[second], VOP].concat();
        assert_eq!(data(&stream), [with(0), VOP.to_vec(), with(1)], "lengths {has_lengths}");
        // The next chunk begins within a group, and its keyframe brings nothing else.
        let (next, stream) = record(&key(inter(Chunk::new(), 1_040), 2, &[]), &first.state);
        let expected = [[layer, told, VOP].concat(), with(2)];
        assert_eq!(data(&stream), expected, "lengths {has_lengths}");
        assert!(!next.discontinuity && repairs(&next).is_empty());
    }
}

#[test]
fn a_group_of_vops_behind_a_sequence_header_is_no_part_of_it() {
    let layer = layer(0, 320, 240);
    let chunk = |second: u8| {
        let header = [b"\x19\0\0\0\0", &layer[..], &group(second), VOP].concat();
        let timestamp_ms = u32::from(second) * 40;
        frame(Chunk::new().tag(Video, timestamp_ms, &header), timestamp_ms, false, &[])
    };
    let mut state = Vec::new();
    for second in 0..3 {
        let (slice, stream) = record(&chunk(second), &state);
        assert_eq!(units(&stream, Video)[0].data, [&layer, VOP].concat(), "chunk {second}");
        assert!(!slice.discontinuity && repairs(&slice).is_empty(), "chunk {second}");
        state = slice.state;
    }
}

#[test]
fn user_data_may_stand_before_the_layer() {
    let headers: [&[u8]; 4] =
        [b"\0\0\x01\xb0\x01", b"\0\0\x01\xb2told", b"\0\0\x01\xb5\x89\x13", &layer(0, 320, 240)];
    for has_lengths in [false, true] {
        let parts = [&headers[..], &[VOP]].concat();
        let chunk = frame_of(Chunk::new(), 0, true, &parts, has_lengths);
        let (found, stream) = record(&frame_of(chunk, 40, true, &[VOP], has_lengths), &[]);
        assert!(repairs(&found).is_empty(), "lengths {has_lengths}");
        let data: Vec<Vec<u8>> = units(&stream, Video).into_iter().map(|unit| unit.data).collect();
        assert_eq!(data, [parts.concat(), parts.concat()], "lengths {has_lengths}");
    }
}
