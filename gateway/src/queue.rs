//! The chunks of one push: the recorder adds them, the uploader takes them away.
//!
//! [`QueueWriter`] is the end of the connection that receives the push, [`QueueReader`] the end of the task
//! that brings it to the functions. The reader also hands back what the functions want: [`Orders`].

mod orders;
mod reader;
mod shared;
mod writer;

use std::{fs, io, path::PathBuf, sync::Arc};

use protocol::StreamPath;

use crate::spool::{Record, Recovered};
use shared::Queue;

pub(crate) use orders::{Orders, OrdersSender};
pub(crate) use reader::{Next, QueueReader};
pub(crate) use writer::QueueWriter;

/// Begins the folder of a push.
pub(crate) fn create(
    path: StreamPath,
    folder: PathBuf,
    record: Record,
) -> io::Result<(QueueWriter, QueueReader)> {
    fs::create_dir_all(&folder)?;
    record.save(&folder)?;
    let queue = Arc::new(Queue::new(path, folder, record, Vec::new()));
    Ok((QueueWriter::new(Arc::clone(&queue)), QueueReader::new(queue)))
}

/// A push that an earlier gateway has not brought to the functions: nobody adds to it.
pub(crate) fn recovered(found: Recovered) -> QueueReader {
    let Recovered { path, folder, record, chunks } = found;
    QueueReader::new(Arc::new(Queue::new(path, folder, record, chunks)))
}
