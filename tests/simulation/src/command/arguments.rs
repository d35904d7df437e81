//! The command line of histories.

use std::collections::BTreeSet;

use crate::coverage::{WANTED, WANTED_OF_REAL_GATEWAYS};
use crate::options::{Gateways, Options};
use crate::workload::Length;

/// What the command takes.
pub const USAGE: &str = "\
cargo xtask simulate [--seeds N] [--from SEED] [--jobs N]
    plays the histories of N seeds (250) from one on (1), so many at once (2)
cargo xtask simulate --defects N [--from SEED]
    says which of N seeds finds each deliberate defect first
cargo xtask simulate --replay SEED [--only ID,…] [--operations]
    plays one again and prints it; --only has nothing else happen, --operations prints each operation
with --real-gateways
    gateways are no models: pushes come over RTMP, calls go over HTTP, and the spool is in files
with --long
    histories last for 25 to 37 hours in place of minutes, with 4 to 24 streams, in chunks of half a minute";

/// Fewer histories than these need not reach everything.
pub(super) const MANY: u64 = 250;

/// What the command is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    pub(super) seeds: u64,
    pub(super) from: u64,
    pub(super) jobs: u64,
    pub(super) replay: Option<u64>,
    pub(super) defects: Option<u64>,
    pub(super) only: Option<BTreeSet<u32>>,
    pub(super) operations: bool,
    pub(super) length: Length,
    pub(super) gateways: Gateways,
}

impl Arguments {
    /// Reads what stands on the command line.
    ///
    /// # Errors
    /// What is not understood.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            seeds: MANY,
            from: 1,
            jobs: 2,
            replay: None,
            defects: None,
            only: None,
            operations: false,
            length: Length::Minutes,
            gateways: Gateways::Models,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--operations" => arguments.operations = true,
                "--real-gateways" => arguments.gateways = Gateways::Real,
                "--long" => arguments.length = Length::Hours,
                _ => {
                    let value =
                        words.next().ok_or_else(|| format!("{word} should be followed by a value"))?;
                    arguments.take(&word, &value)?;
                }
            }
        }
        if arguments.replay.is_none() && (arguments.operations || arguments.only.is_some()) {
            return Err("--only and --operations go with --replay".into());
        }
        if arguments.defects.is_some() && arguments.length == Length::Hours {
            return Err("--defects plays short histories, and --long goes without it".into());
        }
        if arguments.defects.is_some() && arguments.gateways == Gateways::Real {
            return Err("--defects plays model gateways, and --real-gateways goes without it".into());
        }
        Ok(arguments)
    }

    /// Takes a word that is followed by a value.
    fn take(&mut self, word: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("{word} should be a number, not {value:?}"));
        match word {
            "--seeds" => self.seeds = number()?,
            "--from" => self.from = number()?,
            "--jobs" => self.jobs = number()?.max(1),
            "--defects" => self.defects = Some(number()?),
            "--replay" => self.replay = Some(number()?),
            "--only" => self.only = Some(ids(value)?),
            _ => return Err(format!("{word:?} is not known")),
        }
        Ok(())
    }

    /// All of the history of a seed.
    pub(super) fn of(&self, seed: u64) -> Options {
        Options { length: self.length, gateways: self.gateways, ..Options::of(seed) }
    }

    /// What such histories have to reach.
    pub(super) fn wanted(&self) -> &'static [&'static str] {
        match self.gateways {
            Gateways::Models => WANTED,
            Gateways::Real => WANTED_OF_REAL_GATEWAYS,
        }
    }

    /// The command that plays a history again.
    pub(super) fn replay_command(&self, seed: u64) -> String {
        let long = if self.length == Length::Hours { " --long" } else { "" };
        let real = if self.gateways == Gateways::Real { " --real-gateways" } else { "" };
        format!("cargo xtask simulate{long}{real} --replay {seed}")
    }
}

fn ids(text: &str) -> Result<BTreeSet<u32>, String> {
    let id = |word: &str| u32::from_str_radix(word, 16).map_err(|_| format!("{word:?} is no event or fault"));
    text.split(',').filter(|word| !word.is_empty()).map(id).collect()
}
