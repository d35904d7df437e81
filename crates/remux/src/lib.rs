//! FLV chunks in, MPEG-TS slices out: what joins the formats of the media core.
//!
//! [`remux`] is the one door: it reads and checks a whole chunk, says what becomes of it, and gives a muxer
//! that writes the slice. What happens between two chunks of a session is in an opaque [`SessionState`]; the
//! same chunk and state always give the same bytes.
//!
//! ```
//! # use recorder_remux as remux;
//! let mut chunk = Vec::new();
//! flv::write_header(&mut chunk, true, false);
//! flv::write_tag(&mut chunk, flv::TagKind::Audio, 0, &[0xaf, 0, 0x12, 0x10])?;
//! flv::write_tag(&mut chunk, flv::TagKind::Audio, 0, &[0xaf, 1, 0x21, 0x10, 0x04])?;
//!
//! let (slice, mut muxer) = remux::remux(&chunk, &[], &remux::Policy::default())?;
//! let mut transport_stream = Vec::with_capacity(slice.size as usize);
//! muxer.write(&mut transport_stream);
//! assert_eq!(transport_stream.len() as u64, slice.size);
//! assert!(slice.independent && slice.audio.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`remux_with_samples`] also gives the chunk's samples, as MP4 files hold them, with a sample table: what finished
//! MP4 and FLV files are made of.
//!
//! Memory: beside the chunk itself at most 8 bytes for each of its bytes, which only a chunk of messages with a
//! byte of media each comes near. Ordinary pictures need less than a hundredth of the chunk's size, sound alone
//! less than half. Measured in `tests/memory.rs`.
#![deny(missing_docs)]

mod adts;
mod audio;
mod chunk;
mod clock;
mod composition;
mod content;
mod demux;
mod error;
mod extent;
mod late_header;
mod left_out;
mod mpeg4_stream;
mod nal_stream;
mod recorded;
mod sample_entries;
mod sample_pieces;
mod samples;
mod slice;
mod state;
mod video;

pub use adts::PartialFrame;
pub use chunk::Chunk;
pub use demux::{Demuxed, demux};
pub use error::Error;
pub use left_out::{LeftOut, MAX_LEFT_OUT};
pub use media::ChunkArrival;
pub use samples::Samples;
pub use slice::{AudioTrack, Policy, Slice, VideoTrack, remux, remux_with_samples};
pub use state::{SessionState, StateError, VideoState};
