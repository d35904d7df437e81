//! A gateway that keeps the contract, and its spool.

use http::{HeaderValue, Request};
use protocol::{
    After, BeginSession, CHUNK_OFFSET_HEADER, Call, ChunkPath, Confirmed, EndSession, GENERATION_HEADER,
    Generation, Heartbeat, HeartbeatAnswer, Order, PUSH_HEADER, Problem, Route, SessionAnswer, SessionPath,
    StreamPath,
};
use serde::de::DeserializeOwned;
use shared::testing::{Sent, request};

use crate::judge::Chunk;
use crate::media;
use crate::world::Reply;

/// Media time of a chunk, in seconds.
const CHUNK_S: u64 = 5;

/// What a call was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A push's begin.
    Begin(String),
    /// A push's oldest chunk that was not acknowledged.
    Chunk(String, u64),
    /// A push's end.
    End(String),
    /// A heartbeat, with how much it told of sessions adopted and orders confirmed.
    Beat(usize, usize),
}

/// A chunk in the spool.
#[derive(Clone, Debug)]
struct Spooled {
    from_ms: u64,
    to_ms: u64,
    generation: Generation,
}

/// A push and what the spool keeps of it.
#[derive(Clone, Debug)]
struct Push {
    id: String,
    stream: StreamPath,
    boot: String,
    began_ms: u64,
    /// Duration, once it has ended.
    duration_ms: Option<u64>,
    after: Option<(String, u64)>,
    session: Option<String>,
    /// Orders, with the moment of true time at which each takes effect.
    orders: Vec<(Order, u64)>,
    /// The order that the last cut went by.
    effective: Generation,
    /// Begin of the chunk that is being gathered.
    open_from_ms: Option<u64>,
    chunks: Vec<Spooled>,
    acknowledged: u64,
    end_is_answered: bool,
}

/// A gateway, by one name, on one spool.
#[derive(Debug)]
pub struct Gateway {
    name: String,
    spool: String,
    boots: u64,
    since: Option<u64>,
    pushes: Vec<Push>,
    adopted: Vec<String>,
    holds: Vec<String>,
    confirmed: Vec<Confirmed>,
    /// Problems that a gateway which keeps the contract should never see.
    pub surprises: Vec<String>,
}

