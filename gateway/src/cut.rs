//! Where to cut: the decision alone.
//!
//! How it works: each track has a [`Clock`] of its own, and a chunk is as long as what passed in the track that
//! decides. Video decides where there is video that moves, audio where there is none. Whether video moves is
//! told by audio: a still picture is one that audio has passed by for more than twice as long as it lately did
//! between two pictures, so that slow frame rates and audio in bursts are no stillness.

mod clock;

use protocol::ChunkPolicy;

use clock::Clock;

/// How long a track that was announced is waited for before the first cut, and how much later than the other a
/// track may begin, by its timestamps or by arrival, without a cut where it does. Players skip a gap of two seconds at the start.
const AWAITED_MS: u64 = 2_000;

/// The shortest time after which a picture is still.
const STILL_MS: u64 = 1_000;

/// What one step of audio counts at most against a picture: a jump of the audio clock makes no picture still.
const MAX_STILL_STEP_MS: u64 = 500;

/// How far behind the picture by its timestamps sound is taken to lag where a chunk begins; what is further apart is two
/// clocks.
const MAX_LAG_MS: i64 = 10_000;

/// A publisher that sent nothing for this long, and whose timestamps step ahead by more than ten seconds, paused. The
/// chunk ends there: when the next one begins is told to the functions, which so know the pause from a jump.
const PAUSE_MS: u64 = 1_000;

/// The least that a file takes of the disk. A chunk with fewer bytes of its own is one that the push need not have had.
const FILE_BYTES: u64 = 4 << 10;

/// What chunks are taken to have to last at least, where it is asked whether one took its time.
const SHORTEST_MS: u64 = 1_000;

/// How many chunks of a push may be so small, for their length and for a change. What is pushed unpaced, and has next to no
/// media, has many, fewer the longer their headers are; encoders change their configurations a few times a minute at most,
/// and hardly before there is more.
const MAX_SMALL_CHUNKS: u64 = 1_024;
const MAX_SMALL_CHANGES: u64 = 16;

/// A track of coded media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Track {
    Video,
    Audio,
}

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

impl Frame {
    pub(crate) fn track(self) -> Track {
        match self {
            Self::Key | Self::Inter => Track::Video,
            Self::Audio => Track::Audio,
        }
    }
}

/// Where the chunk that is open ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Not yet.
    No,
    /// Before the frame.
    Here,
    /// Before its last keyframe: the frame is the first one of a track that other frames have to begin with.
    AtKeyframe,
}

/// How long and how large the current chunk is, and whether the next frame begins another.
#[derive(Clone, Debug)]
pub(crate) struct Cutter {
    pub(crate) policy: ChunkPolicy,
    /// Whether chunks are better larger than soon: they are cut at the first keyframe past three quarters of the longest
    /// length.
    pub(crate) has_backlog: bool,
    video: Part,
    audio: Part,
    bytes: u64,
    /// Those of them that the chunk began with: it repeats what others have.
    header_bytes: u64,
    /// Chunks that were ended though they were not [worth a file](Self::may_end).
    small_chunks: u64,
    small_changes: u64,
    /// Audio since video last moved.
    still_ms: u64,
    /// The longest that audio went on between two pictures, in this chunk and in the one before.
    longest_still_ms: [Option<u64>; 2],
    /// When the last frame of any track came, in milliseconds since the push began.
    arrival_ms: u64,
    /// When the first frame of the chunk came.
    begin_arrival_ms: u64,
    /// Chunks begun.
    chunks: u64,
}

/// A track and its share of the current chunk.
#[derive(Clone, Debug, Default)]
struct Part {
    clock: Clock,
    is_announced: bool,
    /// Whether the chunk has a frame of it.
    in_chunk: bool,
    /// The timestamp of its first frame in the chunk.
    first_ms: u32,
    last_ms: u32,
    /// How far it is, from where the chunk begins: less than nothing while sound lags behind the picture.
    elapsed_ms: i64,
}

/// The state at a frame of the chunk, to which the chunk can be cut back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    elapsed_ms: [i64; 2],
    bytes: u64,
    arrival_ms: u64,
}

impl Mark {
    /// Bytes of the chunk before the frame.
    pub(crate) fn bytes(self) -> u64 {
        self.bytes
    }

    /// The mark of the same frame as the first one of a chunk, behind `bytes` of headers.
    pub(crate) fn at_begin(self, bytes: u64) -> Self {
        Self { elapsed_ms: [0; 2], bytes, arrival_ms: self.arrival_ms }
    }
}

impl Cutter {
    pub(crate) fn new(policy: ChunkPolicy) -> Self {
        Self {
            policy,
            has_backlog: false,
            video: Part::default(),
            audio: Part::default(),
            bytes: 0,
            header_bytes: 0,
            small_chunks: 0,
            small_changes: 0,
            still_ms: 0,
            longest_still_ms: [None; 2],
            arrival_ms: 0,
            begin_arrival_ms: 0,
            chunks: 0,
        }
    }

