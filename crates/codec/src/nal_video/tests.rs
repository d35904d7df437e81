use super::*;

#[test]
fn roles_of_h264_units() {
    let role = |first| NalCodec::H264.role(&[first]);
    for slice in [0x41, 0x01, 0x02, 0x03, 0x04, 0x65] {
        assert_eq!(role(slice), UnitRole::CodedSlice, "{slice:02x}");
    }
    assert_eq!(role(0x67), UnitRole::ParameterSet(SetKind::Sps));
    assert_eq!(role(0x6d), UnitRole::ParameterSet(SetKind::SpsExtension));
    assert_eq!(role(0x68), UnitRole::ParameterSet(SetKind::Pps));
    assert_eq!((role(0x09), role(0x06), role(0x0e)), (UnitRole::Delimiter, UnitRole::Sei, UnitRole::Prefix));
    for suffix in [0x0a, 0x0b, 0x0c, 0x13, 0x14, 0x1f, 0x00] {
        assert_eq!(role(suffix), UnitRole::Suffix, "{suffix:02x}");
    }
}

#[test]
fn roles_of_hevc_units() {
    let role = |kind: u8| NalCodec::Hevc.role(&[kind << 1, 1]);
    for slice in [0, 1, 8, 9, 16, 19, 20, 21] {
        assert_eq!(role(slice), UnitRole::CodedSlice, "{slice}");
    }
    assert_eq!(role(32), UnitRole::ParameterSet(SetKind::Vps));
    assert_eq!(role(33), UnitRole::ParameterSet(SetKind::Sps));
    assert_eq!(role(34), UnitRole::ParameterSet(SetKind::Pps));
    assert_eq!(
        (role(35), role(39), role(41), role(48)),
        (UnitRole::Delimiter, UnitRole::Sei, UnitRole::Prefix, UnitRole::Prefix)
    );
    for suffix in [36, 37, 38, 40, 45, 47, 56, 63] {
        assert_eq!(role(suffix), UnitRole::Suffix, "{suffix}");
    }
}

#[test]
fn decoding_begins_with_intra_pictures_and_recovery_points() {
    let (h264, hevc) = (NalCodec::H264, NalCodec::Hevc);
    assert!(h264.is_entry(&[0x65, 0x88]) && !h264.is_entry(&[0x41, 0x9a]) && !h264.is_entry(&[0x67, 0x42]));
    assert!(
        h264.is_entry(&[0x06, 0x06, 0x01, 0xc4, 0x80]) && !h264.is_entry(&[0x06, 0x01, 0x01, 0x04, 0x80])
    );
    // BLA, IDR and CRA pictures; a trailing picture; a recovery point.
    for kind in [16, 17, 18, 19, 20, 21] {
        assert!(hevc.is_entry(&[kind << 1, 1, 0x80]), "{kind}");
    }
    assert!(!hevc.is_entry(&[0x02, 1, 0x80]) && hevc.is_entry(&[0x4e, 1, 0x06, 0x01, 0xc4, 0x80]));
}

#[track_caller]
fn check(codec: NalCodec, message: &[u8], expected: bool) {
    assert_eq!(codec.message_begins_picture(message, 4), expected, "{message:02x?}");
}

#[test]
fn a_message_begins_a_picture_unless_its_first_slice_does_not() {
    check(NalCodec::H264, &[0, 0, 0, 2, 0x65, 0x88], true);
    check(NalCodec::H264, &[0, 0, 0, 3, 0x65, 0x00, 0x73], false);
    check(NalCodec::H264, &[0, 0, 0, 2, 0x06, 0x05, 0, 0, 0, 3, 0x41, 0x00, 0x73], false);
    check(NalCodec::H264, &[0, 0, 0, 1, 0x65, 0x00, 0x73], false);
    check(NalCodec::H264, &[0, 0, 0, 2, 0x03, 0x88], false);
    check(NalCodec::H264, &[0, 0, 0, 2, 0x06, 0x05], true);
    check(NalCodec::H264, &[0, 0, 9, 9, 0x65], true);
    check(NalCodec::H264, &[], true);
    check(NalCodec::Hevc, &[0, 0, 0, 3, 0x26, 0x01, 0xaf], true);
    check(NalCodec::Hevc, &[0, 0, 0, 3, 0x26, 0x01, 0x2f], false);
}

