//! Receivers of callbacks, by script.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use http::{Request, Response};

use crate::{Receivers as Calls, Unanswered};

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

/// What receivers answer, one reply after the other, and what they were sent. Without replies they are
/// silent.
#[derive(Clone, Debug, Default)]
pub struct Receivers {
    replies: Rc<RefCell<VecDeque<Reply>>>,
    sent: Rc<RefCell<Vec<Request<Vec<u8>>>>>,
    otherwise: Rc<RefCell<Option<Reply>>>,
    paused_ms: Rc<Cell<u64>>,
}

impl Receivers {
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
        self.receivers.sent.borrow_mut().push(request);
        let reply = self.receivers.replies.borrow_mut().pop_front();
        let otherwise = || self.receivers.otherwise.borrow().clone();
        match reply.or_else(otherwise).unwrap_or(Reply::Silent(0)) {
            Reply::Answer(status, body, ms) => {
                self.pass_ms(ms);
                let mut body = body.into_bytes();
                body.truncate(max_bytes);
                let mut answer = Response::new(body);
                *answer.status_mut() = status.try_into().expect("a test should answer with a status");
                Ok(answer)
            }
            Reply::Silent(ms) => {
                self.pass_ms(ms);
                Err(Unanswered { reason: "no answer in time".into(), is_final: false })
            }
            Reply::Denied => Err(Unanswered { reason: "its host is not allowed".into(), is_final: true }),
        }
    }

    async fn pause(&self, ms: u64) {
        self.receivers.paused_ms.set(self.receivers.paused_ms.get() + ms);
        self.pass_ms(ms);
    }
}
