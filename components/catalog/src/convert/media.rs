//! What compositions ask.

use catalog::media::MediaChunk;
use catalog::upload::Upload;

use crate::types;

impl From<MediaChunk> for types::MediaChunk {
    fn from(MediaChunk { at, follows_gap }: MediaChunk) -> Self {
        Self { session: at.session, seq: at.seq, follows_gap }
    }
}

impl From<Upload> for types::Upload {
    fn from(Upload { names_taken, id, parts, .. }: Upload) -> Self {
        Self { names_taken, id, parts }
    }
}

/// How far the record file of a number is uploaded.
#[must_use]
pub fn upload(number: u32, upload: types::Upload) -> Upload {
    let types::Upload { names_taken, id, parts } = upload;
    Upload { number, names_taken, id, parts }
}
