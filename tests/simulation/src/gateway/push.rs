//! One push and what the spool keeps of it.

use protocol::{Confirmed, Generation, Order, StreamPath};

use super::engine::Sent;
use crate::chances::{mix, point_of};
use crate::media::Shape;

/// So much media from before a start is kept. Unit: ms.
const KEPT_MS: u64 = 3_000;

/// A chunk in the spool. Its place in the list is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spooled {
    /// Its begin after the push's begin, in milliseconds.
    pub from_ms: u64,
    /// Its end after the push's begin, in milliseconds.
    pub to_ms: u64,
    /// What held when it was cut.
    pub generation: Generation,
    /// It was cut before a picture that no player can begin with.
    pub continues: bool,
    /// When it was acknowledged, in true time.
    pub acknowledged_ms: Option<u64>,
}

/// A push and what the spool keeps of it. Its chunks begin and end at whole seconds.
#[derive(Clone, Debug)]
pub struct Push {
    /// The gateway's name of it.
    pub id: String,
    /// What its frames are told apart by, which also says what it is made of.
    pub mark: u32,
    /// What is pushed.
    pub stream: StreamPath,
    /// The boot that it was begun in.
    pub boot: String,
    /// What the push URL says of recording.
    pub argument: Option<&'static str>,
    /// When its first frame came, in true time.
    pub began_ms: u64,
    /// Its duration, once it has ended.
    pub duration_ms: Option<u64>,
    /// The push before of the same stream that this gateway saw, and the break between them.
    pub after: Option<(String, u64)>,
    /// Its session, once it has one.
    pub session: Option<String>,
    /// When the begin whose offer was adopted was asked for, and when it was answered, in true time.
    pub offered_ms: Option<(u64, u64)>,
    /// Its chunks.
    pub chunks: Vec<Spooled>,
    /// How many of them are acknowledged.
    pub acknowledged: u64,
    /// When its end was answered.
    pub end_answered_ms: Option<u64>,
    /// A heartbeat that tells of its adoption was answered.
    pub adoption_is_told: bool,
    /// What holds for what is cut now.
    pub effective: Generation,
    /// Whether what comes is recorded.
    pub is_recording: bool,
    /// The call that is waited for, and for how long.
    pub(super) waits: Option<(u64, u64)>,
    /// Nothing is asked before this.
    pub(super) retry_ms: u64,
    pub(super) failures: u32,
    orders: Vec<(Order, u64)>,
    is_settled: bool,
    open_from_ms: Option<u64>,
    /// What is known of it where a real gateway takes it.
    pub of_real: OfReal,
}

/// What is known of a push that a real gateway takes, and a model gateway would not be asked.
#[derive(Clone, Debug, Default)]
pub struct OfReal {
    /// The gateway's own name of it, once it has told of it.
    pub(super) own_id: Option<String>,
    /// The push that the gateway has to say it comes after.
    pub(super) comes_after: Option<String>,
    /// What was sent.
    pub sent: Sent,
    /// When its publisher left or its gateway died, in true time.
    pub(super) left_ms: Option<u64>,
    /// The gateway died while it went on.
    pub is_cut_short: bool,
    /// How many of the last pictures the gateway may have lost as it died.
    pub tail: u64,
    /// How many chunks it has, as its end was told.
    pub(super) told_chunks: Option<u64>,
}

impl Push {
    /// A push whose first frame came.
    pub(super) fn new(id: String, stream: StreamPath, boot: String, began_ms: u64) -> Self {
        Self {
            mark: Self::mark(&id),
            id,
            stream,
            boot,
            argument: None,
            began_ms,
            duration_ms: None,
            after: None,
            session: None,
            offered_ms: None,
            chunks: Vec::new(),
            acknowledged: 0,
            end_answered_ms: None,
            adoption_is_told: false,
            effective: Generation::default(),
            // All is spooled until the functions have answered.
            is_recording: true,
            waits: None,
            retry_ms: 0,
            failures: 0,
            orders: Vec::new(),
            is_settled: false,
            open_from_ms: Some(0),
            of_real: OfReal::default(),
        }
    }

