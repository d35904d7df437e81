//! The world as Spin gives it: WASI, the variables, and the components that the function is composed with.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use protocol::EndSession;
use spin_sdk::wasip3::http::types;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wasip3::wit_future;
use spin_sdk::wit_bindgen::{self, StreamReader, StreamWriter};

use crate::bindings::wit_stream;
use crate::bucket::{self, Begun, Created, Location, Part, Source};
use crate::catalog::{
    self, After, Callback, Changes, Container, Delivery, Entry, Event, Heartbeat, Lane, Loss, MediaGroup,
    OrderedSession, Placed, PushName, RebuildStep, RecordFile, Resends, Session, StreamName, Timer, Turn,
    Upload, Wish,
};
use crate::{
    Body, BodyError, Bucket, Catalog, Clock, Denial, Files, Media, Piece, Random, Refusal, Rules, Streams,
    Variables, files, media, rules,
};

/// The world as Spin gives it.
pub struct Host;

impl Body for IncomingRequestBody {
    type Stream = StreamReader<u8>;

    fn into_stream(mut self) -> (StreamReader<u8>, impl Future<Output = Result<(), BodyError>>) {
        let incoming = self.take_unstarted().expect("nobody should have read the body yet");
        let (_, read) = wit_future::new(|| Ok(()));
        let (stream, end) = types::Request::consume_body(incoming, read);
        (stream, async { end.await.map(drop).map_err(|_| BodyError::CutOff) })
    }

    async fn read(self, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
        match Limited::new(self, max_bytes).collect().await {
            Ok(body) => Ok(body.to_bytes().into()),
            Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge { max_bytes }),
            Err(_) => Err(BodyError::CutOff),
        }
    }
}

impl Clock for Host {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Random for Host {
    fn random(&self) -> [u8; 16] {
        get_random_bytes(16).try_into().expect("the host should give as many bytes as asked for")
    }
}

impl Variables for Host {
    async fn variable(&self, name: &str) -> Result<String, Refusal> {
        let unset = |_| Refusal::unavailable("NoVariable", format!("the host does not give variable {name}"));
        spin_sdk::variables::get(name).await.map_err(unset)
    }
}

impl Rules for Host {
    async fn find_for_push(&self, stream: StreamName) -> Result<Option<rules::Rule>, rules::Error> {
        rules::find_for_push(stream.domain, stream.app, stream.stream).await
    }

    async fn get_forbidden(
        &self,
        stream: StreamName,
        now_s: u64,
    ) -> Result<Option<rules::ForbiddenStream>, rules::Error> {
        let StreamName { domain, app, stream } = stream;
        rules::get_forbidden(rules::Triple { domain, app, stream }, now_s).await
    }

    async fn restore_rules(
        &self,
        after: Option<String>,
        dry_run: bool,
    ) -> Result<rules::Restored, rules::Error> {
        rules::restore(after, dry_run).await
    }

    async fn get_notify(&self, domain: &str) -> Result<Option<rules::NotifyConfig>, rules::Error> {
        Ok(rules::get_notify(domain.into()).await?.map(|stored| stored.config))
    }
}

impl Catalog for Host {
    async fn begin(
        &self,
        session: Session,
        after: Option<After>,
        resends: Option<Resends>,
        now_ms: u64,
    ) -> Result<OrderedSession, catalog::Error> {
        catalog::begin(session, after, resends, now_ms).await
    }

    async fn find_wish(&self, push: PushName) -> Result<Option<Wish>, catalog::Error> {
        catalog::find_wish(push).await
    }

    async fn decide_wish(&self, push: PushName, proposal: Wish) -> Result<Wish, catalog::Error> {
        catalog::decide_wish(push, proposal).await
    }

    async fn get_session(&self, id: &str) -> Result<Session, catalog::Error> {
        catalog::get_session(id.into()).await
    }

    async fn end(&self, id: &str, end: EndSession, now_ms: u64) -> Result<u64, catalog::Error> {
        catalog::end(id.into(), end.ended_ago_ms, end.duration_ms, end.chunks, now_ms).await
    }

    async fn beat(&self, heartbeat: Heartbeat, now_ms: u64) -> Result<Changes, catalog::Error> {
        catalog::beat(heartbeat, now_ms).await
    }

    async fn end_pushes(
        &self,
        stream: StreamName,
        only: Option<&str>,
        denial: Denial,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::end_pushes(stream, only.map(Into::into), denial.reason, denial.until_ms, now_ms).await
    }

    async fn prepare_chunk(&self, session: &str, seq: u64, now_ms: u64) -> Result<Turn, catalog::Error> {
        catalog::prepare_chunk(session.into(), seq, now_ms).await
    }

    async fn place_slice(
        &self,
        prepared: Vec<u8>,
        offset_ms: u64,
        slice: catalog::Slice,
    ) -> Result<Placed, catalog::Error> {
        catalog::place_slice(prepared, offset_ms, slice).await
    }

    async fn take_slice_name(
        &self,
        session: &str,
        seq: u64,
        names_taken: u32,
    ) -> Result<u32, catalog::Error> {
        catalog::take_slice_name(session.into(), seq, names_taken).await
    }

