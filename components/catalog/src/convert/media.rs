//! What compositions ask.

use catalog::account::Place;
use catalog::blocks::Group;
use catalog::media::MediaChunk;
use catalog::upload::{self, Upload};

use crate::types;

impl From<MediaChunk> for types::MediaChunk {
    fn from(MediaChunk { at, gap_ms }: MediaChunk) -> Self {
        Self { session: at.session, seq: at.seq, gap_ms }
    }
}

impl From<types::MediaChunk> for MediaChunk {
    fn from(types::MediaChunk { session, seq, gap_ms }: types::MediaChunk) -> Self {
        Self { at: Place { session, seq }, gap_ms }
    }
}

impl From<Group> for types::MediaGroup {
    fn from(Group { block, chunks }: Group) -> Self {
        Self { block, chunks: chunks.into_iter().map(Into::into).collect() }
    }
}

impl From<types::MediaGroup> for Group {
    fn from(types::MediaGroup { block, chunks }: types::MediaGroup) -> Self {
        Self { block, chunks: chunks.into_iter().map(Into::into).collect() }
    }
}

impl From<Upload> for types::Upload {
    fn from(Upload { names_taken, id, after, sizes, parts, is_copied, .. }: Upload) -> Self {
        Self { names_taken, id, after, sizes, parts, copied: is_copied }
    }
}

/// A record file under the name that it is uploaded under.
#[must_use]
pub fn upload_target(file: &types::RecordFile) -> upload::Target<'_> {
    upload::Target {
        recording: &file.recording,
        container: file.container.into(),
        number: file.number,
        names_taken: file.names_taken,
        session: &file.last.session,
    }
}

/// How far the record file of a number is uploaded.
#[must_use]
pub fn upload(number: u32, upload: types::Upload) -> Upload {
    let types::Upload { names_taken, id, after, sizes, parts, copied } = upload;
    Upload { number, names_taken, id, after, sizes, parts, is_copied: copied }
}
