//! One history: the world, its gateways and what passes between them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use protocol::{LaneAnswer, StreamPath};
use recorder_compose_function::Sizes;
use shared::catalog::Command;
use shared::rules::Rule;
use store::memory::{Random, run};

use crate::call::{Ask, Call, Kind};
use crate::chances::{Chances, Point, point};
use crate::coverage::Coverage;
use crate::defects::Spoiler;
use crate::functions::{Functions, Handlers};
use crate::gateway::{Gateway, Push};
use crate::hosts::Hosts;
use crate::network::{Around, Network, Rates, Reply, only_frames};
use crate::told::Told;
use crate::trace::Trace;

/// 2026-01-02T03:04:05Z.
pub const BEGAN_MS: u64 = 1_767_323_045_000;

/// The lanes that somebody calls each second, or each few seconds.
pub const LANES: [Kind; 3] = [Kind::Tick, Kind::Compose, Kind::Deliver];

/// For so long after the end of a step real gateways are let ask again. Unit: ms.
const ASKED_AGAIN_MS: u64 = 20;

/// A command that was given.
#[derive(Clone, Debug)]
pub struct Given {
    /// For which stream.
    pub stream: StreamPath,
    /// What.
    pub command: Command,
    /// When it was asked for, in true time.
    pub asked_ms: u64,
    /// When it was answered or died, in true time.
    pub over_ms: u64,
    /// It was answered with success. Otherwise its gateway may hear of it later.
    pub is_taken: bool,
}

/// One history.
pub struct History {
    /// What its seed draws.
    pub chances: Rc<Chances>,
    /// Function hosts and all that they share.
    pub hosts: Hosts,
    /// The gateways.
    pub gateways: Vec<Gateway>,
    /// What is drawn at the point where the workload is.
    pub random: Random,
    here: Point,
    /// True time.
    pub now_ms: u64,
    /// What operations and calls meet.
    pub rates: Rates,
    /// Calls that are under way go on one after the other, each to its end.
    pub in_turn: bool,
    /// No call reaches a function.
    pub functions_are_down: bool,
    /// How often lanes are called. Unit: ms.
    pub lanes_every_ms: u64,
    /// The lanes that nobody calls.
    pub resting: BTreeSet<Kind>,
    /// How large parts and blocks of record files are.
    pub sizes: Sizes,
    /// What was reached.
    pub coverage: Coverage,
    /// What happened.
    pub trace: Trace,
    /// Commands that were accepted, or may have been.
    pub given: Vec<Given>,
    /// Periods of true time in which no tick was called.
    pub without_ticks: Vec<(u64, u64)>,
    /// What the last call of each lane did.
    pub lanes: BTreeMap<Kind, Option<LaneAnswer>>,
    /// When a call of each lane last failed in something or altogether, in true time, and how.
    pub failed: BTreeMap<Kind, (u64, Option<LaneAnswer>)>,
    /// Which recording a session belongs to, by its first session: what has left the store since is told here.
    pub recordings: BTreeMap<String, String>,
    /// Brings a deliberate defect about.
    pub spoiler: Spoiler,
    /// What receivers were told.
    pub told: Vec<Told>,
    /// Each rule that pushes fell under, with the moment from which on, in true time.
    rules: Vec<(u64, Rule)>,
    network: Network,
    asked: Vec<Call>,
}

impl History {
    /// A history in which nothing has happened, on hosts whose clocks are so far ahead.
    #[must_use]
    pub fn new(seed: u64, ahead_ms: &[i64], gateways: usize, rule: Rule) -> Self {
        Self::of(Rc::new(Chances::new(seed, None)), ahead_ms, gateways, rule, Rc::new(Handlers))
    }

