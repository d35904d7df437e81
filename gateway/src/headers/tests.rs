use std::cell::Cell;

use super::*;

thread_local! {
    /// Bytes of the bodies that the thread has read for what they are.
    pub(super) static READ: Cell<usize> = const { Cell::new(0) };
}

fn check(kind: TagKind, body: &[u8], expected: Class) {
    assert_eq!(classify(&Media { kind, timestamp_ms: 0, body }), expected, "{body:02x?}");
}

#[test]
fn legacy_and_enhanced_tags_are_told_apart() {
    check(TagKind::Video, &[0x17, 0, 0, 0, 0, 1], Class::Header(Slot::Video(0)));
    check(TagKind::Video, &[0x17, 1, 0, 0, 0, 1], Class::Frame(Frame::Key, Codec::Video(0, VideoCodec::Avc)));
    check(
        TagKind::Video,
        &[0x27, 1, 0, 0, 0, 1],
        Class::Frame(Frame::Inter, Codec::Video(0, VideoCodec::Avc)),
    );
    check(TagKind::Video, &[0x17, 2, 0, 0, 0], Class::Other);
    check(TagKind::Video, b"\x90hvc1\x01", Class::Header(Slot::Video(0)));
    check(TagKind::Video, b"\x91hvc1\0\0\0\x01", Class::Frame(Frame::Key, Codec::Video(0, VideoCodec::Hevc)));
    check(TagKind::Video, b"\xa3hvc1\x01", Class::Frame(Frame::Inter, Codec::Video(0, VideoCodec::Hevc)));
    check(TagKind::Video, b"\x94hvc1\x02", Class::Header(Slot::VideoMetadata(0)));
    check(
        TagKind::Video,
        b"\x91av01\x01",
        Class::Frame(Frame::Key, Codec::Video(0, VideoCodec::Enhanced(flv::FourCc(*b"av01")))),
    );
    check(TagKind::Audio, &[0xaf, 0, 0x12, 0x10], Class::Header(Slot::Audio(0)));
    check(TagKind::Audio, &[0xaf, 1, 1], Class::Frame(Frame::Audio, Codec::Audio(0, AudioCodec::Aac)));
    check(TagKind::Audio, &[0x2f, 1], Class::Frame(Frame::Audio, Codec::Audio(0, AudioCodec::Mp3)));
    check(TagKind::Audio, b"\x90Opus\x01", Class::Header(Slot::Audio(0)));
    check(
        TagKind::Audio,
        b"\x91Opus\x01",
        Class::Frame(Frame::Audio, Codec::Audio(0, AudioCodec::Enhanced(flv::FourCc(*b"Opus")))),
    );
    check(TagKind::Script, b"\x02\0\x0aonMetaData\x08", Class::Header(Slot::Metadata));
    check(TagKind::Script, b"\x02\0\x0aonTextData\x08", Class::Other);
    check(TagKind::Video, &[0x17], Class::Other);
}

#[test]
fn other_tracks_have_no_frames_and_headers_that_count() {
    let avc = |frame| Class::Frame(frame, Codec::Video(0, VideoCodec::Avc));
    check(TagKind::Video, b"\x96\x01avc1\0\0\0\0\x01", avc(Frame::Key));
    check(TagKind::Video, b"\x96\x01avc1\x01\0\0\0\x01", Class::OtherFrame);
    check(TagKind::Video, b"\xa6\x01avc1\x02\0\0\0\x01", Class::OtherFrame);
    check(TagKind::Video, b"\x96\0avc1\0\x01", Class::Header(Slot::Video(0)));
    check(TagKind::Video, b"\x96\0avc1\x01\x01", Class::Other);
    check(TagKind::Video, b"\x96\x04avc1\x01\x02", Class::Other);
    check(TagKind::Audio, b"\x95\x01mp4a\x01\x21", Class::OtherFrame);
    check(TagKind::Audio, b"\x95\x00mp4a\x01\x12\x10", Class::Other);
    check(TagKind::Audio, b"\x95\x04mp4a\x01\x01\x02\0\0\0\x03", Class::Other);
    // Many tracks of one codec, and of one each: with the recorded one, which need not be the first, and without.
    check(TagKind::Video, b"\x96\x11avc1\x01\0\0\x04\0\0\0\x01\0\0\0\x04\0\0\0\x01", avc(Frame::Key));
    check(TagKind::Video, b"\x96\x11avc1\x01\0\0\x04\0\0\0\x01\x02\0\0\x04\0\0\0\x01", Class::OtherFrame);
    check(TagKind::Video, b"\xa6\x21av01\x01\0\0\x01\x12avc1\0\0\0\x04\0\0\0\x01", avc(Frame::Inter));
}

