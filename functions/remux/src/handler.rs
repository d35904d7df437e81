//! From the request to the answer.

use http::{HeaderMap, StatusCode, header::CONTENT_LENGTH};
use protocol::{ChunkAnswer, ChunkPath, ChunkPolicy, Route};
use shared::{Answer, Refusal, authorized, json, route, variable};
use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::wasip3::{http::types, wit_future};

use crate::bindings::recorder::bucket::objects::{self, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, AudioTrack, ChunkStatus, Cursor, PictureSize, Session, Slice, VideoTrack,
};
use crate::bindings::recorder::media::remux;
use crate::slice::{self, Name};

#[http_service]
async fn handle(request: Request) -> Answer {
    serve(request).await.unwrap_or_else(Answer::from)
}

async fn serve(request: Request) -> Result<Answer, Refusal> {
    authorized(&request).await?;
    let ChunkPath { session: path, seq } = match route(&request)? {
        Route::Chunk(chunk) => chunk,
        other => return Err(Refusal::no_such_route(&other)),
    };
    let max_bytes = ChunkPolicy::default().max_bytes;
    let length = content_length(request.headers())?;
    if length.is_some_and(|length| length > max_bytes) {
        return Err(too_large(length, max_bytes));
    }
    let session = match catalog::get_session(path.session.clone()).await {
        Ok(session) if of_stream(&session, &path.stream) => session,
        Ok(_) | Err(catalog::Error::NoSuchSession) => return Err(Refusal::no_such_session(&path.session)),
        Err(error) => return Err(store_failed(&error)),
    };
    let cursor = match catalog::get_chunk_status(session.id.clone(), seq).await {
        Ok(ChunkStatus::Next(cursor)) => cursor,
        other => return answer(other, seq),
    };

    let headers = request.headers().clone();
    let (remuxed, transport_stream) = remux_body(request, &cursor, length, max_bytes).await?;
    report(&session, seq, &remuxed);
    let (anchor_ms, gap) = slice::anchor(&headers, cursor.anchor_ms, session.began_ms, remuxed.start90khz);
    let committed = if remuxed.size == 0 {
        None
    } else {
        let start_ms = slice::wall_ms(anchor_ms, remuxed.start90khz);
        let object = object_name(&session, seq, start_ms, cursor.names_taken).await?;
        put(&session, seq, &cursor, &object, remuxed.size, transport_stream).await?;
        Some(Slice {
            object,
            size: remuxed.size,
            start_ms,
            start90khz: remuxed.start90khz,
            duration90khz: remuxed.duration90khz,
            independent: remuxed.independent,
            discontinuity: remuxed.discontinuity || gap,
            video: remuxed.video.map(video_track),
            audio: remuxed.audio.map(|audio| AudioTrack { codec: audio.codec }),
        })
    };
    answer(catalog::commit_chunk(session.id, seq, committed, remuxed.state, anchor_ms).await, seq)
}

/// Hands the body to the remuxer, and makes sure that it was all there.
async fn remux_body(
    request: Request,
    cursor: &Cursor,
    length: Option<u64>,
    max_bytes: u64,
) -> Result<(remux::Slice, spin_sdk::wit_bindgen::StreamReader<u8>), Refusal> {
    let incoming = request.into_body().take_unstarted().expect("nobody should have read the body yet");
    let (_, read) = wit_future::new(|| Ok(()));
    let (chunk, end) = types::Request::consume_body(incoming, read);
    let remuxed = remux::flv_to_ts(chunk, cursor.remux_state.clone().unwrap_or_default(), max_bytes).await;
    let cut_off = |message: String| Refusal::unavailable("BodyCutOff", message);
    let (remuxed, transport_stream) = match remuxed {
        Err(remux::Error::TooLarge(limit)) => return Err(too_large(length, limit)),
        Err(remux::Error::BadState(reason)) => return Err(Refusal::unavailable("BadState", reason)),
        Err(remux::Error::OutOfMemory(read)) => {
            let message = format!("there is no memory for more than {read} bytes of the chunk; try again");
            return Err(Refusal::unavailable("OutOfMemory", message));
        }
        Err(remux::Error::Malformed(reason)) => {
            // What looks malformed may only be cut off; that is the sender's line, not its data.
            end.await.map_err(|error| cut_off(error.to_string()))?;
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "MalformedChunk", reason));
        }
        Ok(remuxed) => remuxed,
    };
    end.await.map_err(|error| cut_off(error.to_string()))?;
    match length {
        Some(length) if length != remuxed.consumed => {
            Err(cut_off(format!("the body has {} of its {length} bytes", remuxed.consumed)))
        }
        _ => Ok((remuxed, transport_stream)),
    }
}

