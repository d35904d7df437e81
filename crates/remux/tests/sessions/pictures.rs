//! Pictures that come in several messages.

use flv::TagKind::Video;
use media::RepairKind::{MessageWithoutFrame, PictureInPieces};

use crate::chunk::{Bits, Chunk, avc_header, pictures, pps, record, repairs, slice, sps};

fn with_sets() -> Chunk {
    Chunk::new().tag(Video, 0, &avc_header(4, &[&sps(0, 8)], &[&pps(0, 0, 0)]))
}

/// Three pictures of four coded slices each, the messages of a picture `apart_ms` apart.
fn in_pieces(apart_ms: u32) -> (Chunk, Vec<Vec<Vec<u8>>>) {
    let mut chunk = with_sets();
    let mut expected = Vec::new();
    for n in 0..3 {
        let slices: Vec<Vec<u8>> = (0..4).map(|row| slice(row * 2, n, n == 0)).collect();
        for (piece, slice) in slices.iter().enumerate() {
            chunk = chunk.avc(n * 40 + piece as u32 * apart_ms, n == 0, &[slice]);
        }
        expected.push(slices);
    }
    expected[0].splice(0..0, [sps(0, 8), pps(0, 0, 0)]);
    (chunk, expected)
}

#[test]
fn coded_slices_in_separate_messages_are_one_picture_whatever_their_stamps() {
    for apart_ms in [0, 1, 2, 10] {
        let (chunk, expected) = in_pieces(apart_ms);
        let (slice, stream) = record(&chunk, &[]);
        assert_eq!(pictures(&stream), expected, "{apart_ms} ms apart");
        assert_eq!(repairs(&slice), [(PictureInPieces, 9)], "{apart_ms} ms apart");
        assert_eq!((slice.video.unwrap().access_units, slice.duration_90khz), (3, 120 * 90));
    }
}

#[test]
fn a_stamp_that_steps_back_inside_a_picture_joins_it_too() {
    let (first, second) = (slice(0, 0, true), slice(4, 0, true));
    let chunk =
        with_sets().avc(40, true, &[&first]).avc(39, true, &[&second]).avc(80, false, &[&slice(0, 1, false)]);
    let (found, stream) = record(&chunk, &[]);
    assert_eq!(pictures(&stream)[0][2..], [first, second]);
    assert_eq!(repairs(&found), [(PictureInPieces, 1)]);
}

#[test]
fn a_slice_of_another_picture_does_not_join_although_its_first_slice_is_missing() {
    let chunk = with_sets().avc(0, true, &[&slice(0, 0, true)]).avc(40, false, &[&slice(4, 1, false)]);
    let (found, stream) = record(&chunk, &[]);
    assert_eq!(pictures(&stream).len(), 2);
    assert!(repairs(&found).is_empty());
}

#[test]
fn slices_in_any_order_are_one_picture_where_their_headers_say_so() {
    let rows = [4, 0, 6, 2];
    let chunk = rows.iter().fold(with_sets().avc(0, true, &[&slice(0, 0, true)]), |chunk, &row| {
        chunk.avc(40 + row / 4, false, &[&slice(row, 1, false)])
    });
    let (found, stream) = record(&chunk.avc(80, false, &[&slice(2, 2, false)]), &[]);
    let expected: Vec<Vec<u8>> = rows.iter().map(|&row| slice(row, 1, false)).collect();
    assert_eq!(pictures(&stream)[1..], [expected, vec![slice(2, 2, false)]]);
    assert_eq!(repairs(&found), [(PictureInPieces, 3)]);
}

/// A picture parameter set that announces redundant pictures.
fn pps_of_redundant() -> Vec<u8> {
    let bits = Bits::default().ue(0).ue(0).put(2, 0).ue(0).ue(0).ue(0).put(3, 0).ue(0).ue(0).ue(0);
    bits.put(2, 0).put(1, 1).unit(&[0x68])
}

/// A coded slice that refers to it.
fn redundant_slice(first_mb: u32, picture: u32, is_idr: bool, redundant_pic_cnt: u32) -> Vec<u8> {
    let bits = Bits::default().ue(first_mb).ue(if is_idr { 7 } else { 5 }).ue(0).put(4, picture % 16);
    let bits = if is_idr { bits.ue(0) } else { bits };
    let bits = bits.put(4, picture * 2 % 16).ue(redundant_pic_cnt);
    bits.put(16, 0xabcd).unit(&[if is_idr { 0x65 } else { 0x41 }])
}

