//! Every fault of stamps, alone and repeated, in either track and in both, at any place: what becomes of the times.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod interleaving;
mod push;
mod reports;
mod unrecorded;

use faults::{Cell, Fault, Place, Shape, Tracks};
use media::TrackKind;
use push::Frame;

/// How long a push is.
const SECONDS: i64 = 16;

const SIZES_MS: &[i64] = &[
    10, 20, 30, 40, 50, 60, 80, 100, 150, 200, 240, 260, 280, 400, 500, 700, 1_000, 1_500, 2_000, 3_000,
    5_000, 7_000, 9_990, 10_010, 12_000, 20_000,
];

/// Where the push's clock begins: at zero, just before FLV's 24 bits end, its sign changes, its 32 bits end. And the
/// pictures of a second.
const ORIGINS: &[(u32, i64)] = &[(0, 25), (16_777_000, 30), ((1 << 31) - 3_000, 25), (u32::MAX - 999, 30)];

/// What a cell's recording is like; deviations in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    /// Between the tracks, in the last second.
    apart_ms: f64,
    /// From the true times, in the last second.
    off_ms: f64,
    /// From the true times, anywhere.
    worst_ms: f64,
    /// Between two access units of a track, at least.
    spacing_ms: f64,
}

fn outcome(frames: &[Frame], cuts: &[usize], origin_ms: u32) -> Outcome {
    let (video, audio) = push::record(frames, cuts, origin_ms);
    let mut outcome = Outcome { spacing_ms: f64::MAX, ..Outcome::default() };
    let mut last_second = [(f64::MAX, f64::MIN); 2];
    let end_90khz = frames.iter().map(|frame| frame.true_90khz).max().unwrap();
    for (track, times) in [(TrackKind::Video, video), (TrackKind::Audio, audio)] {
        let mine: Vec<usize> = (0..frames.len()).filter(|&index| frames[index].track == track).collect();
        assert_eq!(times.len(), mine.len(), "nothing is lost");
        let deviations = mine.iter().zip(&times).map(|(&index, &time)| {
            (index, (time - frames[index].true_90khz - frames[index].pause_ms * 90) as f64 / 90.0)
        });
        for (index, deviation) in deviations {
            outcome.worst_ms = outcome.worst_ms.max(deviation.abs());
            if frames[index].true_90khz >= end_90khz - 90_000 {
                outcome.off_ms = outcome.off_ms.max(deviation.abs());
                let range = &mut last_second[usize::from(track == TrackKind::Audio)];
                *range = (range.0.min(deviation), range.1.max(deviation));
            }
        }
        for pair in times.windows(2) {
            outcome.spacing_ms = outcome.spacing_ms.min((pair[1] - pair[0]) as f64 / 90.0);
        }
    }
    let [video, audio] = last_second;
    if video.1 >= video.0 && audio.1 >= audio.0 {
        outcome.apart_ms = (video.1 - audio.0).abs().max((audio.1 - video.0).abs());
    }
    outcome
}

/// Whether the fault is one of those that cannot be told from the push's own timing: short steps of one track's clock.
fn is_kept(fault: &Fault) -> bool {
    fault.shape == Shape::Step && fault.tracks != Tracks::Both && fault.by_ms.abs() <= 45
}

#[test]
fn every_fault_leaves_the_tracks_in_step_and_the_duration_true() {
    let (mut cells, mut worst, mut worst_stamp_ms) = (0, Outcome::default(), 0.0_f64);
    let mut failures = Vec::new();
    for &origin in ORIGINS {
        for cell in SIZES_MS.iter().flat_map(|&size_ms| Cell::all(size_ms, origin)) {
            let mut frames = push::even(SECONDS, cell.pictures_a_second);
            cell.apply(&mut frames);
            let outcome = outcome(&frames, &push::cuts(&frames, 4), cell.origin_ms);
            let fault = &cell.fault;
            let kept_ms = if is_kept(fault) { (fault.by_ms.abs() * fault.times()) as f64 } else { 0.0 };
            let is_wrong = outcome.apart_ms > 50.0_f64.max(kept_ms + 2.0)
                || outcome.off_ms > 50.0_f64.max(kept_ms + 2.0)
                || outcome.spacing_ms < 2.5;
            if is_wrong {
                failures.push((cell, outcome));
            }
            cells += 1;
            if kept_ms == 0.0 {
                worst.apart_ms = worst.apart_ms.max(outcome.apart_ms);
                worst.off_ms = worst.off_ms.max(outcome.off_ms);
                worst.worst_ms = worst.worst_ms.max(outcome.worst_ms);
            }
            if fault.shape == Shape::Stamp && fault.place != Place::Cut {
                worst_stamp_ms = worst_stamp_ms.max(outcome.worst_ms);
            }
        }
    }
    println!("{cells} cells, at worst {worst:?}, {worst_stamp_ms} ms at one wrong stamp inside a chunk");
    assert!(failures.is_empty(), "{} of {cells} cells, first {:#?}", failures.len(), failures[0]);
    assert!(worst_stamp_ms <= 50.0, "{worst_stamp_ms} ms at one wrong stamp inside a chunk");
}