    /// The push says that it will have this track.
    pub(crate) fn announce(&mut self, track: Track) {
        self.part_mut(track).is_announced = true;
    }

    /// Takes a frame and returns where the chunk that is open, if any, has to end. `arrival_ms`: when the frame
    /// came, in milliseconds since the push began.
    pub(crate) fn take(&mut self, frame: Frame, timestamp_ms: u32, arrival_ms: u64) -> Cut {
        let track = frame.track();
        let is_new = !self.part(track).clock.is_seen;
        let is_late = is_new && self.is_late(track, timestamp_ms);
        let was_moving = self.moves();

        let step = self.part_mut(track).clock.step(timestamp_ms, arrival_ms);
        let silence_ms = arrival_ms.saturating_sub(std::mem::replace(&mut self.arrival_ms, arrival_ms));
        let is_pause = step.is_pause && silence_ms >= PAUSE_MS;
        match track {
            Track::Audio => self.still_ms += step.elapsed_ms.min(MAX_STILL_STEP_MS),
            Track::Video if step.total_ms() > 0 || is_new => self.video_moved(is_new),
            Track::Video => {}
        }
        let joined_ms = self.joined_ms(track, timestamp_ms);
        let part = self.part_mut(track);
        if part.in_chunk {
            part.elapsed_ms += step.total_ms() as i64;
        } else {
            part.elapsed_ms = joined_ms;
            part.first_ms = timestamp_ms;
            part.in_chunk = true;
        }
        part.last_ms = timestamp_ms;

        if is_late {
            return if was_moving { Cut::AtKeyframe } else { Cut::Here };
        }
        // A track that begins in time begins in the chunk of the other.
        if is_new || self.awaits_a_track() {
            return Cut::No;
        }
        let can_begin = self.is_entry(frame);
        let elapsed_ms = if self.moves() { self.video_ms() } else { self.sound_ms() };
        let ChunkPolicy { target_ms, max_ms, .. } = self.policy;
        let target_ms = if self.has_backlog { target_ms.max(max_ms / 4 * 3) } else { target_ms };
        // Timestamps that stand still make no chunk that never ends.
        let waited_ms = arrival_ms.saturating_sub(self.begin_arrival_ms);
        let is_due = can_begin && (elapsed_ms >= target_ms as i64 || waited_ms >= max_ms) || is_pause;
        let is_overdue = (elapsed_ms >= max_ms as i64 || waited_ms >= 2 * max_ms)
            && (track == Track::Video || !self.moves());
        if is_due || is_overdue { Cut::Here } else { Cut::No }
    }

    /// Whether a tag of `bytes` fits into the chunk.
    pub(crate) fn fits(&self, bytes: u64) -> bool {
        self.bytes + bytes <= self.policy.max_bytes
    }

    /// Whether the chunk may end, for its length or for a change, though it has room: it is worth a file by its bytes, or by
    /// the time that it took, half of what chunks are to have; or is one of the small ones that a push may have. Time
    /// stamps that race and configurations that flap would make a file of each frame otherwise, each with all headers.
    pub(crate) fn may_end(&mut self, is_change: bool) -> bool {
        let own_bytes = self.bytes - self.header_bytes;
        let lasted_ms = self.arrival_ms.saturating_sub(self.begin_arrival_ms);
        let worth_ms = self.policy.target_ms.max(SHORTEST_MS) / 2;
        if own_bytes >= self.header_bytes.max(FILE_BYTES) || lasted_ms >= worth_ms {
            return true;
        }
        let files = 1 + self.header_bytes / FILE_BYTES;
        let (small, most) = match is_change {
            true if files > 1 => return false,
            true => (&mut self.small_changes, MAX_SMALL_CHANGES),
            false => (&mut self.small_chunks, MAX_SMALL_CHUNKS),
        };
        let may_be_small = *small + files <= most;
        *small += if may_be_small { files } else { 0 };
        may_be_small
    }

    /// A new chunk begins with `bytes` of headers, and the frame of `track` that was taken last.
    pub(crate) fn begin(&mut self, track: Track, bytes: u64) {
        for part in [&mut self.video, &mut self.audio] {
            part.in_chunk = false;
            part.elapsed_ms = 0;
            part.clock.begin_chunk();
        }
        let part = self.part_mut(track);
        part.in_chunk = true;
        part.first_ms = part.last_ms;
        self.bytes = bytes;
        self.header_bytes = bytes;
        self.begin_arrival_ms = self.arrival_ms;
        self.longest_still_ms = [None, self.longest_still_ms[0]];
        self.chunks += 1;
    }

