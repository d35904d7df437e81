use super::*;

const TRACKS_OF_A_CAMERA: Tracks =
    Tracks { video: Some(VideoCodec::H264), audio: Some(AudioCodec::Aac), width: 1920, height: 1080 };

fn slice(start_90khz: u64, duration_90khz: u64) -> Slice {
    Slice {
        anchor_ms: 1_800_000_000_000,
        start_90khz,
        duration_90khz,
        size: 13_298 * PACKET_BYTES,
        is_enterable: true,
        is_discontinuous: false,
        names_taken: 0,
        tracks: TRACKS_OF_A_CAMERA,
    }
}

#[test]
fn a_page_is_read_as_it_was_written() {
    let odd = Slice { size: 7, names_taken: 2, is_enterable: false, is_discontinuous: true, ..slice(1, 2) };
    let largest = Slice { start_90khz: u64::MAX - 5, duration_90khz: 5, size: u64::MAX, ..slice(0, 0) };
    let chunks = [
        Chunk::Empty,
        Chunk::Slice(slice(900_000, 450_123)),
        Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 15_001, to_ms: 20_000 }),
        Chunk::Slice(odd),
        Chunk::Slice(Slice { tracks: Tracks { audio: None, ..TRACKS_OF_A_CAMERA }, ..slice(9, 0) }),
        Chunk::Slice(Slice {
            tracks: Tracks {
                video: Some(VideoCodec::Mpeg4),
                audio: Some(AudioCodec::Mp3),
                ..Tracks::default()
            },
            ..slice(0, 90)
        }),
        Chunk::Slice(Slice {
            tracks: Tracks { video: Some(VideoCodec::Hevc), audio: None, width: u16::MAX, height: 1 },
            ..slice(90, 90)
        }),
        // Nothing but the slice itself is flagged.
        Chunk::Slice(Slice {
            tracks: Tracks { video: Some(VideoCodec::Hevc), audio: None, width: u16::MAX, height: 1 },
            size: 189,
            is_enterable: false,
            ..slice(180, 90)
        }),
        Chunk::Slice(Slice { tracks: Tracks { video: None, ..TRACKS_OF_A_CAMERA }, ..slice(270, 90) }),
        Chunk::Slice(largest),
        Chunk::Slice(slice(0, 1)),
        Chunk::Gap(Gap { reason: GapReason::Acknowledged, from_ms: 0, to_ms: 0 }),
    ];
    for length in 0..=chunks.len() {
        assert_eq!(decode(&encode(&chunks[..length])).as_deref(), Ok(&chunks[..length]));
    }
}

#[test]
fn a_full_page_of_a_camera_takes_eleven_bytes_a_slice() {
    let chunks: Vec<Chunk> = (0..PAGE).map(|n| Chunk::Slice(slice(n * 450_000, 450_000))).collect();
    let bytes = encode(&chunks).len() as u64;
    assert!(bytes <= PAGE * 11, "{bytes}");
}

#[test]
fn bytes_that_are_no_page_are_refused_with_their_place() {
    let bytes = encode(&[Chunk::Empty, Chunk::Slice(slice(0, 450_000))]);
    for cut in 2..bytes.len() {
        assert_eq!(decode(&bytes[..cut]), Err(Unreadable { at: 1, bytes: cut }));
    }
    for bytes in [&[128][..], &[GAP, 9, 0, 0], &[SLICE, 0, 1, 1], &[SLICE | TRACKS, 0, 1, 1, 0x0f, 0, 0]] {
        assert_eq!(decode(bytes), Err(Unreadable { at: 0, bytes: bytes.len() }), "{bytes:?}");
    }
    // A slice that says that it is none.
    let mut unflagged = encode(&[Chunk::Slice(slice(0, 450_000))]);
    unflagged[0] &= !SLICE;
    assert_eq!(decode(&unflagged), Err(Unreadable { at: 0, bytes: unflagged.len() }));
    let overlong = [&[SLICE][..], &[0xff; 12]].concat();
    assert!(decode(&overlong).is_err());
}

#[test]
fn a_number_has_64_bits_and_no_more() {
    for number in [0, 1, 127, 128, u64::from(u32::MAX), u64::MAX >> 1, u64::MAX] {
        let mut bytes = Vec::new();
        put(&mut bytes, number);
        assert_eq!(Reader::new(&bytes).number(), Some(number));
    }
    // The tenth byte holds one bit.
    let with_tenth = |tenth: u8| [&[0xff; 9][..], &[tenth]].concat();
    assert_eq!(Reader::new(&with_tenth(0)).number(), Some(u64::MAX >> 1));
    assert_eq!(Reader::new(&with_tenth(1)).number(), Some(u64::MAX));
    for tenth in [2, 3, 0x7f] {
        assert_eq!(Reader::new(&with_tenth(tenth)).number(), None, "{tenth}");
    }
}
