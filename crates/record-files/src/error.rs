//! What can go wrong.

/// Why a record file cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A chunk's sample table is not one.
    #[error("sample table of chunk {chunk}: {source}")]
    Table {
        /// The chunk's place in the file, from 0.
        chunk: usize,
        /// What is wrong.
        source: sample_table::Error,
    },
    /// The chunks hold nothing that the container holds.
    #[error("there is nothing in the chunks that such a file holds")]
    Empty,
    /// An MP4 file cannot be written.
    #[error(transparent)]
    Mp4(mp4::Error),
    /// An FLV file cannot be written.
    #[error(transparent)]
    Flv(#[from] flv::Error),
}

impl From<mp4::Error> for Error {
    fn from(error: mp4::Error) -> Self {
        match error {
            mp4::Error::Empty => Self::Empty,
            error => Self::Mp4(error),
        }
    }
}
