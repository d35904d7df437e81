//! Histories drawn from seeds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use protocol::StreamPath;
use shared::testing::rule;
use simulation::coverage::Coverage;
use simulation::history::History;
use simulation::judge::{judge, record_files};
use simulation::network::WORK_BUCKET;
use simulation::workload::{Plan, play};

/// What a whole history came to: the hash of its trace, what it reached, and what is wrong.
fn outcome(seed: u64) -> (u64, Coverage, Result<(), String>) {
    let (mut history, plan) = play(seed);
    let judged = judge(&mut history, &plan);
    (history.trace.hash(), history.coverage, judged)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Plays the history that `SEED` names, and prints it.
#[test]
fn replay() {
    let Some(seed) = number("SEED") else { return };
    let (mut history, plan) = play(seed);
    let judged = judge(&mut history, &plan);
    if judged.is_err() {
        print_state(&history);
    }
    println!("{}seed {seed}: trace hash {:016x}", history.coverage, history.trace.hash());
    judged.unwrap();
}

/// Prints what the store and the work bucket hold.
fn print_state(history: &History) {
    let world = history.hosts.any();
    for (key, value) in world.store.values() {
        println!("{key}: {}", String::from_utf8_lossy(&value));
    }
    for (name, object) in world.buckets.objects.borrow().iter() {
        if name.starts_with(WORK_BUCKET) {
            println!("{name}: {}", String::from_utf8_lossy(&object.bytes));
        }
    }
}

#[test]
fn histories_lose_nothing_and_come_to_rest() {
    if number("SEED").is_some() {
        return;
    }
    let from = number("FROM").unwrap_or(1);
    let seeds = number("SEEDS").unwrap_or(250);
    let mut coverage = Coverage::default();
    let mut failures = Vec::new();
    for seed in from..from + seeds {
        match catch_unwind(AssertUnwindSafe(|| outcome(seed))) {
            Ok((_, reached, judged)) => {
                coverage.add(&reached);
                failures.extend(judged.err().map(|error| format!("seed {seed}: {error}")));
            }
            Err(_) => failures.push(format!("seed {seed} panicked")),
        }
        if let Some(failure) = failures.last().filter(|failure| failure.contains(&format!("seed {seed}"))) {
            println!("{failure}");
        }
    }
    println!("{coverage}");
    assert_eq!(coverage.missing(), [] as [&str; 0], "these histories never reach something");
    assert!(failures.is_empty(), "{} of {seeds} histories failed: {failures:#?}", failures.len());
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in [3, 4] {
        assert_eq!(outcome(seed).0, outcome(seed).0, "seed {seed}");
    }
    assert_ne!(outcome(3).0, outcome(4).0);
}

fn cam() -> StreamPath {
    StreamPath::new("live.example.com", "live", "cam").unwrap()
}

fn quiet() -> Plan {
    Plan { streams: vec![cam()], seconds: 0, is_troubled: false, clocks_differ: false, delay_s: 15 }
}

#[test]
fn one_push_becomes_record_files() {
    let mut history = History::new(1, &[0], 1, rule());
    history.seconds(2);
    let push = history.gateways[0].begin(cam(), None, history.now_ms);
    history.seconds(62);
    history.gateways[0].end(&push, history.now_ms);
    judge(&mut history, &quiet()).unwrap();
    let files = record_files(history.hosts.any());
    assert_eq!(files.values().map(Vec::len).sum::<usize>(), 13, "{files:#?}");
    // Cycles of 20 s.
    assert_eq!(files.len(), 4, "{files:#?}");
}

#[test]
fn a_short_break_continues_the_file() {
    for (break_s, files) in [(1, 1), (14, 1), (16, 2)] {
        let mut rule = rule();
        rule.formats[0].cycle_seconds = 900;
        let mut history = History::new(2, &[0], 1, rule);
        history.seconds(2);
        for _ in 0..2 {
            let push = history.gateways[0].begin(cam(), None, history.now_ms);
            history.seconds(30);
            history.gateways[0].end(&push, history.now_ms);
            history.seconds(break_s);
        }
        judge(&mut history, &quiet()).unwrap();
        let found = record_files(history.hosts.any());
        assert_eq!(found.len(), files, "a break of {break_s} s: {found:#?}");
    }
}
