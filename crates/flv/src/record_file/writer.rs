//! The second pass: the tags of each chunk.

use sample_table::{Follows, SampleTable};

use super::Headers;
use super::tags::{Payload, Tags};
use crate::{Error, write_previous_tag_size, write_tag_header};

/// Writes the tags of a file, chunk by chunk, in the order in which they were laid out.
///
/// It begins as a file without chunks. A writer that has gone over the tables before ([`skip`](Self::skip)) goes on with any chunk.
#[derive(Clone, Debug, Default)]
pub struct RecordWriter {
    tags: Tags,
}

impl RecordWriter {
    /// A file without chunks, whose headers stand where its layout has them.
    #[must_use]
    pub fn new(headers: Headers) -> Self {
        Self { tags: Tags::new(headers) }
    }

    /// Passes over a chunk that is written already.
    pub fn skip(&mut self, table: &SampleTable<'_>, follows: Follows) {
        // Nothing is refused where nothing is written.
        let _ = self.tags.each(table, follows, &mut |_| Ok(()));
    }

    /// Appends the tags of the file's next chunk, whose media is `media`.
    ///
    /// # Errors
    /// [`Error::BodyTooLong`] for what the layout has refused;
    /// [`Error::MediaTruncated`] where `media` is shorter than the table says.
    pub fn write(
        &mut self,
        table: &SampleTable<'_>,
        follows: Follows,
        media: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let needed = table.media_size();
        if (media.len() as u64) < needed {
            return Err(Error::MediaTruncated { needed, available: media.len() as u64 });
        }
        self.tags.each(table, follows, &mut |tag| {
            let payload = match tag.payload {
                Payload::Bytes(bytes) => bytes,
                Payload::Sample { offset, size } => &media[offset as usize..][..size as usize],
            };
            // 32 bits of milliseconds, which wrap.
            write_tag_header(out, tag.kind, tag.body_size(), tag.time_ms as u32)?;
            out.extend_from_slice(tag.header());
            out.extend_from_slice(payload);
            write_previous_tag_size(out, tag.body_size());
            Ok(())
        })
    }
}
