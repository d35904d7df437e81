//! What a real gateway is heard to say, noted as the model's own doings are, and compared with what was sent to it.

use http::{HeaderMap, Request};
use protocol::{
    After, BeginSession, CHUNK_CONTINUES_HEADER, CHUNK_OFFSET_HEADER, ChunkPath, EndSession,
    GENERATION_HEADER, Generation, Heartbeat, Route, SessionAnswer, SessionPath,
};
use serde::de::DeserializeOwned;
use shared::testing::Sent;

use super::engine::MARK;
use super::{Gateway, Purpose, Push, Spooled};
use crate::call::Kind;
use crate::media::frames;
use crate::network::Reply;

/// What was sent is read within this time: a gateway looks every 45 ms. Unit: ms.
const READ_WITHIN_MS: u64 = 100;

/// What was sent is written within this time, which dates the end of a push whose gateway died. Unit: ms.
const WRITTEN_WITHIN_MS: u64 = 300;

impl Gateway {
    pub(super) fn note_call(&mut self, number: u64, at_ms: u64, request: &Request<Sent>) -> Kind {
        let body = &request.body().bytes[..];
        let (kind, purpose) = match Route::parse(request.method(), request.uri().path()) {
            Ok(Route::Admission(_)) => (Kind::Admission, Purpose::Other),
            Ok(Route::Sessions(_)) => (Kind::Begin, self.note_begin(at_ms, &read(body))),
            Ok(Route::Chunk(path)) => (Kind::Chunk, self.note_chunk(&path, request.headers(), body)),
            Ok(Route::End(path)) => (Kind::End, self.note_end(at_ms, &path, &read(body))),
            Ok(Route::Heartbeat) => {
                let beat: Heartbeat = read(body);
                self.last_beat = Some(beat.clone());
                (Kind::Beat, Purpose::Beat(beat.adopted, beat.confirmed))
            }
            other => {
                self.surprises.push(format!("{other:?} is nothing that a gateway asks"));
                (Kind::Admission, Purpose::Other)
            }
        };
        self.purposes.insert(number, purpose);
        kind
    }

    fn note_begin(&mut self, at_ms: u64, begin: &BeginSession) -> Purpose {
        let mark = begin.arguments.get(MARK).and_then(|mark| mark.parse().ok());
        let is_it = |push: &mut Push| Some(push.mark) == mark;
        self.pushes.extend(self.unheard.extract_if(.., is_it));
        let Some(at) = self.pushes.iter().position(|push| Some(push.mark) == mark) else {
            self.surprises.push(format!("{begin:?} is of no push"));
            return Purpose::Other;
        };
        let began_ms = at_ms.saturating_sub(begin.began_ago_ms);
        let after = self.note_after(&self.pushes[at].clone(), began_ms, begin);
        let push = &mut self.pushes[at];
        let is_right = push.of_real.sent.times_ms.is_some_and(|(first_ms, _)| is_soon(began_ms, first_ms));
        if !is_right {
            self.surprises
                .push(format!("{} is told to have begun at {began_ms}: {:?}", push.id, push.of_real.sent));
        }
        if push.of_real.own_id.is_none() {
            push.of_real.own_id = Some(begin.push.clone());
            push.began_ms = began_ms;
        }
        push.boot.clone_from(&begin.boot);
        push.after = after;
        push.offered_ms = Some((at_ms, at_ms));
        Purpose::Begin(push.id.clone())
    }

    /// The push that one says it comes after, and the break between them.
    fn note_after(&mut self, push: &Push, began_ms: u64, begin: &BeginSession) -> Option<(String, u64)> {
        let Some(After { session, gap_ms }) = &begin.after else {
            let is_known = |before: &&Push| {
                let is_it = push.of_real.comes_after.as_ref() == Some(&before.id);
                is_it && before.of_real.own_id.is_some() && before.boot == begin.boot
            };
            if self.pushes.iter().any(|before| is_known(&before)) {
                self.surprises.push(format!("{} does not say which push it comes after", push.id));
            }
            return None;
        };
        let before = self.all().find(|before| before.session.as_ref() == Some(session));
        let ended_ms = began_ms.saturating_sub(*gap_ms);
        let is_right = before.is_some_and(|before| before.may_have_ended(ended_ms));
        let after = before.map(|before| (before.id.clone(), *gap_ms));
        if !is_right {
            let sent = before.map(|before| before.of_real.sent);
            self.surprises.push(format!("{} comes {gap_ms} ms after {after:?}: {sent:?}", push.id));
        }
        after
    }

    fn note_chunk(&mut self, path: &ChunkPath, headers: &HeaderMap, body: &[u8]) -> Purpose {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let spooled = match header(GENERATION_HEADER) {
            Some(_) if headers.contains_key(CHUNK_CONTINUES_HEADER) => {
                Err("is told to go on, and each picture is a keyframe".into())
            }
            Some(generation) => chunk(header(CHUNK_OFFSET_HEADER), generation, body),
            None => Err(format!("is told lost: {}", String::from_utf8_lossy(body))),
        };
        let Some(push) = self.of_session(&path.session) else { return Purpose::Other };
        let (id, mark) = (push.id.clone(), push.mark);
        let seq = path.seq as usize;
        let surprise = match spooled {
            Err(what) => Some(what),
            Ok((spooled, of)) if of == mark => match push.chunks.get(seq) {
                None if push.chunks.len() == seq => {
                    push.effective = push.effective.max(spooled.generation);
                    push.chunks.push(spooled);
                    None
                }
                Some(known) if Spooled { acknowledged_ms: None, ..*known } == spooled => None,
                known => Some(format!("is {spooled:?} after {known:?}")),
            },
            Ok(_) => Some("has another push's pictures".into()),
        };
        if let Some(what) = surprise {
            self.surprises.push(format!("chunk {seq} of {id} {what}"));
        }
        Purpose::Chunk(id, path.seq)
    }