#[test]
fn a_redundant_picture_joins_the_one_that_it_repeats() {
    let header = avc_header(4, &[&sps(0, 8)], &[&pps_of_redundant()]);
    // The primary picture, and two redundant ones, the second in two slices.
    let slices =
        |n: u32| [(0, 0), (0, 1), (0, 2), (4, 2)].map(|(mb, count)| redundant_slice(mb, n, n == 0, count));
    for apart_ms in [0, 1, 10] {
        let mut chunk = Chunk::new().tag(Video, 0, &header);
        for n in 0..3 {
            for (piece, slice) in (0..).zip(&slices(n)) {
                chunk = chunk.avc(n * 40 + piece * apart_ms, n == 0, &[slice]);
            }
        }
        let (found, stream) = record(&chunk, &[]);
        let pictures = pictures(&stream);
        assert_eq!(pictures[0][2..], slices(0));
        assert_eq!(pictures[1..], [slices(1), slices(2)]);
        assert_eq!(repairs(&found), [(PictureInPieces, 9)], "{apart_ms} ms apart");
        assert_eq!(found.duration_90khz, 120 * 90);
    }
    // The picture that it repeats is missing: it stands in its place.
    let chunk = Chunk::new().tag(Video, 0, &header).avc(0, true, &[&redundant_slice(0, 0, true, 0)]);
    let (found, _) = record(&chunk.avc(40, false, &[&redundant_slice(0, 1, false, 1)]), &[]);
    assert_eq!((found.video.as_ref().unwrap().access_units, repairs(&found)), (2, vec![]));
}

#[test]
fn pictures_that_look_alike_stay_apart() {
    // An encoder of IDR pictures alone that numbers them all the same.
    let idr = slice(0, 0, true);
    let chunk = (0..5).fold(with_sets(), |chunk, n| chunk.avc(n * 40, true, &[&idr]));
    let (found, _) = record(&chunk, &[]);
    assert_eq!((found.video.as_ref().unwrap().access_units, repairs(&found)), (5, vec![]));
    let close = with_sets().avc(0, true, &[&idr]).avc(1, true, &[&idr]).avc(2, true, &[&idr]);
    assert_eq!(record(&close, &[]).0.video.unwrap().access_units, 3);
}

#[test]
fn hevc_slice_segments_join_by_their_flag() {
    let header = {
        let units: [&[u8]; 3] = [
            b"\x40\x01\x0c\x01\xff\xff\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\x95\x98\x09",
            b"\x42\x01\x01\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\xa0\x0a\x08\x0b\x9f\x79\x65\x66\x92\x4c\xaf\x01\x68\x08\0\0\x03\0\x08\0\0\x03\0\xc8\x40",
            b"\x44\x01\xc1\x72\xb4\x62\x40",
        ];
        let mut record = vec![0; 23];
        (record[0], record[21], record[22]) = (1, 0x03, 3);
        for unit in units {
            record.extend_from_slice(&[unit[0] >> 1, 0, 1, 0, unit.len() as u8]);
            record.extend_from_slice(unit);
        }
        [b"\x90hev1", record.as_slice()].concat()
    };
    let message = |unit: &[u8]| [&b"\xa3hev1\0\0\0"[..], &[unit.len() as u8], unit].concat();
    let segments: [&[u8]; 3] = [b"\x02\x01\x80\x11", b"\x02\x01\x00\x22", b"\x02\x01\x40\x33"];
    let chunk = Chunk::new()
        .tag(Video, 0, &header)
        .tag(Video, 0, &message(b"\x26\x01\xaf\x11"))
        .tag(Video, 40, &message(segments[0]))
        .tag(Video, 41, &message(segments[1]))
        .tag(Video, 43, &message(segments[2]))
        .tag(Video, 80, &message(segments[0]));
    let (found, stream) = record(&chunk, &[]);
    assert_eq!(pictures(&stream)[1], segments.map(<[u8]>::to_vec));
    assert_eq!(
        (found.video.as_ref().unwrap().access_units, repairs(&found)),
        (3, vec![(PictureInPieces, 2)])
    );
}

