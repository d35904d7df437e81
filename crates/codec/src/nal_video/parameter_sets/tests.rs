use super::*;
use crate::{bits::bytes_of, nal::READ};

const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
    0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
];
const PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];
/// A picture parameter set with the identifier 1.
const PPS_1: &[u8] = &[0x68, 0x5f, 0x0f, 0xc8];

#[test]
fn sets_stand_in_their_order_and_later_ones_take_the_place_of_earlier_ones() {
    let mut sets = ParameterSets::new(NalCodec::H264);
    assert_eq!(sets.insert(SetKind::Pps, PPS_1), SetChange::Taken);
    assert_eq!(sets.insert(SetKind::Pps, PPS), SetChange::Taken);
    assert!(!sets.is_complete());
    assert_eq!(sets.insert(SetKind::Sps, SPS), SetChange::Taken);
    assert!(sets.is_complete());
    assert_eq!(sets.units().collect::<Vec<_>>(), [SPS, PPS, PPS_1]);
    assert_eq!(sets.picture_size(), Some((1920, 1080)));
    assert_eq!(sets.insert(SetKind::Pps, PPS), SetChange::None);
    let changed = &[0x68, 0xce, 0x3c, 0x80];
    assert_eq!(sets.insert(SetKind::Pps, changed), SetChange::Taken);
    assert_eq!(sets.units().collect::<Vec<_>>(), [SPS, changed, PPS_1]);
}

#[test]
fn a_cut_set_does_not_take_the_place_of_a_whole_one() {
    let mut sets = ParameterSets::new(NalCodec::H264);
    assert_eq!(sets.insert(SetKind::Sps, &[0x67, 0x42]), SetChange::Taken);
    assert_eq!(sets.insert(SetKind::Sps, SPS), SetChange::Taken);
    for cut in [1, 4, 6] {
        assert_eq!(sets.insert(SetKind::Sps, &SPS[..cut]), SetChange::Refused, "cut at {cut}");
    }
    assert_eq!(sets.units().collect::<Vec<_>>(), [SPS]);
    // One of another kind is no whole one.
    assert_eq!(sets.insert(SetKind::Pps, &PPS[..1]), SetChange::Taken);
    assert_eq!(sets.insert(SetKind::Pps, PPS), SetChange::Taken);
    assert_eq!(sets.insert(SetKind::Pps, &PPS[..1]), SetChange::Refused);
    assert_eq!(sets.units().collect::<Vec<_>>(), [SPS, PPS]);
}

#[test]
fn a_changed_set_takes_the_place_of_the_one_before() {
    let mut other_level = SPS.to_vec();
    other_level[3] = 0x29;
    let mut sets = ParameterSets::new(NalCodec::H264);
    // One whose size cannot be read, in the place of another.
    for unit in [&SPS[..5], &SPS[..6], SPS, &other_level, SPS] {
        assert_eq!(sets.insert(SetKind::Sps, unit), SetChange::Taken, "{unit:02x?}");
        assert_eq!(sets.units().collect::<Vec<_>>(), [unit]);
    }
}

#[test]
fn slices_are_redundant_where_a_set_announces_it() {
    // Of one type and with the first macroblock: what the set says of identifiers, then frame_num, and
    // redundant_pic_cnt where it is there.
    let slice = |bits| [vec![0x41], bytes_of(&format!("1 00110 {bits} 1111 1111"))].concat();
    let announcing = [vec![0x68], bytes_of("1 1 0 0 1 1 1 0 00 1 1 1 0 0 1 1")].concat();
    let (primary, redundant) = (slice("1 0001 1"), slice("1 0001 010"));
    let mut sets = ParameterSets::new(NalCodec::H264);
    sets.insert(SetKind::Sps, SPS);
    sets.insert(SetKind::Pps, &announcing);
    assert!(sets.is_redundant_to(&primary, &redundant));
    assert!(!sets.is_redundant_to(&primary, &primary));
    assert!(!sets.is_redundant_to(&slice("1 0010 1"), &redundant), "it is of another picture");
    // Another set beside it changes nothing, and one in its place takes it back.
    sets.insert(SetKind::Pps, PPS_1);
    assert!(sets.is_redundant_to(&primary, &redundant));
    sets.insert(SetKind::Pps, PPS);
    assert!(!sets.is_redundant_to(&primary, &redundant));
    assert_eq!(sets.is_same_picture(&primary, &redundant), Some(true));
    assert_eq!(sets.is_same_picture(&primary, &slice("1 0010 1")), Some(false));
    // Nothing is left of the set that was replaced.
    let mut fresh = ParameterSets::new(NalCodec::H264);
    for (kind, unit) in [(SetKind::Sps, SPS), (SetKind::Pps, PPS), (SetKind::Pps, PPS_1)] {
        fresh.insert(kind, unit);
    }
    assert_eq!(sets, fresh);
}

#[test]
fn slices_are_of_one_picture_or_not_where_their_sets_are_known() {
    let slice = [0x41, 0x9a, 0x12, 0x34];
    let mut sets = ParameterSets::new(NalCodec::H264);
    for (kind, unit) in [(SetKind::Sps, SPS), (SetKind::Pps, PPS)] {
        assert_eq!(sets.is_same_picture(&slice, &slice), None);
        sets.insert(kind, unit);
    }
    assert_eq!(sets.is_same_picture(&slice, &slice), Some(true));
    // A partition has no header, and a slice of HEVC tells by itself.
    assert_eq!(sets.is_same_picture(&slice, &[0x43, 0x9a, 0x12, 0x34]), None);
    assert_eq!(ParameterSets::new(NalCodec::Hevc).is_same_picture(&slice, &slice), None);
}

