//! Where a slice can be entered, and what it brings for that.

use flv::TagKind::Video;
use media::RepairKind;

use crate::chunk::{Chunk, avc_header, pictures, pps, record, repairs, slice, sps, units};

fn with_sets() -> (Chunk, Vec<u8>, Vec<u8>) {
    let (sps, pps) = (sps(0, 8), pps(0, 0, 0));
    (Chunk::new().tag(Video, 0, &avc_header(4, &[&sps], &[&pps])), sps, pps)
}

#[test]
fn every_slice_begins_with_parameter_sets_and_says_whether_it_can_be_entered() {
    let (chunk, sps, pps) = with_sets();
    let (first, stream) = record(&chunk.avc(0, true, &[&slice(0, 0, true)]), &[]);
    assert!(first.independent && units(&stream, Video)[0].random_access);
    for length in [1, 3] {
        let chunk =
            (1..=length).fold(with_sets().0, |chunk, n| chunk.avc(n * 40, false, &[&slice(0, n, false)]));
        let (second, stream) = record(&chunk, &first.state);
        let expected = vec![sps.clone(), pps.clone(), slice(0, 1, false)];
        assert_eq!(pictures(&stream)[0], expected);
        // They go before the first picture alone, and decoding cannot begin there.
        assert!(pictures(&stream)[1..].iter().all(|picture| picture.len() == 1));
        assert!(units(&stream, Video).iter().all(|unit| !unit.random_access));
        assert!(!second.independent && !second.discontinuity && repairs(&second).is_empty());
    }
}

#[test]
fn the_sets_that_a_slice_begins_with_are_those_that_the_stream_brought_last() {
    let (chunk, sps, old) = with_sets();
    let new = pps(0, 0, 7);
    let chunk = chunk.avc(0, true, &[&slice(0, 0, true)]).avc(40, false, &[&new, &slice(0, 1, false)]);
    let (first, stream) = record(&chunk, &[]);
    assert_eq!(pictures(&stream)[0], [sps.clone(), old, slice(0, 0, true)]);
    assert_eq!(pictures(&stream)[1], [new.clone(), slice(0, 1, false)]);
    let (second, stream) = record(&with_sets().0.avc(80, false, &[&slice(0, 2, false)]), &first.state);
    assert_eq!(pictures(&stream)[0], [sps.clone(), new.clone(), slice(0, 2, false)]);
    assert!(!second.discontinuity && repairs(&second).is_empty());
    // So are those before a keyframe that brings none.
    let chunk = with_sets().0.avc(80, false, &[&slice(0, 2, false)]).avc(120, true, &[&slice(0, 3, true)]);
    let (_, stream) = record(&chunk, &first.state);
    assert_eq!(pictures(&stream)[1], [sps, new, slice(0, 3, true)]);
}

#[test]
fn a_recovery_point_is_an_entry() {
    let recovery: &[u8] = b"\x06\x06\x01\xc4\x80";
    let other: &[u8] = b"\x06\x01\x01\x04\x80";
    let inter = slice(0, 1, false);
    let (first, _) = record(&with_sets().0.avc(0, true, &[&slice(0, 0, true)]), &[]);
    let (with, stream) = record(&with_sets().0.avc(40, false, &[recovery, &inter]), &first.state);
    assert!(with.independent && units(&stream, Video)[0].random_access);
    let (without, _) = record(&with_sets().0.avc(40, false, &[other, &inter]), &first.state);
    assert!(!without.independent);
    // In a message of its own, also where that ends the chunk before.
    let own = with_sets().0.avc(40, false, &[recovery]).avc(40, false, &[&inter]);
    assert!(record(&own, &first.state).0.independent);
    let (ends, _) =
        record(&with_sets().0.avc(0, true, &[&slice(0, 0, true)]).avc(40, false, &[recovery]), &[]);
    let (next, stream) =
        record(&with_sets().0.avc(40, false, &[&inter]).avc(80, false, &[&inter]), &ends.state);
    assert!(next.independent && units(&stream, Video)[0].random_access);
    assert!(!units(&stream, Video)[1].random_access);
}

