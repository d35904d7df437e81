//! Stamps that say nothing: however many are wrong, media goes on at about its pace.

use super::*;

/// How long the pushes are in truth.
const DURATION_MS: u32 = 14_000;
/// The range of wrong stamps: 10 h, and all.
const TEN_HOURS_MS: u64 = 36_000_000;
const ALL: u64 = 1 << 32;

/// An access unit as it is sent: its track, and when in truth, in milliseconds.
type Sent = (TrackKind, u32);

/// Pictures 40 ms apart and sound 23 ms apart.
fn show(tracks: &[TrackKind]) -> Vec<Sent> {
    let every = |track| if track == Video { 40 } else { 23 };
    let units = |&track| (0..DURATION_MS).step_by(every(track)).map(move |ms| (track, ms));
    let mut sent: Vec<Sent> = tracks.iter().flat_map(units).collect();
    sent.sort_by_key(|&(_, ms)| ms);
    sent
}

/// How far a recording reaches from its first access unit to its last, and the longest way from what was placed before
/// to a later one, both in milliseconds.
#[derive(Debug)]
struct Reach {
    length_ms: i64,
    leap_ms: i64,
}

/// Places a push whose keyframes come each two seconds, in chunks of four.
fn reach(sent: &[Sent], stamps: &[u32], has_arrival: bool) -> Reach {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let is_key = |&(track, ms): &Sent| track == Video && ms % 2_000 == 0;
    let mut next_chunk_ms = 0;
    let mut times = Vec::new();
    for (index, &(track, ms)) in sent.iter().enumerate() {
        let begins = is_key(&sent[index]) || sent.iter().all(|&(track, _)| track == Audio);
        if begins && ms >= next_chunk_ms || index == 0 {
            next_chunk_ms += 4_000;
            let arrival = ChunkArrival::At(ms.into());
            timeline.begin_chunk(if has_arrival { arrival } else { ChunkArrival::Unknown });
        }
        let coming = sent[index + 1..].iter().zip(&stamps[index + 1..]);
        let ahead = coming
            .take_while(|(sent, _)| !is_key(sent))
            .map(|(&(track, _), &timestamp_ms)| Upcoming { track, timestamp_ms, composition_ms: 0 });
        let frame_90khz = (track == Audio).then_some(2_090);
        times.push(timeline.place(track, stamps[index], frame_90khz, ahead, &mut repairs).dts_90khz);
    }
    let (mut first, mut last, mut leap) = (times[0], times[0], 0);
    for time in times {
        leap = leap.max(time - last);
        (first, last) = (first.min(time), last.max(time));
    }
    Reach { length_ms: (last - first) / TICKS_PER_MS, leap_ms: leap / TICKS_PER_MS }
}

/// Numbers below the given one, by chance.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % below
    }
}

/// Pushes of `tracks` in which one stamp of `one_of` of the track `wrong`, or of any, lies anywhere below `range_ms`.
fn pushes(
    tracks: &'static [TrackKind],
    wrong: Option<TrackKind>,
    one_of: u64,
    range_ms: u64,
) -> impl Iterator<Item = Reach> {
    (0..100).flat_map(move |seed| {
        let (sent, mut random) = (show(tracks), random(seed));
        let stamp = |&(track, ms): &Sent| {
            let is_wrong = wrong.is_none_or(|wrong| wrong == track) && random(one_of) == 0;
            if is_wrong { random(range_ms) as u32 } else { ms }
        };
        let stamps: Vec<u32> = sent.iter().map(stamp).collect();
        [false, true].map(|has_arrival| reach(&sent, &stamps, has_arrival))
    })
}

/// A stamp may lie within ten seconds by chance, and be the first to say how fast its track is. Few do, and each makes
/// two leaps of as much at most.
#[test]
fn stamps_that_are_all_wrong_make_no_long_recording() {
    let both = &[Video, Audio];
    for (tracks, wrong) in [
        (&both[..], None),
        (&both[..], Some(Video)),
        (&both[..], Some(Audio)),
        (&both[..1], None),
        (&both[1..], None),
    ] {
        for range_ms in [TEN_HOURS_MS, ALL] {
            for reach in pushes(tracks, wrong, 1, range_ms) {
                assert!(reach.leap_ms <= 20_000, "{reach:?} of {tracks:?}, {wrong:?} wrong");
                assert!(
                    (13_800..60_000).contains(&reach.length_ms),
                    "{reach:?} of {tracks:?}, {wrong:?} wrong"
                );
            }
        }
    }
}

/// Where one track is not heard, the other's steps move both mappings. What comes back then is such a step, and no pace
/// though its stamps are even: it is longer than any pause that arrival times confirm.
#[test]
fn a_track_whose_clock_is_right_does_not_leap_by_what_the_other_one_did() {
    for wrong in [Video, Audio] {
        for reach in pushes(&[Video, Audio], Some(wrong), 1, 600_000) {
            assert!(reach.leap_ms <= 180_000, "{reach:?}, {wrong:?} wrong");
        }
    }
}

#[test]
fn wrong_stamps_now_and_then_change_nothing() {
    let sent = show(&[Video, Audio]);
    let stamps: Vec<u32> = sent.iter().map(|&(_, ms)| ms).collect();
    let truth = reach(&sent, &stamps, false);
    for range_ms in [TEN_HOURS_MS, ALL] {
        for reach in pushes(&[Video, Audio], None, 10, range_ms) {
            assert!(reach.length_ms.abs_diff(truth.length_ms) <= 5, "{reach:?}");
            assert!(reach.leap_ms <= 2 * truth.leap_ms, "{reach:?}");
        }
    }
}

/// Each access unit of either track lies that much further than the one before.
#[test]
fn steps_that_neither_track_confirms_do_not_add_up() {
    let sent = show(&[Video, Audio]);
    for step_ms in [6_000, 8_000, 9_500] {
        let stamps: Vec<u32> = (0..).zip(&sent).map(|(n, &(_, ms))| ms + n * step_ms).collect();
        for has_arrival in [false, true] {
            let reach = reach(&sent, &stamps, has_arrival);
            assert!(reach.length_ms <= 14_000 + i64::from(step_ms), "{reach:?} by {step_ms} ms each");
        }
    }
}

#[test]
fn a_pace_that_came_but_once_is_given_up_where_the_clock_steps() {
    check(
        &video(&[0, 9_000, 5_000_000, 2_000_000, 9_000_000, 9_000_040]),
        &[0, 9_000, 18_000, 18_040, 18_080, 18_120],
        &[(RepairKind::TimestampJumpForward, 2), (RepairKind::TimestampOutlier, 1)],
    );
}