#[test]
fn sets_are_equal_whatever_their_order() {
    let (mut one, mut two) = (ParameterSets::new(NalCodec::H264), ParameterSets::new(NalCodec::H264));
    for (kind, unit) in [(SetKind::Sps, SPS), (SetKind::Pps, PPS), (SetKind::Pps, PPS_1)] {
        one.insert(kind, unit);
    }
    for (kind, unit) in [(SetKind::Pps, PPS_1), (SetKind::Sps, SPS), (SetKind::Pps, PPS), (SetKind::Sps, SPS)]
    {
        two.insert(kind, unit);
    }
    assert_eq!(one, two);
}

#[test]
fn sets_are_complete_where_one_of_each_needed_kind_is_there() {
    let units = [0, 1, 2, 3].map(|byte| [byte; 40]);
    let kinds = [SetKind::Vps, SetKind::Sps, SetKind::SpsExtension, SetKind::Pps];
    for (codec, needed) in [(NalCodec::H264, 0b1010), (NalCodec::Hevc, 0b1011)] {
        for chosen in 0..16 {
            let mut sets = ParameterSets::new(codec);
            for (bit, kind) in kinds.into_iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1) {
                assert_eq!(sets.insert(kind, &units[bit]), SetChange::Taken);
            }
            assert_eq!(sets.is_complete(), chosen & needed == needed, "{codec:?} {chosen:04b}");
        }
    }
}

#[test]
fn a_stream_of_many_sets_is_bounded() {
    let unit = |id: usize, last| [vec![0x68], bytes_of(&format!("0000000{:08b}{last}", id + 1))].concat();
    let units: Vec<_> = (127..254).map(|id| unit(id, "1 0 0 1")).collect();
    let mut sets = ParameterSets::new(NalCodec::H264);
    for (number, unit) in units.iter().enumerate() {
        let is_kept = number < ParameterSets::MAX_COUNT;
        let expected = if is_kept { SetChange::Taken } else { SetChange::Refused };
        assert_eq!(sets.insert(SetKind::Pps, unit), expected, "{number}");
    }
    assert_eq!(sets.units().count(), ParameterSets::MAX_COUNT);
    // One that is kept may change all the same.
    let changed = unit(130, "1 1 0 1");
    assert_eq!(sets.insert(SetKind::Pps, &changed), SetChange::Taken);
    assert!(sets.units().any(|unit| unit == changed) && sets.units().count() == ParameterSets::MAX_COUNT);
}

/// What x265 makes of 1920 × 1080.
const HEVC_SPS: &[u8] = &[
    0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x78, 0xa0, 0x03, 0xc0, 0x80, 0x10, 0xe5, 0x96, 0x56, 0x69, 0x24, 0xca, 0xf0, 0x16, 0x80, 0x80, 0x00,
    0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x0c, 0x84,
];

/// A sequence parameter set that is long to read: twelve scaling lists of codes of 31 bits before its size, 640 × 368.
fn long_sps() -> Vec<u8> {
    let list = |count| format!("1{}", format!("{:031b}", 0xffff).repeat(count));
    let lists = [list(16).repeat(6), list(64).repeat(6)].concat();
    let fields = format!("1 00100 0 1 1 0 1 {lists} 1 011 010 0 00000101000 000010111 1 1 0 0 1");
    [&[0x67, 244, 0, 0x1e], bytes_of(&fields).as_slice()].concat()
}

/// What `work` gives, and the bytes that are read for it.
fn reading<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = READ.get();
    let done = work();
    (done, READ.get() - before)
}

#[test]
fn a_set_costs_its_own_bytes_whatever_is_held() {
    let long = long_sps();
    // Cut behind the identifier, which for HEVC stands behind 12 bytes of profile and level.
    let cut = [&[0x67, 244, 0, 0x1e, 0x80][..], &[&HEVC_SPS[..18], &[0x80]].concat()];
    for (codec, held, cut) in [(NalCodec::H264, &long[..], cut[0]), (NalCodec::Hevc, HEVC_SPS, cut[1])] {
        let mut sets = ParameterSets::new(codec);
        let (change, first) = reading(|| sets.insert(SetKind::Sps, held));
        // Its identifier, and its fields.
        assert!(change == SetChange::Taken && first <= 2 * held.len(), "{codec:?}: {first}");
        for _ in 0..3 {
            let (change, read) = reading(|| sets.insert(SetKind::Sps, cut));
            assert_eq!(change, SetChange::Refused, "{codec:?}");
            assert!(read <= 2 * cut.len(), "{codec:?}: {read} bytes for {}", cut.len());
        }
    }
}

#[test]
fn what_is_asked_of_sets_is_read_once() {
    let long = long_sps();
    let mut sets = ParameterSets::new(NalCodec::H264);
    sets.insert(SetKind::Sps, &long);
    sets.insert(SetKind::Pps, PPS);
    assert_eq!(reading(|| sets.picture_size()), (Some((640, 368)), 0));
    let slice = [0x41, 0x9a, 0x12, 0x34];
    let (is_same, read) = reading(|| sets.is_same_picture(&slice, &slice));
    assert_eq!(is_same, Some(true));
    // Each slice once for its set, and once by it.
    assert!(read <= 4 * slice.len(), "{read}");
    let mut sets = ParameterSets::new(NalCodec::Hevc);
    sets.insert(SetKind::Sps, HEVC_SPS);
    assert_eq!(reading(|| sets.picture_size()), (Some((1920, 1080)), 0));
}
