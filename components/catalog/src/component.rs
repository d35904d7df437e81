//! The component itself: the service over Spin's key-value store and the work bucket.

use catalog::time::Retention;
use catalog::{guard, session};
use key_value::SpinStore;

use crate::Service;
use crate::bindings;
use crate::bindings::exports::recorder::catalog::catalog::{
    After, Callback, Changes, Command, Container, Delivery, Entry, Error, Event, Guest, Heartbeat, IndexFile,
    Lane, LocatedEntry, Loss, MediaGroup, OrderedSession, Placed, PushName, RebuildStep, RecordFile,
    RecordedSpan, Resends, Session, StreamName, Timer, Turn, Upload, Wish,
};
use crate::service;
use crate::users::Users;
use crate::work_bucket::Work;

struct Component;

async fn with_catalog<T>(
    call: impl AsyncFnOnce(Service<'_, SpinStore, Work>) -> Result<T, Error>,
) -> Result<T, Error> {
    let store = SpinStore::open().await.map_err(|error| Error::Store(error.to_string()))?;
    let answer = call(Service { store: &store, bucket: &Work }).await;
    if matches!(answer, Err(Error::NoSuchSession)) {
        guard::check_whole(&store, &Work).await?;
    }
    answer
}

/// How long what was recorded is kept, by the variables `slice_retention_days` and `file_retention_days`.
async fn retention() -> Result<Retention, Error> {
    let days = async |name| {
        let text = s3_client::variable(name).await.map_err(|error| Error::Unfit(error.to_string()))?;
        service::days(name, &text)
    };
    Ok(service::retention(days("slice_retention_days").await?, days("file_retention_days").await?))
}

/// Whether the bucket that a session is recorded into may only be written.
async fn is_write_only(session: &Session) -> Result<bool, Error> {
    let Some(rule) = &session.rule else { return Ok(false) };
    let client = s3_client::client(&rule.oss_endpoint, &rule.oss_bucket).await;
    Ok(client.map_err(|error| Error::Unfit(error.to_string()))?.options.write_only)
}

/// An answer for a session's chunk; where there is no such session any more, it says so.
async fn kept<T>(answer: Result<T, Error>, session: &str, now_ms: u64) -> Result<T, Error> {
    match answer {
        Err(Error::NoSuchSession) if session::is_expired(session, retention().await?, now_ms) => {
            Err(Error::Expired)
        }
        answer => answer,
    }
}

impl Guest for Component {
    async fn begin(
        session: Session,
        after: Option<After>,
        resends: Option<Resends>,
        now_ms: u64,
    ) -> Result<OrderedSession, Error> {
        with_catalog(async |catalog| catalog.begin(session, after, resends, now_ms).await).await
    }

    async fn find_wish(push: PushName) -> Result<Option<Wish>, Error> {
        with_catalog(async |catalog| catalog.find_wish(push).await).await
    }

    async fn decide_wish(push: PushName, proposal: Wish) -> Result<Wish, Error> {
        with_catalog(async |catalog| catalog.decide_wish(push, proposal).await).await
    }

    async fn get_session(id: String) -> Result<Session, Error> {
        with_catalog(async |catalog| catalog.get_session(&id).await).await
    }

    async fn end(
        id: String,
        ended_ago_ms: u64,
        duration_ms: u64,
        chunks: u64,
        now_ms: u64,
    ) -> Result<u64, Error> {
        with_catalog(async |catalog| catalog.end(&id, ended_ago_ms, duration_ms, chunks, now_ms).await).await
    }

    async fn beat(heartbeat: Heartbeat, now_ms: u64) -> Result<Changes, Error> {
        with_catalog(async |catalog| catalog.beat(heartbeat, now_ms).await).await
    }

    async fn prepare_chunk(session: String, seq: u64, now_ms: u64) -> Result<Turn, Error> {
        let turn = with_catalog(async |catalog| catalog.prepare_chunk(&session, seq, now_ms).await).await;
        kept(turn, &session, now_ms).await
    }

    async fn place_slice(prepared: Vec<u8>, delivery: Delivery) -> Result<Placed, Error> {
        with_catalog(async |catalog| catalog.place_slice(&prepared, delivery)).await
    }

    async fn take_slice_name(session: String, seq: u64, names_taken: u32) -> Result<u32, Error> {
        with_catalog(async |catalog| catalog.take_slice_name(&session, seq, names_taken).await).await
    }

    async fn commit_chunk(prepared: Vec<u8>, delivery: Delivery, now_ms: u64) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.commit_chunk(&prepared, delivery, now_ms).await).await
    }

    async fn lose_chunk(session: String, seq: u64, loss: Loss, now_ms: u64) -> Result<(), Error> {
        let lost = with_catalog(async |catalog| catalog.lose_chunk(&session, seq, loss, now_ms).await).await;
        kept(lost, &session, now_ms).await
    }

    async fn list_due(lane: Lane, now_ms: u64) -> Result<Vec<Timer>, Error> {
        with_catalog(async |catalog| catalog.list_due(lane, now_ms).await).await
    }

    async fn attend(timer: Timer, now_ms: u64) -> Result<Option<Vec<String>>, Error> {
        let retention = retention().await?;
        with_catalog(async |catalog| catalog.attend(timer, retention, now_ms).await).await
    }

    async fn release(timer: Timer) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.release(timer).await).await
    }

    async fn settle(
        attended: Vec<Timer>,
        failed: Vec<Timer>,
        untried: Vec<Timer>,
        now_ms: u64,
    ) -> Result<Vec<u64>, Error> {
        with_catalog(async |catalog| catalog.settle(attended, failed, untried, now_ms).await).await
    }

    async fn next_file(recording: String, container: Container) -> Result<Option<RecordFile>, Error> {
        with_catalog(async |catalog| catalog.next_file(&recording, container).await).await
    }

    async fn name_file(file: RecordFile, names_taken: u32) -> Result<String, Error> {
        with_catalog(async |catalog| catalog.name_file(file, names_taken).await).await
    }

    async fn take_file_name(file: RecordFile) -> Result<u32, Error> {
        with_catalog(async |catalog| catalog.take_file_name(file).await).await
    }

    async fn list_entries(file: RecordFile) -> Result<Vec<Entry>, Error> {
        with_catalog(async |catalog| catalog.list_entries(file).await).await
    }

    async fn get_upload(file: RecordFile) -> Result<Option<Upload>, Error> {
        with_catalog(async |catalog| catalog.get_upload(file).await).await
    }

    async fn decide_upload(file: RecordFile, begun: Upload) -> Result<Upload, Error> {
        with_catalog(async |catalog| catalog.decide_upload(file, begun).await).await
    }

    async fn note_upload(file: RecordFile, upload: Upload) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.note_upload(file, upload).await).await
    }

    async fn list_media(file: RecordFile, block_bytes: u64) -> Result<Vec<MediaGroup>, Error> {
        with_catalog(async |catalog| catalog.list_media(file, block_bytes).await).await
    }

    async fn next_block(recording: String, block_bytes: u64) -> Result<Option<(u32, MediaGroup)>, Error> {
        with_catalog(async |catalog| catalog.next_block(&recording, block_bytes).await).await
    }

    async fn note_block(recording: String, file: u32, group: MediaGroup) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.note_block(&recording, file, group).await).await
    }

    async fn may_copy(oss_endpoint: String, oss_bucket: String, now_ms: u64) -> Result<bool, Error> {
        with_catalog(async |catalog| catalog.may_copy(&oss_endpoint, &oss_bucket, now_ms).await).await
    }

    async fn note_uncopied(oss_endpoint: String, oss_bucket: String, now_ms: u64) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.note_uncopied(&oss_endpoint, &oss_bucket, now_ms).await).await
    }

    async fn commit_file(
        file: RecordFile,
        object: Option<String>,
        is_told: bool,
        now_ms: u64,
    ) -> Result<(), Error> {
        let commit = async |catalog: Service<'_, _, _>| {
            let holds_media = file.container != Container::M3u8;
            let is_write_only =
                holds_media && is_write_only(&catalog.get_session(&file.recording).await?).await?;
            catalog.commit_file(file, object.as_deref(), is_told, is_write_only, now_ms).await
        };
        with_catalog(commit).await
    }

    async fn list_events(timer: Timer, now_ms: u64) -> Result<Vec<Event>, Error> {
        with_catalog(async |catalog| catalog.list_events(timer, now_ms).await).await
    }

    async fn note_event(event: Event, is_wanted: bool, goes_on: bool, now_ms: u64) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.note_event(event, is_wanted, goes_on, now_ms).await).await
    }

    async fn note_refused(session: String, now_ms: u64) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.note_refused(&session, now_ms).await).await
    }

    async fn note_callback(callback: Callback) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.note_callback(callback).await).await
    }

    async fn list_callbacks(
        domain: String,
        from_ms: u64,
        to_ms: u64,
        now_ms: u64,
    ) -> Result<Vec<Callback>, Error> {
        with_catalog(async |catalog| catalog.list_callbacks(&domain, from_ms, to_ms, now_ms).await).await
    }

    async fn is_probed(oss_endpoint: String, oss_bucket: String) -> Result<bool, Error> {
        with_catalog(async |catalog| catalog.is_probed(&oss_endpoint, &oss_bucket).await).await
    }

    async fn note_probed(oss_endpoint: String, oss_bucket: String) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.note_probed(&oss_endpoint, &oss_bucket).await).await
    }

    async fn note_replacing(
        oss_endpoint: String,
        oss_bucket: String,
        stream: StreamName,
        now_ms: u64,
    ) -> Result<(), Error> {
        let note = async |catalog: Service<'_, _, _>| {
            catalog.note_replacing(&oss_endpoint, &oss_bucket, stream, now_ms).await
        };
        with_catalog(note).await
    }

    async fn begin_anew() -> Result<(), Error> {
        with_catalog(async |catalog| catalog.begin_anew().await).await
    }

    async fn may_lack(session: String) -> Result<bool, Error> {
        with_catalog(async |catalog| catalog.may_lack(&session).await).await
    }

    async fn rebuild(
        at: Option<String>,
        dry_run: bool,
        without: Vec<String>,
        now_ms: u64,
    ) -> Result<RebuildStep, Error> {
        let (asked, retention) = ((at, dry_run, without), retention().await?);
        with_catalog(async |catalog| catalog.rebuild(&Users, asked, retention, now_ms).await).await
    }

    async fn give_command(
        stream: StreamName,
        command: Command,
        call: String,
        now_ms: u64,
    ) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.give_command(stream, command, &call, now_ms).await).await
    }

    async fn end_pushes(
        stream: StreamName,
        only: Option<String>,
        reason: String,
        until_ms: Option<u64>,
        now_ms: u64,
    ) -> Result<(), Error> {
        with_catalog(async |catalog| {
            catalog.end_pushes(stream, only.as_deref(), reason, until_ms, now_ms).await
        })
        .await
    }

    async fn let_push(stream: StreamName, now_ms: u64) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.let_push(stream, now_ms).await).await
    }

    async fn is_known_stream(stream: StreamName) -> Result<bool, Error> {
        with_catalog(async |catalog| catalog.is_known_stream(stream).await).await
    }

    async fn list_stream_sessions(stream: StreamName, now_ms: u64) -> Result<Vec<Session>, Error> {
        with_catalog(async |catalog| catalog.list_stream_sessions(stream, now_ms).await).await
    }

    async fn list_live_sessions(domain: String, now_ms: u64) -> Result<Vec<Session>, Error> {
        with_catalog(async |catalog| catalog.list_live_sessions(&domain, now_ms).await).await
    }

    async fn list_recorded_spans(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<RecordedSpan>, Error> {
        with_catalog(async |catalog| catalog.list_recorded_spans(stream, from_ms, to_ms).await).await
    }

    async fn list_slices(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, Error> {
        with_catalog(async |catalog| catalog.list_slices(stream, from_ms, to_ms, one_more).await).await
    }

    async fn add_index_file(file: IndexFile, now_ms: u64) -> Result<(), Error> {
        with_catalog(async |catalog| catalog.add_index_file(file, now_ms).await).await
    }

    async fn get_index_file(stream: StreamName, id: String) -> Result<Option<IndexFile>, Error> {
        with_catalog(async |catalog| catalog.get_index_file(stream, &id).await).await
    }

    async fn list_index_files(stream: StreamName, from_ms: u64, to_ms: u64) -> Result<Vec<IndexFile>, Error> {
        with_catalog(async |catalog| catalog.list_index_files(stream, from_ms, to_ms).await).await
    }

    async fn delete_index_file(stream: StreamName, id: String, now_ms: u64) -> Result<bool, Error> {
        with_catalog(async |catalog| catalog.delete_index_file(stream, &id, now_ms).await).await
    }
}

bindings::export!(Component with_types_in bindings);
