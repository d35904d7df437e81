//! What test runners count, added up.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::failures::Failures;
use crate::print;

/// How many tests passed, failed and were skipped, by whatever runner.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Tests that ended well, those that could not run among them.
    ended_well: u64,
    /// Tests that ended well because they could not run.
    could_not_run: u64,
    failed: u64,
    /// What could not run, and why.
    skipped: Vec<String>,
    /// Tests that their authors left out, as libtest counts them.
    ignored: u64,
    failures: Failures,
    /// What is shown once these counts are added to others.
    shown_later: Option<Vec<String>>,
}

impl Counts {
    /// Those of runners beside others, whose output would come amid that of theirs.
    pub(crate) fn shown_later() -> Self {
        Self { shown_later: Some(Vec::new()), ..Self::default() }
    }

    /// Adds others, and shows what was to be shown later.
    pub(crate) fn add(&mut self, others: Self) {
        others.shown_later.into_iter().flatten().for_each(|line| self.show(&line));
        self.ended_well += others.ended_well;
        self.could_not_run += others.could_not_run;
        self.failed += others.failed;
        self.skipped.extend(others.skipped);
        self.ignored += others.ignored;
        self.failures.add(others.failures);
    }

    /// Shows a line, now or later.
    pub(crate) fn show(&mut self, line: &str) {
        match &mut self.shown_later {
            Some(lines) => lines.push(line.to_owned()),
            None => print(line),
        }
    }

    /// Runs a test runner, shows its output as it comes, and adds its counts.
    ///
    /// A runner that fails without having counted a failure counts as one failed test.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<()> {
        let shown = format!("{command:?}").replace('"', "");
        self.show(&format!("$ {shown}"));
        let mut runner =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {shown}"))?;
        let output = runner.stdout.take().expect("the runner's output should be a pipe");
        let failed_before = self.failed;
        for line in BufReader::new(output).split(b'\n') {
            let line = line.with_context(|| format!("cannot read the output of {shown}"))?;
            let line = String::from_utf8_lossy(&line);
            self.show(&line);
            self.read(&line);
        }
        let status = runner.wait().with_context(|| format!("cannot wait for {shown}"))?;
        if !status.success() && self.failed == failed_before {
            self.failed += 1;
        }
        ensure!(status.success(), "{} ended with {status}", command.get_program().display());
        Ok(())
    }

    /// Counts what has passed without a runner that counts.
    pub(crate) fn pass(&mut self) {
        self.ended_well += 1;
    }

    /// Counts what has failed without a runner that counts.
    pub(crate) fn fail(&mut self) {
        self.failed += 1;
    }

    /// Counts what cannot run, and says so.
    pub(crate) fn skip(&mut self, what: &str) {
        self.show(&format!("skipped: {what}"));
        self.skipped.push(what.to_owned());
    }

    /// What could not run, each with its reason.
    pub(crate) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The tests that failed, each in one line.
    pub(crate) fn failures(&self) -> &[String] {
        self.failures.told()
    }

    /// Reads one line of a runner's output.
    ///
    /// Three kinds of lines count: the summary of libtest, `N passed, N failed` alone on a line, and
    /// `skipped: what, and why` of a test that cannot run. Such a test ends well, so its runner counts it as passed.
    fn read(&mut self, line: &str) {
        self.failures.read(line);
        if let Some(summary) = line.strip_prefix("test result: ") {
            let numbers = summary.split([';', '.']).filter_map(|part| part.trim().split_once(' '));
            for (number, what) in
                numbers.filter_map(|(number, what)| Some((number.parse::<u64>().ok()?, what)))
            {
                match what {
                    "passed" => self.ended_well += number,
                    "failed" => self.failed += number,
                    "ignored" => self.ignored += number,
                    _ => {}
                }
            }
        } else if let Some((_, what)) = line.split_once("skipped: ") {
            self.skipped.push(what.to_owned());
            self.could_not_run += 1;
        } else if let Some((passed, failed)) = plain(line) {
            self.ended_well += passed;
            self.failed += failed;
        }
    }
}

/// The numbers of `N passed, N failed`.
fn plain(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

/// The plain closing line.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.skipped.len() as u64 + self.ignored;
        let passed = self.ended_well.saturating_sub(self.could_not_run);
        write!(f, "{passed} passed, {} failed, {skipped} skipped", self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        lines.iter().for_each(|line| counts.read(line));
        counts
    }

    #[test]
    fn summaries_of_several_runners_add_up() {
        let counts = counts(&[
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.50s",
            "9 passed, 1 failed",
            "everything has passed, 3 failed",
        ]);
        assert_eq!(counts.to_string(), "13 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn a_test_that_could_not_run_has_not_passed() {
        // One thread leaves the line of a test open while the test runs.
        let counts = counts(&[
            "test plays ... skipped: plays in Chromium, for chromium is not installed",
            "ok",
            "skipped: frames decode alike, for ffmpeg is not installed",
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ]);
        assert_eq!(counts.to_string(), "3 passed, 0 failed, 2 skipped");
        assert_eq!(counts.skipped()[0], "plays in Chromium, for chromium is not installed");
    }

    #[test]
    fn counts_of_runners_beside_others_are_shown_and_added_later() {
        let mut beside = Counts::shown_later();
        let script = "echo '2 passed, 1 failed'; echo 'skipped: plays, for want of a player'";
        beside.run(Command::new("sh").args(["-c", script])).unwrap();
        let shown = beside.shown_later.clone().unwrap();
        assert_eq!(shown[1..], ["2 passed, 1 failed", "skipped: plays, for want of a player"]);
        let mut all = counts(&["3 passed, 0 failed"]);
        all.add(beside);
        assert_eq!(all.to_string(), "4 passed, 1 failed, 1 skipped");
        assert_eq!(all.skipped(), ["plays, for want of a player"]);
    }

    #[test]
    fn a_runner_that_fails_counts_at_least_one_failure() {
        let mut counts = Counts::default();
        let mut sh = |script: &str| counts.run(Command::new("sh").args(["-c", script]));
        sh("echo '2 passed, 0 failed'").unwrap();
        sh("echo '0 passed, 3 failed'; exit 1").unwrap_err();
        sh("exit 1").unwrap_err();
        assert_eq!(counts.to_string(), "2 passed, 4 failed, 0 skipped");
    }
}
