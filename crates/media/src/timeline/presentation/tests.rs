use super::*;

fn video(stamps: &[u32]) -> Vec<Upcoming> {
    let upcoming =
        |&timestamp_ms: &u32| Upcoming { track: TrackKind::Video, timestamp_ms, composition_ms: 0 };
    stamps.iter().map(upcoming).collect()
}

/// Decoding stamps and offsets of a push, each less `first`.
#[track_caller]
fn check(stamps: &[u32], expected: &[(i32, i32)]) {
    let mut presentation = PresentationStamps::default();
    let upcoming = video(stamps);
    presentation.recognise(None, upcoming[0], upcoming[1..].iter().copied());
    let found: Vec<(i32, i32)> = stamps
        .iter()
        .map(|&stamp| presentation.next(stamp, 0))
        .map(|(stamp, offset)| (stamp.wrapping_sub(stamps[0]).cast_signed(), offset))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn reordered_presentation_times_become_decoding_times_and_offsets() {
    // I P B B P B B, from just before the wrap of the clock.
    let stamps = [0_u32, 120, 40, 80, 240, 160, 200, 360, 280, 320].map(|stamp| stamp.wrapping_sub(100));
    check(
        &stamps,
        &[
            (-40, 40),
            (0, 120),
            (40, 0),
            (80, 0),
            (120, 120),
            (160, 0),
            (200, 0),
            (240, 120),
            (280, 0),
            (320, 0),
        ],
    );
}

#[test]
fn a_pyramid_waits_for_two_pictures() {
    // I P B b b, where the first B is shown between the two b.
    check(
        &[0, 160, 80, 40, 120, 320, 240, 200, 280, 480, 400, 360, 440],
        &[
            (-80, 80),
            (-40, 200),
            (0, 80),
            (40, 0),
            (80, 40),
            (120, 200),
            (160, 80),
            (200, 0),
            (240, 40),
            (280, 200),
            (320, 80),
            (360, 0),
            (400, 40),
        ],
    );
}

#[test]
fn decoding_times_stay_what_they_are() {
    let even = [0, 40, 80, 120, 160, 200, 240, 280];
    check(&even, &even.map(|stamp| (stamp as i32, 0)));
    // One stamp that is wrong, also before two that are alike, and a clock that steps back.
    for stamps in [
        [0, 40, 80, 10, 160, 200, 240, 280],
        [0, 40, 120, 80, 160, 200, 240, 240],
        [0, 40, 80, 50, 90, 130, 100, 140],
    ] {
        check(&stamps, &stamps.map(|stamp| (stamp as i32, 0)));
    }
    // Stamps as far apart as they can be.
    for stamps in [[0, 3 << 30, 1 << 31, 1 << 30], [0, 1 << 31, 0x7fff_ffff, 1 << 31]] {
        check(&stamps, &stamps.map(|stamp: u32| (stamp.cast_signed(), 0)));
    }
}

#[test]
fn a_push_that_uses_offsets_stamps_decoding_times() {
    let mut presentation = PresentationStamps::default();
    assert_eq!(presentation.next(0, 80), (0, 80));
    let upcoming = video(&[0, 120, 40, 80, 240, 160, 200, 360, 280, 320]);
    presentation.recognise(None, upcoming[0], upcoming[1..].iter().copied());
    assert_eq!(presentation.next(120, 0), (120, 0));
}

/// Groups of one picture and the two shown before it.
const GROUPS: [u32; 10] = [0, 120, 40, 80, 240, 160, 200, 360, 280, 320];

/// What makes decoding times of groups that begin at `first_ms`, behind a decoding time.
fn of_groups(first_ms: u32, last_ms: u32) -> PresentationStamps {
    let mut presentation = PresentationStamps::default();
    let upcoming = video(&GROUPS.map(|stamp| first_ms + stamp));
    presentation.recognise(Some(last_ms), upcoming[0], upcoming[1..].iter().copied());
    presentation
}

#[test]
fn decoding_times_go_on_behind_the_last_one() {
    for (last_ms, expected_ms) in [(4_960, 4_980), (4_900, 4_950), (4_001, 4_500)] {
        let mut presentation = of_groups(5_000, last_ms);
        assert_eq!(presentation.next(5_000, 0), (expected_ms, (5_000_u32 - expected_ms).cast_signed()));
        assert_eq!(presentation.next(5_120, 0), (5_000, 120));
    }
    // There is no room behind it, or it is too far away.
    for last_ms in [4_999, 5_000, 5_010, 4_000] {
        assert_eq!(of_groups(5_000, last_ms).next(5_000, 0), (4_960, 40), "{last_ms}");
    }
}

#[test]
fn a_leap_of_the_stamps_begins_anew() {
    for leap_ms in [20_000, 6_400, 3_000] {
        let mut presentation = of_groups(5_000, 4_960);
        for stamp in GROUPS {
            presentation.next(5_000 + stamp, 0);
        }
        let found = GROUPS[..4].iter().map(|stamp| presentation.next(leap_ms + stamp, 0));
        let expected = [(leap_ms - 40, 40), (leap_ms, 120), (leap_ms + 40, 0), (leap_ms + 80, 0)];
        assert_eq!(found.collect::<Vec<_>>(), expected, "{leap_ms}");
    }
}

/// Whether decoding times are made of these stamps.
fn is_recognised(stamps: &[u32]) -> bool {
    let mut presentation = PresentationStamps::default();
    let upcoming = video(stamps);
    presentation.recognise(None, upcoming[0], upcoming[1..].iter().copied());
    presentation.depth > 0
}

#[test]
fn two_groups_of_a_picture_and_sixteen_before_it_are_recognised() {
    let group = |first: u32| std::iter::once(first + 17).chain(first + 1..first + 17);
    let stamps: Vec<u32> =
        std::iter::once(0).chain((0..3).flat_map(|n| group(n * 17))).map(|n| n * 40).collect();
    assert!(is_recognised(&stamps));
    // Going back once may be a step of the clock.
    assert!(!is_recognised(&stamps[..19]));
}

#[test]
fn pictures_that_are_shown_at_even_times_are_recognised_though_one_is_missing() {
    // Sixty a second, rounded, and the second group lacks a picture.
    let sixty = [0, 50, 17, 33, 117, 67, 83, 167, 133, 150];
    assert!(is_recognised(&sixty));
    // The same at 25 a second; then as many as would be two.
    for (missing_ms, is_even) in [(40, true), (42, true), (43, false), (800, false)] {
        let later = [160, 200, 320, 240, 280].map(|ms: u32| ms + missing_ms);
        let stamps: Vec<u32> = [0, 120, 40, 80].into_iter().chain(later).collect();
        assert_eq!(is_recognised(&stamps), is_even, "{missing_ms}");
    }
    assert!(!is_recognised(&[0, 1, 0, 1, 0, 1, 0, 1]), "that is no order of time");
}

#[test]
fn a_picture_stamped_twice_makes_the_reordering_no_deeper() {
    let twice = [0, 120, 40, 80, 240, 160, 200, 360, 280, 320, 320];
    let mut presentation = PresentationStamps::default();
    let upcoming = video(&twice);
    presentation.recognise(None, upcoming[0], upcoming[1..].iter().copied());
    assert_eq!(presentation.depth, 1);
}

#[test]
fn decoding_times_before_a_pyramid_lie_evenly_behind_the_last_one() {
    let mut presentation = PresentationStamps::default();
    let stamps = [0, 160, 80, 40, 120, 320, 240, 200, 280, 480, 400, 360, 440].map(|stamp| 5_000 + stamp);
    let upcoming = video(&stamps);
    presentation.recognise(Some(4_940), upcoming[0], upcoming[1..].iter().copied());
    let found = stamps[..4].iter().map(|&stamp| presentation.next(stamp, 0).0);
    assert_eq!(found.collect::<Vec<_>>(), [4_960, 4_980, 5_000, 5_040]);
}

#[test]
fn what_is_recognised_stays_at_the_next_keyframe() {
    let mut presentation = of_groups(5_000, 4_960);
    let mut expected = presentation;
    for stamp in GROUPS {
        assert_eq!(presentation.next(5_000 + stamp, 0), expected.next(5_000 + stamp, 0));
    }
    let upcoming = video(&GROUPS.map(|stamp| 5_360 + stamp));
    presentation.recognise(Some(5_320), upcoming[0], upcoming[1..].iter().copied());
    assert_eq!(presentation, expected);
}

#[test]
fn a_stamp_a_second_from_those_that_wait_belongs_to_them() {
    // One waits, at 4 980 ms.
    for (stamp_ms, expected) in
        [(3_980, (3_980, 0)), (3_979, (3_939, 40)), (5_980, (4_980, 1_000)), (5_981, (5_941, 40))]
    {
        assert_eq!(of_groups(5_000, 4_960).next(stamp_ms, 0), expected);
    }
}