/// Says in the log what the push did wrong, and which tracks cannot be recorded.
fn report(session: &Session, seq: u64, remuxed: &remux::Slice) {
    let repairs = remuxed.repairs.iter().map(|repair| format!("{} ×{}", repair.kind, repair.count));
    let left_out = remuxed
        .left_out
        .iter()
        .map(|track| format!("{} {} not recorded ({} messages)", track.kind, track.codec, track.messages));
    let all: Vec<String> = repairs.chain(left_out).collect();
    if !all.is_empty() {
        eprintln!("session {} chunk {seq}: {}", session.id, all.join(", "));
    }
}

async fn object_name(
    session: &Session,
    seq: u64,
    start_ms: u64,
    names_taken: u32,
) -> Result<String, Refusal> {
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    let format =
        formats.filter_map(|format| format.slices.as_ref()).next().ok_or_else(|| not_recorded(session))?;
    let timezone = variable("name_timezone").await?;
    let timezone = timezone
        .parse()
        .map_err(|error| Refusal::unavailable("BadVariable", format!("variable name_timezone: {error}")))?;
    let name = Name {
        template: &format.object_prefix,
        app: &session.stream.app,
        stream: &session.stream.stream,
        seq,
        start_ms,
        timezone,
        session: &session.id,
        names_taken,
    };
    name.object().map_err(|reason| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "BadObjectName", reason))
}

fn not_recorded(session: &Session) -> Refusal {
    let message = format!("no rule records session {:?}; its chunks are not wanted", session.id);
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "NotRecorded", message)
}

fn video_track(video: remux::VideoTrack) -> VideoTrack {
    let remux::VideoTrack { width, height, .. } = video;
    let size = (width > 0 && height > 0).then_some(PictureSize { width, height });
    VideoTrack { codec: video.codec, size }
}

/// Puts the slice into the user's bucket. A name that somebody else has taken is noted, and the chunk
/// refused for now: its next try, and every chunk after it, takes names of the session's own.
async fn put(
    session: &Session,
    seq: u64,
    cursor: &Cursor,
    object: &str,
    size: u64,
    transport_stream: spin_sdk::wit_bindgen::StreamReader<u8>,
) -> Result<(), Refusal> {
    let rule = session.rule.as_ref().ok_or_else(|| not_recorded(session))?;
    let at = Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() };
    let tag = format!("{}/{seq}", session.id);
    let created =
        objects::put_new(at, object.into(), slice::CONTENT_TYPE.into(), tag, size, transport_stream).await;
    match created {
        Ok(_) => Ok(()),
        Err(objects::Error::Taken) => {
            catalog::set_names_taken(session.id.clone(), cursor.names_taken + 1)
                .await
                .map_err(|error| store_failed(&error))?;
            Err(Refusal::unavailable("NameTaken", format!("object {object:?} is somebody else's; try again")))
        }
        Err(error) => Err(Refusal::unavailable("BucketFailed", format!("{error:?}"))),
    }
}

fn answer(status: Result<ChunkStatus, catalog::Error>, seq: u64) -> Result<Answer, Refusal> {
    match status.map_err(|error| store_failed(&error))? {
        ChunkStatus::Committed => Ok(json(StatusCode::OK, &ChunkAnswer { seq, next: seq + 1 })),
        ChunkStatus::Gap(expected) => {
            let message = format!("chunk {seq} came where {expected} is next");
            let mut refusal = Refusal::new(StatusCode::CONFLICT, "SequenceGap", message);
            refusal.problem.expected = Some(expected);
            Err(refusal)
        }
        ChunkStatus::Over(chunks) => {
            let message = format!("the session is over with {chunks} chunks; chunk {seq} is not one of them");
            Err(Refusal::new(StatusCode::GONE, "SessionOver", message))
        }
        ChunkStatus::Ending | ChunkStatus::Next(_) => {
            Err(Refusal::unavailable("SessionEnding", "the session is being ended; ask again"))
        }
    }
}

fn of_stream(session: &Session, path: &protocol::StreamPath) -> bool {
    let stream = &session.stream;
    (stream.domain.as_str(), stream.app.as_str(), stream.stream.as_str())
        == (path.domain(), path.app(), path.stream())
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(value) = headers.get(CONTENT_LENGTH) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Refusal::bad_request("BadLength", format!("Content-Length is {value:?}")))
}

fn too_large(length: Option<u64>, limit: u64) -> Refusal {
    let found = length.map_or_else(|| "more".into(), |length| length.to_string());
    let message = format!("the chunk has {found} bytes, at most {limit} are taken");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "ChunkTooLarge", message)
}

fn store_failed(error: &catalog::Error) -> Refusal {
    Refusal::unavailable("CatalogFailed", format!("{error:?}"))
}
