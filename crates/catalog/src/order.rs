//! Orders: what is to be recorded of a push, and from when.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rule::{Mode, Rule};

/// How many orders a gateway knew of when it cut a chunk, and how many of them begin a new file.
///
/// Written `{orders}.{files}`; `0.0` is what was cut before any answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Generation {
    /// How many orders.
    pub orders: u32,
    /// How many of them begin a new file.
    pub files: u32,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.orders, self.files)
    }
}

/// What an order is given for: it decides whether a new file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The rule records the push from its begin.
    Begin,
    /// The rule's window opens.
    WindowStart,
    /// The rule's window ends.
    WindowEnd,
    /// Command `start`.
    Start,
    /// Command `stop`: a pause, and from its last frame on a break like any other.
    Stop,
    /// Command `cancel_delay`: the stop before it closes the file at once.
    CancelDelay,
    /// Command `restart`: close the file and go on in a new one.
    Restart,
}

impl Cause {
    /// Whether slices are wanted from this order on; `None` where it leaves that as it is.
    #[must_use]
    pub fn record(self) -> Option<bool> {
        match self {
            Self::Begin | Self::WindowStart | Self::Start | Self::Restart => Some(true),
            Self::WindowEnd | Self::Stop => Some(false),
            Self::CancelDelay => None,
        }
    }

    /// Whether an order for it holds as soon as it is given; an edge of a window may be still to come.
    pub(crate) fn holds_at_once(self) -> bool {
        match self {
            Self::Begin | Self::Start | Self::Stop | Self::CancelDelay | Self::Restart => true,
            Self::WindowStart | Self::WindowEnd => false,
        }
    }

    /// Whether what comes after the order is in another file than what came before.
    #[must_use]
    pub fn begins_file(self) -> bool {
        match self {
            Self::Begin | Self::Start | Self::Stop => false,
            Self::WindowStart | Self::WindowEnd | Self::CancelDelay | Self::Restart => true,
        }
    }
}

/// One order of a session. An order never changes and is never taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its own generation: that of the order before it and one more.
    pub generation: Generation,
    /// Why it was given.
    pub cause: Cause,
    /// Whether slices are wanted from it on.
    pub record: bool,
    /// When it takes effect by the functions' clock, Unix milliseconds.
    pub at_ms: u64,
}

/// The order after `before`, by a cause.
#[must_use]
pub fn next(before: Option<&Order>, cause: Cause, at_ms: u64) -> Order {
    let (generation, record) =
        before.map_or((Generation::default(), false), |before| (before.generation, before.record));
    Order {
        generation: Generation {
            orders: generation.orders + 1,
            files: generation.files + u32::from(cause.begins_file()),
        },
        cause,
        record: cause.record().unwrap_or(record),
        at_ms,
    }
}

/// The orders that a push begins with: by its rule alone, the coming edges of a window included, so that they
/// hold also while no function answers.
///
/// `wanted` is what the on-demand URL or the push's argument said, for rules that ask one of them.
#[must_use]
pub fn initial(rule: &Rule, wanted: bool, began_ms: u64) -> Vec<Order> {
    let automatic = match rule.mode {
        Mode::Automatic => true,
        Mode::OnDemand | Mode::PushArgument => wanted,
        Mode::Manual => false,
    };
    let ms = |seconds: u64| seconds.saturating_mul(1_000);
    let start_ms = rule.window_start.map_or(0, ms);
    let end_ms = rule.window_end.map_or(u64::MAX, ms);
    if !automatic || began_ms >= end_ms || start_ms >= end_ms {
        return Vec::new();
    }
    let (cause, at_ms) =
        if began_ms < start_ms { (Cause::WindowStart, start_ms) } else { (Cause::Begin, began_ms) };
    let first = next(None, cause, at_ms);
    let mut orders = vec![first];
    if end_ms != u64::MAX {
        orders.push(next(Some(&first), Cause::WindowEnd, end_ms));
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(mode: Mode, window: Option<(u64, u64)>) -> Rule {
        Rule {
            endpoint: "e".into(),
            bucket: "b".into(),
            delay_seconds: 180,
            formats: Vec::new(),
            mode,
            window_start: window.map(|window| window.0),
            window_end: window.map(|window| window.1),
        }
    }

    /// Generations, whether to record, and when, of the orders that a push begins with at 5 s.
    fn check(mode: Mode, window: Option<(u64, u64)>, wanted: bool, expected: &[(&str, bool, u64)]) {
        let orders = initial(&rule(mode, window), wanted, 5_000);
        let found: Vec<_> =
            orders.iter().map(|order| (order.generation.to_string(), order.record, order.at_ms)).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(generation, record, at)| ((*generation).to_owned(), *record, *at))
            .collect();
        assert_eq!(found, expected, "{mode:?} {window:?} {wanted}");
    }

    #[test]
    fn a_push_begins_with_what_its_rule_says() {
        check(Mode::Automatic, None, false, &[("1.0", true, 5_000)]);
        check(Mode::Manual, None, true, &[]);
        check(Mode::OnDemand, None, false, &[]);
        check(Mode::OnDemand, None, true, &[("1.0", true, 5_000)]);
        check(Mode::PushArgument, None, true, &[("1.0", true, 5_000)]);
    }

    #[test]
    fn a_window_gives_its_coming_edges_with_the_begin() {
        check(Mode::Automatic, Some((1, 9)), false, &[("1.0", true, 5_000), ("2.1", false, 9_000)]);
        check(Mode::Automatic, Some((7, 9)), false, &[("1.1", true, 7_000), ("2.2", false, 9_000)]);
        check(Mode::Automatic, Some((1, 5)), false, &[]);
        check(Mode::Automatic, Some((5, 9)), false, &[("1.0", true, 5_000), ("2.1", false, 9_000)]);
        check(Mode::Manual, Some((1, 9)), false, &[]);
    }

    #[test]
    fn commands_count_orders_and_those_that_close_files() {
        let start = next(None, Cause::Start, 1);
        let stop = next(Some(&start), Cause::Stop, 2);
        let cancelled = next(Some(&stop), Cause::CancelDelay, 3);
        let again = next(Some(&cancelled), Cause::Start, 4);
        let restarted = next(Some(&again), Cause::Restart, 5);
        let found = [start, stop, cancelled, again, restarted]
            .map(|order| (order.generation.to_string(), order.record));
        let expected = [("1.0", true), ("2.0", false), ("3.1", false), ("4.1", true), ("5.2", true)];
        assert_eq!(found, expected.map(|(generation, record)| (generation.to_owned(), record)));
    }
}
