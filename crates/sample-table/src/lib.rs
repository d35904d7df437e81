//! What the media bytes of a chunk are: its samples, in a compact and bounded encoding.
//!
//! A chunk's media is laid down once, as samples that follow each other, while its stream is recorded. The table says
//! where each sample lies, when it is decoded and shown, and what a decoder must know for it. The index of an MP4 file
//! and the tags of an FLV file are made from tables alone.
//!
//! The media is a sequence of **runs**: samples of one track with one sample entry that begin within a second. Runs of
//! both tracks alternate, so that a player reads a file as it lies.
//!
//! Times are on the 90 kHz clock of the session, as the remuxer has repaired them, and rise strictly in a track. A
//! sample lasts until the next one of its track, which may be in the next chunk; of a track's last sample the table says
//! how long it lasts in all likelihood. A composition offset is never below zero: decoding times are moved where the
//! push has such offsets.
//!
//! ```
//! # use recorder_sample_table as sample_table;
//! use media::{AudioCodec, TrackKind};
//! use sample_table::{AudioEntry, Head, Sample, SampleEntry, SampleTable, TableWriter};
//! let aac = AudioEntry {
//!     codec: AudioCodec::Aac, sample_rate_hz: 44_100, channels: 2, frame_samples: 1_024, in_adts: false,
//!     record: &[0x12, 0x10],
//! };
//! let head = Head { entries: vec![SampleEntry::Audio(aac)], ..Head::default() };
//! let mut writer = TableWriter::new();
//! writer.begin_run(TrackKind::Audio, 0);
//! writer.sample(Sample { dts_90khz: 0, composition_offset_90khz: 0, size: 371, is_sync: true });
//! let table = writer.finish(&head);
//!
//! let table = SampleTable::parse(&table)?;
//! assert_eq!((table.media_size(), table.head().entries.len()), (371, 1));
//! # Ok::<(), sample_table::Error>(())
//! ```
//!
//! Size: the bytes of a picture's own size are 2 or 3, and its times take none where they go on as before; milliseconds
//! that are uneven add 3, reordering 2 to 4. An audio frame takes 2 to 5. A run takes some 12, a table some 10 beside its
//! records. So six hours at 60 pictures and 47 audio frames a second, all of them uneven, are less than 14 MB, and at 25
//! pictures less than 9 MB; `tests/size.rs` measures both.
//!
//! Reading allocates for the head alone; samples are read from the bytes as they are walked.
#![deny(missing_docs)]

mod entry;
mod error;
mod fields;
mod file_clock;
mod head;
mod run;
mod table;
mod writer;

pub use entry::{AudioEntry, MAX_ENTRIES, SampleEntry, VideoEntry};
pub use error::Error;
pub use file_clock::{FileClock, Follows};
pub use head::{Head, MAX_SCRIPTS, Script, TrackHead};
pub use run::{Run, Runs, Sample, Samples};
pub use table::SampleTable;
pub use writer::TableWriter;
