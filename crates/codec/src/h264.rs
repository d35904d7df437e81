//! H.264 (AVC): configuration records, NAL unit types, sequence parameter sets.
//!
//! Not a decoder: it reads what a muxer must know, and never rewrites a coded byte.
//!
//! | name here | standard |
//! | --- | --- |
//! | 14496-10 | ISO/IEC 14496-10 / ITU-T H.264 |
//! | 14496-15 | ISO/IEC 14496-15, carriage of NAL unit structured video |

mod avcc;
mod error;
mod nal;
mod pps;
mod slice;
mod sps;

pub use avcc::AvcDecoderConfigurationRecord;
pub use error::Error;
pub use nal::{AUD, NalUnitType};
pub use pps::PictureParameterSet;
pub use slice::{PictureFields, SliceHeader};
pub use sps::{PictureOrderCount, SequenceParameterSet, SliceFields};
