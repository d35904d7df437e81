//! Pushes with media of any length, through the calls that functions make.

use store::memory::run;

use super::world::{World, session_of};
use crate::chunk::{AudioCodec, Chunk, Slice, Tracks, VideoCodec};
use crate::commit::{self, Delivery, Prepared, Turn};
use crate::due;
use crate::order::Generation;
use crate::session::{self, After, Session};

/// 1 s of media time.
pub(crate) const SECOND: u64 = 90_000;

/// A slice as a chunk brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// When the chunk's first tag came after the push's begin. Unit: ms.
    pub(crate) offset_ms: u64,
    /// Media time of its begin. Unit: 1/90 000 s.
    pub(crate) start_90khz: u64,
    /// As far as the slice alone tells. Unit: 1/90 000 s.
    pub(crate) duration_90khz: u64,
    pub(crate) is_enterable: bool,
}

/// A push whose chunks come one after the other.
pub(crate) struct Push<'a> {
    pub(crate) world: &'a World,
    pub(crate) session: Session,
    /// Chunks so far.
    pub(crate) chunks: u64,
    /// Orders so far that begin a file.
    pub(crate) files: u32,
}

impl<'a> Push<'a> {
    /// Begins one at a time; `after` is the push before, by its gateway, and how long ago it ended. Unit: ms.
    pub(crate) fn begin(world: &'a World, id: &str, began_ms: u64, after: Option<(&str, u64)>) -> Self {
        Self::begin_as(world, Session { began_ms, ..session_of(id) }, after)
    }

    /// The same with everything that a begin tells.
    pub(crate) fn begin_as(world: &'a World, session: Session, after: Option<(&str, u64)>) -> Self {
        let after = after.map(|(session, gap_ms)| After { session: session.into(), gap_ms });
        let now_ms = session.began_ms;
        let offered =
            run(session::offer(&world.store, &world.bucket, session, after.as_ref(), None, now_ms)).unwrap();
        run(session::adopt(&world.store, &world.bucket, &offered.0, now_ms)).unwrap();
        Self { world, session: offered.0, chunks: 0, files: 0 }
    }

    /// Brings so many slices of 5 s in real time, each of which can be entered.
    pub(crate) fn slices(&mut self, count: u64) {
        for _ in 0..count {
            let offset_ms = self.chunks * 5_000;
            let piece = Piece {
                offset_ms,
                start_90khz: offset_ms * 90,
                duration_90khz: 5 * SECOND,
                is_enterable: true,
            };
            self.slice(piece);
        }
    }

    /// Brings a slice.
    pub(crate) fn slice(&mut self, piece: Piece) -> Slice {
        let prepared = self.prepare();
        let placed = prepared.place(piece.offset_ms, piece.start_90khz, 0);
        let slice = Slice {
            anchor_ms: placed.anchor_ms,
            start_90khz: piece.start_90khz,
            duration_90khz: piece.duration_90khz,
            size: 188_000,
            is_enterable: piece.is_enterable,
            is_discontinuous: placed.is_moved,
            names_taken: 0,
            tracks: TRACKS,
        };
        self.commit(&prepared, Chunk::Slice(slice));
        slice
    }

    /// Brings what is no slice.
    pub(crate) fn other(&mut self, chunk: Chunk) {
        let prepared = self.prepare();
        self.commit(&prepared, chunk);
    }

    /// Ends it after so many milliseconds.
    pub(crate) fn end(&self, duration_ms: u64) {
        let Self { world, session, chunks, .. } = self;
        let now_ms = session.began_ms + duration_ms;
        run(session::end(&world.store, &world.bucket, &session.id, 0, duration_ms, *chunks, now_ms)).unwrap();
    }

    fn prepare(&self) -> Box<Prepared> {
        let Self { world, session, chunks, .. } = self;
        match run(commit::prepare(&world.store, &world.bucket, &session.id, *chunks, session.began_ms)) {
            Ok(Turn::Next(prepared)) => prepared,
            other => panic!("{other:?}"),
        }
    }

    fn commit(&mut self, prepared: &Prepared, chunk: Chunk) {
        let delivery = Delivery {
            left_out: Vec::new(),
            generation: Generation { orders: self.files + 1, files: self.files },
            chunk,
            is_followed_by_entry: true,
            remux_state: vec![7; 300],
        };
        self.world.put(prepared, &delivery);
        run(due::commit(&self.world.store, prepared, delivery, self.session.began_ms)).unwrap();
        self.chunks += 1;
    }
}

pub(crate) const TRACKS: Tracks =
    Tracks { video: Some(VideoCodec::H264), audio: Some(AudioCodec::Aac), width: 640, height: 360 };