    /// What the frames of a push are told apart by, where nothing else is drawn.
    pub(super) fn mark(id: &str) -> u32 {
        let point = point_of(id);
        // The names of pushes differ little, and so do these bits.
        point as u32 & !Shape::ODD | mix(point) as u32 & Shape::ODD
    }

    /// What it is made of.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape::of(self.mark)
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.duration_ms.is_none()
    }

    /// When its last frame came, in true time, once it has ended.
    #[must_use]
    pub fn ended_ms(&self) -> Option<u64> {
        self.duration_ms.map(|duration_ms| self.began_ms + duration_ms)
    }

    /// Whether nothing of it is left to be told or sent.
    #[must_use]
    pub fn is_told(&self) -> bool {
        let is_empty = self.session.is_some() && self.adoption_is_told;
        let chunks = self.chunks.len() as u64;
        let is_complete =
            self.acknowledged == chunks && self.of_real.told_chunks.is_none_or(|told| told == chunks);
        is_empty && self.end_answered_ms.is_some() && is_complete
    }

    /// Whether it goes on in a session.
    pub(super) fn is_live_session(&self) -> bool {
        self.session.is_some() && self.is_live()
    }

    fn second(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.began_ms) / 1_000 * 1_000
    }

    /// Takes orders; what was cut before the first ones came is gone through.
    pub(super) fn take_orders(&mut self, orders: Vec<Order>, now_ms: u64) {
        for order in orders {
            if self.orders.iter().all(|(known, _)| known.generation != order.generation) {
                let age_ms = order.age_ms.unwrap_or(0);
                let at_ms = (now_ms.saturating_sub(age_ms) + order.in_ms.unwrap_or(0)).max(self.began_ms);
                self.orders.push((order, at_ms));
            }
        }
        self.orders.sort_by_key(|(order, _)| order.generation);
        if !self.is_settled {
            self.settle(now_ms);
        }
    }

    /// The order that holds at a moment.
    fn held(&self, at_ms: u64) -> Option<(Order, u64)> {
        self.orders.iter().rev().find(|(_, from_ms)| *from_ms <= at_ms).copied()
    }

    /// Whether anything between two moments is to be recorded.
    fn wants(&self, from_ms: u64, to_ms: u64) -> bool {
        let (from_ms, to_ms) = (self.began_ms + from_ms, self.began_ms + to_ms);
        let edges =
            self.orders.iter().map(|(_, at_ms)| *at_ms).filter(|at_ms| (from_ms..=to_ms).contains(at_ms));
        edges.chain([from_ms]).any(|at_ms| self.held(at_ms).is_some_and(|(order, _)| order.record))
    }

    /// Drops what is not wanted at both ends of what was cut before the functions answered.
    fn settle(&mut self, now_ms: u64) {
        self.is_settled = true;
        let chunks = std::mem::take(&mut self.chunks);
        let is_wanted = |chunk: &Spooled| self.wants(chunk.from_ms, chunk.to_ms);
        let at_ms = self.duration_ms.unwrap_or_else(|| self.second(now_ms));
        let open_is_wanted = self.open_from_ms.is_some_and(|from_ms| self.wants(from_ms, at_ms));
        let mut first = chunks.iter().position(is_wanted).unwrap_or(chunks.len());
        // A keyframe comes first.
        let begins: Vec<u64> = chunks.iter().map(|chunk| chunk.from_ms).chain(self.open_from_ms).collect();
        while (open_is_wanted || first < chunks.len()) && !self.shape().is_key(begins[first]) {
            first -= 1;
        }
        let end = if open_is_wanted {
            chunks.len()
        } else {
            chunks.iter().rposition(is_wanted).map_or(first, |last| last + 1)
        };
        let began_ms = self.began_ms;
        let kept = chunks[first..end.max(first)].iter().map(|chunk| {
            let held = self.held(began_ms + chunk.to_ms).filter(|(order, _)| order.record);
            let generation = match held {
                Some((order, _)) if order.generation.files != chunk.generation.files => order.generation,
                _ => chunk.generation,
            };
            Spooled { generation, ..*chunk }
        });
        self.chunks = kept.collect();
        if !open_is_wanted {
            self.is_recording = false;
            self.open_from_ms = None;
        } else if let Some((order, _)) =
            self.held(now_ms).filter(|(order, _)| order.record && order.generation.files > 0)
        {
            self.effective = order.generation;
        }
    }

    /// Its last frame has come.
    pub(super) fn finish(&mut self, now_ms: u64, loses_tail: bool) {
        let duration_ms = self.second(now_ms);
        self.duration_ms = Some(duration_ms);
        if let Some(from_ms) = self.open_from_ms.take()
            && !loses_tail
        {
            self.spool(from_ms, duration_ms, false);
        }
        self.is_recording = false;
    }

    fn spool(&mut self, from_ms: u64, to_ms: u64, continues: bool) {
        if to_ms > from_ms {
            let generation = self.effective;
            self.chunks.push(Spooled { from_ms, to_ms, generation, continues, acknowledged_ms: None });
        }
    }

    /// Cuts what has come by a moment into chunks, each at the first keyframe past a length, or at twice the length, and
    /// where a track becomes another one; answers the orders that have taken effect, which they do at keyframes.
    pub(super) fn cut(&mut self, now_ms: u64, chunk_ms: u64) -> Vec<Confirmed> {
        if !self.is_live() {
            return Vec::new();
        }
        let at_ms = self.second(now_ms);
        let is_key = self.shape().is_key(at_ms);
        let confirmed = match self.held(now_ms) {
            Some((order, ordered_ms)) if is_key && order.generation > self.effective => {
                self.apply(order, ordered_ms, at_ms, now_ms)
            }
            _ => Vec::new(),
        };
        let chunk_ms = if is_key { chunk_ms } else { 2 * chunk_ms };
        if let Some(from_ms) = self.open_from_ms
            && (at_ms - from_ms >= chunk_ms || self.shape().becomes_another(at_ms))
        {
            self.spool(from_ms, at_ms, !is_key);
            self.open_from_ms = Some(at_ms);
        }
        confirmed
    }

    /// An order holds from the keyframe at `at_ms` on.
    fn apply(&mut self, order: Order, ordered_ms: u64, at_ms: u64, now_ms: u64) -> Vec<Confirmed> {
        let was_recording = self.is_recording;
        let ends = !order.record || order.generation.files > self.effective.files;
        if was_recording
            && ends
            && let Some(from_ms) = self.open_from_ms.take()
        {
            self.spool(from_ms, at_ms, false);
        }
        let before = self.effective;
        let last_seq = (self.chunks.len() as u64).checked_sub(1);
        let session = self.session.clone().unwrap_or_default();
        let passed =
            self.orders.iter().filter(|(passed, from_ms)| passed.generation > before && *from_ms <= now_ms);
        let confirmed = passed.map(|(passed, _)| Confirmed {
            session: session.clone(),
            generation: passed.generation,
            last_seq,
        });
        let confirmed = confirmed.collect();
        let files = order.generation.files.max(before.files);
        self.effective = Generation { files, ..order.generation };
        self.is_recording = order.record;
        if order.record && self.open_from_ms.is_none() {
            let kept_ms = if was_recording { at_ms } else { at_ms.saturating_sub(KEPT_MS) };
            let cut_ms = self.chunks.last().map_or(0, |chunk| chunk.to_ms);
            let ordered_ms = self.second(ordered_ms);
            let from_ms = kept_ms.max(ordered_ms).max(cut_ms).min(at_ms);
            self.open_from_ms = Some(if self.shape().is_key(from_ms) { from_ms } else { at_ms });
        }
        confirmed
    }
}
