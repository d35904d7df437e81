//! What happened in a history, line by line, and the hash of it.

use std::fmt;

/// The offset basis and the prime of 64-bit FNV-1a.
const FNV: (u64, u64) = (0xcbf2_9ce4_8422_2325, 0x0000_0100_0000_01b3);

/// How much of a history is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// Each request, answer, fault and event, and where it fails what is left in the store and the work bucket.
    Calls,
    /// Each operation as well.
    Operations,
}

/// A trace: each request, answer, fault and event, with its moment.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    lines: u64,
    detail: Detail,
    kept: Option<Vec<String>>,
    began_ms: u64,
}

impl Trace {
    /// An empty trace of a history that begins at a moment.
    #[must_use]
    pub fn new(began_ms: u64) -> Self {
        Self { hash: FNV.0, lines: 0, detail: Detail::None, kept: None, began_ms }
    }

    /// Prints so much from now on.
    pub fn print(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// Keeps each line from now on, or none.
    pub fn keep(&mut self, keeps: bool) {
        self.kept = keeps.then(Vec::new);
    }

    /// The lines that were kept.
    #[must_use]
    pub fn take_kept(&mut self) -> Vec<String> {
        self.kept.take().unwrap_or_default()
    }

    /// Prints an operation, where operations are printed.
    pub fn show(&self, now_ms: u64, line: fmt::Arguments<'_>) {
        if self.detail == Detail::Operations {
            println!("{}     {line}", (now_ms - self.began_ms) / 1_000);
        }
    }

    /// Notes a line; its moment is told in seconds since the begin.
    pub fn note(&mut self, now_ms: u64, line: fmt::Arguments<'_>) {
        let after_ms = now_ms - self.began_ms;
        let line = format!("{}.{:03} {line}", after_ms / 1_000, after_ms % 1_000);
        if self.detail != Detail::None {
            println!("{line}");
        }
        self.hash_in(line.as_bytes());
        self.lines += 1;
        if let Some(kept) = &mut self.kept {
            kept.push(line);
        }
    }

    /// Takes bytes into the hash that no line shows.
    pub fn hash_in(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(FNV.1);
        }
    }

    /// The hash of all that was noted.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many lines were noted.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }
}
