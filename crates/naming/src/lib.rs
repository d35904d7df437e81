//! Object-name templates of recordings, such as `record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}`.
//!
//! Says nothing about buckets and writes nothing: text in, text out.
//!
//! | kind | variables | required |
//! | --- | --- | --- |
//! | record file | `AppName` `StreamName` `Sequence` `StartTime` `EndTime` `EscapedStartTime` `EscapedEndTime` and the calendar parts | a start time and an end time, escaped or not |
//! | slice | `AppName` `StreamName` `Sequence` `UnixTimestamp` and the calendar parts | `UnixTimestamp` and `Sequence` |
//! | index file | `AppName` `StreamName` and the calendar parts | none |
//!
//! The calendar parts are `Date` `Hour` `Minute` `Second`, taken from the start time.
//!
//! ```
//! use naming::{Kind, Template, Timezone, Values};
//!
//! let template = Template::parse("record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}", Kind::Slice)?;
//! let values = Values {
//!     app: "live",
//!     stream: "teststream",
//!     sequence: 7,
//!     start_ms: 1_488_985_786_250,
//!     end_ms: 1_488_985_791_250,
//!     timezone: Timezone::default(),
//! };
//! assert_eq!(template.object_name(&values, ".ts")?, "record/live/teststream/1488985786_7.ts");
//! # Ok::<(), naming::Error>(())
//! ```
#![deny(missing_docs)]

mod error;
mod object;
mod template;
mod timezone;

pub use error::Error;
pub use object::{MAX_OBJECT_NAME_BYTES, check_object_name, suffix};
pub use template::{
    DEFAULT_RECORD_FILE, DEFAULT_SLICE, Kind, MAX_TEMPLATE_BYTES, Template, Values, Variable,
};
pub use timezone::Timezone;
