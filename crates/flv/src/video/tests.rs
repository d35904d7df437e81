use super::*;

#[track_caller]
fn check(
    body: &[u8],
    frame_type: FrameType,
    codec: VideoCodec,
    packet: VideoPacket,
    cts: i32,
    payload: &[u8],
) {
    let header = VideoTagHeader::parse(body).unwrap();
    let is_enhanced = body[0] & 0x80 != 0;
    let (composition_time_ms, track) = (cts, header.track);
    let expected =
        VideoTagHeader { frame_type, codec, packet, composition_time_ms, track, is_enhanced, payload };
    assert_eq!(header, expected);
}

#[test]
fn legacy_headers() {
    use {
        FrameType::{Inter, Key},
        VideoCodec::*,
        VideoPacket::{Frame, SequenceEnd, SequenceHeader},
    };
    check(&[0x17, 0, 0, 0, 0, 1, 100], Key, Avc, SequenceHeader, 0, &[1, 100]);
    check(&[0x27, 1, 0, 0, 40, 9], Inter, Avc, Frame, 40, &[9]);
    check(&[0x27, 1, 0xff, 0xff, 0xd8], Inter, Avc, Frame, -40, &[]);
    check(&[0x17, 2, 0, 0, 0], Key, Avc, SequenceEnd, 0, &[]);
    check(&[0x1c, 1, 0, 0, 0, 5], Key, Hevc, Frame, 0, &[5]);
    check(&[0x19, 1, 0, 0, 0, 5], Key, Mpeg4, Frame, 0, &[5]);
    check(&[0x14, 5, 6], Key, Legacy(4), Frame, 0, &[5, 6]);
    check(&[0x57, 0], FrameType::Command, Avc, VideoPacket::Command, 0, &[0]);
}

#[test]
fn enhanced_headers() {
    use {
        FrameType::{Inter, Key},
        VideoCodec::*,
        VideoPacket::{Frame, Metadata, Other, SequenceEnd, SequenceHeader},
    };
    check(b"\x90hvc1\x01", Key, Hevc, SequenceHeader, 0, b"\x01");
    check(b"\xa1hvc1\x00\x00\x28\x09", Inter, Hevc, Frame, 40, b"\x09");
    check(b"\xa3hvc1\x09", Inter, Hevc, Frame, 0, b"\x09");
    check(b"\x91av01\x09", Key, Enhanced(FourCc(*b"av01")), Frame, 0, b"\x09");
    check(b"\x94hvc1\x09", Key, Hevc, Metadata, 0, b"\x09");
    check(b"\x95mp4v", Key, Enhanced(FourCc(*b"mp4v")), Other(5), 0, b"");
    // FourCCs of MP4 for parameter sets in the stream.
    check(b"\xa1hev1\x00\x00\x28\x09", Inter, Hevc, Frame, 40, b"\x09");
    check(b"\x91avc3\x00\x00\x28\x09", Key, Avc, Frame, 40, b"\x09");
    // A command has one byte and no FourCC.
    let none = FourCc(*b"none");
    check(b"\xd1\x00", FrameType::Command, Enhanced(none), VideoPacket::Command, 0, b"\x00");
    check(b"\x92avc1", Key, Avc, SequenceEnd, 0, b"");
    // A ModEx prefix of three bytes (nanoseconds) before coded frames without composition time.
    check(b"\x97\x02abc\x03hvc1\x09", Key, Hevc, Frame, 0, b"\x09");
    // Prefixes of 255 bytes, and of so many that their number takes two bytes: 256 and 300.
    for size in [&b"\xfe"[..], b"\xff\x00\xff", b"\xff\x01\x2b"] {
        let bytes = match *size {
            [size] => usize::from(size) + 1,
            _ => usize::from(u16::from_be_bytes([size[1], size[2]])) + 1,
        };
        let body = [b"\x97", size, &vec![7; bytes], b"\x03hvc1\x09"].concat();
        check(&body, Key, Hevc, Frame, 0, b"\x09");
    }
}

#[test]
fn a_keyframe_is_coded_data_of_a_seekable_frame() {
    let is_keyframe = |body| VideoTagHeader::parse(body).unwrap().is_keyframe();
    assert!(is_keyframe(b"\x17\x01\0\0\0\x05") && is_keyframe(b"\x47\x01\0\0\0\x05"));
    assert!(is_keyframe(b"\x91hvc1\0\0\0\x05") && is_keyframe(b"\x93hvc1\x05"));
    for body in [
        &b"\x17\0\0\0\0\x01"[..],
        b"\x17\x02\0\0\0",
        b"\x27\x01\0\0\0\x05",
        b"\x90hvc1\x01",
        b"\xa1hvc1\0\0\0",
    ] {
        assert!(!is_keyframe(body), "{body:02x?}");
    }
}

#[test]
fn a_multitrack_message_is_told_by_its_track_0() {
    let one_track = VideoTagHeader::parse(b"\x96\x03hvc1\x00\x09").unwrap();
    assert_eq!((one_track.track, one_track.payload), (0, &b"\x09"[..]));
    let many = VideoTagHeader::parse(b"\x96\x13hvc1\x01\x00\x00\x01\xaa\x00\x00\x00\x02\xbb\xcc").unwrap();
    assert_eq!((many.track, many.payload), (0, &b"\xbb\xcc"[..]));
    let codecs = VideoTagHeader::parse(b"\x96\x23av01\x02\x00\x00\x01\xaa").unwrap();
    assert_eq!((codecs.track, codecs.codec), (2, VideoCodec::Enhanced(FourCc(*b"av01"))));
    let overrun = VideoTagHeader::parse(b"\x96\x13hvc1\x01\x00\xff\xff\xaa");
    assert_eq!(overrun, Err(Error::MessageTruncated { kind: "video", needed: 65545, available: 11 }));
}

#[test]
fn a_body_that_ends_in_its_header_is_an_error() {
    for body in [
        &b""[..],
        b"\x17",
        b"\x17\x01\x00",
        b"\x90hvc",
        b"\xa1hvc1\x00",
        b"\x97",
        b"\x97\xff\xff",
        b"\x96\x10hvc1",
    ] {
        let outcome = VideoTagHeader::parse(body);
        assert!(
            matches!(outcome, Err(Error::MessageTruncated { kind: "video", .. })),
            "{body:02x?}: {outcome:?}"
        );
    }
}

#[test]
fn codecs_have_short_names() {
    use VideoCodec::*;
    assert_eq!([Avc, Hevc, Mpeg4].map(VideoCodec::name), ["h264", "hevc", "mpeg4"]);
    assert_eq!([2, 3, 6].map(|id| Legacy(id).name()), ["h263", "screen", "screen"]);
    assert_eq!([4, 5, 13].map(|id| Legacy(id).name()), ["vp6", "vp6a", "av1"]);
    assert_eq!(Legacy(8).name(), "codec-id-8");
    assert_eq!(Enhanced(FourCc(*b"av01")).name(), "av01");
}
