//! MPEG audio (MP3): frame headers.
//!
//! | name here | standard |
//! | --- | --- |
//! | 11172-3 | ISO/IEC 11172-3, MPEG-1 audio |
//! | 13818-3 | ISO/IEC 13818-3, MPEG-2 audio (half sample rates) |

mod header;

pub use header::{Error, FrameHeader};
