//! Where slices begin and end in media time, when the tracks do not begin and end together.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use flv::TagKind::{Audio, Video};
use recorder_remux::{Policy, Slice, remux};

const AVC: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x1e\xff\xe1\0\x04\x67\x42\xc0\x1e\x01\0\x02\x68\xce";
const AAC: &[u8] = b"\xaf\0\x12\x10";

/// How long a frame of AAC at 44.1 kHz lasts, in milliseconds.
const AAC_FRAME_MS: f64 = 1_024.0 / 44.1;

/// A push: the times of its pictures and of its sound in milliseconds, and when each arrives.
struct Push(Vec<(flv::TagKind, u32, u32)>);

impl Push {
    fn new() -> Self {
        Self(Vec::new())
    }

    /// Pictures each `step_ms`, a keyframe first and each two seconds.
    fn video(mut self, from_ms: u32, to_ms: u32, step_ms: u32) -> Self {
        self.0.extend((from_ms..to_ms).step_by(step_ms as usize).map(|ms| (Video, ms, ms)));
        self
    }

    /// Sound that arrives `late_ms` after its time.
    fn audio(mut self, from_ms: u32, to_ms: u32, late_ms: u32) -> Self {
        let frames = |ms: u32| (f64::from(ms) / AAC_FRAME_MS).ceil() as u32;
        let times = (frames(from_ms)..frames(to_ms)).map(|n| (f64::from(n) * AAC_FRAME_MS) as u32);
        self.0.extend(times.map(|ms| (Audio, ms, ms + late_ms)));
        self
    }

    /// The slices of chunks that begin with the first keyframe after five seconds of arrival, or with any message where
    /// there is no picture.
    fn slices(mut self) -> Vec<Slice> {
        self.0.sort_by_key(|&(kind, ms, arrives_ms)| (arrives_ms, kind == Audio, ms));
        let is_key = |kind, ms: u32| kind == Video && ms.is_multiple_of(1_000);
        let mut chunks: Vec<Vec<(flv::TagKind, u32)>> = Vec::new();
        let (mut begin_ms, mut last_picture_ms) = (0, None);
        for &(kind, ms, arrives_ms) in &self.0 {
            let is_seen = last_picture_ms.is_some_and(|last| arrives_ms - last < 1_000);
            let can_begin = is_key(kind, ms) || kind == Audio && !is_seen;
            if chunks.is_empty() || arrives_ms - begin_ms >= 5_000 && can_begin {
                chunks.push(Vec::new());
                begin_ms = arrives_ms;
            }
            if kind == Video {
                last_picture_ms = Some(arrives_ms);
            }
            chunks.last_mut().unwrap().push((kind, ms));
        }
        let (mut slices, mut state): (Vec<Slice>, _) = (Vec::new(), Vec::new());
        for tags in chunks {
            let mut chunk = Vec::new();
            flv::write_header(&mut chunk, true, true);
            flv::write_tag(&mut chunk, Video, 0, AVC).unwrap();
            flv::write_tag(&mut chunk, Audio, 0, AAC).unwrap();
            for (kind, ms) in tags {
                let body: &[u8] = match kind {
                    Audio => b"\xaf\x01\x21\x10\x04",
                    _ if is_key(kind, ms) => b"\x17\x01\0\0\0\0\0\0\x03\x65\x88\x80",
                    _ => b"\x27\x01\0\0\0\0\0\0\x03\x41\x9a\x01",
                };
                flv::write_tag(&mut chunk, kind, ms, body).unwrap();
            }
            let (slice, _) = remux(&chunk, &state, &Policy::default()).unwrap();
            state.clone_from(&slice.state);
            slices.push(slice);
        }
        slices
    }
}

/// How long each slice plays in milliseconds: until the next begins, or as it says itself.
fn lengths_ms(slices: &[Slice]) -> Vec<i64> {
    let ends = slices[1..].iter().map(|slice| slice.start_90khz);
    let last = slices.last().unwrap();
    let ends = ends.chain([last.start_90khz + last.duration_90khz]);
    slices
        .iter()
        .zip(ends)
        .map(|(slice, end)| end.cast_signed() - slice.start_90khz.cast_signed())
        .map(|ticks| ticks / 90)
        .collect()
}

/// Checks what plays in all, and that no slice is far from five seconds.
#[track_caller]
fn check(slices: &[Slice], total_ms: i64) {
    let lengths = lengths_ms(slices);
    let total: i64 = lengths.iter().sum();
    assert!((total - total_ms).abs() <= 50, "{total} ms of {total_ms}: {lengths:?}");
    let (last, others) = lengths.split_last().unwrap();
    assert!(others.iter().all(|length| (4_900..=7_100).contains(length)) && *last > 0, "{lengths:?}");
    // What a slice says itself is as near as can be told before the next one.
    for (slice, length) in slices.iter().zip(&lengths) {
        assert!((slice.duration_90khz.cast_signed() / 90 - length).abs() <= 50, "{lengths:?} and {slice:?}");
    }
}

