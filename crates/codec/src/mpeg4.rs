//! MPEG-4 part 2 video: start codes and the video object layer header.
//!
//! | name here | standard |
//! | --- | --- |
//! | 14496-2 | ISO/IEC 14496-2, MPEG-4 visual |

mod framing;
mod headers;

pub use framing::{Framing, START_CODE_PREFIX, split_lengths};
pub use headers::{
    VideoObjectLayer, before_first_picture, begins_picture, is_header, is_video_object_layer,
    profile_and_level,
};
