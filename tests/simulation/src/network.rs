//! Calls under way: their operations go on in any order, some slowly, and some meet a fault.

mod deliveries;
mod faults;
mod flight;
mod objects;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use shared::Answer;
use store::memory::{Outcome, Random};

use crate::call::{Call, Kind};
use crate::chances::{Chances, Point, point, point_of};
use crate::coverage::Coverage;
use crate::defects::Spoiler;
use crate::hosts::Hosts;
use crate::told::{self, Told};
use crate::trace::Trace;
use deliveries::Deliveries;
use faults::Fault;
pub use faults::{Rates, fail_decisions};
use flight::Flight;
pub use objects::Objects;
pub(crate) use objects::only_frames;

/// No call lasts longer: its host ends it.
const CALL_MAX_MS: u64 = protocol::CALL_MAX_S * 1_000;

/// What a call came to: none where it died or its answer was lost.
pub type Reply = Option<Answer>;

/// The calls under way.
#[derive(Default)]
pub struct Network {
    flights: Vec<Flight>,
    calls: u64,
    operations: u64,
    objects: Objects,
    /// Users' objects that a call which met a fault had been writing.
    unsure: BTreeSet<String>,
    deliveries: Deliveries,
}

/// What the calls of a moment share.
pub struct Around<'a> {
    /// The hosts that answer.
    pub hosts: &'a Hosts,
    /// What the seed draws.
    pub chances: &'a Chances,
    /// What goes on first.
    pub random: Random,
    /// How often operations meet faults.
    pub rates: Rates,
    /// Whether each call goes on to its end before another does.
    pub in_turn: bool,
    /// What is reached.
    pub coverage: &'a mut Coverage,
    /// What happens.
    pub trace: &'a mut Trace,
    /// What receivers are told.
    pub told: &'a mut Vec<Told>,
    /// Brings a deliberate defect about.
    pub spoiler: &'a mut Spoiler,
}

