//! Index files.

use catalog::index_file::IndexFile;

use crate::types;

impl From<types::IndexFile> for IndexFile {
    fn from(file: types::IndexFile) -> Self {
        Self {
            id: file.id,
            stream: file.stream.into(),
            endpoint: file.oss_endpoint,
            bucket: file.oss_bucket,
            object: file.object,
            container: file.container.into(),
            start_ms: file.start_ms,
            end_ms: file.end_ms,
            duration_90khz: file.duration90khz,
            size: file.size.map(|size| (size.width, size.height)),
            created_ms: file.created_ms,
        }
    }
}

impl From<IndexFile> for types::IndexFile {
    fn from(file: IndexFile) -> Self {
        Self {
            id: file.id,
            stream: file.stream.into(),
            oss_endpoint: file.endpoint,
            oss_bucket: file.bucket,
            object: file.object,
            container: file.container.into(),
            start_ms: file.start_ms,
            end_ms: file.end_ms,
            duration90khz: file.duration_90khz,
            size: file.size.map(|(width, height)| types::PictureSize { width, height }),
            created_ms: file.created_ms,
        }
    }
}