impl Gateway {
    /// A gateway that has just started, with an empty spool.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            spool: format!("spool-{name}"),
            boots: 1,
            since: None,
            pushes: Vec::new(),
            adopted: Vec::new(),
            holds: Vec::new(),
            confirmed: Vec::new(),
            surprises: Vec::new(),
        }
    }

    /// A push's first coded frame comes.
    pub fn begin(&mut self, stream: StreamPath, now_ms: u64) -> String {
        let id = format!("{}-{}", self.name, self.pushes.len());
        let before = self.pushes.iter().rev().find(|push| push.stream == stream && push.boot == self.boot());
        let after = before.and_then(|push| {
            let ended_ms = push.began_ms + push.duration_ms?;
            Some((push.id.clone(), now_ms - ended_ms))
        });
        self.pushes.push(Push {
            id: id.clone(),
            stream,
            boot: self.boot(),
            began_ms: now_ms,
            duration_ms: None,
            after,
            session: None,
            orders: Vec::new(),
            effective: Generation::default(),
            open_from_ms: None,
            chunks: Vec::new(),
            acknowledged: 0,
            end_is_answered: false,
        });
        id
    }

    /// A push's last coded frame has come.
    pub fn end(&mut self, push: &str, now_ms: u64) {
        if let Some(push) =
            self.pushes.iter_mut().find(|known| known.id == push && known.duration_ms.is_none())
        {
            push.finish(now_ms);
        }
    }

    /// The gateway dies and starts again on its spool: its pushes are over, what was spooled is not.
    pub fn restart(&mut self, now_ms: u64) {
        self.boots += 1;
        self.since = None;
        for push in self.pushes.iter_mut().filter(|push| push.duration_ms.is_none()) {
            push.finish(now_ms);
        }
        self.confirmed.clear();
        // A push whose begin was not answered has nothing that anybody was told of.
        self.pushes.retain(|push| push.session.is_some());
        self.holds = self
            .pushes
            .iter()
            .filter(|push| !push.end_is_answered)
            .filter_map(|push| push.session.clone())
            .collect();
    }

    /// Every chunk that was acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = Chunk> {
        self.pushes.iter().flat_map(|push| {
            let session = push.session.clone().unwrap_or_default();
            (0..push.acknowledged).map(move |seq| (session.clone(), seq))
        })
    }

    /// Whether nothing is left to be told or sent.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let is_done = |push: &Push| push.end_is_answered && push.acknowledged == push.chunks.len() as u64;
        self.pushes.iter().all(is_done) && self.adopted.is_empty()
    }

    fn boot(&self) -> String {
        format!("{}.{}", self.spool, self.boots)
    }

    /// What is cut by a moment, and the calls that are made then.
    pub fn step(&mut self, now_ms: u64) -> Vec<(Purpose, Request<Sent>)> {
        for push in &mut self.pushes {
            let confirmed = push.cut(now_ms);
            self.confirmed.extend(confirmed);
        }
        let mut calls = vec![self.beat(now_ms)];
        for at in 0..self.pushes.len() {
            calls.extend(self.call_of(at, now_ms));
        }
        calls
    }

    /// The call that a push waits for.
    fn call_of(&self, at: usize, now_ms: u64) -> Option<(Purpose, Request<Sent>)> {
        let push = &self.pushes[at];
        let Some(session) = &push.session else {
            let after = push.after.as_ref().and_then(|(id, gap_ms)| {
                let before = self.pushes.iter().find(|before| before.id == *id)?;
                Some(After { session: before.session.clone()?, gap_ms: *gap_ms })
            });
            let begin = BeginSession {
                gateway: self.name.clone(),
                boot: push.boot.clone(),
                push: push.id.clone(),
                client: "192.0.2.1:1935".into(),
                began_ago_ms: now_ms - push.began_ms,
                after,
                ..BeginSession::default()
            };
            return Some((Purpose::Begin(push.id.clone()), json(push.stream.clone(), &begin)));
        };
        let path = SessionPath { stream: push.stream.clone(), session: session.clone() };
        if let (Some(duration_ms), false) = (push.duration_ms, push.end_is_answered) {
            let ended_ago_ms = now_ms.saturating_sub(push.began_ms + duration_ms);
            let end = EndSession { ended_ago_ms, duration_ms, chunks: push.chunks.len() as u64 };
            return Some((Purpose::End(push.id.clone()), json(path, &end)));
        }
        let chunk = push.chunks.get(push.acknowledged as usize)?;
        let seq = push.acknowledged;
        let route = Route::Chunk(ChunkPath { session: path, seq });
        let mut request = request(&route, media::chunk(chunk.from_ms, chunk.to_ms));
        let headers = request.headers_mut();
        headers.insert(CHUNK_OFFSET_HEADER, chunk.from_ms.into());
        headers.insert(GENERATION_HEADER, text(&chunk.generation.to_string()));
        headers.insert(PUSH_HEADER, text(&push.id));
        Some((Purpose::Chunk(push.id.clone(), seq), request))
    }

    fn beat(&self, now_ms: u64) -> (Purpose, Request<Sent>) {
        let untold = self.pushes.iter().filter_map(|push| {
            if push.session.is_none() {
                return Some(push.began_ms);
            }
            push.duration_ms.filter(|_| !push.end_is_answered).map(|duration_ms| push.began_ms + duration_ms)
        });
        let heartbeat = Heartbeat {
            gateway: self.name.clone(),
            boot: self.boot(),
            since: self.since,
            told_ms: untold.min().map_or(0, |at_ms| now_ms.saturating_sub(at_ms)),
            adopted: self.adopted.clone(),
            holds: self.holds.clone(),
            confirmed: self.confirmed.clone(),
        };
        (Purpose::Beat(self.adopted.len(), self.confirmed.len()), json((), &heartbeat))
    }

    /// A call has been answered, or has died.
    pub fn reply(&mut self, purpose: &Purpose, reply: Reply, now_ms: u64) {
        match purpose {
            Purpose::Begin(id) => {
                if let Some(answer) = self.read::<SessionAnswer>(reply) {
                    let push = self.pushes.iter_mut().find(|push| push.id == *id && push.session.is_none());
                    let Some(push) = push else { return };
                    self.adopted.push(answer.session.clone());
                    push.session = Some(answer.session);
                    push.take_orders(answer.orders, now_ms);
                }
            }
            Purpose::Chunk(id, seq) => {
                if self.read::<serde_json::Value>(reply).is_some()
                    && let Some(push) = self.pushes.iter_mut().find(|push| push.id == *id)
                {
                    push.acknowledged = push.acknowledged.max(seq + 1);
                }
            }
            Purpose::End(id) => {
                if self.read::<serde_json::Value>(reply).is_some()
                    && let Some(push) = self.pushes.iter_mut().find(|push| push.id == *id)
                {
                    push.end_is_answered = true;
                    self.holds.retain(|held| push.session.as_ref() != Some(held));
                }
            }
            Purpose::Beat(adopted, confirmed) => {
                if let Some(answer) = self.read::<HeartbeatAnswer>(reply) {
                    self.since = Some(answer.since);
                    self.adopted.drain(..*adopted.min(&self.adopted.len()));
                    self.confirmed.drain(..*confirmed.min(&self.confirmed.len()));
                    for change in answer.sessions {
                        let push = self
                            .pushes
                            .iter_mut()
                            .find(|push| push.session.as_ref() == Some(&change.session));
                        if let Some(push) = push {
                            push.take_orders(change.orders, now_ms);
                        }
                    }
                }
            }
        }
    }

    /// What an answer 200 says; a problem that trying again does not mend is a surprise.
    fn read<T: DeserializeOwned>(&mut self, reply: Reply) -> Option<T> {
        let answer = reply?;
        if answer.status().is_success() {
            return serde_json::from_str(answer.body()).ok();
        }
        let problem: Problem = serde_json::from_str(answer.body()).expect("every error is a problem");
        let is_expected = answer.status().as_u16() == 503 || problem.code == protocol::conflict::BEFORE;
        if !is_expected {
            self.surprises.push(format!("{} {}: {}", answer.status(), problem.code, problem.message));
        }
        None
    }
}

