//! Coded video that is framed in other ways than its sequence header says, or has none.

use flv::TagKind::Video;
use media::RepairKind::{
    LengthSizeWrong, MessageMalformed, MessageWithoutFrame, ParameterSetsInStream, PictureInPieces,
    SequenceHeaderMissing, StartCodesForLengths, StrayBytes,
};

use crate::chunk::{Chunk, avc_header, pictures, pps, record, repairs, slice, sps};

/// What a picture is framed by.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Lengths(usize),
    /// Zeros before the one of each start code, by turns.
    StartCodes(&'static [usize]),
    /// A start code of so many zeros behind each length of four bytes.
    Both(usize),
}

fn frame(framing: Framing, units: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, unit) in units.iter().enumerate() {
        let start_code = |zeros: usize| [&vec![0; zeros][..], &[1]].concat();
        let length = |size: usize, length: usize| (length as u32).to_be_bytes()[4 - size..].to_vec();
        bytes.extend(match framing {
            Framing::Lengths(size) => length(size, unit.len()),
            Framing::StartCodes(zeros) => start_code(zeros[n % zeros.len()]),
            Framing::Both(zeros) => [length(4, zeros + 1 + unit.len()), start_code(zeros)].concat(),
        });
        bytes.extend_from_slice(unit);
    }
    bytes
}

/// A group of pictures: delimiter, SEI and two coded slices each, the first with a large one.
fn pushed() -> Vec<Vec<Vec<u8>>> {
    let delimiter = vec![0x09, 0xf0];
    let sei = vec![0x06, 0x05, 0x01, 0x44, 0x80];
    let picture = |n: u32| {
        let mut first = slice(0, n, n == 0);
        if n == 0 {
            first.extend([0x77; 70_000]);
        }
        vec![delimiter.clone(), sei.clone(), first, slice(4, n, n == 0)]
    };
    (0..4).map(picture).collect()
}

fn message(n: usize, payload: &[u8]) -> Vec<u8> {
    [&[if n == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0], payload].concat()
}

/// A chunk of the pictures above, each with `stray` at its end.
fn chunk(header: Option<&[u8]>, framing: Framing, sets_in_stream: bool, stray: &[u8]) -> Chunk {
    let (sps, pps) = (sps(0, 8), pps(0, 0, 0));
    let mut chunk = Chunk::new();
    if let Some(header) = header {
        chunk = chunk.tag(Video, 0, header);
    }
    for (n, picture) in pushed().iter().enumerate() {
        let mut units: Vec<&[u8]> = picture.iter().map(Vec::as_slice).collect();
        if sets_in_stream && n == 0 {
            units.splice(1..1, [&sps[..], &pps]);
        }
        let payload = [frame(framing, &units), stray.to_vec()].concat();
        chunk = chunk.tag(Video, n as u32 * 40, &message(n, &payload));
    }
    chunk
}

/// The pictures are those pushed, with the sets before the first one and without delimiters.
#[track_caller]
fn check(chunk: &Chunk, expected: &[(media::RepairKind, u32)]) {
    let (slice, stream) = record(chunk, &[]);
    let mut found = pictures(&stream);
    let mut sets: Vec<Vec<u8>> = found[0].drain(..2).collect();
    sets.sort();
    assert_eq!(sets, [sps(0, 8), pps(0, 0, 0)]);
    let pushed: Vec<Vec<Vec<u8>>> = pushed().into_iter().map(|picture| picture[1..].to_vec()).collect();
    assert!(found == pushed, "the pictures are others");
    assert_eq!(repairs(&slice), expected);
    assert!(slice.independent && !slice.discontinuity);
    assert_eq!(slice.video.unwrap().size.unwrap().width, 128);
}

fn header(length_size: u8) -> Vec<u8> {
    avc_header(length_size, &[&sps(0, 8)], &[&pps(0, 0, 0)])
}

#[test]
fn start_codes_in_place_of_lengths() {
    let framings: [&[usize]; 5] = [&[3], &[2], &[3, 2], &[2, 3, 5], &[7, 2]];
    for zeros in framings {
        let chunk = chunk(Some(&header(4)), Framing::StartCodes(zeros), false, &[]);
        check(&chunk, &[(StartCodesForLengths, 4)]);
    }
    // Zeros at the end belong to nothing.
    check(
        &chunk(Some(&header(4)), Framing::StartCodes(&[3]), false, &[0, 0, 0, 0, 0]),
        &[(StartCodesForLengths, 4)],
    );
    check(&chunk(Some(&header(4)), Framing::Both(3), false, &[]), &[(StartCodesForLengths, 4)]);
    check(&chunk(Some(&header(4)), Framing::Both(2), false, &[]), &[(StartCodesForLengths, 4)]);
}

