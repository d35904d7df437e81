//! The format.

use std::fmt::Write;

/// Media type of what [`Exposition::finish`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes families, each with all of its samples.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// A family whose samples are written.
#[derive(Debug)]
pub struct Family<'a> {
    name: &'static str,
    text: &'a mut String,
}

/// What a sample says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(u64),
    /// Any number; seconds for one.
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Real(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl Exposition {
    /// Begins a family of counters. By convention the name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        debug_assert!(name.ends_with("_total"), "the counter {name} should end in _total");
        self.family(name, "counter", help)
    }

    /// Begins a family of values that go up and down.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        debug_assert!(!name.ends_with("_total"), "the gauge {name} should not end in _total");
        self.family(name, "gauge", help)
    }

    /// Begins a family of histograms.
    pub fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "histogram", help)
    }

    /// All that was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        debug_assert!(is_name(name), "{name:?} should be the name of a metric");
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        add(&mut self.text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { name, text: &mut self.text }
    }
}

impl Family<'_> {
    /// Writes a sample.
    pub fn value(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        self.sample("", labels, value.into());
    }

    /// Writes a sample whose name ends in more than the family's does.
    pub(crate) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: Value) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        for (at, (name, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let before = if at == 0 { '{' } else { ',' };
            add(self.text, format_args!("{before}{name}=\"{value}\""));
        }
        self.text.push_str(if labels.is_empty() { " " } else { "} " });
        match value {
            Value::Whole(value) => add(self.text, format_args!("{value}\n")),
            Value::Real(value) => add(self.text, format_args!("{}\n", number(value))),
        }
    }
}

/// A number as the format writes it.
pub(crate) fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        value => value.to_string(),
    }
}

fn add(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = text.write_fmt(what);
}

fn is_name(name: &str) -> bool {
    let is_first = |letter: char| letter.is_ascii_alphabetic() || matches!(letter, '_' | ':');
    name.starts_with(is_first) && name.chars().all(|letter| is_first(letter) || letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_help_are_escaped() {
        let mut text = Exposition::default();
        text.gauge("g", "a\nb\\c").value(&[("one", "x\"y"), ("two", "a\\b\nc")], 1_u64);
        let expected = "# HELP g a\\nb\\\\c\n# TYPE g gauge\ng{one=\"x\\\"y\",two=\"a\\\\b\\nc\"} 1\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn numbers_are_written_in_full() {
        for (value, written) in [
            (0.25, "0.25"),
            (1.0, "1"),
            (-0.5, "-0.5"),
            (1_764_225_600.125, "1764225600.125"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), written);
        }
        let mut text = Exposition::default();
        text.counter("c_total", "").value(&[], u64::MAX);
        assert!(text.finish().ends_with("\nc_total 18446744073709551615\n"));
    }

    #[test]
    fn names_have_letters_digits_and_underscores() {
        assert!(is_name("a_b:1") && is_name("_"));
        assert!(["", "1a", "a-b", "a b", "ä"].iter().all(|name| !is_name(name)));
    }
}
