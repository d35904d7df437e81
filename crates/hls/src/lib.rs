//! Media playlists of HTTP Live Streaming, for recordings: complete, with an end.
//!
//! Not a parser, and not for live playlists that change.
//!
//! | standard | short name |
//! | --- | --- |
//! | IETF RFC 8216, "HTTP Live Streaming", August 2017 | RFC 8216 |
//!
//! ```
//! use hls::{MediaPlaylist, Segment};
//!
//! let playlist = MediaPlaylist {
//!     segments: vec![Segment {
//!         uri: "1700000000_0.ts".into(),
//!         duration_90khz: 540_000,
//!         discontinuity: false,
//!         independent: true,
//!         program_date_time_ms: Some(1_700_000_000_000),
//!     }],
//! };
//! assert!(playlist.to_string().contains("#EXTINF:6.000,\n1700000000_0.ts\n#EXT-X-ENDLIST\n"));
//! ```
#![deny(missing_docs)]

mod duration;
mod playlist;
mod uri;

pub use duration::{milliseconds, seconds};
pub use playlist::{MediaPlaylist, Segment};
pub use uri::relative_uri;

/// Media type of a playlist (RFC 8216 §4).
pub const CONTENT_TYPE: &str = "application/vnd.apple.mpegurl";
