//! What a gateway asks.

use http::{HeaderValue, Request};
use protocol::{
    After, BeginSession, CHUNK_CONTINUES_HEADER, CHUNK_OFFSET_HEADER, Call as JsonCall, ChunkPath,
    EndSession, GENERATION_HEADER, Heartbeat, PUSH_HEADER, Route, SessionPath,
};
use shared::testing::{Sent, request};

use super::{Gateway, Purpose};
use crate::call::{Ask, Call, Kind};
use crate::media;

/// So long a call's answer is waited for, and a heartbeat's.
const PATIENCE_MS: (u64, u64) = (30_000, 10_000);

impl Gateway {
    /// What is cut by a moment, and the calls that are made then by the gateway at a place.
    pub fn step(&mut self, place: usize, now_ms: u64) -> Vec<Call> {
        if self.engine.is_some() {
            return self.step_real(place, now_ms);
        }
        for push in &mut self.pushes {
            let confirmed = push.cut(now_ms, self.chunk_ms);
            self.confirmed.extend(confirmed);
        }
        if self.is_cut_off {
            return Vec::new();
        }
        let mut calls: Vec<Call> = self.ask_beat(place, now_ms).into_iter().collect();
        for at in 0..self.pushes.len() {
            calls.extend(self.ask_for(at, place, now_ms));
        }
        calls
    }

    fn call(&mut self, (place, asked_ms): (usize, u64), asked: (Kind, Purpose, Request<Sent>)) -> Call {
        let (kind, purpose, request) = asked;
        self.calls += 1;
        self.purposes.insert(self.calls, purpose);
        Call { kind, ask: Ask::Route(request), from: Some((place, self.calls)), asked_ms }
    }

    fn ask_beat(&mut self, place: usize, now_ms: u64) -> Option<Call> {
        if self.beat.is_some_and(|(_, until_ms)| now_ms < until_ms) {
            return None;
        }
        let told = self.pushes.iter().filter_map(|push| {
            if !push.adoption_is_told {
                return Some(push.began_ms);
            }
            push.ended_ms().filter(|_| push.end_answered_ms.is_none())
        });
        let heartbeat = Heartbeat {
            gateway: self.name.clone(),
            boot: self.boot(),
            since: self.since,
            told_ms: told.min().map_or(0, |at_ms| now_ms.saturating_sub(at_ms).max(1)),
            adopted: self.adopted.clone(),
            holds: self.holds.clone(),
            confirmed: self.confirmed.clone(),
        };
        let purpose = Purpose::Beat(self.adopted.clone(), self.confirmed.clone());
        let call = self.call((place, now_ms), (Kind::Beat, purpose, json((), &heartbeat)));
        self.beat = Some((self.calls, now_ms + PATIENCE_MS.1));
        Some(call)
    }

    /// The call that a push waits for.
    fn ask_for(&mut self, at: usize, place: usize, now_ms: u64) -> Option<Call> {
        let push = &self.pushes[at];
        if push.waits.is_some_and(|(_, until_ms)| now_ms < until_ms) || now_ms < push.retry_ms {
            return None;
        }
        let asked = self.next_of(at, now_ms)?;
        let kind = asked.0;
        let call = self.call((place, now_ms), asked);
        let push = &mut self.pushes[at];
        push.waits = Some((self.calls, now_ms + PATIENCE_MS.0));
        if kind == Kind::Begin {
            push.offered_ms = Some((now_ms, now_ms));
        }
        Some(call)
    }

    fn next_of(&self, at: usize, now_ms: u64) -> Option<(Kind, Purpose, Request<Sent>)> {
        let push = &self.pushes[at];
        let Some(session) = &push.session else {
            // The pushes of a stream are begun in order.
            let is_first =
                self.pushes[..at].iter().all(|other| other.stream != push.stream || other.session.is_some());
            return is_first
                .then(|| (Kind::Begin, Purpose::Begin(push.id.clone()), self.begin_request(at, now_ms)));
        };
        let path = || SessionPath { stream: push.stream.clone(), session: session.clone() };
        if let (Some(duration_ms), None) = (push.duration_ms, push.end_answered_ms) {
            let ended_ago_ms = now_ms.saturating_sub(push.began_ms + duration_ms);
            let end = EndSession { ended_ago_ms, duration_ms, chunks: push.chunks.len() as u64 };
            return Some((Kind::End, Purpose::End(push.id.clone()), json(path(), &end)));
        }
        let seq = push.acknowledged;
        let chunk = push.chunks.get(seq as usize)?;
        let route = Route::Chunk(ChunkPath { session: path(), seq });
        let mut request = request(&route, media::chunk_of(push.mark, chunk.from_ms, chunk.to_ms));
        let headers = request.headers_mut();
        headers.insert(CHUNK_OFFSET_HEADER, chunk.from_ms.into());
        if chunk.continues {
            headers.insert(CHUNK_CONTINUES_HEADER, 1.into());
        }
        headers.insert(GENERATION_HEADER, text(&chunk.generation.to_string()));
        headers.insert(PUSH_HEADER, text(&push.id));
        Some((Kind::Chunk, Purpose::Chunk(push.id.clone(), seq), request))
    }

    fn begin_request(&self, at: usize, now_ms: u64) -> Request<Sent> {
        let push = &self.pushes[at];
        let after = push.after.as_ref().and_then(|(id, gap_ms)| {
            let before = self.pushes.iter().find(|before| before.id == *id)?;
            Some(After { session: before.session.clone()?, gap_ms: *gap_ms })
        });
        let arguments = push.argument.iter().map(|value| ("record_config".to_owned(), (*value).to_owned()));
        let begin = BeginSession {
            gateway: self.name.clone(),
            boot: self.boot(),
            push: push.id.clone(),
            client: "192.0.2.1:1935".into(),
            arguments: arguments.collect(),
            began_ago_ms: now_ms - push.began_ms,
            after,
            ..BeginSession::default()
        };
        json(push.stream.clone(), &begin)
    }
}

fn json<C: JsonCall>(address: C::Address, body: &C) -> Request<Sent> {
    request(&C::route(address), serde_json::to_vec(body).expect("a call is JSON"))
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("the value is plain text")
}
