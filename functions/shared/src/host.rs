//! The world as Spin gives it: WASI, the variables, and the components that the function is composed with.

mod catalog;

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join;
use http_body::Body as _;
use http_body_util::BodyExt;
use spin_sdk::wasip3::http::types;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wasip3::wit_future;
use spin_sdk::wit_bindgen::{self, StreamReader, StreamWriter};

use crate::bindings::wit_stream;
use crate::bucket::{self, Begun, Created, Location, Part, Source};
use crate::catalog::StreamName;
use crate::{
    Body, BodyError, Bucket, Clock, Files, Media, Piece, Random, Refusal, Rules, Streams, Variables, files,
    media, rules,
};

/// The world as Spin gives it.
pub struct Host;

impl Body for IncomingRequestBody {
    type Stream = StreamReader<u8>;

    fn into_stream(mut self) -> (StreamReader<u8>, impl Future<Output = Result<(), BodyError>>) {
        let declared = self.declared();
        let incoming = self.take_unstarted().expect("nobody should have read the body yet");
        let (_, read) = wit_future::new(|| Ok(()));
        let (stream, end) = types::Request::consume_body(incoming, read);
        (stream, async move { end.await.map(drop).map_err(|error| broken(&error, None, declared)) })
    }

    fn declared(&self) -> Option<u64> {
        self.size_hint().upper()
    }

    async fn receive(mut self, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
        let declared = self.declared();
        let mut body = Vec::new();
        while let Some(frame) = self.frame().await {
            let frame = frame.map_err(|error| broken(&error, Some(body.len() as u64), declared))?;
            let Ok(bytes) = frame.into_data() else { continue };
            if bytes.len() > max_bytes - body.len() {
                return Err(BodyError::TooLarge { max_bytes });
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }
}

/// Why no more of a body comes, of which so much came.
fn broken(error: &types::ErrorCode, came: Option<u64>, declared: Option<u64>) -> BodyError {
    match error {
        types::ErrorCode::ConnectionReadTimeout => BodyError::Stalled { came, declared },
        _ => BodyError::CutOff,
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

    async fn put_noted(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        (tag, note): (&str, Option<String>),
        size: u64,
        body: StreamReader<u8>,
    ) -> Result<Created, bucket::Error> {
        bucket::put_noted(at, key.into(), content_type.into(), tag.into(), note, size, body).await
    }

    async fn is_own(&self, at: Location, key: &str, tag: &str) -> Result<bool, bucket::Error> {
        bucket::is_own(at, key.into(), tag.into()).await
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
    type RecordFile = files::RecordFile;

    async fn lay_out(
        &self,
        container: files::Container,
        created_s: u64,
        chunks: Vec<files::Chunk>,
    ) -> Result<(files::Layout, files::RecordFile), files::Error> {
        files::RecordFile::lay_out(container, created_s, chunks).await
    }

    async fn media(&self, file: &files::RecordFile, bytes: Range<u64>) -> Range<u64> {
        let (first, size) = file.media(bytes.start, bytes.end - bytes.start).await;
        first..first.saturating_add(size)
    }

    async fn write(
        &self,
        file: &files::RecordFile,
        bytes: Range<u64>,
        media: StreamReader<u8>,
    ) -> StreamReader<u8> {
        file.write(bytes.start, bytes.end - bytes.start, media).await
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