#[test]
fn lengths_of_another_size_than_the_header_says() {
    for (said, sent) in [(1, 4), (2, 4), (3, 4), (4, 3)] {
        let (slice, _) = record(&chunk(Some(&header(said)), Framing::Lengths(sent), false, &[]), &[]);
        // Short units behind four bytes read the same behind two, whose first two are an empty unit.
        assert!(slice.repairs.of(LengthSizeWrong) >= 1, "said {said}, sent {sent}: {:?}", repairs(&slice));
        let (_, stream) = record(&chunk(Some(&header(said)), Framing::Lengths(sent), false, &[]), &[]);
        let found: Vec<Vec<Vec<u8>>> = pictures(&stream);
        assert!(found[0][2..] == pushed()[0][1..], "said {said}, sent {sent}");
        assert!(found[1..].iter().zip(&pushed()[1..]).all(|(found, pushed)| *found == pushed[1..]));
    }
    check(&chunk(Some(&header(3)), Framing::Lengths(3), false, &[]), &[]);
    check(&chunk(Some(&header(4)), Framing::Lengths(4), false, &[]), &[]);
}

#[test]
fn bytes_after_the_last_nal_unit() {
    for stray in [&[0xaa][..], &[0xde, 0xad], &[0, 0, 1], &[0xff; 4], &[0x55; 100]] {
        let chunk = chunk(Some(&header(4)), Framing::Lengths(4), false, stray);
        check(&chunk, &[(StrayBytes, 4)]);
    }
    // Padding is no fault.
    check(&chunk(Some(&header(4)), Framing::Lengths(4), false, &[0, 0, 0]), &[]);
    check(&chunk(Some(&header(4)), Framing::Lengths(4), false, &[0, 0, 0, 0]), &[]);
}

#[test]
fn a_message_that_is_cut_keeps_its_whole_slices() {
    let units: Vec<Vec<u8>> = pushed().remove(1);
    let units: Vec<&[u8]> = units.iter().map(Vec::as_slice).collect();
    let whole = frame(Framing::Lengths(4), &units);
    let plain = Chunk::new().tag(Video, 0, &header(4)).avc(0, true, &[&slice(0, 0, true)]);
    let (found, stream) = record(&plain.tag(Video, 40, &message(1, &whole[..whole.len() - 1])), &[]);
    assert_eq!(repairs(&found), [(StrayBytes, 1)]);
    assert_eq!(pictures(&stream)[1], units[1..3]);
    // Cut in its first slice it is of no use.
    let plain = Chunk::new().tag(Video, 0, &header(4)).avc(0, true, &[&slice(0, 0, true)]);
    let in_first = frame(Framing::Lengths(4), &units[..3]).len() - 1;
    let (found, stream) = record(&plain.tag(Video, 40, &message(1, &whole[..in_first])), &[]);
    assert_eq!((repairs(&found), pictures(&stream).len()), (vec![(MessageMalformed, 1)], 1));
}

#[test]
fn parameter_sets_in_the_stream_alone() {
    let empty = avc_header(4, &[], &[]);
    let no_sps = avc_header(4, &[], &[&pps(0, 0, 0)]);
    for header in [Some(&empty[..]), Some(&no_sps), None] {
        for framing in [Framing::Lengths(4), Framing::StartCodes(&[3, 2])] {
            let chunk = chunk(header, framing, true, &[]);
            let codes = matches!(framing, Framing::StartCodes(_));
            let expected = if codes {
                vec![(ParameterSetsInStream, 1), (StartCodesForLengths, 4)]
            } else {
                vec![(ParameterSetsInStream, 1)]
            };
            check(&chunk, &expected);
        }
    }
    // Without any, nothing can be decoded.
    let (slice, _) = record(&chunk(Some(&empty), Framing::Lengths(4), false, &[]), &[]);
    assert_eq!((repairs(&slice), slice.size), (vec![(SequenceHeaderMissing, 4)], 0));
}

#[test]
fn parameter_sets_in_messages_of_their_own() {
    let (sps, pps) = (sps(0, 8), pps(0, 0, 0));
    let pictures_of = |chunk: Chunk| {
        let (slice, stream) = record(&chunk, &[]);
        (repairs(&slice), pictures(&stream))
    };
    let (idr, inter) = (slice(0, 0, true), slice(0, 1, false));
    let chunk = Chunk::new().avc(0, true, &[&sps]).avc(0, true, &[&pps]).avc(0, true, &[&idr]).avc(
        40,
        false,
        &[&inter],
    );
    let expected = vec![(ParameterSetsInStream, 1), (MessageWithoutFrame, 2)];
    let (found, pictures) = pictures_of(chunk);
    assert_eq!(pictures, [vec![sps.clone(), pps.clone(), idr.clone()], vec![inter.clone()]]);
    assert_eq!(found, expected);
    // Sets that come after pictures help from there on.
    let late =
        Chunk::new().avc(0, true, &[&idr]).avc(40, true, &[&sps, &pps, &idr]).avc(80, false, &[&inter]);
    let (found, pictures) = pictures_of(late);
    assert_eq!(pictures, [vec![sps, pps, idr], vec![inter]]);
    assert_eq!(found, [(SequenceHeaderMissing, 1), (ParameterSetsInStream, 1)]);
}

