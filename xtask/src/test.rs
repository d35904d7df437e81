//! Every test.

use std::fs::DirEntry;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::ahead::Ahead;
use crate::build::{self, Started, cargo};
use crate::count::Counts;
use crate::{print, tools};

/// What runs one after the other: what is built and fails soonest comes first. What stands together runs at once.
const STEPS: [&[(&str, Step)]; 4] = [
    &[("the core and the functions' logic", core)],
    &[(COMPONENTS, |_| build::wasm())],
    &[("what runs the built components", native)],
    // None of them keeps all processors busy.
    &[
        ("the core as Wasm", core_as_wasm),
        ("the official clients of the recording API", clients),
        ("the fuzz targets", fuzz),
    ],
];

/// The step without which the later ones cannot be.
const COMPONENTS: &str = "building the components";

type Step = fn(&mut Run) -> Result<()>;

/// One run of all tests, or of what runs beside others.
#[derive(Default)]
struct Run {
    counts: Counts,
    /// Debian's packages that the machine lacks.
    missing: Vec<&'static str>,
    /// The time of each step that ran.
    took: Vec<(&'static str, Duration)>,
    failures: Vec<String>,
}

/// Runs every test, and ends with the counts of all runners.
pub(crate) fn all(arguments: &[String], installs: bool) -> Result<ExitCode> {
    ensure!(arguments.is_empty(), "test takes --no-install and nothing else, not {arguments:?}");
    let missing = if installs { tools::install().map(|()| Vec::new())? } else { tools::go_without() };
    let mut run = Run { missing, ..Run::default() };
    for (at, group) in STEPS.iter().enumerate() {
        let is_done = run.group(at, group);
        if !is_done && group.iter().any(|(what, _)| *what == COMPONENTS) {
            let later = STEPS[at + 1..].iter().copied().flatten();
            run.failures.extend(later.map(|(what, _)| format!("{what}: not run after that")));
            break;
        }
    }
    run.report();
    Ok(if run.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Run {
    /// Runs the steps of a group at once; the output of the first comes as it is written, that of others after it. Answers
    /// whether none failed.
    fn group(&mut self, at: usize, steps: &[(&'static str, Step)]) -> bool {
        let failed_before = self.failures.len();
        let Some((first, others)) = steps.split_first() else { return true };
        thread::scope(|scope| {
            let beside: Vec<_> = others
                .iter()
                .map(|step| {
                    let missing = self.missing.clone();
                    let mut run = Self { counts: Counts::shown_later(), missing, ..Self::default() };
                    scope.spawn(move || {
                        run.step(at, *step);
                        run
                    })
                })
                .collect();
            self.step(at, *first);
            for run in beside {
                let run = run.join().expect("a step should end");
                self.counts.add(run.counts);
                self.took.extend(run.took);
                self.failures.extend(run.failures);
            }
        });
        self.failures.len() == failed_before
    }

    fn step(&mut self, at: usize, (what, step): (&'static str, Step)) {
        self.counts.show(&format!("\n== {} of {}: {what}", at + 1, STEPS.len()));
        let begin = Instant::now();
        if let Err(error) = step(self) {
            self.failures.push(format!("{what}: {error:#}"));
        }
        self.took.push((what, begin.elapsed()));
    }

    /// What did not run and what failed; the counts come last.
    fn report(&self) {
        let skipped = self.counts.skipped();
        if !skipped.is_empty() {
            print(&format!("\nSKIPPED, {} in all:", skipped.len()));
            skipped.iter().for_each(|what| print(&format!("  {what}")));
        }
        self.took.iter().for_each(|(what, took)| print(&format!("{:>5} s: {what}", took.as_secs())));
        self.failures.iter().for_each(|failure| print(&format!("\nFAILED: {failure}")));
        self.counts.failures().iter().for_each(|test| print(&format!("failed: {test}")));
        print(&format!("\n{}", self.counts));
    }

    /// Whether a part of the tests has the programs that it needs; if not, counts and names it as skipped.
    fn can(&mut self, what: &str, needs: &[&str]) -> bool {
        let missing: Vec<&str> = needs.iter().copied().filter(|need| self.missing.contains(need)).collect();
        if !missing.is_empty() {
            self.counts.skip(&format!("{what}, for want of {}", missing.join(", ")));
        }
        missing.is_empty()
    }
}

/// The core and the functions' logic: quick to build, with overflow checks.
fn core(run: &mut Run) -> Result<()> {
    let mut native = native_tests(|_| true);
    native.arg("--no-run");
    let _ahead = Ahead::start(vec![build::wasm_command()?, native]);
    let mut core = cargo(&["test", "--no-fail-fast", "--workspace"]);
    for package in build::NATIVE {
        core.args(["--exclude", package]);
    }
    // The tests of the gateway wait for clocks most of their time.
    core.env("RUST_TEST_THREADS", "8");
    run.counts.run(&mut core)
}

/// What runs the built components: optimised, for it compiles Wasm. This builds the binary as well.
fn native(run: &mut Run) -> Result<()> {
    let has_encoder = run.can("the end-to-end tests", &["ffmpeg"]);
    let mut core_as_wasm = core_as_wasm_tests()?;
    core_as_wasm.arg("--no-run");
    let mut later = vec![core_as_wasm];
    if !run.missing.contains(&"g++") {
        later.push(fuzz_targets());
    }
    let _ahead = Ahead::start(later);
    let mut native = native_tests(|package| has_encoder || package != "recorder-tests");
    // The end-to-end tests wait most of their time: for pushes in real time, and for what is due later.
    native.env("RUST_TEST_THREADS", "6");
    run.counts.run(&mut native)?;
    if !has_encoder {
        // Later steps run these programs; the tests would have built them.
        build::run(&mut build::native(&[build::BINARY, "recorder-tests"]))?;
    }
    Ok(())
}

fn native_tests(is_tested: impl Fn(&str) -> bool) -> Command {
    let mut native = cargo(&["test", "--no-fail-fast", "--profile", "native"]);
    for package in build::NATIVE.iter().filter(|package| is_tested(package)) {
        native.args(["--package", package]);
    }
    native
}

/// The core's tests that need no files and no other program, where a `usize` has 32 bits.
fn core_as_wasm(run: &mut Run) -> Result<()> {
    run.counts.run(&mut core_as_wasm_tests()?)
}

fn core_as_wasm_tests() -> Result<Command> {
    let mut core = cargo(&["test", "--no-fail-fast", "--target", build::WASM_TARGET, "--lib"]);
    core.args([
        "--test", "golden", "--test", "sessions", "--test", "memory", "--test", "grid", "--test", "extents",
    ]);
    for package in crates()? {
        core.args(["--package", &package]);
    }
    core.env("CARGO_TARGET_WASM32_WASIP2_RUNNER", build::root().join("target/native/wasi-run"));
    Ok(core)
}

/// The official clients of the recording API, against the binary just built.
fn clients(run: &mut Run) -> Result<()> {
    if !run.can("the official clients of the recording API", &["python3-venv", "npm"]) {
        return Ok(());
    }
    run.counts.show("python3 and npm download the clients into target/sdk, once");
    run.counts.run(Command::new("python3").arg("tests/sdk/run.py"))
}

/// Ten seconds of every fuzz target, from its seeds on; two run at once.
fn fuzz(run: &mut Run) -> Result<()> {
    let files = folder("fuzz/fuzz_targets")?;
    let targets = files.iter().map(|file| file.trim_end_matches(".rs"));
    let targets: Vec<&str> =
        targets.filter(|target| run.can(&format!("the fuzz target {target}"), &["g++"])).collect();
    if targets.is_empty() {
        return Ok(());
    }
    run.counts.run(&mut fuzz_targets())?;
    let mut failed = Vec::new();
    for pair in targets.chunks(2) {
        let started: Vec<Result<Started>> = pair.iter().map(|target| start_fuzzing(target)).collect();
        for target in started {
            match target.and_then(Started::end) {
                Ok(()) => run.counts.pass(),
                Err(error) => {
                    run.counts.fail();
                    failed.push(format!("{error:#}"));
                }
            }
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

fn fuzz_targets() -> Command {
    let mut build = cargo(&["build", "--release", "--bins"]);
    build.current_dir("fuzz");
    build
}

fn start_fuzzing(target: &str) -> Result<Started> {
    let mut fuzz = cargo(&["run", "--quiet", "--release", "--bin", target, "--"]);
    fuzz.args(["-max_total_time=10", "-seed=1", "-rss_limit_mb=512", "-print_final_stats=1"]);
    // What is found goes into the first folder, which is therefore not that of the seeds.
    let found = build::root().join("target/fuzz/found").join(target);
    let _ = std::fs::remove_dir_all(&found);
    std::fs::create_dir_all(&found).with_context(|| format!("cannot create {}", found.display()))?;
    fuzz.arg(format!("-artifact_prefix={}/", found.display())).arg(found);
    let seeds = build::root().join("fuzz/seeds").join(target);
    if seeds.is_dir() {
        fuzz.arg(seeds);
    }
    build::start(fuzz.current_dir("fuzz"))
}

/// The packages of the core.
fn crates() -> Result<Vec<String>> {
    Ok(folder("crates")?.into_iter().map(|name| format!("recorder-{name}")).collect())
}

/// The names in a folder, in order.
fn folder(path: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot list {path}"))?;
    let name = |entry: DirEntry| entry.file_name().display().to_string();
    let mut names = entries.map(|entry| Ok(name(entry?))).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
