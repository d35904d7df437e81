//! What a muxer must know of each codec: parameter sets, configuration records, framing of frames.
//!
//! Not a decoder, and never a rewriter: no coded byte is changed here.
//!
//! | module | codec | standards |
//! | --- | --- | --- |
//! | [`h264`] | H.264 (AVC) | 14496-10, 14496-15 |
//! | [`h265`] | H.265 (HEVC) | 23008-2, 14496-15 |
//! | [`mpeg4`] | MPEG-4 part 2 video | 14496-2 |
//! | [`aac`] | AAC | 14496-3 |
//! | [`mpa`] | MPEG audio (MP3) | 11172-3, 13818-3 |
//!
//! [`nal_video`] is what H.264 and HEVC have in common, [`nal`] the framing of their NAL units, [`sei`] their
//! supplemental enhancement information; [`Configuration`] compares
//! configuration records of all codecs; [`bits`] reads the fixed-length and Exp-Golomb codes of headers.
#![deny(missing_docs)]

pub mod aac;
pub mod bits;
mod configuration;
pub mod h264;
pub mod h265;
pub mod mpa;
pub mod mpeg4;
pub mod nal;
pub mod nal_video;
mod pixel_aspect;
pub mod sei;

pub use configuration::Configuration;
pub use pixel_aspect::PixelAspect;
