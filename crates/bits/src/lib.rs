//! Bit reading for video and audio headers: fixed-length and Exp-Golomb codes, and NAL unit framing.
//!
//! Not a general bitstream library: it reads what parameter sets and configuration records need.
//!
//! | name here | standard |
//! | --- | --- |
//! | 14496-10 | ISO/IEC 14496-10 / ITU-T H.264 |
//! | 14496-15 | ISO/IEC 14496-15, carriage of NAL unit structured video |
//!
//! ```
//! # use recorder_bits as bits;
//! let mut reader = bits::BitReader::new(&[0b1010_0110]);
//! assert_eq!(reader.bits(3)?, 0b101);
//! assert_eq!(reader.exp_golomb()?, 5); // 00110
//! # Ok::<(), bits::EndOfBits>(())
//! ```
#![deny(missing_docs)]

mod nal;
mod reader;

pub use nal::{NalLengthError, NalUnits, unescape};
pub use reader::{BitReader, EndOfBits};
