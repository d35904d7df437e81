//! What is not taken is told again, whatever clocks do meanwhile.

use store::memory::{MemoryStore, run};

use super::world::{NOW, session_of};
use crate::due::{Lane, due, settle};
use crate::event::{self, At, Fact, Kind, Trouble};

const ID: &str = "a";

const HOUR_MS: u64 = 3_600_000;

/// An event that was tried once, in vain, by a host whose clock says `now_ms`; and where it belongs.
fn tried(now_ms: u64) -> (MemoryStore, At<'static>) {
    let store = MemoryStore::default();
    note(&store, NOW);
    let timers = run(due(&store, Lane::Deliver, NOW)).unwrap();
    run(settle(&store, &[], &timers, &[], now_ms)).unwrap();
    (store, At { recording: ID, kind: Kind::Refusal, number: 0 })
}

fn note(store: &MemoryStore, now_ms: u64) {
    run(event::note(store, &session_of(ID), ID, 0, Fact::Trouble(Trouble::Refused), now_ms)).unwrap();
}

/// How many events wait, and whether one is led to at that moment.
fn waiting(store: &MemoryStore, at: At<'_>, now_ms: u64) -> (usize, bool) {
    let is_due = !run(due(store, Lane::Deliver, now_ms)).unwrap().is_empty();
    (run(event::waiting(store, at, now_ms)).unwrap().len(), is_due)
}

#[test]
fn a_clock_that_steps_back_amid_a_call_loses_no_event() {
    let (store, at) = tried(NOW);
    let again_ms = NOW + 5_000;
    let timers = run(due(&store, Lane::Deliver, again_ms)).unwrap();
    assert_eq!(timers.len(), 1);
    // The call that lists it asks what waits, and its clock has stepped back: it attends to nothing.
    assert!(run(event::waiting(&store, at, again_ms - 1)).unwrap().is_empty());
    run(settle(&store, &timers, &[], &[], again_ms - 1)).unwrap();
    assert_eq!(waiting(&store, at, again_ms), (1, true));
}

#[test]
fn a_wait_by_a_clock_that_is_far_ahead_counts_for_nothing() {
    let (store, at) = tried(NOW + HOUR_MS);
    assert_eq!(waiting(&store, at, NOW + 1_000), (1, false));
    note(&store, NOW + 1_000);
    assert_eq!(waiting(&store, at, NOW + 1_000), (1, true));
}

#[test]
fn an_event_waits_longer_with_each_try_whichever_timer_it_is_tried_for() {
    let (store, _) = tried(NOW + HOUR_MS);
    note(&store, NOW + 1_000);
    let timers = run(due(&store, Lane::Deliver, NOW + 1_000)).unwrap();
    assert_eq!(timers.iter().map(|timer| timer.tries).collect::<Vec<_>>(), [0]);
    assert_eq!(run(settle(&store, &[], &timers, &[], NOW + 1_000)).unwrap(), [10]);
}