/// Bodies of one slot, in order, and what each changes.
#[track_caller]
fn check_changes(slot: Slot, kind: TagKind, changes: &[(&[u8], Change)]) {
    let mut headers = Headers::default();
    for (at, &(body, expected)) in changes.iter().enumerate() {
        let media = Media { kind, timestamp_ms: 0, body };
        assert_eq!(headers.set(slot, &media), expected, "body {at}: {body:02x?}");
    }
}

use Change::{Added, Repeated, Replaced, Unusable};

const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
    0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
];
const PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];

/// A sequence header of AVC.
fn avc(profile: u8, length_size: u8, sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
    let mut body = vec![0x17, 0, 0, 0, 0, 1, profile, 0, 0x1f, 0xfc | (length_size - 1)];
    for (count, sets) in [(0xe0 | sps.len() as u8, sps), (pps.len() as u8, pps)] {
        body.push(count);
        for set in sets {
            body.extend_from_slice(&(set.len() as u16).to_be_bytes());
            body.extend_from_slice(set);
        }
    }
    body
}

#[test]
fn a_configuration_that_cannot_be_used_replaces_none() {
    let empty: &[u8] = &[0x17, 0, 0, 0, 0];
    let good = &avc(0x42, 4, &[SPS], &[PPS]);
    let other = &avc(0x42, 4, &[SPS], &[&[0x68, 0xce, 0x0f, 0xc9]]);
    check_changes(
        Slot::Video(0),
        TagKind::Video,
        &[
            (empty, Unusable),
            (good, Added),
            (empty, Unusable),
            (&good[..12], Unusable),
            (&good[..good.len() - 1], Unusable),
            (&avc(0x42, 4, &[], &[]), Unusable),
            (&avc(0x42, 4, &[SPS], &[]), Unusable),
            (&avc(0x42, 4, &[&SPS[..5]], &[PPS]), Unusable),
            (good, Repeated),
            (other, Replaced),
            (empty, Unusable),
            (other, Repeated),
        ],
    );
    check_changes(
        Slot::Audio(0),
        TagKind::Audio,
        &[
            (&[0xaf, 0], Unusable),
            (&[0xaf, 0, 0x12, 0x10], Added),
            (&[0xaf, 0], Unusable),
            (&[0xaf, 0, 0x12], Unusable),
            (&[0xaf, 0, 0, 0], Unusable),
            (&[0xaf, 0, 0xff, 0xff, 0xff], Unusable),
            (&[0xaf, 0, 0x12, 0x10], Repeated),
            (&[0xaf, 0, 0x11, 0x90], Replaced),
        ],
    );
    check_changes(Slot::Video(0), TagKind::Video, &[(b"\x90hvc1", Unusable), (b"\x90av01\x81", Added)]);
    let opus = b"\x90Opus";
    check_changes(
        Slot::Audio(0),
        TagKind::Audio,
        &[
            (opus, Unusable),
            (&[&opus[..], &[1]].concat(), Added),
            (opus, Unusable),
            (&[&opus[..], &[1]].concat(), Repeated),
        ],
    );
}

#[test]
fn a_record_without_parameter_sets_is_better_than_none() {
    let bare = &avc(0x42, 4, &[], &[]);
    let whole = &avc(0x42, 4, &[SPS], &[PPS]);
    check_changes(
        Slot::Video(0),
        TagKind::Video,
        &[(bare, Added), (bare, Repeated), (whole, Replaced), (bare, Unusable), (whole, Repeated)],
    );
}

#[test]
fn configurations_are_compared_by_what_they_say() {
    // Another profile beside the same sets, the fields of the High profile, a set twice.
    let plain = &avc(0x42, 4, &[SPS], &[PPS]);
    check_changes(
        Slot::Video(0),
        TagKind::Video,
        &[
            (&avc(0x4d, 4, &[SPS], &[PPS]), Added),
            (plain, Repeated),
            (&[&avc(100, 4, &[SPS], &[PPS])[..], &[0xfd, 0xf8, 0xf8, 0]].concat(), Repeated),
            (&avc(0x42, 4, &[SPS, SPS], &[PPS]), Repeated),
            (&avc(0x42, 2, &[SPS], &[PPS]), Replaced),
        ],
    );
    // With and without an extension that says that there is none.
    check_changes(
        Slot::Audio(0),
        TagKind::Audio,
        &[
            (&[0xaf, 0, 0x12, 0x10, 0x56, 0xe5, 0], Added),
            (&[0xaf, 0, 0x12, 0x10], Repeated),
            (&[0xae, 0, 0x12, 0x10], Repeated),
            (&[0xaf, 0, 0x13, 0x10, 0x56, 0xe5, 0x98], Replaced),
        ],
    );
}

