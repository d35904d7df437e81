//! A gateway that keeps the contract, with a spool that survives it: a model, or a real one that is listened to.

mod answers;
mod asks;
mod engine;
mod heard;
mod push;
mod real;

use std::collections::BTreeMap;

use protocol::{Confirmed, Heartbeat, StreamPath};

use crate::media::Shape;

pub use engine::{Asked, Engine, Loss, MARK, Sent};
pub use push::{OfReal, Push, Spooled};

/// What a call was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    /// A push's begin.
    Begin(String),
    /// A push's oldest chunk that was not acknowledged.
    Chunk(String, u64),
    /// A push's end.
    End(String),
    /// A heartbeat, with what it told.
    Beat(Vec<String>, Vec<Confirmed>),
    /// Something that is not looked at.
    Other,
}

/// A gateway, by one name.
#[derive(Debug)]
pub struct Gateway {
    name: String,
    /// Counts spools: one that is lost is followed by an empty one.
    spool: u64,
    boots: u64,
    since: Option<u64>,
    /// Pushes that the spool knows.
    pub pushes: Vec<Push>,
    /// Pushes that were lost with a spool.
    pub gone: Vec<Push>,
    adopted: Vec<String>,
    holds: Vec<String>,
    confirmed: Vec<Confirmed>,
    calls: u64,
    began: u64,
    purposes: BTreeMap<u64, Purpose>,
    /// The heartbeat that is waited for, and for how long.
    beat: Option<(u64, u64)>,
    /// Media time of a chunk. Unit: ms.
    pub chunk_ms: u64,
    /// What has been drawn for what pushes are made of; each is as plain as can be where nothing has.
    pub media: Option<u32>,
    /// Neither calls nor answers get through.
    pub is_cut_off: bool,
    /// When heartbeats were answered, in true time.
    pub heard_ms: Vec<u64>,
    /// How often an answer told to wait for the chunks of another session.
    pub told_before: u64,
    /// How often the user's bucket refused.
    pub told_refused: u64,
    /// How often its boot was refused.
    pub told_boot: u64,
    /// Problems that a gateway which keeps the contract should never see.
    pub surprises: Vec<String>,
    /// The real gateway that does all this, where there is one.
    engine: Option<Box<dyn Engine>>,
    /// Its pushes that ended before the functions heard of them, and may have left nothing.
    unheard: Vec<Push>,
    last_beat: Option<Heartbeat>,
}

