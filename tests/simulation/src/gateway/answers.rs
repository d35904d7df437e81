//! What a gateway does with answers.

use protocol::{Confirmed, HeartbeatAnswer, Problem, SessionAnswer, conflict};
use serde::de::DeserializeOwned;

use super::{Gateway, Purpose, Push};
use crate::network::Reply;

/// Where the user's bucket refuses it is tried again this often.
const MINUTE_MS: u64 = 60_000;

/// The longest wait before another try after anything else.
const LONGEST_MS: u64 = 5_000;

impl Gateway {
    /// A call has been answered, or has died. An answer that comes too late counts for nothing.
    pub fn reply(&mut self, call: u64, reply: Reply, now_ms: u64) {
        if self.engine.is_some() {
            return self.reply_real(call, reply, now_ms);
        }
        let Some(purpose) = self.purposes.remove(&call) else { return };
        let reply = reply.filter(|_| !self.is_cut_off);
        match purpose {
            Purpose::Begin(id) => self.take_offer(&id, call, reply, now_ms),
            Purpose::Chunk(id, seq) => {
                let is_taken = self.read::<serde_json::Value>(&id, call, reply, now_ms).is_some();
                if let Some(push) = self.push(&id)
                    && is_taken
                {
                    push.acknowledged = push.acknowledged.max(seq + 1);
                    push.chunks[seq as usize].acknowledged_ms = Some(now_ms);
                }
            }
            Purpose::End(id) => {
                let is_taken = self.read::<serde_json::Value>(&id, call, reply, now_ms).is_some();
                let Some(push) = self.push(&id).filter(|_| is_taken) else { return };
                push.end_answered_ms = Some(now_ms);
                let session = push.session.clone();
                self.holds.retain(|held| Some(held) != session.as_ref());
                self.confirmed.retain(|confirmed| Some(&confirmed.session) != session.as_ref());
            }
            Purpose::Beat(adopted, confirmed) => self.take_changes(call, reply, &adopted, &confirmed, now_ms),
            Purpose::Other => {}
        }
    }

    pub(super) fn push(&mut self, id: &str) -> Option<&mut Push> {
        self.pushes.iter_mut().find(|push| push.id == id)
    }

    fn take_offer(&mut self, id: &str, call: u64, reply: Reply, now_ms: u64) {
        let Some(answer) = self.read::<SessionAnswer>(id, call, reply, now_ms) else { return };
        let Some(push) = self.push(id) else { return };
        push.session = Some(answer.session.clone());
        push.offered_ms = push.offered_ms.map(|(asked_ms, _)| (asked_ms, now_ms));
        push.take_orders(answer.orders, now_ms);
        self.adopted.push(answer.session);
    }

    fn take_changes(
        &mut self,
        call: u64,
        reply: Reply,
        adopted: &[String],
        confirmed: &[Confirmed],
        now_ms: u64,
    ) {
        if self.beat.is_none_or(|(waited, _)| waited != call) {
            return;
        }
        self.beat = None;
        let Some(answer) = self.parse::<HeartbeatAnswer>(reply).ok().flatten() else { return };
        self.heard_ms.push(now_ms);
        self.since = Some(answer.since);
        self.adopted.retain(|session| !adopted.contains(session));
        self.confirmed.retain(|known| !confirmed.contains(known));
        for push in &mut self.pushes {
            push.adoption_is_told |= push.session.as_ref().is_some_and(|session| adopted.contains(session));
        }
        for change in answer.sessions {
            let is_of = |push: &&mut Push| push.session.as_ref() == Some(&change.session) && push.is_live();
            if let Some(push) = self.pushes.iter_mut().find(is_of) {
                push.take_orders(change.orders, now_ms);
            }
        }
    }

    /// What an answer 200 to a push's call says; otherwise the push waits a little.
    fn read<T: DeserializeOwned>(&mut self, id: &str, call: u64, reply: Reply, now_ms: u64) -> Option<T> {
        let push = self.push(id)?;
        if push.waits.is_none_or(|(waited, _)| waited != call) {
            return None;
        }
        push.waits = None;
        let parsed = self.parse(reply);
        let push = self.push(id)?;
        let wait_ms = match &parsed {
            Ok(Some(_)) => {
                push.failures = 0;
                0
            }
            Ok(None) => (1_000_u64 << push.failures.min(3)).min(LONGEST_MS),
            Err(()) => MINUTE_MS,
        };
        push.retry_ms = now_ms + wait_ms;
        push.failures += u32::from(wait_ms > 0);
        parsed.ok().flatten()
    }

    /// What an answer says: none where it has to be asked again, an error where that has time for a minute. A problem
    /// that trying again does not mend is a surprise.
    pub(super) fn parse<T: DeserializeOwned>(&mut self, reply: Reply) -> Result<Option<T>, ()> {
        let Some(answer) = reply else { return Ok(None) };
        if answer.status().is_success() {
            return Ok(Some(
                serde_json::from_str(answer.body()).expect("an answer 200 is what the contract says"),
            ));
        }
        let problem: Problem = serde_json::from_str(answer.body()).expect("every error is a problem");
        match (answer.status().as_u16(), problem.code.as_str()) {
            (503, _) => Ok(None),
            (409, conflict::BEFORE) => {
                self.told_before += 1;
                Ok(None)
            }
            // Another spool was heard by this name a moment ago.
            (409, conflict::BOOT) if self.spool > 0 => {
                self.told_boot += 1;
                Ok(None)
            }
            (424, _) => {
                self.told_refused += 1;
                Err(())
            }
            (status, code) => {
                self.surprises.push(format!("{status} {code}: {}", problem.message));
                Ok(None)
            }
        }
    }
}
