//! Which actor goes on, and how its next operation ends.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// How an operation ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It is applied, and its caller is answered.
    #[default]
    Applied,
    /// It is not applied, and its caller is told of a failure.
    Refused,
    /// It is applied, and its caller is told of a failure.
    ReplyLost,
}

/// What happens next. Each number is a place among the actors still under way.
///
/// An actor's first step leads to its first operation; a fault can only hit the steps after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This actor goes on by one operation.
    Run(usize),
    /// This actor goes on; its operation ends so.
    Fail(usize, Outcome),
    /// This actor crashes, and its operation is not applied.
    CrashBefore(usize),
    /// This actor's operation is applied, and the actor crashes without having seen the reply.
    CrashAfter(usize),
}

/// A future that waits for nothing but its turn.
pub type Actor<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// One operation, as [`Scheduler::take_seen`] tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether it may change what it is about.
    pub writes: bool,
    /// What it is about: a key, or the name of an object.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// Runs actors, one operation at a time. Whatever has operations (a store, a bucket, a clock) holds a clone, and
/// calls [`point`](Scheduler::point) before each of them.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    next: Rc<Cell<Outcome>>,
    is_waiting: Rc<Cell<bool>>,
    seen: Rc<RefCell<Option<Vec<Seen>>>>,
}

impl Scheduler {
    /// Lets other actors go first, and tells how the operation that follows ends.
    pub async fn point(&self) -> Outcome {
        let mut waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            // So that an ordinary executor can run an actor alone.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.next.take()
    }

    /// Like [`point`](Self::point), for an actor that cannot go on until something outside changes; see
    /// [`step`](Self::step).
    pub async fn wait(&self) {
        self.is_waiting.set(true);
        self.point().await;
    }

    /// Lets an actor go on by one operation, which ends so; also answers whether it [waits](Self::wait).
    pub fn step<T>(&self, actor: &mut Actor<'_, T>, outcome: Outcome) -> (Poll<T>, bool) {
        self.next.set(outcome);
        self.is_waiting.set(false);
        let polled = actor.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.next.set(Outcome::Applied);
        (polled, self.is_waiting.get())
    }

    /// Keeps what operations are [seen](Self::see) from now on.
    pub fn watch(&self) {
        *self.seen.borrow_mut() = Some(Vec::new());
    }

    /// The operations since the last call of this, if they are [watched](Self::watch).
    #[must_use]
    pub fn take_seen(&self) -> Vec<Seen> {
        self.seen.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Tells of an operation.
    pub fn see(&self, writes: bool, name: &str, outcome: Outcome) {
        if let Some(seen) = &mut *self.seen.borrow_mut() {
            seen.push(Seen { writes, name: name.into(), outcome });
        }
    }

    /// Runs actors to their end, or to their crash (none), as `next` chooses among those still under way, whose
    /// number it is given.
    pub fn run<T>(&self, actors: Vec<Actor<'_, T>>, mut next: impl FnMut(usize) -> Step) -> Vec<Option<T>> {
        let mut results: Vec<Option<T>> = actors.iter().map(|_| None).collect();
        let mut under_way: Vec<_> = actors.into_iter().enumerate().collect();
        while !under_way.is_empty() {
            let (at, outcome, crash) = match next(under_way.len()) {
                Step::Run(at) => (at, Outcome::Applied, false),
                Step::Fail(at, outcome) => (at, outcome, false),
                Step::CrashAfter(at) => (at, Outcome::Applied, true),
                Step::CrashBefore(at) => {
                    drop(under_way.remove(at));
                    continue;
                }
            };
            let (number, actor) = &mut under_way[at];
            let (polled, _) = self.step(actor, outcome);
            if crash {
                drop(under_way.remove(at));
            } else if let Poll::Ready(result) = polled {
                results[*number] = Some(result);
                drop(under_way.remove(at));
            }
        }
        results
    }
}

/// Runs one actor alone, without a fault.
///
/// The actor must wait for nothing but scheduling points.
pub fn run<T>(actor: impl Future<Output = T>) -> T {
    let mut actor = std::pin::pin!(actor);
    loop {
        if let Poll::Ready(result) = actor.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}

/// Runs `scenario` once for each schedule of its actors there is, without faults; answers how many there were.
pub fn every_schedule(mut scenario: impl FnMut(&mut dyn FnMut(usize) -> Step)) -> usize {
    // The choices of the last run, each with how many there were to choose from.
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut schedules = 0;
    loop {
        let mut depth = 0;
        scenario(&mut |under_way| {
            if depth == path.len() {
                path.push((0, under_way));
            }
            depth += 1;
            Step::Run(path[depth - 1].0)
        });
        schedules += 1;
        while path.last().is_some_and(|&(choice, choices)| choice + 1 == choices) {
            path.pop();
        }
        match path.last_mut() {
            Some((choice, _)) => *choice += 1,
            None => return schedules,
        }
    }
}