#[test]
fn hevc_is_entered_at_any_intra_random_access_point() {
    let sets: [&[u8]; 3] = [
        b"\x40\x01\x0c\x01\xff\xff\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\x95\x98\x09",
        b"\x42\x01\x01\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\xa0\x0a\x08\x0b\x9f\x79\x65\x66\x92\x4c\xaf\x01\x68\x08\0\0\x03\0\x08\0\0\x03\0\xc8\x40",
        b"\x44\x01\xc1\x72\xb4\x62\x40",
    ];
    let message = |time: u32, chunk: Chunk, units: &[&[u8]]| {
        let length = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes(), *unit].concat();
        let units: Vec<u8> = units.iter().flat_map(length).collect();
        chunk.tag(Video, time, &[b"\xa3hev1", units.as_slice()].concat())
    };
    let idr: &[u8] = b"\x26\x01\xaf\x11";
    let (first, _) = record(&message(0, Chunk::new(), &[sets[0], sets[1], sets[2], idr]), &[]);
    // Trailing pictures, BLA, IDR, CRA; and a trailing picture behind a recovery point.
    let recovery: &[u8] = b"\x4e\x01\x06\x01\xc4\x80";
    for (kind, units, expected) in [
        (1, 1, false),
        (9, 1, false),
        (16, 1, true),
        (18, 1, true),
        (19, 1, true),
        (21, 1, true),
        (1, 2, true),
    ] {
        let picture: &[u8] = &[kind << 1, 1, 0x80, 0x22];
        let (slice, stream) =
            record(&message(40, Chunk::new(), &[recovery, picture][2 - units..]), &first.state);
        assert_eq!(slice.independent, expected, "type {kind}, {units} units");
        assert_eq!(pictures(&stream)[0][..3], sets.map(<[u8]>::to_vec));
        assert!(!slice.discontinuity);
    }
}

#[test]
fn mpeg4_headers_that_keyframes_bring_go_before_the_first_picture_of_a_slice() {
    let layer = b"\0\0\x01\x20\0\xc4\x8d\x88\0\xcd\x0a\x04\x1e\x14\x63";
    let vop = b"\0\0\x01\xb6\x50\x11";
    let key = [&b"\x19\x01\0\0\0"[..], layer, vop].concat();
    let inter = [&b"\x29\x01\0\0\0"[..], vop].concat();
    let (first, _) = record(&Chunk::new().tag(Video, 0, &key).tag(Video, 40, &inter), &[]);
    let (second, stream) = record(&Chunk::new().tag(Video, 80, &inter).tag(Video, 120, &inter), &first.state);
    let data: Vec<Vec<u8>> = units(&stream, Video).into_iter().map(|unit| unit.data).collect();
    assert_eq!(data, [[&layer[..], vop].concat(), vop.to_vec()]);
    assert!(!second.independent && !second.discontinuity);
    assert_eq!(second.video.unwrap().size.unwrap().width, 320);
    // Behind lengths, too.
    let lengths = |head: &[u8], parts: &[&[u8]]| {
        let part = |part: &&[u8]| [&(part.len() as u32).to_be_bytes(), *part].concat();
        [head, &parts.iter().flat_map(part).collect::<Vec<u8>>()].concat()
    };
    let key = lengths(b"\x19\x01\0\0\0", &[&layer[3..], &vop[3..]]);
    let inter = lengths(b"\x29\x01\0\0\0", &[&vop[3..]]);
    let (first, _) = record(&Chunk::new().tag(Video, 0, &key), &[]);
    let (_, stream) = record(&Chunk::new().tag(Video, 80, &inter), &first.state);
    assert_eq!(units(&stream, Video)[0].data, [&layer[..], vop].concat());
}

#[test]
fn a_push_that_begins_in_the_middle_of_a_group_of_pictures_has_its_sets_too() {
    let (chunk, sps, pps) = with_sets();
    let chunk = chunk.avc(0, false, &[&slice(0, 5, false)]).avc(40, true, &[&slice(0, 6, true)]);
    let (first, stream) = record(&chunk, &[]);
    assert_eq!(pictures(&stream)[0], [sps.clone(), pps.clone(), slice(0, 5, false)]);
    assert_eq!(pictures(&stream)[1], [sps, pps, slice(0, 6, true)]);
    assert!(!first.independent && first.repairs.of(RepairKind::SequenceHeaderMissing) == 0);
}
