//! Record files of chunks' media: MP4 and FLV, written as the media comes.
//!
//! All that is needed beforehand is the sample table of each chunk. The file's size is known from then on; its bytes
//! follow from the chunks alone.
//!
//! ```
//! # fn main() -> Result<(), record_files::Error> {
//! # let (chunks, media): (Vec<record_files::Chunk>, Vec<u8>) = (Vec::new(), Vec::new());
//! # if chunks.is_empty() { return Ok(()) }
//! use record_files::{Container, RecordFile};
//!
//! let laid_out = RecordFile::lay_out(Container::Mp4, 1_767_323_045, chunks)?;
//! let mut writer = laid_out.writer(0..u64::MAX);
//! let (mut file, mut media) = (Vec::new(), &media[..]);
//! while let Some(piece) = writer.head() {
//!     file.extend(piece);
//! }
//! while let Some(needed) = writer.needed() {
//!     let (next, rest) = media.split_at(needed as usize);
//!     file.extend(writer.take(next.to_vec())?);
//!     media = rest;
//! }
//! assert_eq!(file.len() as u64, laid_out.file().size);
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod chunk;
mod error;
mod flv_file;
mod record_file;
mod writer;

pub use chunk::Chunk;
pub use error::Error;
pub use record_file::{Container, File, RecordFile};
pub use writer::Writer;
