//! H.265 (HEVC): configuration records, NAL unit types, sequence parameter sets.
//!
//! Not a decoder: it reads what a muxer must know, and never rewrites a coded byte.
//!
//! | name here | standard |
//! | --- | --- |
//! | 23008-2 | ISO/IEC 23008-2 / ITU-T H.265 |
//! | 14496-15 | ISO/IEC 14496-15, carriage of NAL unit structured video |

mod error;
mod hvcc;
mod nal;
mod sps;

pub use error::Error;
pub use hvcc::HevcDecoderConfigurationRecord;
pub use nal::{NalUnitType, aud};
pub use sps::SequenceParameterSet;
pub(crate) use sps::skip_profile_tier_level;
