//! MPEG-4 part 2 video: start codes and the video object layer header.
//!
//! | name here | standard |
//! | --- | --- |
//! | 14496-2 | ISO/IEC 14496-2, MPEG-4 visual |
#![deny(missing_docs)]

mod headers;

pub use headers::{VideoObjectLayer, begins_with_headers, profile_and_level};
