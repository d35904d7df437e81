//! The component itself: the service over Spin's key-value store and the work bucket.

use key_value::SpinStore;

use crate::Service;
use crate::bindings;
use crate::bindings::exports::recorder::catalog::catalog::{
    After, Changes, Command, Container, Delivery, Entry, Error, Guest, Heartbeat, IndexFile, LocatedEntry,
    Loss, OrderedSession, Placed, RecordFile, RecordedSpan, Resends, Session, StreamName, Timer, Turn,
};
use crate::work_bucket::Work;

struct Component;

async fn service<T>(
    call: impl AsyncFnOnce(Service<'_, SpinStore, Work>) -> Result<T, Error>,
) -> Result<T, Error> {
    let store = SpinStore::open().await.map_err(|error| Error::Store(error.to_string()))?;
    call(Service { store: &store, bucket: &Work }).await
}

impl Guest for Component {
    async fn begin(
        session: Session,
        after: Option<After>,
        resends: Option<Resends>,
        now_ms: u64,
    ) -> Result<OrderedSession, Error> {
        service(async |catalog| catalog.begin(session, after, resends, now_ms).await).await
    }

    async fn get_session(id: String) -> Result<Session, Error> {
        service(async |catalog| catalog.get_session(&id).await).await
    }

    async fn end(id: String, duration_ms: u64, chunks: u64, now_ms: u64) -> Result<u64, Error> {
        service(async |catalog| catalog.end(&id, duration_ms, chunks, now_ms).await).await
    }

    async fn beat(heartbeat: Heartbeat, now_ms: u64) -> Result<Changes, Error> {
        service(async |catalog| catalog.beat(heartbeat, now_ms).await).await
    }

    async fn prepare_chunk(session: String, seq: u64, now_ms: u64) -> Result<Turn, Error> {
        service(async |catalog| catalog.prepare_chunk(&session, seq, now_ms).await).await
    }

    async fn place_slice(
        prepared: Vec<u8>,
        offset_ms: u64,
        start90khz: u64,
        names_taken: u32,
    ) -> Result<Placed, Error> {
        service(async |catalog| catalog.place_slice(&prepared, offset_ms, start90khz, names_taken)).await
    }

    async fn take_slice_name(session: String, seq: u64, names_taken: u32) -> Result<u32, Error> {
        service(async |catalog| catalog.take_slice_name(&session, seq, names_taken).await).await
    }

    async fn commit_chunk(prepared: Vec<u8>, delivery: Delivery, now_ms: u64) -> Result<(), Error> {
        service(async |catalog| catalog.commit_chunk(&prepared, delivery, now_ms).await).await
    }

    async fn lose_chunk(session: String, seq: u64, loss: Loss, now_ms: u64) -> Result<(), Error> {
        service(async |catalog| catalog.lose_chunk(&session, seq, loss, now_ms).await).await
    }

    async fn list_due(now_ms: u64) -> Result<Vec<Timer>, Error> {
        service(async |catalog| catalog.list_due(now_ms).await).await
    }

    async fn attend(timer: Timer, now_ms: u64) -> Result<Option<Vec<String>>, Error> {
        service(async |catalog| catalog.attend(timer, now_ms).await).await
    }

    async fn settle(attended: Vec<Timer>, failed: Vec<Timer>, now_ms: u64) -> Result<Vec<u64>, Error> {
        service(async |catalog| catalog.settle(attended, failed, now_ms).await).await
    }

    async fn next_file(recording: String, container: Container) -> Result<Option<RecordFile>, Error> {
        service(async |catalog| catalog.next_file(&recording, container).await).await
    }

    async fn name_file(file: RecordFile, names_taken: u32) -> Result<String, Error> {
        service(async |catalog| catalog.name_file(file, names_taken).await).await
    }

    async fn take_file_name(file: RecordFile) -> Result<u32, Error> {
        service(async |catalog| catalog.take_file_name(file).await).await
    }

    async fn list_entries(file: RecordFile) -> Result<Vec<Entry>, Error> {
        service(async |catalog| catalog.list_entries(file).await).await
    }

    async fn commit_file(file: RecordFile, object: String, now_ms: u64) -> Result<(), Error> {
        service(async |catalog| catalog.commit_file(file, &object, now_ms).await).await
    }

    async fn is_probed(oss_endpoint: String, oss_bucket: String) -> Result<bool, Error> {
        service(async |catalog| catalog.is_probed(&oss_endpoint, &oss_bucket).await).await
    }

    async fn note_probed(oss_endpoint: String, oss_bucket: String) -> Result<(), Error> {
        service(async |catalog| catalog.note_probed(&oss_endpoint, &oss_bucket).await).await
    }

    async fn give_command(
        stream: StreamName,
        command: Command,
        call: String,
        now_ms: u64,
    ) -> Result<(), Error> {
        service(async |catalog| catalog.give_command(stream, command, &call, now_ms).await).await
    }

    async fn is_known_stream(stream: StreamName) -> Result<bool, Error> {
        service(async |catalog| catalog.is_known_stream(stream).await).await
    }

    async fn list_stream_sessions(stream: StreamName, now_ms: u64) -> Result<Vec<Session>, Error> {
        service(async |catalog| catalog.list_stream_sessions(stream, now_ms).await).await
    }

    async fn list_live_sessions(domain: String, now_ms: u64) -> Result<Vec<Session>, Error> {
        service(async |catalog| catalog.list_live_sessions(&domain, now_ms).await).await
    }

    async fn list_recorded_spans(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<RecordedSpan>, Error> {
        service(async |catalog| catalog.list_recorded_spans(stream, from_ms, to_ms).await).await
    }

    async fn list_slices(
        stream: StreamName,
        from_ms: u64,
        to_ms: u64,
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, Error> {
        service(async |catalog| catalog.list_slices(stream, from_ms, to_ms, one_more).await).await
    }

    async fn add_index_file(file: IndexFile) -> Result<(), Error> {
        service(async |catalog| catalog.add_index_file(file).await).await
    }

    async fn get_index_file(stream: StreamName, id: String) -> Result<Option<IndexFile>, Error> {
        service(async |catalog| catalog.get_index_file(stream, &id).await).await
    }

    async fn list_index_files(stream: StreamName, from_ms: u64, to_ms: u64) -> Result<Vec<IndexFile>, Error> {
        service(async |catalog| catalog.list_index_files(stream, from_ms, to_ms).await).await
    }

    async fn delete_index_file(stream: StreamName, id: String) -> Result<bool, Error> {
        service(async |catalog| catalog.delete_index_file(stream, &id).await).await
    }
}

bindings::export!(Component with_types_in bindings);