    async fn commit_chunk(
        &self,
        prepared: Vec<u8>,
        delivery: Delivery,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::commit_chunk(prepared, delivery, now_ms).await
    }

    async fn lose_chunk(
        &self,
        session: &str,
        seq: u64,
        loss: Loss,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::lose_chunk(session.into(), seq, loss, now_ms).await
    }

    async fn list_due(&self, lane: Lane, now_ms: u64) -> Result<Vec<Timer>, catalog::Error> {
        catalog::list_due(lane, now_ms).await
    }

    async fn attend(&self, timer: Timer, now_ms: u64) -> Result<Option<Vec<String>>, catalog::Error> {
        catalog::attend(timer, now_ms).await
    }

    async fn release(&self, timer: Timer) -> Result<(), catalog::Error> {
        catalog::release(timer).await
    }

    async fn settle(
        &self,
        attended: Vec<Timer>,
        failed: Vec<Timer>,
        now_ms: u64,
    ) -> Result<Vec<u64>, catalog::Error> {
        catalog::settle(attended, failed, now_ms).await
    }

    async fn next_file(
        &self,
        recording: &str,
        container: Container,
    ) -> Result<Option<RecordFile>, catalog::Error> {
        catalog::next_file(recording.into(), container).await
    }

    async fn name_file(&self, file: RecordFile, names_taken: u32) -> Result<String, catalog::Error> {
        catalog::name_file(file, names_taken).await
    }

    async fn take_file_name(&self, file: RecordFile) -> Result<u32, catalog::Error> {
        catalog::take_file_name(file).await
    }

    async fn list_entries(&self, file: RecordFile) -> Result<Vec<Entry>, catalog::Error> {
        catalog::list_entries(file).await
    }

    async fn get_upload(&self, file: RecordFile) -> Result<Option<Upload>, catalog::Error> {
        catalog::get_upload(file).await
    }

    async fn note_upload(&self, file: RecordFile, upload: Upload) -> Result<(), catalog::Error> {
        catalog::note_upload(file, upload).await
    }

    async fn list_media(
        &self,
        file: RecordFile,
        block_bytes: u64,
    ) -> Result<Vec<MediaGroup>, catalog::Error> {
        catalog::list_media(file, block_bytes).await
    }

    async fn next_block(
        &self,
        recording: &str,
        block_bytes: u64,
    ) -> Result<Option<(u32, MediaGroup)>, catalog::Error> {
        catalog::next_block(recording.into(), block_bytes).await
    }

    async fn note_block(&self, recording: &str, file: u32, group: MediaGroup) -> Result<(), catalog::Error> {
        catalog::note_block(recording.into(), file, group).await
    }

    async fn may_copy(&self, at: &Location, now_ms: u64) -> Result<bool, catalog::Error> {
        catalog::may_copy(at.endpoint.clone(), at.bucket.clone(), now_ms).await
    }

    async fn note_uncopied(&self, at: &Location, now_ms: u64) -> Result<(), catalog::Error> {
        catalog::note_uncopied(at.endpoint.clone(), at.bucket.clone(), now_ms).await
    }

    async fn commit_file(
        &self,
        file: RecordFile,
        object: Option<&str>,
        is_told: bool,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::commit_file(file, object.map(Into::into), is_told, now_ms).await
    }

    async fn list_events(&self, timer: Timer, now_ms: u64) -> Result<Vec<Event>, catalog::Error> {
        catalog::list_events(timer, now_ms).await
    }

    async fn note_event(
        &self,
        event: Event,
        is_wanted: bool,
        goes_on: bool,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::note_event(event, is_wanted, goes_on, now_ms).await
    }

    async fn note_refused(&self, session: &str, now_ms: u64) -> Result<(), catalog::Error> {
        catalog::note_refused(session.into(), now_ms).await
    }

    async fn note_callback(&self, callback: Callback) -> Result<(), catalog::Error> {
        catalog::note_callback(callback).await
    }

    async fn is_probed(&self, at: &Location) -> Result<bool, catalog::Error> {
        catalog::is_probed(at.endpoint.clone(), at.bucket.clone()).await
    }

    async fn note_probed(&self, at: &Location) -> Result<(), catalog::Error> {
        catalog::note_probed(at.endpoint.clone(), at.bucket.clone()).await
    }

    async fn note_replacing(
        &self,
        at: &Location,
        stream: StreamName,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::note_replacing(at.endpoint.clone(), at.bucket.clone(), stream, now_ms).await
    }

    async fn begin_anew(&self) -> Result<(), catalog::Error> {
        catalog::begin_anew().await
    }

    async fn rebuild(
        &self,
        at: Option<String>,
        dry_run: bool,
        now_ms: u64,
    ) -> Result<RebuildStep, catalog::Error> {
        catalog::rebuild(at, dry_run, now_ms).await
    }
}

impl Streams for Host {
    type Stream = StreamReader<u8>;

    fn stream(&self, bytes: Vec<u8>) -> StreamReader<u8> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(bytes).await;
        });
        reader
    }
}

