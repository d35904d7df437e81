//! The command that plays histories.

mod arguments;

use std::io::{IsTerminal as _, Write as _};
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::coverage::Coverage;
use crate::defects::DEFECTS;
use crate::figures::Figures;
use crate::run::{Options, Outcome, keep_panics, run};
use crate::shrink::shrink;
use crate::trace::Detail;
use crate::workload::Length;
use arguments::MANY;
pub use arguments::{Arguments, USAGE};

/// So many failures are shortened, and others named.
const SHORTENED: usize = 3;

/// A command line has an end.
const MOST_IDS: usize = 2_000;

/// How long one is shortened at most.
const LONGEST: Duration = Duration::from_secs(120);

/// Does what is asked; a failure where a history fails, or where many histories leave something out.
#[must_use]
pub fn start(arguments: &Arguments) -> ExitCode {
    keep_panics(false);
    let is_well = match (arguments.replay, arguments.defects) {
        (Some(seed), _) => replay(seed, arguments),
        (None, Some(seeds)) => find_defects(arguments.from..arguments.from + seeds),
        (None, None) => play(arguments),
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay(seed: u64, arguments: &Arguments) -> bool {
    let detail = if arguments.operations { Detail::Operations } else { Detail::Calls };
    let outcome = run(&Options { only: arguments.only.clone(), detail, ..arguments.of(seed) });
    println!("\n{}\n{}\n", outcome.figures, outcome.coverage);
    println!("seed {seed}: {} events and faults, trace hash {:016x}", outcome.happened.len(), outcome.hash);
    if let Err(error) = &outcome.judged {
        println!("FAILED: {error}");
    }
    outcome.judged.is_ok()
}

/// Says which seed finds each deliberate defect first, and how.
fn find_defects(seeds: Range<u64>) -> bool {
    let mut is_well = true;
    for (defect, _) in DEFECTS {
        let outcomes = seeds.clone().map(|seed| run(&Options { defect: Some(*defect), ..Options::of(seed) }));
        match { outcomes }.find_map(|outcome| Some((outcome.seed, outcome.judged.err()?))) {
            Some((seed, error)) => println!("{defect:?}: found by seed {seed}: {}", brief(&error)),
            None => {
                is_well = false;
                println!("{defect:?}: NOT found by {} seeds", seeds.clone().count());
            }
        }
    }
    is_well
}

fn play(arguments: &Arguments) -> bool {
    let begun = Instant::now();
    let mut all = All::since(begun);
    let (next, last) = (AtomicU64::new(arguments.from), arguments.from + arguments.seeds);
    let (sender, outcomes) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last || sender.send(run(&arguments.of(seed))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        outcomes.iter().for_each(|outcome| all.take(outcome, arguments.seeds));
    });
    all.end(arguments)
}

/// What all histories came to.
struct All {
    begun: Instant,
    shown: Instant,
    coverage: Coverage,
    figures: Figures,
    /// Of the hashes of all traces, whatever their order.
    hash: u64,
    failed: Vec<Outcome>,
    played: u64,
}

impl All {
    fn since(begun: Instant) -> Self {
        Self {
            begun,
            shown: begun,
            coverage: Coverage::default(),
            figures: Figures::default(),
            hash: 0,
            failed: Vec::new(),
            played: 0,
        }
    }

    fn take(&mut self, outcome: Outcome, of: u64) {
        self.played += 1;
        self.coverage.add(&outcome.coverage);
        self.figures.add(&outcome.figures);
        self.hash = self.hash.wrapping_add(outcome.hash);
        if let Err(error) = &outcome.judged {
            println!("\rseed {} FAILED: {}", outcome.seed, brief(error));
            self.failed.push(outcome);
        }
        let is_terminal = std::io::stdout().is_terminal();
        let pause = Duration::from_millis(if is_terminal { 200 } else { 30_000 });
        if self.shown.elapsed() >= pause || self.played == of {
            self.shown = Instant::now();
            let elapsed_s = self.begun.elapsed().as_secs_f64();
            let left_s = elapsed_s / self.played as f64 * (of - self.played) as f64;
            let (hours, failed) = (self.figures.stream_hours(), self.failed.len());
            print!(
                "{}{} of {of} histories, {hours:.1} stream-hours, {failed} failed, {elapsed_s:.0} s, {left_s:.0} s to go{}",
                if is_terminal { "\r\x1b[K" } else { "" },
                self.played,
                if is_terminal && self.played < of { "" } else { "\n" },
            );
            let _ = std::io::stdout().flush();
        }
    }

    /// Prints what there was, and shortens what failed.
    fn end(self, arguments: &Arguments) -> bool {
        let elapsed_s = self.begun.elapsed().as_secs_f64();
        println!("\n{}\n{}", self.coverage, self.figures);
        let hours = self.figures.stream_hours();
        println!(
            "{elapsed_s:>12.1} s: {:.0} stream-hours an hour, {:.1} histories a second",
            hours / elapsed_s * 3_600.0,
            self.played as f64 / elapsed_s
        );
        let wanted = arguments.wanted();
        let missing = self.coverage.missing(wanted);
        let last = arguments.from + arguments.seeds.max(1) - 1;
        println!(
            "seeds {} to {last}: hash {:016x}, {} kinds of events and states reached, {} of {} wanted",
            arguments.from,
            self.hash,
            self.coverage.len(),
            wanted.len() - missing.len(),
            wanted.len(),
        );
        for missing in &missing {
            println!("never reached: {missing}");
        }
        let leaves_out =
            !missing.is_empty() && arguments.seeds >= MANY && arguments.length == Length::Minutes;
        if leaves_out {
            println!("FAILED: {} things are never reached", missing.len());
        }
        self.failed.iter().take(SHORTENED).for_each(|failed| explain(failed, arguments));
        if let Some(more) = self.failed.get(SHORTENED..).filter(|more| !more.is_empty()) {
            let seeds: Vec<u64> = more.iter().map(|outcome| outcome.seed).collect();
            println!("\nFAILED as well: {seeds:?}; `--replay SEED` shows one");
        }
        println!("\n{} of {} histories failed", self.failed.len(), self.played);
        self.failed.is_empty() && !leaves_out
    }
}

/// Says how a history fails, and how that can be seen.
fn explain(failed: &Outcome, arguments: &Arguments) {
    println!("\nseed {} FAILED: {}", failed.seed, failed.judged.as_ref().expect_err("it has failed"));
    println!("shortening it, for {} s at most", LONGEST.as_secs());
    let (options, shortest) = shrink(failed, &arguments.of(failed.seed), LONGEST);
    let only = options.only.unwrap_or_default();
    println!(
        "{} of {} events and faults are left; then: {}",
        only.len(),
        failed.happened.len(),
        shortest.judged.as_ref().err().map_or("", String::as_str)
    );
    let ids: Vec<String> = only.iter().map(|id| format!("{id:x}")).collect();
    let replay = arguments.replay_command(failed.seed);
    if ids.len() > MOST_IDS {
        println!("they are too many for a command; all of it: {replay}");
        return;
    }
    println!("replay: {replay} --only {}", ids.join(","));
}

/// The first line of a failure, as far as it fits a line.
fn brief(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}
