//! The faults in pushes that are not interleaved by time, or have other pictures.

use media::TrackKind;

use crate::{
    SECONDS, SIZES_MS,
    faults::{Cell, Fault, Place, Shape, Tracks},
    outcome,
    push::{self, Frame},
};

/// How a push differs from an even one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Audio is sent so many milliseconds after its time, or before.
    AudioLate(i64),
    /// Audio is sent so many milliseconds at a time.
    AudioInBursts(i64),
    /// Every picture is a keyframe.
    KeyframesOnly,
    /// There is no other track.
    Alone(TrackKind),
}

impl Manner {
    fn arrange(self, frames: &mut Vec<Frame>) {
        match self {
            Self::AudioLate(by_ms) => frames
                .sort_by_key(|frame| frame.true_ms + if frame.track == TrackKind::Audio { by_ms } else { 0 }),
            Self::AudioInBursts(each_ms) => frames.sort_by_key(|frame| {
                if frame.track == TrackKind::Audio {
                    (frame.true_ms / each_ms + 1) * each_ms
                } else {
                    frame.true_ms
                }
            }),
            Self::KeyframesOnly => {
                for frame in frames.iter_mut() {
                    frame.is_key = frame.track == TrackKind::Video;
                }
            }
            Self::Alone(track) => frames.retain(|frame| frame.track == track),
        }
    }
}

impl Manner {
    /// Whether what the timeline can know is enough to set the fault right: a fault of one track is told from a pause by
    /// how the tracks are interleaved, which bursts hide. A track alone needs twice the time of a wrong step ahead to
    /// be back.
    fn shows(self, fault: &Fault) -> bool {
        let is_of_one_track = fault.tracks != Tracks::Both && fault.by_ms.abs() > 45;
        match self {
            Self::Alone(track) => {
                let is_its_own =
                    fault.tracks == if track == TrackKind::Video { Tracks::Video } else { Tracks::Audio };
                let is_soon_over = fault.place == Place::Middle || fault.by_ms <= 1_000;
                is_its_own && fault.shape == Shape::Stamp && is_soon_over
            }
            Self::AudioInBursts(_) => fault.shape == Shape::Stamp,
            _ => fault.shape == Shape::Stamp || is_of_one_track,
        }
    }
}

#[test]
fn every_fault_is_set_right_however_the_tracks_are_interleaved() {
    for manner in [
        Manner::AudioLate(200),
        Manner::AudioLate(3_000),
        Manner::AudioLate(-700),
        Manner::AudioInBursts(500),
        Manner::KeyframesOnly,
        Manner::Alone(TrackKind::Video),
        Manner::Alone(TrackKind::Audio),
    ] {
        let (mut cells, mut failures) = (0, Vec::new());
        for cell in SIZES_MS.iter().flat_map(|&size_ms| Cell::all(size_ms, (0, 25))) {
            if cell.fault.place == Place::Start || !manner.shows(&cell.fault) {
                continue;
            }
            cells += 1;
            // Late audio goes on for a while when the pictures have ended.
            let mut frames = push::even(SECONDS + 4, cell.pictures_a_second);
            cell.apply(&mut frames);
            manner.arrange(&mut frames);
            let outcome = outcome(&frames, &push::cuts(&frames, 4), 0);
            if outcome.apart_ms > 50.0 || outcome.off_ms > 50.0 || outcome.spacing_ms < 2.5 {
                failures.push((cell.fault, outcome));
            }
        }
        println!("{manner:?}: {cells} cells");
        assert!(failures.is_empty(), "{manner:?}: {} of {cells}, first {:#?}", failures.len(), failures[0]);
    }
}