impl Bucket for Host {
    async fn put_new(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
        body: StreamReader<u8>,
    ) -> Result<Created, bucket::Error> {
        bucket::put_new(at, key.into(), content_type.into(), tag.into(), size, body).await
    }

    async fn get_small(&self, at: Location, key: &str, max_bytes: u32) -> Result<Vec<u8>, bucket::Error> {
        bucket::get_small(at, key.into(), max_bytes).await
    }

    async fn get_range(
        &self,
        at: Location,
        key: &str,
        first: u64,
        length: u32,
    ) -> Result<Vec<u8>, bucket::Error> {
        bucket::get_range(at, key.into(), first, length).await
    }

    async fn gather<T>(
        &self,
        at: Location,
        head: Vec<u8>,
        pieces: Vec<Piece>,
        reader: impl AsyncFnOnce(StreamReader<u8>) -> T,
    ) -> T {
        let (writer, stream) = wit_stream::new();
        // One task does both. Were the copying spawned, it could run between the return of a call of this task and this
        // task's notice of it; a call that it made then would let the component that returned end, and wasmtime 48
        // forgets that component's task before this one has dropped it, which traps.
        join(copy(at, head, pieces, writer), reader(stream)).await.1
    }

    async fn begin_upload(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
    ) -> Result<Begun, bucket::Error> {
        bucket::begin_upload(at, key.into(), content_type.into(), tag.into(), size).await
    }

    async fn upload_part(
        &self,
        at: Location,
        (key, upload): (&str, &str),
        number: u16,
        size: u64,
        body: StreamReader<u8>,
    ) -> Result<String, bucket::Error> {
        bucket::upload_part(at, key.into(), upload.into(), number, size, body).await
    }

    async fn copy_part(
        &self,
        at: Location,
        (key, upload): (&str, &str),
        number: u16,
        source: Source,
    ) -> Result<String, bucket::Error> {
        bucket::copy_part(at, key.into(), upload.into(), number, source).await
    }

    async fn complete_upload(
        &self,
        at: Location,
        (key, upload): (&str, &str),
        tag: &str,
        parts: Vec<Part>,
        copied: bool,
    ) -> Result<Created, bucket::Error> {
        bucket::complete_upload(at, key.into(), upload.into(), tag.into(), parts, copied).await
    }

    async fn abort_upload(&self, at: Location, (key, upload): (&str, &str)) -> Result<(), bucket::Error> {
        bucket::abort_upload(at, key.into(), upload.into()).await
    }

    async fn abort_uploads(&self, at: Location, key: &str) -> Result<u32, bucket::Error> {
        bucket::abort_uploads(at, key.into()).await
    }

    async fn is_replacing(&self, at: Location) -> Result<bool, bucket::Error> {
        bucket::is_replacing(at).await
    }

    async fn look_first(&self, at: Location) -> Result<(), bucket::Error> {
        bucket::look_first(at).await
    }
}

impl Media for Host {
    async fn flv_to_ts(
        &self,
        chunk: StreamReader<u8>,
        state: Vec<u8>,
        arrival: media::ChunkArrival,
        max_bytes: u64,
    ) -> Result<(media::Slice, StreamReader<u8>), media::Error> {
        media::flv_to_ts(chunk, state, arrival, max_bytes).await
    }

    async fn flv_to_samples(
        &self,
        chunk: StreamReader<u8>,
        state: Vec<u8>,
        arrival: media::ChunkArrival,
        max_bytes: u64,
    ) -> Result<(media::Slice, StreamReader<u8>, u64, StreamReader<u8>), media::Error> {
        media::flv_to_samples(chunk, state, arrival, max_bytes).await
    }
}

impl Files for Host {
    async fn lay_out(
        &self,
        container: files::Container,
        created_s: u64,
        chunks: Vec<files::Chunk>,
        first: u64,
    ) -> Result<files::Layout, files::Error> {
        files::lay_out(container, created_s, chunks, first).await
    }

    async fn write(
        &self,
        container: files::Container,
        created_s: u64,
        chunks: Vec<files::Chunk>,
        bytes: Range<u64>,
        media: StreamReader<u8>,
    ) -> Result<StreamReader<u8>, files::Error> {
        let size = bytes.end - bytes.start;
        files::write(container, created_s, chunks, bytes.start, size, media).await
    }
}

/// Writes bytes and pieces of objects to a stream, up to the first that cannot be read, or as long as somebody reads.
async fn copy(at: Location, head: Vec<u8>, pieces: Vec<Piece>, mut to: StreamWriter<u8>) {
    if !head.is_empty() && !to.write_all(head).await.is_empty() {
        return;
    }
    for piece in pieces {
        for (first, length) in piece.blocks() {
            match Host.get_range(at.clone(), &piece.key, first, length).await {
                Ok(bytes) if bytes.len() == length as usize => {
                    let unread = to.write_all(bytes).await;
                    if !unread.is_empty() {
                        return;
                    }
                }
                Ok(bytes) => {
                    let found = first + bytes.len() as u64;
                    return eprintln!("{}: it ends at byte {found}", piece.key);
                }
                Err(error) => return eprintln!("{}: {error:?}", piece.key),
            }
        }
    }
}
