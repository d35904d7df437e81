//! FLV: the file header, tags, and the headers that begin audio and video tag bodies.
//!
//! Knows how messages are framed and what they say about themselves, and hands payloads to the crate `codec`, which
//! reads them. It keeps no time, and everything borrows from the caller's bytes.
//!
//! | name here | standard |
//! | --- | --- |
//! | FLV 10.1 | Adobe Flash Video File Format Specification, version 10.1, annex E |
//! | E-RTMP v2 | Enhanced RTMP, version 2 (Veovera) |
//!
//! ```
//! # use recorder_flv as flv;
//! let mut file = Vec::new();
//! flv::write_header(&mut file, true, false);
//! flv::write_tag(&mut file, flv::TagKind::Audio, 40, &[0xaf, 0x01, 0x21])?;
//!
//! let tag = flv::Reader::new(&file)?.next().expect("one tag was written")?;
//! let audio = flv::AudioTagHeader::parse(tag.body)?;
//! assert_eq!((tag.timestamp_ms, audio.codec), (40, flv::AudioCodec::Aac));
//! # Ok::<(), flv::Error>(())
//! ```
//!
//! Limits: a tag body is shorter than 2^24 bytes, as its length field is; times are 32-bit milliseconds
//! that wrap.
#![deny(missing_docs)]

mod audio;
mod class;
mod configuration;
mod enhanced;
mod error;
pub mod record_file;
pub mod script;
mod tag;
mod video;
mod writer;

pub use audio::{AudioCodec, AudioPacket, AudioTagHeader};
pub use class::TagClass;
pub use enhanced::FourCc;
pub use error::Error;
pub use script::StreamMetadata;
pub use tag::{Demuxer, FILE_HEADER_SIZE, Reader, TAG_HEADER_SIZE, Tag, TagHeader, TagKind};
pub use video::{FrameType, VideoCodec, VideoPacket, VideoTagHeader};
pub use writer::{write_header, write_previous_tag_size, write_tag, write_tag_header};
