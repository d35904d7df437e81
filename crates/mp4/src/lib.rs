//! The index of MP4 files, made from sample tables without reading the media again.
//!
//! A file is `ftyp`, `moov`, and `mdat` with the media of its chunks as it was laid down. [`IndexBuilder`] takes the
//! chunks' tables in turn, and gives all that stands before the media.
//!
//! ```
//! # use recorder_mp4 as mp4;
//! use mp4::{Follows, IndexBuilder, Policy};
//! use sample_table::{AudioEntry, Head, Sample, SampleEntry, SampleTable, TableWriter};
//! let aac = AudioEntry {
//!     codec: media::AudioCodec::Aac, sample_rate_hz: 48_000, channels: 2, frame_samples: 1_024, in_adts: false,
//!     record: &[0x11, 0x90],
//! };
//! let mut writer = TableWriter::new();
//! writer.begin_run(media::TrackKind::Audio, 0);
//! for dts_90khz in [0, 1_890] {
//!     writer.sample(Sample { dts_90khz, composition_offset_90khz: 0, size: 200, is_sync: true });
//! }
//! let table = writer.finish(&Head { entries: vec![SampleEntry::Audio(aac)], ..Head::default() });
//!
//! let mut builder = IndexBuilder::new(Policy::default());
//! builder.add(&SampleTable::parse(&table)?, Follows::Directly);
//! let index = builder.finish()?;
//! assert_eq!((index.file_size(), index.duration_90khz()), (index.media_offset() + 400, 3_840));
//! let bytes: Vec<u8> = index.pieces().flatten().copied().collect();
//! assert_eq!(bytes[4..8], *b"ftyp");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a file says
//!
//! | what | how | why |
//! | --- | --- | --- |
//! | clocks | of the file and of pictures 90 kHz, of sound its sample rate | pictures keep their times exactly; frames of sound follow each other without a gap |
//! | time of sound | frames that begin within 2 ms of where the one before ends begin there; any other at its own time | FLV has whole milliseconds, in which no frame length is whole |
//! | durations | up to the track's next sample, also over a time in which the track pauses; what is longer than 2^31 units goes on with the samples after it | the other track goes on; players that go by times are right |
//! | gaps in both tracks | as long as [`Follows`] says, from 0 on | where they are left out a file lasts as long as the playlist of the same media; browsers ignore gaps in sound, so that kept ones set them out of step |
//! | begin | with what is shown or heard first: an edit list says which time of a track's media that is, and by an empty edit how much later the other track begins | pictures that are reordered are shown later than decoded; a player that knows no edits is then off by what the tracks are decoded apart, a frame or two |
//! | composition offsets | never below zero, version 0 | the remuxer moves decoding times |
//! | chunks | runs of at most a second, tracks alternate | players read a file as it lies |
//! | offsets | `co64`, `mdat` with 64 bits | one form for files of any size |
//! | parameter sets | `avc1`, `hvc1` with a sample entry for each configuration; samples also have those that were pushed, and each chunk's first picture has its own | Apple's players refuse `hev1`, others know no `avc3`; players that take the first sample entry alone find changed sets in the samples |
//! | MPEG-4 part 2, AAC, MP3 | `mp4v`, `mp4a` with object types 0x20, 0x40, 0x6b (0x69 below 32 kHz) | what browsers and FFmpeg read; `.mp3` is QuickTime's |
//!
//! Memory: what is held is the index itself, in pieces that do not move: for each picture 4 bytes of size, up to 8 of
//! duration and 8 of composition offset where they change with each, for each frame of sound 4. Six hours of 60 pictures
//! and 47 audio frames a second are at most 31 MB.
#![deny(missing_docs)]

mod builder;
mod entry;
mod error;
mod index;
mod movie;
mod pieces;
mod policy;
mod time;
mod track;
#[cfg(feature = "verify")]
pub mod verify;

pub use builder::IndexBuilder;
pub use error::Error;
pub use index::Index;
pub use policy::Policy;
pub use sample_table::Follows;
