//! Where to cut: the decision alone.

use protocol::ChunkPolicy;

/// A step back of more than this is a jump of the encoder's clock, less is interleaving.
const REORDER_MS: u32 = 2_000;

/// A coded frame, as far as cutting cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Video that a player can begin with.
    Key,
    /// Other video.
    Inter,
    /// Audio.
    Audio,
}

/// How long and how large the current chunk is, and whether the next frame begins another.
///
/// Times are those of the push: 32-bit milliseconds that wrap and jump. The length is the sum of the steps
/// forward; a step forward of any size counts (the chunk is cut then, which does no harm), a jump back counts
/// nothing.
#[derive(Clone, Debug)]
pub(crate) struct Cutter {
    pub(crate) policy: ChunkPolicy,
    has_video: bool,
    newest_ms: u32,
    elapsed_ms: u64,
    bytes: u64,
}

impl Cutter {
    pub(crate) fn new(policy: ChunkPolicy) -> Self {
        Self { policy, has_video: false, newest_ms: 0, elapsed_ms: 0, bytes: 0 }
    }

    /// A new chunk begins with `bytes` of headers, at the time of its first frame.
    pub(crate) fn begin(&mut self, timestamp_ms: u32, bytes: u64) {
        self.newest_ms = timestamp_ms;
        self.elapsed_ms = 0;
        self.bytes = bytes;
    }

    /// A tag of `bytes` was added.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Whether the chunk ends before this frame, whose tag takes `bytes`.
    pub(crate) fn is_due(&mut self, frame: Frame, timestamp_ms: u32, bytes: u64) -> bool {
        self.has_video |= frame != Frame::Audio;
        let step = timestamp_ms.wrapping_sub(self.newest_ms);
        if step < 1 << 31 {
            self.elapsed_ms += u64::from(step);
            self.newest_ms = timestamp_ms;
        } else if step.wrapping_neg() > REORDER_MS {
            self.newest_ms = timestamp_ms;
        }
        let can_begin = frame == Frame::Key || !self.has_video;
        self.elapsed_ms >= self.policy.target_ms && can_begin
            || self.elapsed_ms >= self.policy.max_ms
            || self.bytes + bytes > self.policy.max_bytes
    }

    /// Whether this frame begins a chunk that a player can begin with.
    pub(crate) fn is_entry(&self, frame: Frame) -> bool {
        frame == Frame::Key || !self.has_video
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Frame::{Audio, Inter, Key},
        *,
    };

    const POLICY: ChunkPolicy = ChunkPolicy { target_ms: 1_000, max_ms: 3_000, max_bytes: 1_000 };

    /// The places of the frames that begin a chunk, the first aside.
    fn check(frames: &[(Frame, u32, u64)], expected: &[usize]) {
        let mut cutter = Cutter::new(POLICY);
        let mut cuts = Vec::new();
        for (at, &(frame, timestamp_ms, bytes)) in frames.iter().enumerate() {
            if at == 0 || cutter.is_due(frame, timestamp_ms, bytes) {
                if at > 0 {
                    cuts.push(at);
                } else {
                    cutter.is_due(frame, timestamp_ms, 0);
                }
                cutter.begin(timestamp_ms, 0);
            }
            cutter.add(bytes);
        }
        assert_eq!(cuts, expected, "{frames:?}");
    }

    #[test]
    fn video_is_cut_at_the_first_keyframe_past_the_target() {
        check(&[(Key, 0, 1), (Inter, 500, 1), (Key, 999, 1), (Inter, 1_200, 1), (Key, 1_500, 1)], &[4]);
        check(&[(Key, 0, 1), (Key, 1_000, 1), (Key, 2_000, 1)], &[1, 2]);
    }

    #[test]
    fn audio_beside_video_never_cuts() {
        check(&[(Key, 0, 1), (Audio, 1_500, 1), (Inter, 1_510, 1), (Audio, 2_000, 1), (Key, 2_001, 1)], &[4]);
    }

    #[test]
    fn audio_alone_is_cut_on_time() {
        check(
            &[(Audio, 0, 1), (Audio, 990, 1), (Audio, 1_010, 1), (Audio, 2_009, 1), (Audio, 2_010, 1)],
            &[2, 4],
        );
    }

    #[test]
    fn a_group_of_pictures_past_the_maximum_is_cut_anyway() {
        check(&[(Key, 0, 1), (Inter, 2_999, 1), (Inter, 3_000, 1), (Inter, 3_100, 1)], &[2]);
        check(&[(Key, 0, 600), (Inter, 40, 400), (Inter, 80, 1), (Inter, 120, 999)], &[2]);
    }

    #[test]
    fn a_tag_past_the_maximum_has_its_own_chunk() {
        check(&[(Key, 0, 5_000), (Inter, 40, 1), (Inter, 80, 5_000), (Inter, 120, 1)], &[1, 2, 3]);
    }

    #[test]
    fn times_wrap() {
        let near = u32::MAX - 399;
        check(&[(Key, near, 1), (Inter, 0, 1), (Key, 599, 1), (Key, 600, 1)], &[3]);
    }

    #[test]
    fn a_jump_forward_cuts_and_a_jump_back_counts_nothing() {
        check(&[(Key, 0, 1), (Inter, 1 << 30, 1), (Key, (1 << 30) + 40, 1)], &[1]);
        check(&[(Key, 90_000, 1), (Inter, 0, 1), (Key, 999, 1), (Key, 1_000, 1)], &[3]);
    }

    #[test]
    fn interleaving_a_little_out_of_order_counts_once() {
        check(
            &[
                (Key, 100, 1),
                (Audio, 60, 1),
                (Inter, 140, 1),
                (Audio, 90, 1),
                (Key, 1_099, 1),
                (Key, 1_100, 1),
            ],
            &[5],
        );
    }
}
