//! The vocabulary of the media core: tracks, access units, the timeline and its repairs.
//!
//! Says what every demuxer gives and every muxer takes; knows no container. Coded data is borrowed and stays as it
//! was pushed. All times are on a 90 kHz clock that neither wraps nor jumps and begins with the session.
//!
//! ```
//! # use recorder_media as media;
//! use media::{Repairs, Timeline, TrackKind};
//! let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
//! let mut place = |stamp_ms| {
//!     timeline.place(TrackKind::Video, stamp_ms, None, std::iter::empty(), &mut repairs).dts_90khz
//! };
//! assert_eq!(place(4_294_967_280), 0);
//! assert_eq!(place(24), 40 * media::TICKS_PER_MS);
//! assert_eq!(repairs.iter().collect::<Vec<_>>(), [(media::RepairKind::TimestampWrap, 1)]);
//! ```
#![deny(missing_docs)]

mod repair;
mod timeline;
mod track;

pub use repair::{RepairKind, Repairs};
pub use timeline::{
    Ahead, Arrival, ArrivalPoint, ChunkArrival, Lead, Pace, Placed, PresentationStamps, Timeline,
    TimelinePolicy, TrackClock, Upcoming,
};
pub use track::{
    AccessUnit, AudioCodec, AudioConfig, Data, Media, PictureSize, Track, TrackKind, VideoCodec, VideoConfig,
};

/// Ticks of the 90 kHz clock in a millisecond.
pub const TICKS_PER_MS: i64 = 90;
