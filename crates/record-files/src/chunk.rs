//! What a record file is made of.

use sample_table::{Follows, SampleTable};

use crate::Error;

/// A chunk of a record file.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Its sample table.
    pub table: Vec<u8>,
    /// How long the file shows nothing new before it, in milliseconds, where it does not go on from the chunk before it.
    pub gap_ms: Option<u64>,
}

impl Chunk {
    /// Its table; `place` is its place in the file.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub(crate) fn parse(&self, place: usize) -> Result<SampleTable<'_>, Error> {
        SampleTable::parse(&self.table).map_err(|source| Error::Table { chunk: place, source })
    }

    pub(crate) fn follows(&self) -> Follows {
        let after = |gap_ms: u64| Follows::AfterGap { gap_90khz: gap_ms.saturating_mul(90) };
        self.gap_ms.map_or(Follows::Directly, after)
    }
}
