//! MPEG transport streams: a muxer that knows its size before it writes.
//!
//! One program, at most one video and one audio track. [`Muxer::new`] goes once over a slice's access units
//! and sums up every packet; [`Muxer::write`] then goes the same way again and copies each coded byte once,
//! from where it was pushed to where the caller wants it. What a slice leaves for the next one (continuity
//! counters, the program's version, the clock) is in [`MuxerState`], so that the slices of a session are one
//! valid stream when put one after the other, and each begins with PAT and PMT.
//!
//! | name here | standard |
//! | --- | --- |
//! | 13818-1 | ISO/IEC 13818-1 / ITU-T H.222.0, MPEG-2 systems |
//!
//! Times: [`PTS_BASE_90KHZ`] stands for the session's first access unit, the program clock reference runs
//! at least [`PCR_LEAD_90KHZ`] before decoding times. Values are reduced to 33 bits where they are written.
#![deny(missing_docs)]

mod clock;
mod elementary;
mod lead;
mod muxer;
mod packet;
mod pes;
mod program;
mod psi;
mod schedule;
mod segment;
mod state;

pub use clock::{MAX_LAG_90KHZ, PCR_LEAD_90KHZ, PTS_BASE_90KHZ};
pub use muxer::{ConfigError, Muxer};
pub use packet::PACKET_SIZE;
pub use pes::MAX_AUDIO_SIZE;
pub use program::{AUDIO_PID, AudioStream, PMT_PID, Program, VIDEO_PID};
pub use schedule::MuxerPolicy;
pub use state::MuxerState;
