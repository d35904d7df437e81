//! What heartbeats tell: each thing again and again until one that told it is answered.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use protocol::{Confirmed, Heartbeat};
use tokio::time::Instant;

use crate::clock::ms_since;

/// What the functions are to be told of a gateway's pushes.
#[derive(Debug, Default)]
pub(crate) struct Tell {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When each begin, adoption and end was that is not answered yet.
    events: HashMap<Event, Instant>,
    last_event: u64,
    adopted: Vec<(String, Event)>,
    holds: BTreeSet<String>,
    confirmed: Vec<Confirmed>,
}

/// A begin with its adoption, or an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Event(u64);

impl Tell {
    /// Something happened that the functions have to know; see [`told`](Self::told).
    pub(crate) fn happened(&self, at: Instant) -> Event {
        let mut state = self.state();
        state.last_event += 1;
        let event = Event(state.last_event);
        state.events.insert(event, at);
        event
    }

    /// The functions know it, or will never have it.
    pub(crate) fn told(&self, event: Event) {
        self.state().events.remove(&event);
    }

    /// A session is adopted; `began`: the begin that it answers.
    pub(crate) fn adopted(&self, session: &str, began: Event) {
        self.state().adopted.push((session.to_owned(), began));
    }

    /// A session of an earlier boot, whose end is not answered.
    pub(crate) fn hold(&self, session: &str) {
        self.state().holds.insert(session.to_owned());
    }

    /// An order took effect.
    pub(crate) fn confirm(&self, confirmed: Confirmed) {
        self.state().confirmed.push(confirmed);
    }

    /// The end of a session is answered, which confirms its orders.
    pub(crate) fn end_told(&self, session: &str) {
        let mut state = self.state();
        state.holds.remove(session);
        state.confirmed.retain(|confirmed| confirmed.session != session);
    }

    /// Says all of it in a heartbeat.
    pub(crate) fn fill(&self, heartbeat: &mut Heartbeat) {
        let state = self.state();
        heartbeat.told_ms = state.events.values().min().map_or(0, |oldest| ms_since(*oldest).max(1));
        heartbeat.adopted = state.adopted.iter().map(|(session, _)| session.clone()).collect();
        heartbeat.holds = state.holds.iter().cloned().collect();
        heartbeat.confirmed.clone_from(&state.confirmed);
    }

    /// A heartbeat is answered: what it said is known.
    pub(crate) fn answered(&self, heartbeat: &Heartbeat) {
        let State { events, adopted, confirmed, .. } = &mut *self.state();
        adopted.retain(|(session, began)| {
            let is_known = heartbeat.adopted.contains(session);
            if is_known {
                events.remove(began);
            }
            !is_known
        });
        confirmed.retain(|confirmed| !heartbeat.confirmed.contains(confirmed));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(tell: &Tell) -> Heartbeat {
        let mut heartbeat = Heartbeat::default();
        tell.fill(&mut heartbeat);
        heartbeat
    }

    #[test]
    fn each_thing_is_said_until_a_heartbeat_that_said_it_is_answered() {
        let tell = Tell::default();
        let began = tell.happened(Instant::now());
        tell.adopted("s", began);
        let first = said(&tell);
        assert_eq!(first.adopted, ["s"]);
        let confirmed = Confirmed { session: "s".into(), generation: Default::default(), last_seq: Some(4) };
        tell.confirm(confirmed.clone());
        tell.answered(&first);
        assert_eq!((said(&tell).adopted, said(&tell).confirmed), (vec![], vec![confirmed]));
        tell.end_told("s");
        assert_eq!(said(&tell), Heartbeat::default());
    }

    #[test]
    fn the_age_is_that_of_the_oldest_event_until_its_adoption_is_answered() {
        let tell = Tell::default();
        let now = Instant::now();
        let ago = |ms| now.checked_sub(Duration::from_millis(ms)).unwrap();
        let (older, newer) = (tell.happened(ago(9_000)), tell.happened(ago(3_000)));
        let aged = |from_ms: u64| (from_ms..from_ms + 2_000).contains(&said(&tell).told_ms);
        assert!(aged(9_000));
        tell.adopted("s", older);
        assert!(aged(9_000));
        tell.answered(&said(&tell));
        assert!(aged(3_000));
        tell.told(newer);
        assert_eq!(said(&tell).told_ms, 0);
    }
}
