//! A real gateway in the place of the model: what it is heard to say is noted as the model's own doings are.

use super::engine::{Asked, Engine, Loss, Sent};
use super::{Gateway, Push};
use crate::call::{Ask, Call};
use crate::network::Reply;

/// A publisher that has not been let in after so long never will be. Unit: ms.
const LET_IN_MS: u64 = 60_000;

impl Gateway {
    /// Has a real gateway in its place, if there is one.
    pub(crate) fn become_real(&mut self, engine: Option<Box<dyn Engine>>) {
        self.engine = engine;
    }

    /// Lets a real gateway run up to a moment, and answers what it calls.
    pub(super) fn step_real(&mut self, place: usize, now_ms: u64) -> Vec<Call> {
        let Some(engine) = &mut self.engine else { return Vec::new() };
        let asked = engine.run_until(now_ms);
        self.note_publishers(now_ms);
        let mut calls = Vec::new();
        for Asked { number, at_ms, request } in asked {
            let kind = self.note_call(number, at_ms, &request);
            if self.is_cut_off {
                self.purposes.remove(&number);
                // The line is down, or nothing comes back over it.
                if number.is_multiple_of(2) {
                    self.close(number);
                }
            } else {
                calls.push(Call {
                    kind,
                    ask: Ask::Route(request),
                    from: Some((place, number)),
                    asked_ms: now_ms,
                });
            }
        }
        calls
    }

    /// Hands a reply to a real gateway; an answer that nobody waits for any more counts for nothing.
    pub(super) fn reply_real(&mut self, call: u64, reply: Reply, now_ms: u64) {
        let Some(purpose) = self.purposes.remove(&call) else { return };
        let reply = reply.filter(|_| !self.is_cut_off);
        let is_heard = self.engine.as_mut().is_some_and(|engine| engine.reply(call, reply.clone()));
        if is_heard {
            self.note_answer(&purpose, reply, now_ms);
        }
    }

    fn close(&mut self, call: u64) {
        if let Some(engine) = &mut self.engine {
            engine.reply(call, None);
        }
    }

    /// The publisher of a push leaves.
    pub(super) fn end_real(&mut self, push: &str, now_ms: u64) {
        let Some(engine) = &mut self.engine else { return };
        let Some(push) = self.pushes.iter_mut().find(|known| known.id == push && known.is_live()) else {
            return;
        };
        engine.unpublish(push.mark);
        push.note_sent(engine.sent(push.mark));
        push.finish_real(now_ms);
        self.forget_unheard();
    }

    /// Pushes of which the functions have not heard and may never hear: no picture of theirs may have been kept.
    fn forget_unheard(&mut self) {
        let may_be_nothing = |push: &mut Push| {
            let kept = push.of_real.sent.pictures.saturating_sub(push.of_real.tail);
            !push.is_live() && push.of_real.own_id.is_none() && kept == 0
        };
        self.unheard.extend(self.pushes.extract_if(.., may_be_nothing));
    }

    /// A real gateway dies and starts again. Its pushes are over.
    pub(super) fn restart_real(&mut self, now_ms: u64, loss: &Loss) {
        let Some(engine) = &mut self.engine else { return };
        for push in self.pushes.iter_mut().filter(|push| push.is_live()) {
            push.note_sent(engine.sent(push.mark));
            push.finish_real(now_ms);
            push.of_real.is_cut_short = true;
        }
        engine.restart(now_ms, loss);
        let loses = u64::from(*loss != Loss::Nothing);
        // What was sent in this second may not have been read.
        for push in self.pushes.iter_mut().filter(|push| push.of_real.left_ms == Some(now_ms)) {
            push.of_real.tail = loses;
        }
        self.forget_unheard();
    }

    /// What the publishers have sent, and which of them the gateway has sent away.
    fn note_publishers(&mut self, now_ms: u64) {
        let Some(engine) = &self.engine else { return };
        for push in self.pushes.iter_mut().filter(|push| push.is_live()) {
            let sent = engine.sent(push.mark);
            push.note_sent(sent);
            if sent.is_sent_away {
                push.finish_real(now_ms);
                self.surprises.push(format!("it has sent the publisher of {} away: {sent:?}", push.id));
            } else if sent.pictures == 0 && now_ms > push.began_ms + LET_IN_MS {
                self.surprises.push(format!("it has not let the publisher of {} in", push.id));
            }
        }
        self.forget_unheard();
    }

    /// What a real gateway still has to tell, or keeps, though all is told and sent.
    pub(crate) fn unsettled(&self) -> Option<String> {
        let spooled = self.engine.as_ref()?.spooled();
        if !spooled.is_empty() {
            return Some(format!("its spool still holds {spooled:?}"));
        }
        let told = self.last_beat.as_ref()?;
        let is_settled = told.adopted.is_empty() && told.holds.is_empty() && told.confirmed.is_empty();
        (!is_settled || told.told_ms > 0).then(|| format!("it still tells {told:?}"))
    }
}

impl Push {
    fn note_sent(&mut self, sent: Sent) {
        if sent.pictures > 0 && self.of_real.sent.pictures == 0 && self.of_real.own_id.is_none() {
            self.began_ms = sent.times_ms.map_or(self.began_ms, |(first_ms, _)| first_ms);
        }
        self.of_real.sent = sent;
    }

    /// Its publisher has left.
    fn finish_real(&mut self, now_ms: u64) {
        let ended_ms = self.of_real.sent.times_ms.map_or(self.began_ms, |(_, last_ms)| last_ms);
        self.duration_ms = Some(ended_ms.saturating_sub(self.began_ms));
        self.of_real.left_ms = Some(now_ms);
        self.is_recording = false;
    }
}
