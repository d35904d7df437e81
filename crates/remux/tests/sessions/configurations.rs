//! Which configuration is in use, whatever sequence headers come.

use flv::TagKind::{Audio, Video};
use media::RepairKind;

use crate::chunk::{
    AAC_44100, AAC_48000, AVC_180, AVC_1080, Chunk, aac_frames, avc_header, pictures, pps, record, repairs,
    sps,
};

/// Sequence headers of H.264 that nothing can be done with: empty, and cut at any place.
fn useless_video() -> Vec<Vec<u8>> {
    (5..AVC_180.len()).map(|end| AVC_180[..end].to_vec()).collect()
}

/// One with all its fields and no parameter sets, or sets that are cut.
fn incomplete_video() -> [Vec<u8>; 4] {
    let (sps, pps) = (sps(0, 8), pps(0, 0, 0));
    [
        avc_header(4, &[], &[]),
        avc_header(4, &[&sps], &[]),
        avc_header(4, &[], &[&pps]),
        avc_header(4, &[&sps[..5]], &[&pps]),
    ]
}

#[test]
fn a_video_header_that_is_empty_or_cut_replaces_nothing() {
    let (plain, stream) = record(&Chunk::with_headers().key(0).inter(40), &[]);
    for header in useless_video() {
        let chunk = Chunk::with_headers().tag(Video, 0, &header).key(0).tag(Video, 40, &header).inter(40);
        let (slice, found) = record(&chunk, &[]);
        assert_eq!(found, stream, "{header:02x?}");
        assert_eq!(repairs(&slice), [(RepairKind::SequenceHeaderMalformed, 2)]);
        assert!(!slice.discontinuity && slice.video == plain.video);
    }
    for header in incomplete_video() {
        let chunk = Chunk::with_headers().key(0).tag(Video, 40, &header).inter(40);
        let (slice, found) = record(&chunk, &[]);
        assert_eq!(found, stream, "{header:02x?}");
        assert_eq!(repairs(&slice), [(RepairKind::SequenceHeaderIncomplete, 1)]);
    }
}

#[test]
fn an_audio_header_that_is_empty_or_cut_replaces_nothing() {
    let (_, stream) = record(&Chunk::with_headers().aac(0).aac(23), &[]);
    for header in [&b"\xaf\0"[..], b"\xaf\0\x12", b"\x90mp4a", b"\x90mp4a\x11"] {
        let chunk = Chunk::with_headers().tag(Audio, 0, header).aac(0).tag(Audio, 23, header).aac(23);
        let (slice, found) = record(&chunk, &[]);
        assert_eq!(found, stream, "{header:02x?}");
        assert_eq!(repairs(&slice), [(RepairKind::SequenceHeaderMalformed, 2)]);
        assert!(!slice.discontinuity);
    }
}

#[test]
fn the_usable_header_holds_across_chunks() {
    let (first, _) = record(&Chunk::with_headers().key(0).aac(0).inter(40), &[]);
    // What a gateway repeats that takes any header, and what one sends that found none.
    let empty = Chunk::new().tag(Video, 0, b"\x17\0\0\0\0").tag(Audio, 0, b"\xaf\0");
    for (chunk, expected) in [(empty, 2), (Chunk::new(), 0)] {
        let whole = record(&Chunk::with_headers().key(80).aac(81).inter(120), &first.state);
        let (slice, stream) = record(&chunk.key(80).aac(81).inter(120), &first.state);
        assert_eq!(slice.repairs.of(RepairKind::SequenceHeaderMalformed), expected);
        assert_eq!((pictures(&stream), aac_frames(&stream)), (pictures(&whole.1), aac_frames(&whole.1)));
        assert!(!slice.discontinuity && slice.independent);
        assert_eq!((slice.video, slice.audio), (whole.0.video, whole.0.audio));
    }
}

#[test]
fn a_useless_header_and_then_a_good_one_is_what_the_good_one_alone_is() {
    let (slice, stream) = record(
        &Chunk::new()
            .tag(Video, 0, b"\x17\0\0\0\0")
            .tag(Audio, 0, b"\xaf\0")
            .tag(Video, 0, AVC_1080)
            .tag(Audio, 0, AAC_44100)
            .key(0)
            .aac(0),
        &[],
    );
    assert_eq!(stream, record(&Chunk::with_headers().key(0).aac(0), &[]).1);
    assert_eq!(repairs(&slice), [(RepairKind::SequenceHeaderMalformed, 2)]);
}

