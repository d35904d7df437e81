//! AAC: `AudioSpecificConfig` and ADTS headers.
//!
//! Not a decoder: it reads what a muxer must know to put raw frames behind ADTS headers.
//!
//! | name here | standard |
//! | --- | --- |
//! | 14496-3 | ISO/IEC 14496-3, MPEG-4 audio |

mod adts;
mod config;
mod error;
mod program_config;

pub use adts::{AdtsFrame, AdtsHeader, MAX_FRAME_SIZE, is_loas};
pub use config::AudioSpecificConfig;
pub use error::Error;
pub use program_config::ProgramConfig;