#[test]
fn slices_that_go_on_with_a_picture_are_told_by_the_length_in_use() {
    let mut headers = Headers::default();
    let video = |body| Media { kind: TagKind::Video, timestamp_ms: 0, body };
    let (first, second) = ([0x17, 1, 0, 0, 0, 0, 2, 0x65, 0x88], [0x17, 1, 0, 0, 0, 0, 3, 0x65, 0x00, 0x73]);
    let header = avc(0x42, 2, &[SPS], &[PPS]);
    headers.set(Slot::Video(0), &video(&header));
    assert!(headers.begins_picture(&video(&first)));
    assert!(!headers.begins_picture(&video(&second)));
    assert!(headers.begins_picture(&video(&[0x17])));
}

#[test]
fn a_codec_that_changes_replaces_the_configuration() {
    let (avc, av1) = (&avc(0x42, 4, &[SPS], &[PPS]), b"\x90av01\x81");
    check_changes(Slot::Video(0), TagKind::Video, &[(avc, Added), (av1, Replaced), (avc, Replaced)]);
    let mut headers = Headers::default();
    headers.set(Slot::Video(0), &Media { kind: TagKind::Video, timestamp_ms: 0, body: avc });
    headers.forget_other(Codec::Video(0, VideoCodec::Avc));
    assert_eq!(headers.held.len(), 1);
    headers.forget_other(Codec::Video(1, VideoCodec::Hevc));
    assert_eq!(headers.held.len(), 1);
    headers.forget_other(Codec::Video(0, VideoCodec::Hevc));
    assert_eq!(headers.held.len(), 0);
}

#[test]
fn a_configuration_that_is_too_long_to_be_repeated_replaces_none() {
    let long = |bytes: usize| {
        let mut body = vec![0xaf, 0, 0x11, 0x90];
        body.resize(bytes, 0);
        body
    };
    check_changes(
        Slot::Audio(0),
        TagKind::Audio,
        &[
            (&[0xaf, 0, 0x12, 0x10], Added),
            (&long(MAX_HEADER_BYTES + 1), Unusable),
            (&[0xaf, 0, 0x12, 0x10], Repeated),
            (&long(MAX_HEADER_BYTES), Replaced),
        ],
    );
}

#[test]
fn metadata_is_compared_by_its_bytes() {
    check_changes(Slot::VideoMetadata(0), TagKind::Video, &[(&[1], Added), (&[1], Repeated), (&[2], Added)]);
}

#[test]
fn metadata_of_any_length_is_passed_through_and_that_of_a_sensible_one_is_read() {
    let announced = |length: usize| {
        let mut body = b"\x02\0\x0aonMetaData\x08\0\0\0\x01\0\x0dvideodatarate\0".to_vec();
        body.extend_from_slice(&2_500.0_f64.to_be_bytes());
        body.extend_from_slice(&[0, 0, 9]);
        body.resize(body.len().max(length), 5);
        metadata(&body).video_kbps
    };
    assert_eq!(announced(0), Some(2_500));
    assert_eq!(announced(MAX_HEADER_BYTES), Some(2_500));
    assert_eq!(announced(MAX_HEADER_BYTES + 1), None);
}

#[test]
fn a_message_costs_its_own_bytes_whatever_headers_hold() {
    let video = |body| Media { kind: TagKind::Video, timestamp_ms: 0, body };
    // Behind start codes, since a record has no room for so many sets.
    let framed = |unit: &[u8]| [&[0, 0, 1], unit].concat();
    let sets = [framed(SPS), framed(PPS), framed(&SPS[..6]).repeat(10_000)].concat();
    let header = [&[0x17, 0, 0, 0, 0], sets.as_slice()].concat();
    let mut headers = Headers::default();
    assert_eq!(headers.set(Slot::Video(0), &video(&header)), Added);

    let key = &[0x17, 1, 0, 0, 0, 0, 0, 0, 3, 0x65, 0x88, 0x80];
    let worse = &avc(0x42, 4, &[], &[PPS]);
    let same = &[&[0x17, 0, 0, 0, 0], &framed(SPS)[..], &framed(PPS)].concat();
    let before = READ.get();
    assert!(!headers.changes_size(&video(key)));
    assert!(headers.begins_picture(&video(key)));
    headers.forget_other(Codec::Video(0, VideoCodec::Avc));
    assert_eq!(headers.set(Slot::Video(0), &video(worse)), Unusable);
    assert_eq!(headers.set(Slot::Video(0), &video(same)), Repeated);
    let sent = 2 * key.len() + worse.len() + same.len();
    assert!(READ.get() - before <= sent, "{} bytes for {sent}", READ.get() - before);
    // The sets that hold tell the size all the same.
    assert_eq!(headers.picture_size, Some((1920, 1080)));
}
