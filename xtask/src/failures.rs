//! Which tests failed and why, read from what libtest prints.

/// As many characters of a line are kept: a message may hold whole structures.
const LONGEST: usize = 400;

/// The failed tests of all runners, each in one line: its name, where it panicked, and the first line of why.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    told: Vec<String>,
    /// The failed test whose output is being read, with the place of its panic once that was read.
    reading: Option<(String, Option<String>)>,
}

impl Failures {
    /// Reads one line of a runner's output.
    ///
    /// libtest heads the output of a failed test with `---- NAME stdout ----`. The standard library's panic hook
    /// writes `thread 'NAME' (ID) panicked at PLACE:`, and the message on the next line. A test may return an error
    /// as well, which libtest prints as `Error: …`.
    pub(crate) fn read(&mut self, line: &str) {
        let name = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"));
        if name.is_some() || line == "failures:" || line.starts_with("test result: ") {
            // The output of the test before, if any, has told no reason.
            self.told.extend(self.reading.take().map(|(name, _)| name));
            self.reading = name.map(|name| (name.to_owned(), None));
            return;
        }
        let Some((name, place)) = &mut self.reading else { return };
        let why = match place {
            Some(place) => Some(format!("{name}, {place} {line}")),
            None => line.strip_prefix("Error: ").map(|error| format!("{name}: {error}")),
        };
        if let Some(why) = why {
            self.told.push(why.chars().take(LONGEST).collect());
            self.reading = None;
        } else if let Some((_, at)) = line.split_once(" panicked at ") {
            *place = Some(at.to_owned());
        }
    }

    /// Adds those of other runners.
    pub(crate) fn add(&mut self, others: Self) {
        self.told.extend(others.told);
    }

    /// What was read so far.
    pub(crate) fn told(&self) -> &[String] {
        &self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failed_test_is_told_in_one_line() {
        let mut failures = Failures::default();
        let lines = [
            "test lost ... FAILED",
            "",
            "failures:",
            "",
            "---- lost stdout ----",
            "a line that the test prints",
            "",
            "thread 'lost' (17) panicked at tests/lost.rs:3:5:",
            "a frame is missing",
            "note: run with `RUST_BACKTRACE=1`",
            "---- refused stdout ----",
            "Error: no bucket",
            "---- silent stdout ----",
            "",
            "failures:",
            "    lost",
            "    refused",
            "    silent",
            "",
            "test result: FAILED. 0 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ];
        lines.iter().for_each(|line| failures.read(line));
        assert_eq!(
            failures.told(),
            ["lost, tests/lost.rs:3:5: a frame is missing", "refused: no bucket", "silent"]
        );
    }
}