#[test]
fn tracks_that_begin_and_end_together() {
    check(&Push::new().video(0, 24_000, 40).audio(0, 24_000, 0).slices(), 24_000);
}

#[test]
fn a_picture_that_begins_after_ten_seconds_of_sound() {
    check(&Push::new().video(10_000, 24_000, 40).audio(0, 24_000, 0).slices(), 24_000);
}

#[test]
fn a_picture_that_ends_while_the_sound_goes_on() {
    check(&Push::new().video(0, 6_000, 40).audio(0, 24_000, 0).slices(), 24_000);
}

#[test]
fn sound_that_begins_late_or_ends_early() {
    check(&Push::new().video(0, 24_000, 40).audio(12_500, 24_000, 0).slices(), 24_000);
    check(&Push::new().video(0, 24_000, 40).audio(0, 6_000, 0).slices(), 24_000);
}

#[test]
fn a_picture_that_goes_away_and_comes_back() {
    check(&Push::new().video(0, 6_000, 40).video(18_000, 24_000, 40).audio(0, 24_000, 0).slices(), 24_000);
}

#[test]
fn sound_that_arrives_late_leaves_the_slices_where_the_pictures_are() {
    for late_ms in [200, 3_000] {
        let slices = Push::new().video(0, 24_000, 40).audio(0, 24_000, late_ms).slices();
        let begins: Vec<u64> = slices.iter().map(|slice| slice.start_90khz / 90).collect();
        assert_eq!(begins[..5], [0, 5_000, 10_000, 15_000, 20_000], "{late_ms} ms late");
    }
}

#[test]
fn a_picture_each_five_seconds_plays_for_five_seconds() {
    let slices = Push::new().video(0, 900_000, 5_000).slices();
    assert_eq!(slices.len(), 180);
    assert_eq!(lengths_ms(&slices), [5_000; 180]);
    // Only the first slice cannot know it.
    assert!(slices[1..].iter().all(|slice| slice.duration_90khz == 450_000));
}

#[test]
fn a_session_begins_with_its_earliest_access_unit_whatever_comes_first() {
    // Two pictures come before sound that begins 400 ms before them.
    let mut push = Push::new().video(2_000, 8_000, 40).audio(1_600, 8_000, 0);
    push.0.retain(|&(kind, ms, _)| kind == Video || ms >= 1_600);
    for (kind, _, arrives_ms) in &mut push.0 {
        if *kind == Audio {
            *arrives_ms = (*arrives_ms).max(2_050);
        }
    }
    let slices = push.slices();
    assert_eq!(slices[0].start_90khz, 0);
    // The first frame of sound begins at most one frame later.
    assert!((6_377..=6_400).contains(&lengths_ms(&slices).iter().sum::<i64>()), "{:?}", lengths_ms(&slices));
}

#[test]
fn pictures_that_are_shown_before_their_stamps_say_move_no_slice() {
    // Stamps are decoding times that come too late: of each four pictures two are shown 40 ms before.
    let offsets_ms = [0, 80, -40, -40];
    let mut state = Vec::new();
    for n in 0..3_u32 {
        let mut chunk = Vec::new();
        flv::write_header(&mut chunk, true, false);
        flv::write_tag(&mut chunk, Video, 0, AVC).unwrap();
        for (place, offset_ms) in (0..).zip(offsets_ms) {
            let [_, a, b, c] = i32::to_be_bytes(offset_ms);
            let body = [&[0x17, 1, a, b, c], &b"\0\0\0\x03\x65\x88\x80"[..]].concat();
            flv::write_tag(&mut chunk, Video, n * 160 + place * 40, &body).unwrap();
        }
        let (slice, _) = remux(&chunk, &state, &Policy::default()).unwrap();
        let extent = (slice.start_90khz, slice.duration_90khz);
        assert_eq!(extent, (u64::from(n) * 160 * 90, 160 * 90), "slice {n}");
        state = slice.state;
    }
}

#[test]
fn begins_rise_whatever_a_push_does() {
    let mut state = Vec::new();
    let mut last = None;
    for round in 0..200_u32 {
        let mut chunk = Vec::new();
        flv::write_header(&mut chunk, true, true);
        flv::write_tag(&mut chunk, Video, 0, AVC).unwrap();
        flv::write_tag(&mut chunk, Audio, 0, AAC).unwrap();
        for n in 0..4_u32 {
            let wild = (round * 7 + n).wrapping_mul(2_654_435_761);
            let body: &[u8] =
                if wild & 8 == 0 { b"\xaf\x01\x21\x10\x04" } else { b"\x17\x01\0\0\0\0\0\0\x03\x65\x88\x80" };
            flv::write_tag(&mut chunk, if wild & 8 == 0 { Audio } else { Video }, wild, body).unwrap();
        }
        let (slice, _) = remux(&chunk, &state, &Policy::default()).unwrap();
        assert!(last.is_none_or(|last| last < slice.start_90khz) && slice.duration_90khz > 0, "{slice:?}");
        (last, state) = (Some(slice.start_90khz), slice.state);
    }
}