#[test]
fn sets_that_came_in_the_stream_hold_across_chunks() {
    let empty = avc_header(4, &[], &[]);
    let (first, _) = record(&chunk(Some(&empty), Framing::Lengths(4), true, &[]), &[]);
    for header in [Some(&empty[..]), None] {
        let mut next = Chunk::new();
        if let Some(header) = header {
            next = next.tag(Video, 160, header);
        }
        let (second, stream) = record(&next.avc(160, false, &[&slice(0, 4, false)]), &first.state);
        assert_eq!(pictures(&stream), [vec![sps(0, 8), pps(0, 0, 0), slice(0, 4, false)]]);
        assert!(!second.discontinuity && !second.independent);
        assert_eq!(repairs(&second), [(ParameterSetsInStream, 1)]);
    }
}

#[test]
fn four_ccs_for_sets_in_the_stream_are_read() {
    let (sps, pps, idr) = (sps(0, 8), pps(0, 0, 0), slice(0, 0, true));
    let plain = frame(Framing::Lengths(4), &[&sps, &pps, &idr]);
    for head in [&b"\x91avc3\0\0\0"[..], b"\x93avc3", b"\x91avc1\0\0\0", b"\x93avc1", b"\x17\x01\0\0\0"] {
        let (slice, stream) = record(&Chunk::new().tag(Video, 0, &[head, &plain].concat()), &[]);
        assert_eq!(pictures(&stream), [vec![sps.clone(), pps.clone(), idr.clone()]], "{head:02x?}");
        assert_eq!(repairs(&slice), [(ParameterSetsInStream, 1)]);
    }
}

#[test]
fn an_odd_framing_may_end_at_any_message() {
    let (sps, pps) = (sps(0, 8), pps(0, 0, 0));
    let framings = [
        Framing::StartCodes(&[3]),
        Framing::Lengths(4),
        Framing::StartCodes(&[2]),
        Framing::Both(3),
        Framing::Lengths(4),
    ];
    let mut chunk = Chunk::new().tag(Video, 0, &avc_header(4, &[&sps], &[&pps]));
    for (n, &framing) in framings.iter().enumerate() {
        let unit = slice(0, n as u32, n == 0);
        chunk = chunk.tag(Video, n as u32 * 40, &message(n, &frame(framing, &[&unit])));
    }
    let (slice_found, stream) = record(&chunk, &[]);
    assert_eq!(repairs(&slice_found), [(StartCodesForLengths, 3)]);
    let last: Vec<Vec<u8>> =
        pictures(&stream).into_iter().map(|mut picture| picture.pop().unwrap()).collect();
    let expected: Vec<Vec<u8>> = (0..5).map(|n| slice(0, n, n == 0)).collect();
    assert_eq!(last, expected);
}

#[test]
fn lengths_are_of_the_size_that_the_header_says_where_another_explains_them_too() {
    // Behind three bytes units of 3 and of 828 bytes; behind four bytes it would be one unit of 833.
    let units = [b"\x41\x41\x01".to_vec(), [&b"\x41\x01"[..], &[0x77; 826]].concat()];
    let framed = frame(Framing::Lengths(3), &units.each_ref().map(Vec::as_slice));
    let chunk = Chunk::new().tag(Video, 0, &header(3)).tag(Video, 0, &message(0, &framed));
    let (found, stream) = record(&chunk, &[]);
    assert_eq!((&pictures(&stream)[0][2..], repairs(&found)), (&units[..], vec![]));
}

#[test]
fn pieces_of_a_picture_may_each_be_framed_in_their_own_way() {
    let framings = [Framing::Lengths(4), Framing::Lengths(2), Framing::StartCodes(&[3]), Framing::Both(3)];
    let rows = [0, 2, 4, 6].map(|row| slice(row, 1, false));
    for order in 0..4_usize.pow(4) {
        let ways: [Framing; 4] = std::array::from_fn(|piece| framings[order >> (2 * piece) & 3]);
        let pieces = rows.iter().zip(ways);
        let chunk = pieces.fold(Chunk::new().tag(Video, 0, &header(4)), |chunk, (row, way)| {
            chunk.tag(Video, 0, &message(1, &frame(way, &[row])))
        });
        let (found, stream) = record(&chunk, &[]);
        let pictures = pictures(&stream);
        assert!(pictures.len() == 1 && pictures[0][2..] == rows, "{ways:?}: {pictures:02x?}");
        assert_eq!(found.repairs.of(PictureInPieces), 3, "{ways:?}");
    }
}