    /// The same, of what a seed draws, with what answers calls.
    #[must_use]
    pub fn of(
        chances: Rc<Chances>,
        ahead_ms: &[i64],
        gateways: usize,
        rule: Rule,
        functions: Rc<dyn Functions>,
    ) -> Self {
        Self {
            rules: vec![(0, rule.clone())],
            gateways: (0..gateways).map(|number| gateway(&format!("g{number}"), &*functions)).collect(),
            hosts: Hosts::new(BEGAN_MS, ahead_ms, rule, functions),
            random: chances.random(0),
            here: 0,
            chances,
            now_ms: BEGAN_MS,
            rates: Rates::default(),
            in_turn: false,
            functions_are_down: false,
            lanes_every_ms: 1_000,
            resting: BTreeSet::new(),
            sizes: Sizes::DEFAULT,
            coverage: Coverage::default(),
            trace: Trace::new(BEGAN_MS),
            given: Vec::new(),
            without_ticks: Vec::new(),
            lanes: BTreeMap::new(),
            failed: BTreeMap::new(),
            recordings: BTreeMap::new(),
            spoiler: Spoiler::default(),
            told: Vec::new(),
            network: Network::default(),
            asked: Vec::new(),
        }
    }

    /// The workload comes to one of the things that it may have happen in this second.
    pub fn turn_to(&mut self, what: u64) {
        self.here = point(&[(self.now_ms - BEGAN_MS) / 1_000, what]);
        self.random = self.chances.random(self.here);
    }

    /// Whether what the workload has drawn happens.
    #[must_use]
    pub fn happens(&self) -> bool {
        self.chances.happens(self.here)
    }

    /// Every later begin falls under another rule.
    pub fn set_rule(&mut self, rule: Rule) {
        self.hosts.set_rule(&rule);
        // Real gateways were let ask until then.
        self.rules.push((self.now_ms + ASKED_AGAIN_MS + 1, rule));
    }

    /// The rules that held at some time while a call was under way, in true time: one, but for a change meanwhile.
    #[must_use]
    pub fn rules_between(&self, asked_ms: u64, answered_ms: u64) -> Vec<&Rule> {
        let ends = self.rules.iter().skip(1).map(|(from_ms, _)| *from_ms).chain([u64::MAX]);
        let held = self.rules.iter().zip(ends);
        let held = held.filter(|((from_ms, _), end_ms)| *from_ms <= answered_ms && asked_ms < *end_ms);
        held.map(|((_, rule), _)| rule).collect()
    }

    /// Something happens.
    pub fn note(&mut self, what: &str) {
        self.trace.note(self.now_ms, format_args!("{what}"));
    }

    /// Gives a command with the next step.
    pub fn command(&mut self, stream: &StreamPath, command: Command) {
        let ask = Ask::Command(stream.clone(), command);
        self.asked.push(Call { kind: Kind::Command, ask, from: None, asked_ms: self.now_ms });
    }

    /// Lets time pass: gateways cut, calls are made, and all that are under way go on.
    pub fn step(&mut self, step_ms: u64) {
        self.now_ms += step_ms;
        let mut calls = std::mem::take(&mut self.asked);
        let are_called = (self.now_ms - step_ms) / self.lanes_every_ms < self.now_ms / self.lanes_every_ms;
        let lanes = LANES.iter().filter(|lane| are_called && !self.resting.contains(lane));
        calls.extend(lanes.map(|lane| Call::lane(*lane, self.sizes, self.now_ms)));
        calls.extend(self.ask());
        self.make(calls);
        self.go_on();
    }

    /// What gateways ask at this moment.
    fn ask(&mut self) -> Vec<Call> {
        let now_ms = self.now_ms;
        let asked = self.gateways.iter_mut().enumerate().map(|(place, gateway)| gateway.step(place, now_ms));
        asked.flatten().collect()
    }

    /// Real gateways ask again as soon as they are answered.
    fn go_on(&mut self) {
        let now_ms = self.now_ms;
        while self.gateways.iter().any(Gateway::is_real) && self.now_ms < now_ms + ASKED_AGAIN_MS {
            self.now_ms += 1;
            let calls = self.ask();
            if calls.is_empty() {
                break;
            }
            self.make(calls);
        }
        self.now_ms = now_ms;
    }

    /// Makes calls, and lets all that are under way go on.
    fn make(&mut self, calls: Vec<Call>) {
        if self.functions_are_down {
            self.network.drop_all();
            for call in calls {
                self.take(call, None);
            }
            return;
        }
        let mut around = Around {
            hosts: &self.hosts,
            chances: &self.chances,
            random: self.chances.random(point(&[self.now_ms])),
            rates: self.rates,
            in_turn: self.in_turn,
            coverage: &mut self.coverage,
            trace: &mut self.trace,
            told: &mut self.told,
            spoiler: &mut self.spoiler,
        };
        for (call, reply) in self.network.run(self.now_ms, calls, &mut around) {
            self.take(call, reply);
        }
    }

