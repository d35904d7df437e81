//! Record files of chunks' media: MP4 and FLV, written as the media comes.
//!
//! All that is needed beforehand is the sample table of each chunk. The file's size is known from then on; its bytes
//! follow from the chunks alone.
//!
//! ```
//! # fn main() -> Result<(), record_files::Error> {
//! # let (tables, media): (Vec<(&[u8], Option<u64>)>, Vec<u8>) = (Vec::new(), Vec::new());
//! # if tables.is_empty() { return Ok(()) }
//! use record_files::{Container, Writer, chunks};
//!
//! let chunks = chunks(tables)?;
//! let mut writer = Writer::new(Container::Mp4, 1_767_323_045, &chunks)?;
//! let (mut file, mut media) = (Vec::new(), &media[..]);
//! while let Some(piece) = writer.head() {
//!     file.extend(piece);
//! }
//! while let Some(needed) = writer.needed() {
//!     let (next, rest) = media.split_at(needed as usize);
//!     file.extend(writer.take(next.to_vec())?);
//!     media = rest;
//! }
//! assert_eq!(file.len() as u64, writer.file().size);
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod error;
mod writer;

pub use error::Error;
pub use writer::{Chunk, Container, File, Writer, chunks};
