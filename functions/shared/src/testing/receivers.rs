//! Receivers of callbacks, by script.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use http::{Request, Response};
use store::memory::{Outcome, Scheduler};

use crate::{Clock as _, Receivers as Calls, Unanswered};

use super::World;

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It answers with a status and a body, after so many milliseconds.
    Answer(u16, String, u64),
    /// It does not answer, which takes so many milliseconds.
    Silent(u64),
    /// The host does not let the request go out.
    Denied,
}

/// The status that a receiver answered a request with, in the request's extensions; none where it answered nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered(pub Option<u16>);

/// A call of a receiver that hangs is given up after so long. Unit: ms.
const PATIENCE_MS: u64 = 10_000;

/// What receivers answer, one reply after the other, and what they were sent. Without replies they are
/// silent.
#[derive(Clone, Debug, Default)]
pub struct Receivers {
    replies: Rc<RefCell<VecDeque<Reply>>>,
    sent: Rc<RefCell<Vec<Request<Vec<u8>>>>>,
    otherwise: Rc<RefCell<Option<Reply>>>,
    paused_ms: Rc<Cell<u64>>,
    scheduler: Rc<RefCell<Option<Scheduler>>>,
    hangs: Rc<Cell<bool>>,
}

impl Receivers {
    /// Makes each call a point of a scheduler, at which another actor may go first, the caller may die, or the call may
    /// fail.
    pub fn schedule(&self, scheduler: Scheduler) {
        *self.scheduler.borrow_mut() = Some(scheduler);
    }

    /// Whether receivers take calls and do not answer for now, where calls are scheduled.
    pub fn hang(&self, hangs: bool) {
        self.hangs.set(hangs);
    }

    /// Adds a reply.
    pub fn reply(&self, reply: Reply) {
        self.replies.borrow_mut().push_back(reply);
    }

    /// Says what is done without a reply.
    pub fn otherwise(&self, reply: Reply) {
        *self.otherwise.borrow_mut() = Some(reply);
    }

    /// What was sent since it was taken last.
    #[must_use]
    pub fn sent(&self) -> std::cell::Ref<'_, Vec<Request<Vec<u8>>>> {
        self.sent.borrow()
    }

    /// Forgets replies that nobody has asked for.
    pub fn clear(&self) {
        self.replies.borrow_mut().clear();
    }

    /// Takes what was sent since.
    #[must_use]
    pub fn take_sent(&self) -> Vec<Request<Vec<u8>>> {
        self.sent.take()
    }

    /// For how long functions have waited in all. Unit: ms.
    #[must_use]
    pub fn paused_ms(&self) -> u64 {
        self.paused_ms.get()
    }
}

impl Calls for World {
    async fn call(
        &self,
        request: Request<Vec<u8>>,
        max_bytes: usize,
    ) -> Result<Response<Vec<u8>>, Unanswered> {
        let lost = || Unanswered { reason: "no answer in time".into(), is_final: false };
        let outcome = self.reach_receiver().await;
        if outcome == Outcome::Refused {
            return Err(Unanswered { reason: "the connection was refused".into(), is_final: false });
        }
        let place = self.receivers.sent.borrow().len();
        self.receivers.sent.borrow_mut().push(request);
        let answered = |status| {
            if let Some(sent) = self.receivers.sent.borrow_mut().get_mut(place) {
                sent.extensions_mut().insert(Answered(status));
            }
        };
        answered(None);
        let scheduler = self.receivers.scheduler.borrow().clone();
        if let Some(scheduler) = scheduler.filter(|_| self.receivers.hangs.get()) {
            let until_ms = self.now_ms() + PATIENCE_MS;
            while self.receivers.hangs.get() && self.now_ms() < until_ms {
                scheduler.wait().await;
            }
            return Err(lost());
        }
        let reply = self.receivers.replies.borrow_mut().pop_front();
        let otherwise = || self.receivers.otherwise.borrow().clone();
        match reply.or_else(otherwise).unwrap_or(Reply::Silent(0)) {
            Reply::Answer(status, body, ms) => {
                self.pass_ms(ms);
                answered(Some(status));
                if outcome == Outcome::ReplyLost {
                    return Err(lost());
                }
                let mut body = body.into_bytes();
                body.truncate(max_bytes);
                let mut answer = Response::new(body);
                *answer.status_mut() = status.try_into().expect("a test should answer with a status");
                Ok(answer)
            }
            Reply::Silent(ms) => {
                self.pass_ms(ms);
                Err(lost())
            }
            Reply::Denied => Err(Unanswered { reason: "its host is not allowed".into(), is_final: true }),
        }
    }

    async fn pause(&self, ms: u64) {
        self.receivers.paused_ms.set(self.receivers.paused_ms.get() + ms);
        self.pass_ms(ms);
    }
}

impl World {
    /// How a call of a receiver ends, as the scheduler has it.
    async fn reach_receiver(&self) -> Outcome {
        let scheduler = self.receivers.scheduler.borrow().clone();
        let Some(scheduler) = scheduler else { return Outcome::Applied };
        let outcome = scheduler.point().await;
        scheduler.see(true, "receiver", outcome);
        outcome
    }
}
