//! The component itself: the WIT package on Spin's key-value store.

use std::time::{SystemTime, UNIX_EPOCH};

use store::SpinStore;

use crate::bindings::exports::recorder::catalog::catalog::{
    Command, Container, Entry, Error as WitError, File, Guest, Index, LocatedEntry, Outlook, Round, Session,
    Slice, Span, StreamName, Stretch, Turn,
};
use crate::{bindings, commands, content, files, indexes, log, sessions, timers};

struct Component;

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

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

    async fn heartbeat(
        gateway: String,
        since: u64,
        at_ms: u64,
    ) -> Result<(u64, Vec<(String, bool)>), WitError> {
        let (since, changes) = sessions::heartbeat(&SpinStore::open().await?, &gateway, since, at_ms).await?;
        Ok((since, changes.into_iter().map(|change| (change.session, change.record)).collect()))
    }

    async fn whose_turn(session: String, seq: u64) -> Result<Turn, WitError> {
        Ok(log::turn(&SpinStore::open().await?, &session, seq).await?)
    }

    async fn commit(
        session: String,
        seq: u64,
        slice: Option<Slice>,
        remux_state: Vec<u8>,
        anchor_ms: u64,
    ) -> Result<Turn, WitError> {
        let commit = log::Commit { slice, remux_state, anchor_ms, now_ms: now_ms() };
        Ok(log::commit(&SpinStore::open().await?, &session, seq, commit).await?)
    }

    async fn names_taken(session: String, count: u32) -> Result<(), WitError> {
        Ok(log::names_taken(&SpinStore::open().await?, &session, count).await?)
    }

    async fn due(now_ms: u64) -> Result<Round, WitError> {
        Ok(timers::due(&SpinStore::open().await?, now_ms).await?)
    }

    async fn settle(mark: u64) -> Result<(), WitError> {
        Ok(timers::settle(&SpinStore::open().await?, mark).await?)
    }

    async fn wake(stream: StreamName, at_ms: u64) -> Result<(), WitError> {
        Ok(timers::wake(&SpinStore::open().await?, &stream, at_ms).await?)
    }

    async fn look(stream: StreamName, container: Container, now_ms: u64) -> Result<Outlook, WitError> {
        Ok(files::look(&SpinStore::open().await?, &stream, container, now_ms).await?)
    }

    async fn entries(stream: StreamName, run: Span) -> Result<Vec<Entry>, WitError> {
        Ok(files::entries(&SpinStore::open().await?, &stream, run).await?)
    }

    async fn filed(stream: StreamName, file: File) -> Result<(), WitError> {
        Ok(files::filed(&SpinStore::open().await?, &stream, file).await?)
    }

    async fn give_command(stream: StreamName, what: Command, now_ms: u64) -> Result<(), WitError> {
        Ok(commands::give(&SpinStore::open().await?, &stream, what, now_ms).await?)
    }

    async fn known_stream(stream: StreamName) -> Result<bool, WitError> {
        Ok(sessions::count(&SpinStore::open().await?, &stream).await? > 0)
    }

    async fn live_session(stream: StreamName) -> Result<Option<Session>, WitError> {
        Ok(commands::live_session(&SpinStore::open().await?, &stream).await?)
    }

    async fn live_sessions(domain: String) -> Result<Vec<Session>, WitError> {
        Ok(commands::live_sessions(&SpinStore::open().await?, &domain).await?)
    }

    async fn stretches(stream: StreamName, from_ms: u64, to_ms: u64) -> Result<Vec<Stretch>, WitError> {
        Ok(content::stretches(&SpinStore::open().await?, &stream, from_ms, to_ms).await?)
    }

    async fn slices_between(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, WitError> {
        Ok(content::slices_between(&SpinStore::open().await?, &stream, from_ms, to_ms, one_more).await?)
    }

    async fn add_index(index: Index) -> Result<(), WitError> {
        Ok(indexes::add(&SpinStore::open().await?, &index).await?)
    }

    async fn get_index(stream: StreamName, id: String) -> Result<Option<Index>, WitError> {
        Ok(indexes::get(&SpinStore::open().await?, &stream, &id).await?)
    }

    async fn list_indexes(stream: StreamName, from_ms: u64, to_ms: u64) -> Result<Vec<Index>, WitError> {
        Ok(indexes::list(&SpinStore::open().await?, &stream, from_ms, to_ms).await?)
    }

    async fn delete_index(stream: StreamName, id: String) -> Result<bool, WitError> {
        Ok(indexes::delete(&SpinStore::open().await?, &stream, &id).await?)
    }
}

bindings::export!(Component with_types_in bindings);
