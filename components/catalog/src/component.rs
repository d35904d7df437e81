//! The component itself: the WIT package on Spin's key-value store.

use key_value::SpinStore;

use crate::bindings::exports::recorder::catalog::catalog::{
    ChunkStatus, Command, Container, DueStreams, Entry, Error as WitError, Guest, IndexFile, LocatedEntry,
    NextFile, Order, PendingOrders, RecordFile, RecordedSpan, Session, Slice, SliceRange, StreamName,
};
use crate::{bindings, commands, content, files, indexes, log, sessions, timers};

struct Component;

impl Guest for Component {
    async fn begin(session: Session) -> Result<Session, WitError> {
        Ok(sessions::begin(&SpinStore::open().await?, session).await?)
    }

    async fn get_session(id: String) -> Result<Session, WitError> {
        Ok(sessions::get(&SpinStore::open().await?, &id).await?.session)
    }

    async fn end(id: String, at_ms: u64) -> Result<u64, WitError> {
        Ok(sessions::end(&SpinStore::open().await?, &id, at_ms).await?)
    }

    async fn heartbeat(gateway: String, since: u64, at_ms: u64) -> Result<PendingOrders, WitError> {
        let (since, changes) = sessions::heartbeat(&SpinStore::open().await?, &gateway, since, at_ms).await?;
        let order = |change: sessions::Change| Order { session: change.session, record: change.record };
        Ok(PendingOrders { since, orders: changes.into_iter().map(order).collect() })
    }

    async fn get_chunk_status(session: String, seq: u64) -> Result<ChunkStatus, WitError> {
        Ok(log::status(&SpinStore::open().await?, &session, seq).await?)
    }

    async fn commit_chunk(
        session: String,
        seq: u64,
        slice: Option<Slice>,
        remux_state: Vec<u8>,
        anchor_ms: u64,
        now_ms: u64,
    ) -> Result<ChunkStatus, WitError> {
        let commit = log::Commit { slice, remux_state, anchor_ms, now_ms };
        Ok(log::commit(&SpinStore::open().await?, &session, seq, commit).await?)
    }

    async fn set_names_taken(session: String, count: u32) -> Result<(), WitError> {
        Ok(log::set_names_taken(&SpinStore::open().await?, &session, count).await?)
    }

    async fn list_due(now_ms: u64) -> Result<DueStreams, WitError> {
        Ok(timers::list_due(&SpinStore::open().await?, now_ms).await?)
    }

    async fn clear_due(mark: u64) -> Result<(), WitError> {
        Ok(timers::clear_due(&SpinStore::open().await?, mark).await?)
    }

    async fn set_due(stream: StreamName, at_ms: u64) -> Result<(), WitError> {
        Ok(timers::set_due(&SpinStore::open().await?, &stream, at_ms).await?)
    }

    async fn advance_files(
        stream: StreamName,
        container: Container,
        now_ms: u64,
    ) -> Result<NextFile, WitError> {
        Ok(files::advance(&SpinStore::open().await?, &stream, container, now_ms).await?)
    }

    async fn list_entries(stream: StreamName, slices: SliceRange) -> Result<Vec<Entry>, WitError> {
        Ok(files::entries(&SpinStore::open().await?, &stream, slices).await?)
    }

    async fn commit_file(stream: StreamName, file: RecordFile) -> Result<(), WitError> {
        Ok(files::commit_file(&SpinStore::open().await?, &stream, file).await?)
    }

    async fn give_command(stream: StreamName, command: Command, now_ms: u64) -> Result<(), WitError> {
        Ok(commands::give(&SpinStore::open().await?, &stream, command, now_ms).await?)
    }

    async fn is_known_stream(stream: StreamName) -> Result<bool, WitError> {
        Ok(sessions::count(&SpinStore::open().await?, &stream).await? > 0)
    }

    async fn get_live_session(stream: StreamName) -> Result<Option<Session>, WitError> {
        Ok(commands::live_session(&SpinStore::open().await?, &stream).await?)
    }

    async fn list_live_sessions(domain: String) -> Result<Vec<Session>, WitError> {
        Ok(commands::live_sessions(&SpinStore::open().await?, &domain).await?)
    }

    async fn list_recorded_spans(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<RecordedSpan>, WitError> {
        Ok(content::recorded_spans(&SpinStore::open().await?, &stream, from_ms, to_ms).await?)
    }

    async fn list_slices(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, WitError> {
        Ok(content::slices_between(&SpinStore::open().await?, &stream, from_ms, to_ms, one_more).await?)
    }

    async fn add_index_file(file: IndexFile) -> Result<(), WitError> {
        Ok(indexes::add(&SpinStore::open().await?, &file).await?)
    }

    async fn get_index_file(stream: StreamName, id: String) -> Result<Option<IndexFile>, WitError> {
        Ok(indexes::get(&SpinStore::open().await?, &stream, &id).await?)
    }

    async fn list_index_files(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<IndexFile>, WitError> {
        Ok(indexes::list(&SpinStore::open().await?, &stream, from_ms, to_ms).await?)
    }

    async fn delete_index_file(stream: StreamName, id: String) -> Result<bool, WitError> {
        Ok(indexes::delete(&SpinStore::open().await?, &stream, &id).await?)
    }
}

bindings::export!(Component with_types_in bindings);