#[test]
fn what_stands_before_a_picture_may_come_in_messages_of_its_own_at_its_time() {
    // A drone sends the picture, SEI and a delimiter as three messages with one time.
    let (delimiter, sei): (&[u8], &[u8]) = (b"\x09\xf0", b"\x06\x05\x01\x44\x80");
    let mut chunk = with_sets();
    for n in 0..3 {
        chunk = chunk.avc(n * 40, n == 0, &[&slice(0, n, n == 0)]).avc(n * 40, false, &[sei]).avc(
            n * 40,
            false,
            &[delimiter],
        );
    }
    let (found, stream) = record(&chunk, &[]);
    let expected = [vec![slice(0, 1, false)], vec![slice(0, 2, false)]];
    let last: Vec<Vec<u8>> =
        pictures(&stream)[1..].iter().map(|picture| picture.last().unwrap().clone()).collect();
    assert_eq!(last, expected.concat());
    assert!(pictures(&stream)[1..].iter().all(|picture| picture[..1] == [sei.to_vec()]));
    assert_eq!(repairs(&found), [(MessageWithoutFrame, 6)]);
    assert_eq!((found.video.unwrap().access_units, found.duration_90khz), (3, 120 * 90));
    // Before the picture, as others do.
    let chunk = with_sets()
        .avc(0, true, &[delimiter])
        .avc(0, true, &[sei])
        .avc(0, true, &[&slice(0, 0, true)])
        .avc(1, true, &[&slice(4, 0, true)]);
    let (found, stream) = record(&chunk, &[]);
    assert_eq!(pictures(&stream)[0][2..], [sei.to_vec(), slice(0, 0, true), slice(4, 0, true)]);
    assert_eq!(repairs(&found), [(MessageWithoutFrame, 2), (PictureInPieces, 1)]);
}

#[test]
fn two_fields_of_a_message_keep_the_delimiter_between_them() {
    let (first, second): (&[u8], &[u8]) = (b"\x09\x10", b"\x09\x30");
    let chunk = with_sets().avc(0, true, &[first, &slice(0, 0, true), second, &slice(0, 1, false)]);
    let (found, stream) = record(&chunk, &[]);
    assert_eq!(pictures(&stream)[0][2..], [slice(0, 0, true), second.to_vec(), slice(0, 1, false)]);
    assert_eq!(found.video.unwrap().access_units, 1);
}

#[test]
fn what_stands_after_a_picture_goes_with_it() {
    let (filler, end): (&[u8], &[u8]) = (b"\x0c\xff\xff\x80", b"\x0a");
    let chunk =
        with_sets().avc(0, true, &[&slice(0, 0, true)]).avc(10, false, &[filler]).avc(11, false, &[end]);
    let (found, stream) = record(&chunk.avc(40, false, &[&slice(0, 1, false)]), &[]);
    assert_eq!(pictures(&stream)[0][2..], [slice(0, 0, true), filler.to_vec(), end.to_vec()]);
    assert_eq!(pictures(&stream)[1], [slice(0, 1, false)]);
    assert_eq!(repairs(&found), [(MessageWithoutFrame, 2)]);
}

#[test]
fn a_picture_in_pieces_keeps_its_time_where_a_stamp_is_wrong() {
    // The second picture is stamped two seconds late; its pieces and those of its neighbours are a millisecond apart.
    let mut chunk = with_sets();
    for n in 0..12 {
        let stamp = n * 40 + if n == 5 { 2_000 } else { 0 };
        for piece in 0..3 {
            chunk = chunk.avc(stamp + piece, n == 0, &[&slice(piece * 2, n, n == 0)]);
        }
    }
    let (found, stream) = record(&chunk, &[]);
    assert!(pictures(&stream)[1..].iter().all(|picture| picture.len() == 3));
    assert_eq!((found.video.as_ref().unwrap().access_units, found.duration_90khz), (12, 12 * 40 * 90));
}

#[test]
fn what_comes_between_two_pieces_of_a_picture_is_part_of_it() {
    let sei: &[u8] = b"\x06\x05\x01\x44\x80";
    let recovery: &[u8] = b"\x06\x06\x01\xc4\x80";
    let (first, second) = (slice(0, 1, false), slice(4, 1, false));
    let (session, _) = record(&with_sets().avc(0, true, &[&slice(0, 0, true)]), &[]);
    // Decoding can begin with a picture if the push says so with any of its pieces.
    for (keys, with_recovery, expected) in [
        ([true, false], false, true),
        ([true, true], false, true),
        ([false, false], false, false),
        ([false, false], true, true),
    ] {
        let piece: &[&[u8]] = if with_recovery { &[recovery, &second] } else { &[&second] };
        let chunk = Chunk::new().avc(40, keys[0], &[&first]).avc(40, false, &[sei]).avc(40, keys[1], piece);
        let (found, stream) = record(&chunk, &session.state);
        let units: Vec<Vec<u8>> =
            [&[&first[..], sei], piece].concat().iter().map(|unit| unit.to_vec()).collect();
        assert_eq!(pictures(&stream).len(), 1);
        assert_eq!(pictures(&stream)[0][2..], units);
        assert_eq!(found.repairs.of(PictureInPieces), 1);
        assert_eq!(found.independent, expected, "{keys:?}, {with_recovery}");
    }
}
