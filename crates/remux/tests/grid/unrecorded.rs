//! Time of a push that is left out, as it is between a command that stops and one that starts: the chunk after it says
//! by its arrival how much.

use media::TrackKind::{self, Audio, Video};

use crate::push::{self, Frame};

/// A push of which what lies between two times is left out, and where its chunks begin. It goes on with a keyframe, with
/// audio that comes so late, or with one track alone.
fn without(
    from_ms: i64,
    to_ms: i64,
    chunk_ms: i64,
    audio_late_ms: i64,
    lone: Option<TrackKind>,
) -> (Vec<Frame>, Vec<usize>) {
    let mut frames = push::even(to_ms / 1_000 + 14, 25);
    frames.retain(|frame| lone.is_none_or(|track| track == frame.track));
    let leader = lone.unwrap_or(Video);
    if let Some(next) = frames.iter_mut().find(|frame| frame.track == leader && frame.true_ms >= to_ms) {
        next.is_key = true;
    }
    frames.sort_by_key(|frame| frame.true_ms + if frame.track == Audio { audio_late_ms } else { 0 });
    let at = |ms: i64| frames.iter().position(|frame| frame.track == leader && frame.true_ms >= ms).unwrap();
    let (from, to) = (at(from_ms), at(to_ms));
    let next = frames[to];
    frames.drain(from..to);
    let mut cuts = Vec::new();
    let mut begin_ms = 0;
    for (index, frame) in frames.iter().enumerate().skip(1).filter(|(_, frame)| frame.track == leader) {
        let is_next = frame.true_ms == next.true_ms;
        if is_next || (frame.is_key || leader == Audio) && frame.true_ms - begin_ms >= chunk_ms {
            cuts.push(index);
            begin_ms = frame.true_ms;
        }
    }
    (frames, cuts)
}

const TRACKS: [(i64, Option<TrackKind>); 6] =
    [(0, None), (60, None), (200, None), (-200, None), (0, Some(Video)), (0, Some(Audio))];

#[test]
fn media_after_time_that_is_left_out_is_placed_where_it_was_pushed() {
    for pause_ms in
        [300, 1_300, 4_000, 8_040, 9_960, 10_000, 10_040, 10_200, 12_000, 14_000, 20_000, 60_000, 170_000]
    {
        for from_ms in [1_000, 2_000, 3_320, 8_000] {
            for (audio_late_ms, lone) in TRACKS {
                let (frames, cuts) = without(from_ms, from_ms + pause_ms, 2_000, audio_late_ms, lone);
                let (video, audio) = push::record_arriving(&frames, &cuts, 0);
                for (track, times) in [(Video, video), (Audio, audio)] {
                    let pushed = frames.iter().filter(|frame| frame.track == track);
                    let off = pushed.zip(times).map(|(frame, time)| (time - frame.true_90khz) / 90);
                    let off: Vec<i64> = off.filter(|off| off.abs() > 1).collect();
                    let push = (pause_ms, from_ms, audio_late_ms, lone);
                    assert!(off.is_empty(), "{track:?} of {push:?} off by {off:?} ms");
                }
            }
        }
    }
}
