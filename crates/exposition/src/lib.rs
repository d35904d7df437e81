//! Metrics as Prometheus reads them.
//!
//! | name here | standard |
//! | --- | --- |
//! | text exposition format | Prometheus, [Exposition formats](https://prometheus.io/docs/instrumenting/exposition_formats/), version 0.0.4 |
//!
//! [`Exposition`] writes the format, one family after the other. [`Counter`], [`CounterVec`], [`Gauge`] and [`Histogram`] count
//! without locks; the values of a label are a fixed set ([`Label`]), so that no label grows.
//!
//! ```
//! let mut text = exposition::Exposition::default();
//! text.gauge("publishers", "Those connected.").value(&[], 3);
//! assert_eq!(text.finish(), "# HELP publishers Those connected.\n# TYPE publishers gauge\npublishers 3\n");
//! ```
#![deny(missing_docs)]

mod count;
mod histogram;
mod text;

pub use count::{Counter, CounterVec, Gauge, Label};
pub use histogram::{FAST_SECONDS, Histogram, SECONDS};
pub use text::{CONTENT_TYPE, Exposition, Family, Value};