#[test]
fn a_header_that_can_begin_a_unit() {
    let (h264, hevc) = (NalCodec::H264, NalCodec::Hevc);
    assert!([0x01, 0x65, 0x17].iter().all(|&first| h264.is_plausible(&[first])));
    assert!(hevc.is_plausible(&[0x00, 0x01]) && hevc.is_plausible(&[47 << 1, 0x07]));
    // Forbidden bits, types that mean nothing in a stream, no temporal layer, and no second byte.
    assert!([0xe5, 0x00, 0x60, 0x18, 0x1f].iter().all(|&first| !h264.is_plausible(&[first])));
    for unit in [&[0xa6, 0x01][..], &[48 << 1, 0x01], &[0x26, 0x00], &[0x26, 0xf8], &[0x26]] {
        assert!(!hevc.is_plausible(unit), "{unit:02x?}");
    }
}

/// What x264 makes of 640 × 360.
const SPS: &[u8] = &[
    0x67, 0x4d, 0x40, 0x1e, 0xec, 0xa0, 0x50, 0x31, 0xf9, 0xf0, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00,
    0x00, 0x03, 0x00, 0x32, 0x1f, 0x14, 0x29, 0x96,
];
const IDR: &[u8] = &[0x65, 0x88, 0x84, 0x21];

/// Units behind lengths of so many bytes.
fn lengths(size: usize, units: &[&[u8]]) -> Vec<u8> {
    let framed = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes()[4 - size..], *unit].concat();
    units.iter().flat_map(framed).collect()
}

#[test]
fn a_message_says_its_size_before_its_first_slice() {
    let size = |message: &[u8], length_size| NalCodec::H264.message_picture_size(message, length_size);
    assert_eq!(size(&lengths(4, &[SPS, IDR]), 4), Some((640, 360)));
    assert_eq!(size(&lengths(4, &[SPS]), 4), Some((640, 360)));
    assert_eq!(size(&lengths(4, &[IDR, SPS]), 4), None);
    assert_eq!(size(&lengths(4, &[IDR]), 4), None);
    let stream = [&[0, 0, 0, 1][..], SPS, &[0, 0, 1], IDR].concat();
    assert_eq!(size(&stream, 4), Some((640, 360)));
    // By lengths of one byte, these of two begin with a unit of one byte: it looks like another set.
    let sei = [&[0x06][..], &[0xff; 0x106]].concat();
    assert_eq!(size(&lengths(2, &[&sei, SPS, IDR]), 1), Some((640, 360)));
}

#[test]
fn a_messages_size_is_that_of_a_set_before_its_slices_whatever_follows_them() {
    let size = |message: &[u8], length_size| NalCodec::H264.message_picture_size(message, length_size);
    let cut = [&lengths(4, &[SPS, IDR, &[0x80]])[..], &[9, 9, 9]].concat();
    assert_eq!(size(&cut, 4), Some((640, 360)));
    // A slice is not taken for a set, though it could be read as one.
    let slice = [&[0x65], &SPS[1..]].concat();
    assert_eq!(size(&lengths(4, &[&slice, IDR]), 4), None);
    // By lengths of one byte this stream is a unit of one byte, which looks like a set, and what looks like a slice.
    let (sps, slice) = ([&[0x67, 0x4d, 0x04], &SPS[3..]].concat(), [IDR, &[0xff; 80]].concat());
    let stream = [&[0, 0, 0, 1][..], &sps, &[0, 0, 0, 1], &slice].concat();
    assert_eq!(size(&stream, 1), Some((640, 360)));
}
