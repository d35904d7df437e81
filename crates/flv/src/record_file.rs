//! Record files: an FLV file made of the samples of a stream's chunks.
//!
//! FLV has absolute times in every tag, so a file is written anew from its media: the tables of all chunks
//! ([`RecordPlan`]) tell where everything will be ([`RecordLayout`]), and [`RecordWriter`] writes it as the media comes,
//! from any byte on. It keeps a chunk, and what has to stand behind samples of the next ones.
//!
//! | what | how | why |
//! | --- | --- | --- |
//! | times | of the file, in milliseconds from the first decoding time on; beyond 2^32 (49.7 days) they wrap, as the standard says of tags | a file begins at 0 wherever the push's clock was |
//! | order | by decoding time, pictures before sound; where the tracks lie more than 16 MiB apart in the media, the one behind goes first | times never go back, as players and servers expect, and what is kept in memory is bounded |
//! | headers | a sequence header before a track's first sample, and where it changes | players that begin in the middle have read the only one |
//! | headers of a file in which a configuration changes | those of both tracks before each keyframe too, unless they would be more than the media since the last ones, and the index leads to them | players that jump decode with the last ones that they have read, on whichever side of the change that was |
//! | form of tags | as pushed: legacy, or Enhanced RTMP with `avc1`, `hvc1`, `mp4a`, `.mp3`; HEVC by codec id 12 stays so | a file plays wherever the live stream plays |
//! | `onMetaData` | one, first: what the push said of itself, and duration, size, codecs and an index of keyframes that are those of the file | players seek by it |
//! | samples of 16 MiB and more | left out, and counted | no tag holds them |
//! | other script data | as pushed, at its time, but within its chunk and the file; a chunk's table keeps a part of what is too much | what is told of a chunk stands with it |

mod body;
mod layout;
mod marks;
mod metadata;
mod order;
mod plan;
mod tags;
mod writer;

pub use layout::{RecordHead, RecordLayout};
pub use plan::RecordPlan;
pub use writer::RecordWriter;

#[cfg(test)]
mod tests;
