//! Names of what a recording leaves: objects, made of templates such as
//! `record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}`, and ids.
//!
//! Slices and record files that have found their names in use go by [their tag](tag).
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
//! use naming::{Kind, ObjectName, Timezone, Values};
//!
//! let values = Values {
//!     app: "live",
//!     stream: "teststream",
//!     sequence: 7,
//!     start_ms: 1_488_985_786_250,
//!     end_ms: 1_488_985_791_250,
//!     timezone: Timezone::default(),
//! };
//! let template = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}";
//! let name = ObjectName { kind: Kind::Slice, template, values, extension: ".ts" };
//! assert_eq!(name.build()?, "record/live/teststream/1488985786_7.ts");
//! # Ok::<(), naming::Error>(())
//! ```
#![deny(missing_docs)]

mod error;
mod guard;
mod id;
mod limits;
mod object;
mod slices;
pub mod tag;
mod template;
mod timezone;

pub use error::Error;
pub use guard::check_object_name;
pub use id::{
    block_object, blocks_of, dated_uuid, day_of_id, digest, media_object, session_day_ms, session_id,
    utc_day, utc_day_ms, uuid,
};
pub use limits::{MAX_OBJECT_NAME_BYTES, MAX_TEMPLATE_BYTES};
pub use object::ObjectName;
pub use slices::{NamedSlice, NamesFrom, SliceNames};
pub use template::{DEFAULT_RECORD_FILE, DEFAULT_SLICE, Kind, Template, Values, Variable};
pub use timezone::Timezone;