    fn note_end(&mut self, at_ms: u64, path: &SessionPath, end: &EndSession) -> Purpose {
        let Some(push) = self.of_session(path) else { return Purpose::Other };
        let ended_ms = at_ms.saturating_sub(end.ended_ago_ms);
        let is_right = push.may_have_ended(ended_ms);
        let is_its_own = (push.began_ms + end.duration_ms).abs_diff(ended_ms) <= READ_WITHIN_MS;
        let is_as_before = push.of_real.told_chunks.is_none_or(|told| told == end.chunks);
        push.duration_ms = Some(end.duration_ms);
        push.of_real.told_chunks = Some(end.chunks);
        let id = push.id.clone();
        if !is_right || !is_its_own || !is_as_before {
            let surprise = format!("{id} is told to have ended at {ended_ms}: {end:?} of {push:?}");
            self.surprises.push(surprise);
        }
        Purpose::End(id)
    }

    fn of_session(&mut self, path: &SessionPath) -> Option<&mut Push> {
        let found = self.pushes.iter().position(|push| push.session.as_ref() == Some(&path.session));
        if found.is_none() {
            self.surprises.push(format!("{path} is of no push"));
        }
        self.pushes.get_mut(found?)
    }

    pub(super) fn note_answer(&mut self, purpose: &Purpose, reply: Reply, now_ms: u64) {
        match purpose {
            Purpose::Other => {}
            Purpose::Begin(id) => {
                let Some(answer) = self.parse::<SessionAnswer>(reply).ok().flatten() else { return };
                let Some(push) = self.push(id) else { return };
                push.session = Some(answer.session);
                push.offered_ms = push.offered_ms.map(|(asked_ms, _)| (asked_ms, now_ms));
            }
            Purpose::Chunk(id, seq) => {
                let is_taken = self.parse::<serde_json::Value>(reply).is_ok_and(|answer| answer.is_some());
                let Some(push) = self.push(id).filter(|_| is_taken) else { return };
                push.acknowledged = push.acknowledged.max(seq + 1);
                if let Some(chunk) = push.chunks.get_mut(*seq as usize) {
                    chunk.acknowledged_ms.get_or_insert(now_ms);
                }
            }
            Purpose::End(id) => {
                let is_taken = self.parse::<serde_json::Value>(reply).is_ok_and(|answer| answer.is_some());
                if let Some(push) = self.push(id).filter(|_| is_taken) {
                    push.end_answered_ms = Some(now_ms);
                }
            }
            Purpose::Beat(adopted, _) => {
                if !self.parse::<serde_json::Value>(reply).is_ok_and(|answer| answer.is_some()) {
                    return;
                }
                self.heard_ms.push(now_ms);
                for push in &mut self.pushes {
                    push.adoption_is_told |=
                        push.session.as_ref().is_some_and(|session| adopted.contains(session));
                }
            }
        }
    }
}

impl Push {
    /// Whether the last picture that was kept may be of this moment. A gateway that died may have lost some of the last ones.
    fn may_have_ended(&self, at_ms: u64) -> bool {
        let Some((first_ms, last_ms)) = self.of_real.sent.times_ms else { return false };
        // Where a gateway died, what was written last dates the end: nothing is, of what is not recorded.
        let cut_short = self.of_real.is_cut_short;
        let earliest_ms = if cut_short { first_ms } else { last_ms - 1_000 * self.of_real.tail };
        (earliest_ms..=last_ms + WRITTEN_WITHIN_MS).contains(&at_ms)
    }
}

/// What a chunk holds, and which push its pictures are of.
fn chunk(offset: Option<&str>, generation: &str, body: &[u8]) -> Result<(Spooled, u32), String> {
    let generation: Generation =
        generation.parse().map_err(|_| format!("has the generation {generation:?}"))?;
    let offset_ms: u64 = offset.and_then(|offset| offset.parse().ok()).ok_or("has no offset")?;
    let pictures = frames(body);
    let Some(((mark, first_ms), (_, last_ms))) = pictures.first().zip(pictures.last()) else {
        return Err("has no picture".into());
    };
    let expected = (*first_ms..=*last_ms).step_by(1_000).map(|at_ms| (*mark, at_ms));
    if !expected.eq(pictures.iter().copied()) || offset_ms.abs_diff(*first_ms) > READ_WITHIN_MS {
        return Err(format!("at {offset_ms} ms has the pictures {pictures:?}"));
    }
    let (from_ms, to_ms) = (*first_ms, *last_ms + 1_000);
    Ok((Spooled { from_ms, to_ms, generation, continues: false, acknowledged_ms: None }, *mark))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).expect("a gateway says what the contract has")
}

/// Whether what was sent at one time was read at the other one.
fn is_soon(read_ms: u64, sent_ms: u64) -> bool {
    (sent_ms..=sent_ms + READ_WITHIN_MS).contains(&read_ms)
}
