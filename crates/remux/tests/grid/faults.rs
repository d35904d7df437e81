//! The faults.

use media::TrackKind;

use crate::push::Frame;

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// For one stamp of a track.
    Stamp,
    /// For half a second.
    While,
    /// For good: the clock steps.
    Step,
}

/// Whose stamps err.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracks {
    Video,
    Audio,
    Both,
}

/// Where a fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// With the first stamp, or, of faults that last, with the first that can be told from the clock's origin.
    Start,
    Middle,
    /// With the last stamps of a chunk, or, of steps, the first of the next.
    Cut,
}

/// A point of the grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) fault: Fault,
    pub(crate) origin_ms: u32,
    pub(crate) pictures_a_second: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) by_ms: i64,
    pub(crate) shape: Shape,
    pub(crate) tracks: Tracks,
    pub(crate) place: Place,
    pub(crate) repeated: bool,
}

impl Fault {
    /// How often it comes.
    pub(crate) fn times(&self) -> i64 {
        if self.repeated { 3 } else { 1 }
    }
}

impl Cell {
    pub(crate) fn all(size_ms: i64, (origin_ms, pictures_a_second): (u32, i64)) -> Vec<Self> {
        let mut cells = Vec::new();
        for by_ms in [size_ms, -size_ms] {
            for shape in [Shape::Stamp, Shape::While, Shape::Step] {
                for tracks in [Tracks::Video, Tracks::Audio, Tracks::Both] {
                    for place in [Place::Start, Place::Middle, Place::Cut] {
                        for repeated in [false, true] {
                            let fault = Fault { by_ms, shape, tracks, place, repeated };
                            cells.push(Self { fault, origin_ms, pictures_a_second });
                        }
                    }
                }
            }
        }
        cells
    }

    /// Bends the stamps, and says of each frame how much later than its true time it then belongs.
    pub(crate) fn apply(&self, frames: &mut [Frame]) {
        let fault = &self.fault;
        let begins = self.begins_ms();
        for track in [TrackKind::Video, TrackKind::Audio] {
            let is_hit = match fault.tracks {
                Tracks::Video => track == TrackKind::Video,
                Tracks::Audio => track == TrackKind::Audio,
                Tracks::Both => true,
            };
            if !is_hit {
                continue;
            }
            for &begin_ms in &begins {
                let mine: Vec<usize> =
                    (0..frames.len()).filter(|&index| frames[index].track == track).collect();
                let first = match (fault.place, fault.shape) {
                    // The last stamp before.
                    (Place::Cut, Shape::Stamp) => {
                        mine.iter().copied().rfind(|&index| frames[index].true_ms < begin_ms).unwrap()
                    }
                    _ => mine.iter().copied().find(|&index| frames[index].true_ms >= begin_ms).unwrap(),
                };
                let end_ms = match fault.shape {
                    Shape::Stamp => frames[first].true_ms + 1,
                    Shape::While => frames[first].true_ms + 500,
                    Shape::Step => i64::MAX,
                };
                for &index in &mine {
                    if index >= first && frames[index].true_ms < end_ms {
                        frames[index].stamp_ms += fault.by_ms;
                    }
                }
            }
        }
        for &begin_ms in self.pauses_ms(&begins) {
            for frame in frames.iter_mut().filter(|frame| frame.true_ms >= begin_ms) {
                frame.pause_ms += fault.by_ms.abs();
            }
        }
    }

    /// Where the push is read as pausing: both clocks step ahead by what a pause can be.
    fn pauses_ms<'b>(&self, begins_ms: &'b [i64]) -> &'b [i64] {
        let Fault { by_ms, shape, tracks, place, .. } = self.fault;
        if tracks != Tracks::Both || by_ms.abs() > 10_000 {
            return &[];
        }
        match (shape, place) {
            (Shape::Step, _) if by_ms > 0 => begins_ms,
            // The way back is a step of the clock, and so is the next way ahead.
            (Shape::While, _) if by_ms > 45 => &begins_ms[..1],
            // Both first frames lie before all others.
            (Shape::Stamp, Place::Start) if by_ms < -45 => &[1],
            _ => &[],
        }
    }

    fn begins_ms(&self) -> Vec<i64> {
        let lasts = self.fault.shape != Shape::Stamp;
        let begin_ms = match self.fault.place {
            Place::Start if lasts => 200,
            Place::Start => 0,
            Place::Middle => 5_100,
            Place::Cut if self.fault.shape == Shape::While => 3_800,
            Place::Cut => 4_000,
        };
        // Those that repeat keep their place beside the cuts, which are four seconds apart.
        (0..self.fault.times()).map(|n| begin_ms + n * 4_000).collect()
    }
}