    /// A tag of `bytes` was added.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// How far the chunk is, for [`cut_back`](Self::cut_back).
    pub(crate) fn mark(&self) -> Mark {
        // A track that comes later begins as far as the chunk is then.
        let elapsed_ms = |part: &Part| if part.in_chunk { part.elapsed_ms } else { self.chunk_ms() };
        Mark {
            elapsed_ms: [elapsed_ms(&self.video), elapsed_ms(&self.audio)],
            bytes: self.bytes,
            arrival_ms: self.arrival_ms,
        }
    }

    /// The chunk ended at `mark`; what came since is in a new one, behind `bytes` of headers.
    pub(crate) fn cut_back(&mut self, mark: Mark, bytes: u64) {
        for (part, at_mark_ms) in [&mut self.video, &mut self.audio].into_iter().zip(mark.elapsed_ms) {
            part.elapsed_ms -= at_mark_ms;
        }
        self.bytes = self.bytes - mark.bytes + bytes;
        self.header_bytes = bytes;
        self.begin_arrival_ms = mark.arrival_ms;
        self.chunks += 1;
    }

    /// Whether the chunk has a frame of this track.
    pub(crate) fn has(&self, track: Track) -> bool {
        self.part(track).in_chunk
    }

    /// Whether this frame begins a chunk that a player can begin with.
    pub(crate) fn is_entry(&self, frame: Frame) -> bool {
        match frame {
            Frame::Key => true,
            Frame::Inter => false,
            Frame::Audio => !self.moves(),
        }
    }

    /// Whether a track begins, with a frame of this time, too late to begin in the chunk of the other.
    fn is_late(&self, track: Track, timestamp_ms: u32) -> bool {
        // A track that only arrives late, and says so by its timestamps, covers the chunk from its start.
        self.chunks > 1
            || self.chunk_ms() > AWAITED_MS as i64
                && self.since_start_ms(track, timestamp_ms).unsigned_abs() > AWAITED_MS
    }

    /// How far the chunk is where a track joins it with a frame of this time: as the timestamps have it if the
    /// clocks agree, else as far as the other track is.
    fn joined_ms(&self, track: Track, timestamp_ms: u32) -> i64 {
        let since_start_ms = self.since_start_ms(track, timestamp_ms);
        let chunk_ms = self.chunk_ms();
        match since_start_ms {
            0.. if since_start_ms <= chunk_ms => since_start_ms,
            _ if track == Track::Audio && (-MAX_LAG_MS..0).contains(&since_start_ms) => since_start_ms,
            _ if since_start_ms.unsigned_abs() <= AWAITED_MS => 0,
            _ => chunk_ms,
        }
    }

    /// A time less that of the other track's first frame in the chunk.
    fn since_start_ms(&self, track: Track, timestamp_ms: u32) -> i64 {
        let other = match track {
            Track::Video => &self.audio,
            Track::Audio => &self.video,
        };
        i64::from(timestamp_ms.wrapping_sub(other.first_ms) as i32)
    }

    fn video_moved(&mut self, is_first: bool) {
        let still_ms = std::mem::take(&mut self.still_ms);
        if !is_first {
            self.longest_still_ms[0] = self.longest_still_ms[0].max(Some(still_ms));
        }
    }

    /// Whether there is video that moves.
    fn moves(&self) -> bool {
        let [now, before] = self.longest_still_ms;
        let still_ms = match now.max(before) {
            Some(longest_ms) => (2 * longest_ms).clamp(STILL_MS, self.policy.max_ms.max(STILL_MS)),
            None => 2 * self.policy.target_ms,
        };
        self.video.clock.is_seen && self.still_ms < still_ms
    }

    /// How long the chunk is by its video. A step of which only the next picture tells whether it is true counts as
    /// far as sound confirms it.
    fn video_ms(&self) -> i64 {
        let confirmed_ms = (self.audio.elapsed_ms - self.video.elapsed_ms).max(0);
        self.video.elapsed_ms + confirmed_ms.min(self.video.clock.doubtful_ms() as i64)
    }

    /// How long the chunk is where no video moves: as far as sound is, which may lag behind what pictures there were.
    fn sound_ms(&self) -> i64 {
        if self.audio.in_chunk { self.audio.elapsed_ms } else { self.chunk_ms() }
    }

    /// How long the chunk is by any track.
    fn chunk_ms(&self) -> i64 {
        self.video.elapsed_ms.max(self.audio.elapsed_ms)
    }

    /// Whether the first cut has to wait for a track.
    fn awaits_a_track(&self) -> bool {
        let is_missing = |part: &Part| part.is_announced && !part.clock.is_seen;
        self.chunks <= 1
            && self.chunk_ms() < AWAITED_MS as i64
            && (is_missing(&self.video) || is_missing(&self.audio))
    }

    fn part(&self, track: Track) -> &Part {
        match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        }
    }

    fn part_mut(&mut self, track: Track) -> &mut Part {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

#[cfg(test)]
mod tests;
