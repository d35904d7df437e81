//! Histories drawn from seeds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use protocol::StreamPath;
use shared::testing::rule;
use simulation::gateway::Gateway;
use simulation::judge::{Chunk, check, record_files};
use simulation::world::{Hosts, tick};
use store::memory::Random;

/// 2026-01-02T03:04:05Z.
const BEGAN_MS: u64 = 1_767_323_045_000;

/// One history and what it reached.
struct History {
    hosts: Hosts,
    gateways: Vec<Gateway>,
    random: Random,
    now_ms: u64,
}

impl History {
    fn new(seed: u64, ahead_ms: &[i64], gateways: usize) -> Self {
        Self {
            hosts: Hosts::new(BEGAN_MS, ahead_ms, rule()),
            gateways: (0..gateways).map(|number| Gateway::new(&format!("g{number}"))).collect(),
            random: Random::new(seed),
            now_ms: BEGAN_MS,
        }
    }

    /// Lets a second pass: every call of it runs at once.
    fn second(&mut self, rate: Option<usize>) {
        self.now_ms += 1_000;
        let mut purposes = Vec::new();
        let mut requests = vec![tick()];
        for (number, gateway) in self.gateways.iter_mut().enumerate() {
            for (purpose, request) in gateway.step(self.now_ms) {
                purposes.push((number, purpose));
                requests.push(request);
            }
        }
        let mut replies = self.hosts.call(self.now_ms, requests, &mut self.random, rate).into_iter();
        replies.next();
        for ((number, purpose), reply) in purposes.iter().zip(replies) {
            self.gateways[*number].reply(purpose, reply, self.now_ms);
        }
    }

    fn seconds(&mut self, seconds: u64, rate: Option<usize>) {
        for _ in 0..seconds {
            self.second(rate);
        }
    }

    fn acknowledged(&self) -> Vec<Chunk> {
        self.gateways.iter().flat_map(Gateway::acknowledged).collect()
    }

    /// Lets everything come to rest, and judges it.
    fn judge(&mut self) {
        for _ in 0..40 {
            self.seconds(20, None);
            if self.gateways.iter().all(Gateway::is_idle) {
                break;
            }
        }
        assert!(self.gateways.iter().all(Gateway::is_idle), "{:#?}", self.gateways);
        self.seconds(420, None);
        for gateway in &self.gateways {
            assert_eq!(gateway.surprises, [] as [String; 0]);
        }
        check(&record_files(self.hosts.any()), &self.acknowledged()).unwrap();
    }
}

fn cam() -> StreamPath {
    StreamPath::new("live.example.com", "live", "cam").unwrap()
}

#[test]
fn one_push_becomes_record_files() {
    let mut history = History::new(1, &[0], 1);
    history.seconds(2, None);
    let push = history.gateways[0].begin(cam(), history.now_ms);
    history.seconds(62, None);
    history.gateways[0].end(&push, history.now_ms);
    history.judge();
    let files = record_files(history.hosts.any());
    assert_eq!(files.values().map(Vec::len).sum::<usize>(), 13, "{files:#?}");
    // Cycles of 20 s.
    assert_eq!(files.len(), 4, "{files:#?}");
}

#[test]
fn a_short_break_continues_the_file() {
    for (break_s, files) in [(1, 1), (14, 1), (16, 2)] {
        let mut history = History::new(2, &[0], 1);
        let mut rule = rule();
        rule.formats[0].cycle_seconds = 900;
        *history.hosts.any().rule.borrow_mut() = Ok(Some(rule));
        history.seconds(2, None);
        for _ in 0..2 {
            let push = history.gateways[0].begin(cam(), history.now_ms);
            history.seconds(30, None);
            history.gateways[0].end(&push, history.now_ms);
            history.seconds(break_s, None);
        }
        history.judge();
        let found = record_files(history.hosts.any());
        assert_eq!(found.len(), files, "a break of {break_s} s: {found:#?}");
    }
}

#[test]
fn breaks_and_faults_lose_nothing() {
    let (mut deaths, mut faults) = (0, 0);
    for seed in 1..=60 {
        let mut history = History::new(seed, &[0, 400], 2);
        history.seconds(3, None);
        for _ in 0..3 {
            let number = history.random.below(2);
            let push = history.gateways[number].begin(cam(), history.now_ms);
            let length = 5 + history.random.below(40) as u64;
            history.seconds(length, Some(150));
            if history.random.below(5) == 0 {
                history.gateways[number].restart(history.now_ms);
            } else {
                history.gateways[number].end(&push, history.now_ms);
            }
            let pause = history.random.below(30) as u64;
            history.seconds(pause, Some(150));
        }
        history.judge();
        deaths += history.hosts.deaths;
        faults += history.hosts.faults;
    }
    println!("{deaths} calls died, {faults} operations failed or lost their reply");
    assert!(deaths > 100 && faults > 100, "{deaths} {faults}");
}
