//! Counters.

use std::{
    marker::PhantomData,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
};

use crate::Family;

/// Counts up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Goes up by so many, or down.
    pub fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Where it is; 0 where it was taken further down than up.
    #[must_use]
    pub fn get(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

/// A label with a fixed set of values.
pub trait Label: Copy + 'static {
    /// The label's name.
    const NAME: &'static str;
    /// All its values, each at the place that [`place`](Self::place) says.
    const ALL: &'static [Self];

    /// How it is written.
    fn as_str(self) -> &'static str;

    /// Its place in [`ALL`](Self::ALL).
    fn place(self) -> usize;
}

/// A counter for each value of a label.
#[derive(Debug)]
pub struct CounterVec<L> {
    counters: Box<[Counter]>,
    label: PhantomData<L>,
}

impl<L: Label> Default for CounterVec<L> {
    fn default() -> Self {
        Self { counters: L::ALL.iter().map(|_| Counter::default()).collect(), label: PhantomData }
    }
}

impl<L: Label> CounterVec<L> {
    /// The counter of a value.
    pub fn of(&self, value: L) -> &Counter {
        &self.counters[value.place()]
    }

    /// Writes a sample for each value, also where there was none: a rate needs the zero before the first.
    pub fn write(&self, mut family: Family<'_>) {
        self.write_with(&mut family, &[]);
    }

    /// The same, each with these labels before its own.
    pub fn write_with(&self, family: &mut Family<'_>, labels: &[(&str, &str)]) {
        for value in L::ALL {
            let labels: Vec<_> = labels.iter().copied().chain([(L::NAME, value.as_str())]).collect();
            family.value(&labels, self.of(*value).get());
        }
    }
}

/// Defines a label: an enum, and how each of its values is written.
#[macro_export]
macro_rules! label {
    ($(#[$doc:meta])* $visible:vis enum $Name:ident as $name:literal {
        $($(#[$value_doc:meta])* $Value:ident = $written:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visible enum $Name { $($(#[$value_doc])* $Value,)+ }

        impl $crate::Label for $Name {
            const NAME: &'static str = $name;
            const ALL: &'static [Self] = &[$(Self::$Value,)+];

            fn as_str(self) -> &'static str {
                match self { $(Self::$Value => $written,)+ }
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exposition;

    label! {
        /// Two colours.
        enum Colour as "colour" {
            Red = "red",
            Green = "dark_green",
        }
    }

    #[test]
    fn a_gauge_goes_up_and_down() {
        let gauge = Gauge::default();
        for (more, found) in [(3, 3), (-1, 2), (-5, 0), (4, 1)] {
            gauge.add(more);
            assert_eq!(gauge.get(), found);
        }
    }

    #[test]
    fn each_value_is_written_also_where_there_was_none() {
        let counters = CounterVec::<Colour>::default();
        counters.of(Colour::Green).add(7);
        counters.of(Colour::Green).add_one();
        let mut labelled = Exposition::default();
        counters.write_with(&mut labelled.counter("c_total", "Colours."), &[("of", "x")]);
        assert!(labelled.finish().ends_with("c_total{of=\"x\",colour=\"dark_green\"} 8\n"));
        let mut text = Exposition::default();
        counters.write(text.counter("c_total", "Colours."));
        let expected = "c_total{colour=\"red\"} 0\nc_total{colour=\"dark_green\"} 8\n";
        assert!(text.finish().ends_with(expected));
        assert_eq!(Colour::ALL.iter().map(|colour| colour.place()).collect::<Vec<_>>(), [0, 1]);
    }
}