impl Push {
    fn take_orders(&mut self, orders: Vec<Order>, now_ms: u64) {
        for order in orders {
            if self.orders.iter().all(|(known, _)| known.generation != order.generation) {
                let at_ms = now_ms - order.age_ms.unwrap_or(0) + order.in_ms.unwrap_or(0);
                self.orders.push((order, at_ms));
            }
        }
        self.orders.sort_by_key(|(order, _)| order.generation.orders);
    }

    fn finish(&mut self, now_ms: u64) {
        let duration_ms = (now_ms - self.began_ms) / 1_000 * 1_000;
        self.duration_ms = Some(duration_ms);
        if let Some(from_ms) = self.open_from_ms.take() {
            self.spool(from_ms, duration_ms);
        }
    }

    fn spool(&mut self, from_ms: u64, to_ms: u64) {
        if to_ms > from_ms {
            self.chunks.push(Spooled { from_ms, to_ms, generation: self.effective });
        }
    }

    /// Cuts what has come by a moment; answers the orders that have taken effect.
    fn cut(&mut self, now_ms: u64) -> Option<Confirmed> {
        if self.duration_ms.is_some() || self.session.is_none() {
            return None;
        }
        let at_ms = (now_ms - self.began_ms) / 1_000 * 1_000;
        let order = self.orders.iter().rev().find(|(_, takes_effect_ms)| *takes_effect_ms <= now_ms);
        let (order, ordered_ms) = order.copied()?;
        let mut confirmed = None;
        if order.generation != self.effective {
            if let Some(from_ms) = self.open_from_ms.take() {
                self.spool(from_ms, at_ms);
            }
            self.effective = order.generation;
            confirmed = self.session.clone().map(|session| Confirmed {
                session,
                generation: order.generation,
                last_seq: (self.chunks.len() as u64).checked_sub(1),
            });
            // What is kept of the media from before a start: three seconds.
            let kept_ms = at_ms.saturating_sub(3_000);
            let cut_ms = self.chunks.last().map_or(0, |chunk| chunk.to_ms);
            let ordered_ms = ordered_ms.saturating_sub(self.began_ms) / 1_000 * 1_000;
            self.open_from_ms = order.record.then(|| kept_ms.max(ordered_ms).max(cut_ms).min(at_ms));
        }
        if let Some(from_ms) = self.open_from_ms
            && at_ms - from_ms >= CHUNK_S * 1_000
        {
            self.spool(from_ms, at_ms);
            self.open_from_ms = Some(at_ms);
        }
        confirmed
    }
}

fn json<C: Call>(address: C::Address, body: &C) -> Request<Sent> {
    request(&C::route(address), serde_json::to_vec(body).expect("a call is JSON"))
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("the value is plain text")
}