impl Network {
    /// Whether no call is under way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.flights.is_empty()
    }

    /// How many calls were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Objects of users.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// An event that was told again after it was taken, and by which calls.
    #[must_use]
    pub fn told_twice(&self) -> Option<&String> {
        self.deliveries.told_twice()
    }

    /// Objects that calls which write record files had been writing when they met a fault or their end: an upload of one
    /// may be left.
    #[must_use]
    pub fn unsure(&self) -> &BTreeSet<String> {
        &self.unsure
    }

    /// Ends every call without an answer, as where a host is stopped.
    pub fn drop_all(&mut self) {
        self.unsure.extend(self.flights.iter().flat_map(Flight::uploading));
        self.flights.iter().for_each(|flight| self.deliveries.meet_trouble(flight));
        self.flights.clear();
    }

    /// Makes calls at a moment, and lets those that are under way go on. Answers what calls came to.
    pub fn run(&mut self, now_ms: u64, calls: Vec<Call>, around: &mut Around<'_>) -> Vec<(Call, Reply)> {
        around.hosts.set_time(now_ms);
        // Those of whoever looked meanwhile are nobody's.
        drop(around.hosts.any().store.scheduler().take_seen());
        let mut alike: BTreeMap<(Kind, Option<usize>), u64> = BTreeMap::new();
        for call in calls {
            let place = call.from.map(|(place, _)| place);
            let number = alike.entry((call.kind, place)).or_default();
            *number += 1;
            let place = place.map_or(0, |place| place as u64 + 1);
            let key = point(&[now_ms, call.kind as u64, place, *number]);
            let is_doubled = around.chances.random(key).below(1_000) < around.rates.doubled as usize;
            if is_doubled && around.chances.happens(key) {
                around.coverage.reach(format!("call doubled: {}", call.kind.name()));
                self.begin(now_ms, (Call { from: None, ..call.clone() }, point(&[key, 1])), around);
            }
            self.begin(now_ms, (call, point(&[key])), around);
        }
        let mut replies = Vec::new();
        self.end_overdue(now_ms, around, &mut replies);
        loop {
            let ready = || self.flights.iter().enumerate().filter(|(_, flight)| flight.is_ready(now_ms));
            let count = ready().count();
            if count == 0 {
                return replies;
            }
            let (at, _) = ready().nth(around.random.below(count)).expect("so many are ready");
            let mut reply = self.step(at, now_ms, around);
            while around.in_turn && reply.is_none() && self.flights[at].is_ready(now_ms) {
                reply = self.step(at, now_ms, around);
            }
            if let Some(reply) = reply {
                let flight = self.flights.swap_remove(at);
                let status = reply.as_ref().map_or(0, |answer| answer.status().as_u16());
                let body = reply.as_ref().map_or("", |answer| answer.body());
                around.trace.note(
                    now_ms,
                    format_args!("#{} {} answered {status} {body}", flight.number, flight.call.kind.name()),
                );
                let reply = around.spoiler.answer(flight.call.kind, reply);
                replies.push((flight.call, reply));
            }
        }
    }

    fn begin(&mut self, now_ms: u64, (call, key): (Call, Point), around: &mut Around<'_>) {
        self.calls += 1;
        let mut random = around.chances.random(key);
        let host = random.below(around.hosts.count());
        around.trace.note(now_ms, format_args!("#{} host {host} {}", self.calls, call.line()));
        let answering =
            around.hosts.functions.answer(host, Rc::clone(around.hosts.host(host)), call.ask.clone());
        let mut flight = Flight::new((self.calls, key), now_ms, call, answering);
        let is_delayed = random.below(1_000) < around.rates.delayed as usize;
        if is_delayed && around.chances.happens(key) {
            let delay_ms = 1_000 * (1 + random.below(20) as u64);
            flight.delay(now_ms + delay_ms);
            around.coverage.reach(format!("call delayed: {}", flight.call.kind.name()));
        }
        self.flights.push(flight);
    }

    fn end_overdue(&mut self, now_ms: u64, around: &mut Around<'_>, replies: &mut Vec<(Call, Reply)>) {
        let (over, going): (Vec<Flight>, Vec<Flight>) = std::mem::take(&mut self.flights)
            .into_iter()
            .partition(|flight| flight.began_ms() + CALL_MAX_MS <= now_ms);
        self.flights = going;
        for flight in over {
            self.unsure.extend(flight.uploading());
            self.deliveries.meet_trouble(&flight);
            around.trace.note(now_ms, format_args!("#{} is ended by its host", flight.number));
            around.coverage.reach(format!("call ended by its host: {}", flight.call.kind.name()));
            replies.push((flight.call, None));
        }
    }

    /// Lets a call go on by one operation; answers what it came to, if it is over.
    fn step(&mut self, at: usize, now_ms: u64, around: &mut Around<'_>) -> Option<Reply> {
        let scheduler = around.hosts.any().store.scheduler().clone();
        let flight = &mut self.flights[at];
        let kind = flight.call.kind;
        let known = around.told.len();
        let here = flight.next();
        around.chances.operation.set(here);
        let mut random = around.chances.random(here);
        let fault = match around.rates.draw(kind, &mut random) {
            fault if fault != Fault::None && !around.chances.happens(here) => Fault::None,
            fault => fault,
        };
        if fault != Fault::None {
            self.deliveries.meet_trouble(flight);
            self.unsure.extend(flight.uploading());
        }
        if fault == Fault::DeathBefore && flight.is_begun() {
            around.coverage.reach("fault: death before an operation");
            around.coverage.reach(format!("died: {}", kind.name()));
            around.trace.note(now_ms, format_args!("#{} dies", flight.number));
            return Some(None);
        }
        let outcome = match fault {
            Fault::Refused => Outcome::Refused,
            Fault::ReplyLost => Outcome::ReplyLost,
            _ => Outcome::Applied,
        };
        let (polled, is_waiting) = flight.step(&scheduler, outcome);
        let seen = scheduler.take_seen();
        let leaves_half = fault == Fault::None
            && faults::leaves_half(&seen)
            && around.rates.draws_half(&mut random)
            && around.chances.happens(here);
        if leaves_half {
            self.deliveries.meet_trouble(flight);
            self.unsure.extend(flight.uploading());
        }
        let fault = if leaves_half { Fault::DeathAfter } else { fault };
        self.operations += seen.len() as u64;
        self.objects.look(around.hosts.any(), &seen);
        around.spoiler.spoil(around.hosts.any(), now_ms, &seen);
        if kind == Kind::Deliver {
            told::note(around.hosts.any(), flight.number, around.told);
            if seen.iter().any(|seen| seen.outcome != Outcome::Applied) {
                self.deliveries.meet_trouble(flight);
            }
            self.deliveries.look(around.told, known);
            for told in &around.told[known..] {
                around.trace.note(now_ms, format_args!("#{} tells {} {}", flight.number, told.id, told.body));
            }
        }
        for seen in &seen {
            let verb = if seen.writes { "writes" } else { "reads" };
            around.trace.show(now_ms, format_args!("#{} {verb} {}", flight.number, seen.name));
            let meets = seen.outcome != Outcome::Applied;
            let dies = fault == Fault::DeathAfter;
            if meets || dies {
                let what = if dies { "death after" } else { faults::name(seen.outcome) };
                around.coverage.reach(format!("fault: {what} an operation"));
                around.coverage.reach(format!("{what}: {}", faults::family(&seen.name)));
                around.trace.note(now_ms, format_args!("#{} {what} {}", flight.number, seen.name));
            }
        }
        let is_idle = is_waiting && seen.is_empty();
        flight.touch(&seen);
        let is_met = fault != Fault::None || seen.iter().any(|seen| seen.outcome != Outcome::Applied);
        // A bucket in trouble fails a call as well.
        flight.is_troubled |= is_met || !around.hosts.any().buckets.troubles.borrow().is_empty();
        if flight.is_troubled && kind == Kind::Compose {
            self.unsure.extend(flight.uploading());
        }
        self.note_races(at, &seen, around);
        let flight = &mut self.flights[at];
        if let std::task::Poll::Ready(answer) = polled {
            let is_lost = matches!(fault, Fault::DeathAfter | Fault::Rest) && kind != Kind::Tick;
            if is_lost {
                around.coverage.reach(format!("answer lost: {}", kind.name()));
            }
            return Some((!is_lost).then_some(answer));
        }
        if fault == Fault::DeathAfter && flight.is_begun() && !seen.is_empty() {
            around.coverage.reach(format!("died: {}", kind.name()));
            return Some(None);
        }
        if is_idle {
            around.coverage.reach(format!("waited for a bucket: {}", kind.name()));
            flight.rest(now_ms + 1_000);
        } else if fault == Fault::Rest {
            let longest_s = if random.below(4) == 0 { 118 } else { 8 };
            let rest_ms = 1_000 * (1 + random.below(longest_s) as u64);
            around.coverage.reach(format!("call stalled: {}", kind.name()));
            around.trace.note(now_ms, format_args!("#{} stalls for {rest_ms} ms", flight.number));
            flight.rest(now_ms + rest_ms);
        }
        None
    }

    /// Counts calls that met: both touched the same key or object while both were under way, and one of them wrote it.
    fn note_races(&self, at: usize, seen: &[store::memory::Seen], around: &mut Around<'_>) {
        let kind = self.flights[at].call.kind;
        for seen in seen.iter().filter(|seen| !faults::is_of_all(&seen.name)) {
            let name = point_of(&seen.name);
            for (other_at, other) in self.flights.iter().enumerate() {
                if other_at != at && other.has_touched(name, seen.writes) {
                    let (one, two) = if kind <= other.call.kind {
                        (kind, other.call.kind)
                    } else {
                        (other.call.kind, kind)
                    };
                    around.coverage.reach(format!("race: {} with {}", one.name(), two.name()));
                }
            }
        }
    }
}
