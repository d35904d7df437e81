//! Where tracks begin, and where media time does.

use super::*;

#[test]
fn media_time_begins_with_the_earliest_access_unit_of_the_first_chunk() {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    // The clock wraps after the first chunk.
    let mut place = |timeline: &mut Timeline, (track, ms): (TrackKind, u32)| {
        let frame_90khz = (track == Audio).then_some(2_070);
        let timestamp_ms = ms.wrapping_sub(1_050);
        timeline.place(track, timestamp_ms, frame_90khz, std::iter::empty(), &mut repairs).dts_90khz
    };
    let first = [(Video, 1_000), (Audio, 970), (Video, 1_040), (Audio, 993)];
    let earliest = first.map(|unit| place(&mut timeline, unit)).into_iter().min().unwrap();
    assert_eq!((earliest, timeline.settle(earliest)), (-30 * TICKS_PER_MS, 30 * TICKS_PER_MS));
    // A repeated stamp, and then as expected and late.
    assert_eq!(place(&mut timeline, (Audio, 993)), (993 - 970 + 23) * TICKS_PER_MS);
    for unit in [(Video, 1_080), (Audio, 1_039), (Video, 1_130), (Audio, 1_062)] {
        assert_eq!(place(&mut timeline, unit), i64::from(unit.1 - 970) * TICKS_PER_MS);
    }
    // Later chunks are never moved.
    assert_eq!(timeline.settle(earliest), 0);
    assert_eq!(place(&mut timeline, (Audio, 1_085)), 115 * TICKS_PER_MS);
    let expected = [(RepairKind::TimestampWrap, 2), (RepairKind::TimestampEqual, 1)];
    assert_eq!(repairs.iter().collect::<Vec<_>>(), expected);
}

/// Where sound begins that is stamped `audio_ms`, while pictures are at `video_ms` of a session that began at
/// 100 seconds; whether it has a clock of its own. Where it `comes_together`, sound catches up with the pictures.
fn begins_ms(video_ms: u32, audio_ms: i64, is_settled: bool, comes_together: bool) -> (i64, bool) {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    for n in 0..=video_ms / 40 {
        timeline.place(Video, 100_000 + n * 40, None, std::iter::empty(), &mut repairs);
    }
    if is_settled {
        timeline.settle(0);
    }
    let from_ms = 100_000 + audio_ms;
    // Or they do with it.
    let behind_ms = i64::from(video_ms) - audio_ms;
    let coming = (1..=10).filter(|_| comes_together).flat_map(|n| {
        let audio_ms = from_ms + behind_ms.max(10) / 10 * n;
        let video_ms = 100_000 + i64::from(video_ms) + (-behind_ms).max(10) / 10 * n;
        [(Audio, audio_ms), (Video, video_ms)]
    });
    let coming = coming.map(|(track, ms)| Upcoming { track, timestamp_ms: ms as u32, composition_ms: 0 });
    let placed = timeline.place(Audio, from_ms as u32, None, coming, &mut repairs).time_90khz;
    (placed.div_euclid(TICKS_PER_MS), repairs.of(RepairKind::TrackClockAligned) > 0)
}

#[test]
fn a_track_begins_on_the_shared_clock_where_that_can_be() {
    for (video_ms, audio_ms, is_settled, comes_together, is_shared) in [
        // Beside the other one, within a second.
        (2_000, 3_000, true, false, true),
        (2_000, 3_001, true, false, false),
        (2_000, 3_600_000, true, false, false),
        (20_000, 19_000, true, false, true),
        (20_000, 18_999, true, false, false),
        (20_000, 21_000, true, false, true),
        (20_000, 21_001, true, false, false),
        // In the first ten seconds, since the begin, or a second before it.
        (8_000, 0, true, false, true),
        (8_000, -1_000, true, false, true),
        (8_000, -1_001, true, false, false),
        (10_000, 0, true, false, true),
        (10_040, 0, true, false, false),
        // Within ten seconds, where the tracks come together; before the begin only while time zero may move.
        (20_000, 10_000, true, true, true),
        (20_000, 9_999, true, true, false),
        (20_000, 30_000, true, true, true),
        (20_000, 30_001, true, true, false),
        (2_000, -5_000, true, true, false),
        (2_000, -5_000, false, true, true),
        (0, -10_000, false, true, true),
        (0, -10_001, false, true, false),
    ] {
        let expected = (if is_shared { audio_ms } else { video_ms.into() }, !is_shared);
        assert_eq!(
            begins_ms(video_ms, audio_ms, is_settled, comes_together),
            expected,
            "{audio_ms} beside {video_ms}, settled {is_settled}, comes together {comes_together}"
        );
    }
}

#[test]
fn a_wrong_first_stamp_of_sound_lies_one_frame_before_the_next() {
    let pushed = [5_000, 23, 46, 70].map(|ms| (Audio, ms));
    check(&pushed, &[0, 23, 46, 70], &[(RepairKind::TimestampOutlier, 1)]);
}

#[test]
fn a_first_picture_is_kept_where_its_sound_is_not_much_nearer_to_the_next() {
    // So much later comes the sound, and the next picture; the rest is even.
    for (sound_ms, next_ms, is_kept) in [
        (5, 100, true),
        (45, 130, true),
        (100, 190, true),
        (100, 170, false),
        (8_000, 9_000, false),
        (8_000, 9_100, true),
    ] {
        for first_ms in [0, 10_000] {
            let stamps = [(Video, 0), (Audio, sound_ms), (Video, next_ms), (Video, next_ms + 40)];
            let pushed = stamps.map(|(track, ms)| (track, first_ms + ms));
            let (placed, _) = place(&pushed);
            let first_step_ms = (placed[2] - placed[0]) / TICKS_PER_MS;
            let expected_ms = if is_kept { next_ms.into() } else { 40 };
            assert_eq!(first_step_ms, expected_ms, "sound after {sound_ms} ms, a picture after {next_ms}");
        }
    }
}

/// A stamp past 2^40 ms is counted from its timestamp anew.
#[test]
fn tracks_come_together_however_often_the_clock_has_jumped() {
    for jumps in [0, 500, 600] {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut now_ms = 0_u32;
        let mut place = |timeline: &mut Timeline, ms| {
            timeline.place(Video, ms, None, std::iter::empty(), &mut repairs).time_90khz
        };
        for _ in 0..jumps {
            now_ms = now_ms.wrapping_add(i32::MAX as u32 - 5_000);
            place(&mut timeline, now_ms);
        }
        let mut pictures_at = 0;
        for _ in 0..500 {
            now_ms = now_ms.wrapping_add(40);
            pictures_at = place(&mut timeline, now_ms);
        }
        let from_ms = now_ms.wrapping_sub(8_000);
        let coming = (1..=10).map(|n| Upcoming {
            track: Audio,
            timestamp_ms: from_ms.wrapping_add(800 * n),
            composition_ms: 0,
        });
        let begins_at = timeline.place(Audio, from_ms, None, coming, &mut repairs).time_90khz;
        assert_eq!((pictures_at - begins_at) / TICKS_PER_MS, 8_000, "{jumps}");
        assert_eq!(repairs.of(RepairKind::TrackClockAligned), 0, "{jumps}");
    }
}