    /// Lets seconds pass.
    pub fn seconds(&mut self, seconds: u64) {
        (0..seconds).for_each(|_| self.step(1_000));
    }

    fn take(&mut self, call: Call, reply: Reply) {
        if let Some((place, number)) = call.from {
            self.gateways[place].reply(number, reply, self.now_ms);
            return;
        }
        match call.ask {
            Ask::Command(stream, command) => self.take_command(stream, command, call.asked_ms, &reply),
            Ask::Route(_) | Ask::Compose(..) if LANES.contains(&call.kind) => {
                let answer = reply.filter(|answer| answer.status().is_success());
                let answer: Option<LaneAnswer> =
                    answer.and_then(|answer| serde_json::from_str(answer.body()).ok());
                if answer.as_ref().is_none_or(|answer| !answer.failures.is_empty()) {
                    self.failed.insert(call.kind, (self.now_ms, answer.clone()));
                }
                self.lanes.insert(call.kind, answer);
            }
            Ask::Route(_) | Ask::Compose(..) => {}
        }
    }

    fn take_command(&mut self, stream: StreamPath, command: Command, asked_ms: u64, reply: &Reply) {
        let status = reply.as_ref().map_or(0, |answer| answer.status().as_u16());
        let word = match status {
            200 => "taken",
            // What does not fit the stream's state, as the catalog or as the recording API says it.
            400 | 404 | 409 => "refused",
            _ => "failed",
        };
        self.coverage.reach(format!("command {command:?} {word}"));
        if word != "refused" {
            self.given.push(Given {
                stream,
                command,
                asked_ms,
                over_ms: self.now_ms,
                is_taken: word == "taken",
            });
        }
    }

    /// Notes which recordings sessions belong to, which is decided once.
    pub fn note_recordings(&mut self) {
        let sessions: Vec<String> = self.pushes().filter_map(|(_, push)| push.session.clone()).collect();
        for session in sessions {
            if self.recordings.contains_key(&session) {
                continue;
            }
            let adopted = run(catalog::session::adopted(&*self.hosts.any().store, &session));
            if let Ok(Some(adopted)) = adopted {
                self.recordings.insert(session, adopted.recording);
            }
        }
    }

    /// Every push of every gateway, with the gateway's place.
    pub fn pushes(&self) -> impl Iterator<Item = (usize, &Push)> {
        self.gateways
            .iter()
            .enumerate()
            .flat_map(|(place, gateway)| gateway.all().map(move |push| (place, push)))
    }

    /// What was found wrong while it happened.
    #[must_use]
    pub fn wrong(&self) -> Option<&String> {
        self.network.objects().wrong()
    }

    /// Keeps nothing but the frames of TS slices from now on.
    pub fn keep_frames(&self) {
        self.hosts.any().buckets.keeps.set(Some(only_frames));
    }

    /// Objects of users that are not any more what they were.
    #[must_use]
    pub fn changed_object(&self) -> Option<String> {
        self.network.objects().changed(self.hosts.any())
    }

    /// An event that was told again though nothing had happened since it was taken.
    #[must_use]
    pub fn told_twice(&self) -> Option<&String> {
        self.network.told_twice()
    }

    /// Objects that calls had been writing when they met a fault: an upload of each may be left.
    #[must_use]
    pub fn unsure(&self) -> &BTreeSet<String> {
        self.network.unsure()
    }

    /// How many calls the functions were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.network.calls()
    }

    /// How many operations these made.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.network.operations()
    }

    /// Whether no call is under way and no gateway has anything to tell.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.network.is_quiet() && self.gateways.iter().all(Gateway::is_idle)
    }
}

/// A gateway of a name that has just started: a real one, where there are real ones.
fn gateway(name: &str, functions: &dyn Functions) -> Gateway {
    let mut gateway = Gateway::new(name);
    gateway.become_real(functions.gateway(name));
    gateway
}
