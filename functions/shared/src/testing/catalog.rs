//! The real catalog.

use ::catalog::record::Error as CatalogError;
use ::catalog::{commands, files, indexes, log, sessions, timers, types};
use serde::{Serialize, de::DeserializeOwned};

use crate::Catalog;
use crate::catalog::{
    ChunkStatus, Command, Container, DueStreams, Entry, Error, IndexFile, NextFile, Order, PendingOrders,
    RecordFile, Session, Slice, SliceRange, StreamName,
};

use super::{World, convert};

fn answer<A: Serialize, B: DeserializeOwned>(result: Result<A, CatalogError>) -> Result<B, Error> {
    result.map(convert).map_err(|error| convert(types::Error::from(error)))
}

impl World {
    /// What the recording API can say about a stream.
    ///
    /// # Errors
    /// Why the command does not fit the stream's state.
    pub async fn give_command(&self, stream: &StreamName, command: Command) -> Result<(), Error> {
        let (stream, command) = (convert(stream), convert(command));
        answer(commands::give(&self.store, &stream, command, self.now_ms.get()).await)
    }

    /// The index files of a stream.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn index_files(&self, stream: &StreamName) -> Result<Vec<IndexFile>, Error> {
        answer(indexes::list(&self.store, &convert(stream), 0, u64::MAX).await)
    }
}

impl Catalog for World {
    async fn begin(&self, session: Session) -> Result<Session, Error> {
        answer(sessions::begin(&self.store, convert(session)).await)
    }

    async fn get_session(&self, id: &str) -> Result<Session, Error> {
        answer(sessions::get(&self.store, id).await.map(|found| found.session))
    }

    async fn end(&self, id: &str, at_ms: u64) -> Result<u64, Error> {
        answer(sessions::end(&self.store, id, at_ms).await)
    }

    async fn heartbeat(&self, gateway: &str, since: u64, at_ms: u64) -> Result<PendingOrders, Error> {
        let heard = sessions::heartbeat(&self.store, gateway, since, at_ms).await;
        let (since, changes) = heard.map_err(|error| convert::<_, Error>(types::Error::from(error)))?;
        let order = |change: sessions::Change| Order { session: change.session, record: change.record };
        Ok(PendingOrders { since, orders: changes.into_iter().map(order).collect() })
    }

    async fn get_chunk_status(&self, session: &str, seq: u64) -> Result<ChunkStatus, Error> {
        answer(log::status(&self.store, session, seq).await)
    }

    async fn commit_chunk(
        &self,
        session: &str,
        seq: u64,
        slice: Option<Slice>,
        remux_state: Vec<u8>,
        anchor_ms: u64,
        now_ms: u64,
    ) -> Result<ChunkStatus, Error> {
        let commit = log::Commit { slice: convert(slice), remux_state, anchor_ms, now_ms };
        answer(log::commit(&self.store, session, seq, commit).await)
    }

    async fn set_names_taken(&self, session: &str, count: u32) -> Result<(), Error> {
        answer(log::set_names_taken(&self.store, session, count).await)
    }

    async fn list_due(&self, now_ms: u64) -> Result<DueStreams, Error> {
        answer(timers::list_due(&self.store, now_ms).await)
    }

    async fn clear_due(&self, mark: u64) -> Result<(), Error> {
        answer(timers::clear_due(&self.store, mark).await)
    }

    async fn set_due(&self, stream: &StreamName, at_ms: u64) -> Result<(), Error> {
        answer(timers::set_due(&self.store, &convert(stream), at_ms).await)
    }

    async fn advance_files(
        &self,
        stream: &StreamName,
        container: Container,
        now_ms: u64,
    ) -> Result<NextFile, Error> {
        answer(files::advance(&self.store, &convert(stream), convert(container), now_ms).await)
    }

    async fn list_entries(&self, stream: &StreamName, slices: SliceRange) -> Result<Vec<Entry>, Error> {
        answer(files::entries(&self.store, &convert(stream), convert(slices)).await)
    }

    async fn commit_file(&self, stream: &StreamName, file: RecordFile) -> Result<(), Error> {
        answer(files::commit_file(&self.store, &convert(stream), convert(file)).await)
    }

    async fn add_index_file(&self, file: IndexFile) -> Result<(), Error> {
        answer(indexes::add(&self.store, &convert(file)).await)
    }
}
