//! The layout of an FLV file, together with the sample tables that it borrows from.

use flv::record_file::{RecordLayout, RecordPlan};
use sample_table::SampleTable;
use self_cell::self_cell;

use crate::{Chunk, Error};

type Parsed<'a> = Vec<SampleTable<'a>>;

self_cell!(
    /// Chunks, and their tables as they are read.
    struct Tables {
        owner: Vec<Chunk>,
        #[covariant]
        dependent: Parsed,
    }

    impl {Debug}
);

self_cell!(
    /// Tables, and the file that is made of them.
    pub(crate) struct FlvFile {
        owner: Tables,
        #[covariant]
        dependent: RecordLayout,
    }

    impl {Debug}
);

impl FlvFile {
    /// # Errors
    /// [`Error::Empty`]; what is no table, and what FLV cannot hold.
    pub(crate) fn lay_out(chunks: Vec<Chunk>) -> Result<Self, Error> {
        let tables = Tables::try_new(chunks, |chunks| {
            chunks.iter().enumerate().map(|(place, chunk)| chunk.parse(place)).collect::<Result<_, Error>>()
        })?;
        Self::try_new(tables, |tables| {
            let follows = tables.borrow_owner().iter().map(Chunk::follows);
            let layout = RecordPlan::new(tables.borrow_dependent().iter().zip(follows)).lay_out()?;
            if layout.head.samples == 0 { Err(Error::Empty) } else { Ok(layout) }
        })
    }

    pub(crate) fn layout(&self) -> &RecordLayout<'_> {
        self.borrow_dependent()
    }
}
