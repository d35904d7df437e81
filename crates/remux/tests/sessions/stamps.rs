//! Stamps that are presentation times, or behind the ones before: when pictures are decoded, and when they are shown.

use flv::TagKind::Video;
use media::RepairKind::PresentationTimestamp;
use recorder_remux::{Policy, SessionState, demux, remux};

use crate::chunk::{AVC_1080, Chunk};

/// A picture by its stamp and its composition offset.
fn picture(chunk: Chunk, is_key: bool, stamp_ms: u32, offset_ms: i32) -> Chunk {
    let [_, a, b, c] = offset_ms.to_be_bytes();
    let (head, unit) = if is_key { (0x17, b"\x65\x88\x80") } else { (0x27, b"\x41\x9a\x01") };
    chunk.tag(Video, stamp_ms, &[&[head, 1, a, b, c, 0, 0, 0, 3], &unit[..]].concat())
}

/// When pictures are decoded and shown, in milliseconds; how many stamps were presentation times.
fn times(chunk: &Chunk, state: &mut Vec<u8>) -> (Vec<(i64, i64)>, u32) {
    let before = std::mem::take(state);
    let mut session = SessionState::decode(&before).unwrap();
    let demuxed = demux(&chunk.0, &mut session).unwrap();
    *state = session.encode();
    let times = demuxed.media.video.units.iter().map(|unit| (unit.dts_90khz / 90, unit.pts_90khz / 90));
    (times.collect(), demuxed.repairs.of(PresentationTimestamp))
}

#[test]
fn presentation_times_as_stamps_are_recognised_wherever_decoding_can_begin() {
    // A group of 25 pictures: one that is shown first, and then each four with the last of them first.
    let reordered = |from_ms: u32| {
        let others = (0..6).flat_map(|four| [4, 2, 1, 3].map(|place| four * 4 + place));
        std::iter::once(0).chain(others).map(move |place| from_ms + 40 * place)
    };
    let in_order = |from_ms: u32| (0..10).map(move |place| from_ms + 40 * place);
    // The first group is cut off at its begin or whole; another one comes before it or does not.
    for (first_is_key, comes_later) in [(true, false), (false, false), (true, true), (false, true)] {
        let mut pushed = Vec::new();
        if comes_later {
            pushed.extend(in_order(0).enumerate().map(|(n, stamp_ms)| (n == 0 && first_is_key, stamp_ms)));
            pushed.extend(reordered(400).enumerate().map(|(n, stamp_ms)| (n == 0, stamp_ms)));
        } else {
            pushed.extend(reordered(0).enumerate().map(|(n, stamp_ms)| (n == 0 && first_is_key, stamp_ms)));
        }
        let chunk = Chunk::new().tag(Video, 0, AVC_1080);
        let chunk =
            pushed.iter().fold(chunk, |chunk, &(is_key, stamp_ms)| picture(chunk, is_key, stamp_ms, 0));
        let (found, recognised) = times(&chunk, &mut Vec::new());
        let first = found[pushed.len() - 25].1 - i64::from(pushed[pushed.len() - 25].1);
        let shown: Vec<i64> = found.iter().rev().take(25).map(|time| time.1 - first).collect();
        let stamps: Vec<i64> = pushed.iter().rev().take(25).map(|picture| picture.1.into()).collect();
        assert_eq!(shown, stamps, "{first_is_key}, {comes_later}");
        assert!(recognised > 0, "{first_is_key}, {comes_later}");
    }
}

#[test]
fn a_picture_that_is_decoded_late_is_shown_as_much_before_as_its_offset_says() {
    let mut state = Vec::new();
    let chunk = Chunk::new().tag(Video, 0, AVC_1080);
    // The last stamp of a chunk is five seconds ahead, and the next chunk goes on as before.
    let chunk = picture(picture(picture(chunk, true, 0, 0), false, 40, -40), false, 5_000, 0);
    let (first, _) = times(&chunk, &mut state);
    // Decoding times are earlier by the deepest offset.
    assert_eq!(first, [(-40, 0), (0, 0), (4_960, 5_000)]);
    let chunk = picture(picture(Chunk::new(), false, 80, -40), false, 120, 0);
    let (second, _) = times(&chunk, &mut state);
    let decoded = second[0].0;
    assert!(decoded > 4_960 && decoded <= 5_000, "{second:?}");
    assert_eq!(second, [(decoded, decoded), (second[1].0, second[1].0 + 40)]);
}

/// Steps from one stamp to the next: of all paces, and jumps ahead and back. Unit: ms.
const STEPS_MS: [u32; 12] =
    [0, 1, 20, 40, 1_000, 9_990, 59_990, 60_000, 1 << 30, (1 << 31) - 1, u32::MAX - 60_000, u32::MAX - 100];

#[test]
fn the_state_after_any_stamps_can_be_read() {
    let mut random = 1_u64;
    let mut below = |bound: u32| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as u32 % bound
    };
    for push in 0..300 {
        let (mut state, mut stamps_ms) = (Vec::new(), [0_u32; 2]);
        let mut steps_ms = [0; 2];
        for number in 0..60 {
            let mut chunk = Chunk::with_headers();
            for _ in 0..1 + below(3) {
                for track in 0..2 {
                    if below(10) == 0 {
                        steps_ms[track] = STEPS_MS[below(STEPS_MS.len() as u32) as usize];
                    }
                    stamps_ms[track] = stamps_ms[track].wrapping_add(steps_ms[track]).wrapping_add(below(20));
                }
                chunk = chunk.key(stamps_ms[0]);
                if push % 2 == 0 {
                    chunk = chunk.aac(stamps_ms[1]);
                }
            }
            let remuxed = remux(&chunk.0, &state, &Policy::default());
            let (slice, _) = remuxed.unwrap_or_else(|error| panic!("push {push}, chunk {number}: {error}"));
            state = slice.state;
        }
    }
}

/// Steps that grow by little are followed: a pace is a minute at most.
#[test]
fn a_picture_a_minute_is_recorded_whose_stamps_come_later_and_later() {
    let mut state = Vec::new();
    for minute in 0..60_u32 {
        let chunk = Chunk::with_headers().key(minute * 60_000 + 5 * minute.saturating_sub(4));
        state = remux(&chunk.0, &state, &Policy::default()).unwrap().0.state;
    }
}
