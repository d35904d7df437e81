//! What the functions want of a push, and from when.

use std::time::Duration;

use protocol::{ChunkPolicy, Generation, Order};
use tokio::sync::watch;
use tokio::time::Instant;

/// What is lost where ages are told in whole milliseconds, and more.
const ROUNDING: Duration = Duration::from_millis(10);

/// What the functions want of a push.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    /// How to cut it.
    pub(crate) chunk: ChunkPolicy,
    /// What to record; `None` until the functions have answered, and all is spooled.
    pub(crate) schedule: Option<Schedule>,
    /// The push is to end, and why, for its publisher.
    pub(crate) denied: Option<String>,
}

/// An order, with the moment from which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timed {
    pub(crate) generation: Generation,
    pub(crate) record: bool,
    pub(crate) at: Instant,
}

/// The orders of a push, by generation.
///
/// An order never changes: when it holds from is reckoned once, by the answer that first told it. One of a later
/// generation that holds from an earlier moment makes it void.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    orders: Vec<Timed>,
}

/// When an answer was asked for and came, and when the push began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    pub(crate) sent: Instant,
    pub(crate) received: Instant,
    pub(crate) began: Instant,
}

impl Schedule {
    /// Adds the orders that are not known yet.
    pub(crate) fn add(&mut self, orders: &[Order], answered: Answered) {
        for order in orders {
            if let Err(at) = self.orders.binary_search_by_key(&order.generation, |known| known.generation) {
                let Order { generation, record, .. } = *order;
                self.orders.insert(at, Timed { generation, record, at: moment(order, answered) });
            }
        }
    }

    /// The order that holds at a moment.
    pub(crate) fn at(&self, moment: Instant) -> Option<Timed> {
        self.orders.iter().rev().find(|order| order.at <= moment).copied()
    }

    /// The orders after a generation that held at a moment or before, in order.
    pub(crate) fn passed(&self, after: Generation, moment: Instant) -> impl Iterator<Item = Timed> {
        self.orders.iter().filter(move |order| order.generation > after && order.at <= moment).copied()
    }

    /// When the next order after this generation holds from.
    pub(crate) fn next(&self, after: Generation) -> Option<Instant> {
        self.orders.iter().filter(|order| order.generation > after).map(|order| order.at).min()
    }

    /// Whether anything between two moments is to be recorded.
    pub(crate) fn wants(&self, from: Instant, to: Instant) -> bool {
        let edges = self.orders.iter().map(|order| order.at).filter(|at| (from..=to).contains(at));
        edges.chain([from]).any(|moment| self.at(moment).is_some_and(|order| order.record))
    }
}

/// From when an order holds.
///
/// The functions say how old it was when they answered, which was at any time between the call and its answer. An order
/// that may be as old as the push is: it was given with the begin.
fn moment(order: &Order, answered: Answered) -> Instant {
    let Answered { sent, received, began } = answered;
    let age = Duration::from_millis(order.age_ms.unwrap_or_default());
    let earliest = sent.checked_sub(age + ROUNDING);
    match order.in_ms {
        Some(in_ms) => received.checked_add(Duration::from_millis(in_ms)).unwrap_or(received),
        None if earliest.is_none_or(|earliest| earliest <= began) => began,
        None => received.checked_sub(age).unwrap_or(began),
    }
}

/// Tells a push's recorder what the functions want.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrdersSender {
    orders: watch::Sender<Orders>,
}

impl OrdersSender {
    /// Takes an answer; the recorder is woken if it says something new.
    pub(crate) fn send(&self, chunk: ChunkPolicy, orders: &[Order], answered: Answered) {
        self.orders.send_if_modified(|current| {
            let mut schedule = current.schedule.clone().unwrap_or_default();
            schedule.add(orders, answered);
            let is_changed = current.chunk != chunk || current.schedule.as_ref() != Some(&schedule);
            (current.chunk, current.schedule) = (chunk, Some(schedule));
            is_changed
        });
    }

    /// The push is to end.
    pub(crate) fn deny(&self, reason: String) {
        self.orders.send_modify(|current| current.denied = Some(reason));
    }

    /// What was sent last.
    pub(super) fn now(&self) -> Orders {
        self.orders.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Orders> {
        self.orders.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(generation: &str, record: bool, age_ms: Option<u64>, in_ms: Option<u64>) -> Order {
        Order { generation: generation.parse().unwrap(), record, age_ms, in_ms }
    }

    /// A schedule of orders that were answered 2 s after the begin, asked for 1 s after it.
    fn schedule(orders: &[Order]) -> (Schedule, impl Fn(u64) -> Instant + use<>) {
        let began = Instant::now();
        let after = move |ms| began + Duration::from_millis(ms);
        let mut schedule = Schedule::default();
        schedule.add(orders, Answered { sent: after(1_000), received: after(2_000), began });
        (schedule, after)
    }

    #[test]
    fn an_order_given_with_the_begin_holds_from_it_however_slow_the_answer_was() {
        for age_ms in [990, 1_000, 1_400, 2_000, 9_000] {
            let (schedule, after) = schedule(&[order("1.0", true, Some(age_ms), None)]);
            assert_eq!(schedule.at(after(0)).map(|order| order.record), Some(true), "{age_ms}");
        }
        let (schedule, after) = schedule(&[order("1.0", true, Some(300), None)]);
        assert_eq!(schedule.at(after(1_699)), None);
        assert!(schedule.at(after(1_700)).is_some());
    }

    #[test]
    fn edges_of_a_window_hold_by_themselves_and_a_later_order_makes_them_void() {
        let window = [order("1.1", true, None, Some(3_000)), order("2.2", false, None, Some(7_000))];
        let (mut schedule, after) = schedule(&window);
        let generation = |text: &str| text.parse().unwrap();
        assert_eq!(schedule.next(generation("0.0")), Some(after(5_000)));
        assert_eq!(schedule.next(generation("1.1")), Some(after(9_000)));
        assert!(!schedule.wants(after(0), after(4_999)) && schedule.wants(after(0), after(5_000)));
        assert!(schedule.wants(after(8_999), after(20_000)) && !schedule.wants(after(9_000), after(20_000)));
        // A stop in between, given 100 ms before it was told at 6 s.
        let stop = [window[0], window[1], order("3.2", false, Some(100), None)];
        schedule.add(&stop, Answered { sent: after(5_990), received: after(6_000), began: after(0) });
        assert_eq!(schedule.at(after(20_000)).map(|order| order.generation), Some(generation("3.2")));
        let passed: Vec<_> = schedule.passed(generation("1.1"), after(6_000)).collect();
        assert_eq!(passed.iter().map(|order| order.generation).collect::<Vec<_>>(), [generation("3.2")]);
        assert_eq!(schedule.next(generation("3.2")), None);
    }
}