#[test]
fn of_several_headers_before_the_first_frame_the_last_usable_one_counts() {
    let nearly = avc_header(4, &[&sps(0, 8)], &[&pps(0, 0, 3)]);
    let chunk = Chunk::new()
        .tag(Video, 0, AVC_180)
        .tag(Video, 0, &nearly)
        .tag(Video, 0, AVC_1080)
        .tag(Video, 0, b"\x17\0\0\0\0")
        .tag(Audio, 0, AAC_48000)
        .tag(Audio, 0, AAC_44100)
        .key(0)
        .aac(0);
    let (slice, stream) = record(&chunk, &[]);
    assert_eq!(stream, record(&Chunk::with_headers().key(0).aac(0), &[]).1);
    assert!(!slice.discontinuity);
}

#[test]
fn headers_are_compared_by_what_they_say() {
    let (one, two, three) = (sps(0, 8), pps(0, 0, 0), pps(1, 0, 5));
    let plain = avc_header(4, &[&one], &[&two, &three]);
    let mut levelled = plain.clone();
    levelled[8] = 0x28;
    let alike = [
        avc_header(4, &[&one], &[&three, &two]),
        avc_header(4, &[&one, &one], &[&two, &three, &two]),
        [&plain[..], &[0xfd, 0xf8, 0xf8, 0]].concat(),
        levelled,
        [&[0x17, 0, 0, 0, 0, 0, 0, 0, 1], &one[..], &[0, 0, 1], &two, &[0, 0, 0, 1], &three].concat(),
    ];
    let explicit: &[u8] = b"\xaf\0\x12\x10\x56\xe5\x00";
    let (_, expected) = record(&Chunk::new().tag(Video, 0, &plain).key(0).inter(40), &[]);
    for header in &alike {
        let turns = Chunk::new().tag(Video, 0, &plain).key(0).tag(Video, 40, header).inter(40);
        let (slice, stream) = record(&turns, &[]);
        assert!(repairs(&slice).is_empty() && stream == expected, "{header:02x?}: {:?}", repairs(&slice));
    }
    // From chunk to chunk, by turns.
    let mut state = Vec::new();
    for (n, header) in alike.iter().chain(&alike).enumerate() {
        let audio = if n % 2 == 0 { AAC_44100 } else { explicit };
        let time = n as u32 * 40;
        let chunk = Chunk::new().tag(Video, time, header).tag(Audio, time, audio).key(time).aac(time);
        let (slice, _) = record(&chunk, &state);
        assert!(!slice.discontinuity && repairs(&slice).is_empty(), "chunk {n}");
        state = slice.state;
    }
}

#[test]
fn a_header_that_says_what_the_stream_has_said_changes_nothing() {
    let (sps, pps) = (sps(0, 8), pps(0, 0, 0));
    let header = avc_header(4, &[&sps], &[&pps]);
    let sets: &[&[u8]] = &[&sps, &pps, b"\x65\x88\x80"];
    let (first, _) = record(&Chunk::new().avc(0, true, sets), &[]);
    let (second, _) = record(&Chunk::new().tag(Video, 40, &header).key(40), &first.state);
    assert!(!second.discontinuity, "{:?}", repairs(&second));
}

#[test]
fn a_useless_header_of_another_codec_replaces_nothing() {
    let (_, stream) = record(&Chunk::with_headers().key(0).inter(40), &[]);
    for header in [&b"\x1c\0\0\0\0"[..], b"\x90hvc1\x01", b"\x19\0\0\0\0\0\0\x01\xb0"] {
        let chunk = Chunk::with_headers().key(0).tag(Video, 40, header).inter(40);
        let (slice, found) = record(&chunk, &[]);
        assert_eq!(
            (found, repairs(&slice)),
            (stream.clone(), vec![(RepairKind::SequenceHeaderMalformed, 1)])
        );
    }
}

#[test]
fn mpeg4_headers_hold_until_others_come() {
    let layer = b"\0\0\x01\x20\0\xc4\x8d\x88\0\xcd\x0a\x04\x1e\x14\x63";
    let header = [&b"\x19\0\0\0\0"[..], layer].concat();
    let frame = b"\x19\x01\0\0\0\0\0\x01\xb6\x10";
    let plain = Chunk::new().tag(Video, 0, &header).tag(Video, 0, frame).tag(Video, 40, frame);
    for useless in [&header[..12], &header[..header.len() - 6]] {
        let chunk = Chunk::new().tag(Video, 0, &header).tag(Video, 0, frame).tag(Video, 40, useless);
        let (slice, stream) = record(&chunk.tag(Video, 40, frame), &[]);
        assert_eq!(stream, record(&plain, &[]).1);
        assert_eq!(slice.repairs.of(RepairKind::SequenceHeaderMalformed), 1, "{useless:02x?}");
    }
}