impl Gateway {
    /// A gateway that has just started, with an empty spool.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            spool: 0,
            boots: 1,
            since: None,
            pushes: Vec::new(),
            gone: Vec::new(),
            adopted: Vec::new(),
            holds: Vec::new(),
            confirmed: Vec::new(),
            calls: 0,
            began: 0,
            purposes: BTreeMap::new(),
            beat: None,
            chunk_ms: 5_000,
            media: None,
            is_cut_off: false,
            heard_ms: Vec::new(),
            told_before: 0,
            told_refused: 0,
            told_boot: 0,
            surprises: Vec::new(),
            engine: None,
            unheard: Vec::new(),
            last_beat: None,
        }
    }

    /// Has its next push be made of something of all that may be drawn.
    ///
    /// # Panics
    /// Where nothing is it.
    pub fn push_what(&mut self, is_it: impl Fn(Shape) -> bool) {
        let mark = Push::mark(&self.next_id());
        self.media = (0..1 << 20).find(|drawn| is_it(Shape::of(mark ^ drawn)));
        assert!(self.media.is_some(), "no push is made of that");
    }

    fn next_id(&self) -> String {
        format!("{}-{}", self.name, self.began + 1)
    }

    /// A push's first coded frame comes. Where the stream is being pushed already, that push is over.
    pub fn begin(&mut self, stream: StreamPath, argument: Option<&'static str>, now_ms: u64) -> String {
        if let Some(live) = self.live(&stream).map(|push| push.id.clone()) {
            self.end(&live, now_ms);
        }
        let id = self.next_id();
        self.began += 1;
        let boot = self.boot();
        let before = self.pushes.iter().rev().find(|push| push.stream == stream && push.boot == boot);
        let after = before.and_then(|push| Some((push.id.clone(), now_ms - push.ended_ms()?)));
        let mut push = Push::new(id.clone(), stream, boot, now_ms);
        push.argument = argument;
        push.mark = match self.media {
            Some(drawn) => Shape::for_chunks(push.mark ^ drawn, self.chunk_ms),
            None => Shape::plainest(push.mark),
        };
        match &mut self.engine {
            Some(engine) => {
                push.of_real.comes_after = after.map(|(before, _)| before);
                push.mark = Shape::of_keyframes(push.mark);
                engine.publish(push.mark, &push.stream, argument);
            }
            None => push.after = after,
        }
        self.pushes.push(push);
        id
    }

    /// A push's last coded frame has come.
    pub fn end(&mut self, push: &str, now_ms: u64) {
        if self.engine.is_some() {
            return self.end_real(push, now_ms);
        }
        if let Some(push) = self.pushes.iter_mut().find(|known| known.id == push && known.is_live()) {
            push.finish(now_ms, false);
        }
    }

    /// The push of a stream that goes on.
    #[must_use]
    pub fn live(&self, stream: &StreamPath) -> Option<&Push> {
        self.pushes.iter().find(|push| push.is_live() && push.stream == *stream)
    }

    /// Whether a push goes on that has a session.
    #[must_use]
    pub fn can_forget(&self) -> bool {
        self.pushes.iter().any(Push::is_live_session)
    }

    /// The gateway dies and starts again on its spool: its pushes are over, what was spooled is not. The last chunk of
    /// each may be lost, and `forgets` has the spool lose the oldest push that went on.
    pub fn restart(&mut self, now_ms: u64, loses_tail: bool, forgets: bool) {
        self.boots += 1;
        let forgotten = self.pushes.iter().find(|push| forgets && push.is_live_session());
        let loss = match forgotten.and_then(|push| push.of_real.own_id.clone()) {
            Some(push) => Loss::Push(push),
            None if loses_tail => Loss::Tail,
            None => Loss::Nothing,
        };
        let forgotten = forgotten.map(|push| push.id.clone());
        self.stop(now_ms, &loss);
        self.gone.extend(self.pushes.extract_if(.., |push| forgotten.as_ref() == Some(&push.id)));
        for push in &mut self.pushes {
            push.adoption_is_told |= push.session.is_some();
        }
        self.holds = self
            .pushes
            .iter()
            .filter(|push| push.end_answered_ms.is_none())
            .filter_map(|push| push.session.clone())
            .collect();
        // Its chunks and its end tell of an adoption that no heartbeat told.
        self.adopted.clear();
    }

    /// The gateway dies with its spool, and starts again on an empty one.
    pub fn lose_spool(&mut self, now_ms: u64) {
        self.stop(now_ms, &Loss::Spool);
        self.spool += 1;
        self.boots = 1;
        self.gone.append(&mut self.pushes);
        self.holds.clear();
        self.adopted.clear();
    }

    fn stop(&mut self, now_ms: u64, loss: &Loss) {
        self.since = None;
        self.confirmed.clear();
        self.purposes.clear();
        self.beat = None;
        if self.engine.is_some() {
            return self.restart_real(now_ms, loss);
        }
        for push in &mut self.pushes {
            push.waits = None;
            if push.is_live() {
                push.finish(now_ms, *loss != Loss::Nothing);
            }
        }
    }

    /// It says nothing more.
    pub fn fall_silent(&mut self) {
        self.is_cut_off = true;
        self.engine = None;
    }

    /// Whether a real gateway is in its place.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.engine.is_some()
    }

    /// Every push that there was, also those that were lost with a spool.
    pub fn all(&self) -> impl Iterator<Item = &Push> {
        self.gone.iter().chain(&self.pushes)
    }

    /// Whether nothing is left to be told or sent.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pushes.iter().all(Push::is_told) && self.adopted.is_empty()
    }

    fn boot(&self) -> String {
        format!("spool-{}-{}.{}", self.name, self.spool, self.boots)
    }
}
