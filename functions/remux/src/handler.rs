//! From the request to the answer.

use http::{Request, StatusCode};
use protocol::{ChunkAnswer, ChunkPath, ChunkPolicy, LostChunk, Route, conflict};
use shared::catalog::{Container, Delivery, Loss, Prepared, SessionRule, Turn};
use shared::{
    Answer, Body, BodyError, Bucket, Catalog, Clock, Media, Refusal, Variables, authorize, bucket, catalog,
    media, ok, read_body, record_file,
};

use crate::headers::ChunkHeaders;
use crate::{convert, report};

/// Longest chunk, in bytes.
const MAX_BYTES: u64 = ChunkPolicy::DEFAULT.max_bytes;

/// Media type of what is kept until record files are made of it.
const MEDIA: &str = "application/octet-stream";

/// Media type of a transport stream (RFC 3555 §4.2.6).
const TRANSPORT_STREAM: &str = "video/mp2t";

/// What this function needs of the world.
pub trait World: Catalog + Bucket + Media + Clock + Variables {}

impl<T: Catalog + Bucket + Media + Clock + Variables> World for T {}

/// Answers a request.
pub async fn handle<W: World, B: Body<Stream = W::Stream>>(world: &W, request: Request<B>) -> Answer {
    serve(world, request).await.unwrap_or_else(Answer::from)
}

async fn serve<W: World, B: Body<Stream = W::Stream>>(
    world: &W,
    request: Request<B>,
) -> Result<Answer, Refusal> {
    authorize(world, request.headers()).await?;
    let ChunkPath { session: path, seq } = match Route::parse(request.method(), request.uri().path())? {
        Route::Chunk(chunk) => chunk,
        other => return Err(Refusal::no_such_route(&other)),
    };
    let headers = ChunkHeaders::read(request.headers())?;
    if headers.is_lost {
        let lost: LostChunk = read_body(request.into_body()).await?;
        return lose(world, &path.session, seq, lost).await;
    }
    if let Some(length) = headers.length.filter(|&length| length > MAX_BYTES) {
        let message = format!("the chunk has {length} bytes, at most {MAX_BYTES} are taken");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "ChunkTooLarge", message));
    }
    let mut answered = answer(seq);
    match world.prepare_chunk(&path.session, seq, world.now_ms()).await? {
        Turn::Next(prepared) => {
            let is_of_push = headers.push.as_ref().is_none_or(|push| *push == prepared.session.push);
            let is_of_stream = prepared.session.stream == catalog::StreamName::from(&path.stream);
            if !is_of_stream || !is_of_push {
                return Err(catalog::Error::NoSuchSession.into());
            }
            let remuxed = record(world, request.into_body(), &headers, seq, prepared).await?;
            report::tell(&remuxed, answered.headers_mut());
        }
        Turn::Committed => {}
        Turn::Lost => return Err(told_lost(seq)),
    }
    Ok(answered)
}

/// Commits that a chunk will never come.
async fn lose(world: &impl World, session: &str, seq: u64, lost: LostChunk) -> Result<Answer, Refusal> {
    let loss = Loss {
        generation: lost.generation.into(),
        reason: convert::loss_reason(lost.lost),
        from_ms: lost.from_ms,
        to_ms: lost.to_ms,
    };
    world.lose_chunk(session, seq, loss, world.now_ms()).await?;
    Ok(answer(seq))
}

/// Remuxes a chunk, puts its slice into the user's bucket, and commits it; answers what the remuxer said, but for its state.
async fn record<W: World, B: Body<Stream = W::Stream>>(
    world: &W,
    body: B,
    headers: &ChunkHeaders,
    seq: u64,
    prepared: Prepared,
) -> Result<media::Slice, Refusal> {
    let began_ms = world.now_ms();
    let formats = || prepared.session.rule.iter().flat_map(|rule| &rule.formats);
    let has_slices = formats().any(|format| format.container == Container::M3u8);
    let holds_media = formats().any(|format| format.container != Container::M3u8);
    let (mut remuxed, transport_stream, media) = remux(world, body, headers, &prepared, holds_media).await?;
    report::log(&prepared.session.id, seq, &remuxed);
    let delivery = Delivery {
        generation: headers.generation.into(),
        offset_ms: headers.offset_ms,
        slice: (remuxed.size > 0).then(|| convert::slice(&remuxed, prepared.names_taken)),
        followed_by_entry: !headers.continues,
        left_out: remuxed.left_out.iter().filter_map(report::track).collect(),
        remux_state: std::mem::take(&mut remuxed.state),
    };
    if let Some(slice) = &delivery.slice {
        if has_slices || !holds_media {
            let put = put(world, seq, &prepared, (slice.size, &delivery), transport_stream).await;
            if let Err(refusal) = &put {
                record_file::note_refused(world, &prepared.session.id, refusal).await;
            }
            put?;
        } else {
            drop(transport_stream);
        }
        if let Some(media) = media {
            keep(world, &prepared.session.id, seq, media).await?;
        }
    }
    if world.now_ms() > began_ms + protocol::CALL_MAX_S * 1_000 {
        let message = format!("the call has lasted for more than {} s; try again", protocol::CALL_MAX_S);
        return Err(Refusal::unavailable("CallTooLong", message));
    }
    world.commit_chunk(prepared.token, delivery, world.now_ms()).await?;
    Ok(remuxed)
}

/// A chunk's media for record files that hold it, and its size.
struct ChunkMedia<S> {
    size: u64,
    bytes: S,
}

/// Hands the body to the remuxer, and makes sure that it was all there. The media is to be read after the transport
/// stream, or once that is dropped.
async fn remux<W: World, B: Body<Stream = W::Stream>>(
    world: &W,
    body: B,
    headers: &ChunkHeaders,
    prepared: &Prepared,
    holds_media: bool,
) -> Result<(media::Slice, W::Stream, Option<ChunkMedia<W::Stream>>), Refusal> {
    let (chunk, all_read) = body.into_stream();
    let arrival = arrival(headers, prepared.generation);
    let state = prepared.remux_state.clone();
    let remuxed = if holds_media {
        let remuxed = world.flv_to_samples(chunk, state, arrival, MAX_BYTES).await;
        remuxed.map(|(slice, stream, size, bytes)| (slice, stream, Some(ChunkMedia { size, bytes })))
    } else {
        let remuxed = world.flv_to_ts(chunk, state, arrival, MAX_BYTES).await;
        remuxed.map(|(slice, stream)| (slice, stream, None))
    };
    // What looks malformed may only be cut off, which the sender's line did, not its data.
    if matches!(remuxed, Ok(_) | Err(media::Error::Malformed(_))) {
        all_read.await?;
    }
    let remuxed = remuxed?;
    if headers.length.is_some_and(|length| length != remuxed.0.consumed) {
        return Err(BodyError::CutOff.into());
    }
    Ok(remuxed)
}

/// When a chunk arrived that comes after one of the generation `before`.
fn arrival(headers: &ChunkHeaders, before: catalog::Generation) -> media::ChunkArrival {
    // A stop and a start are two orders; one alone parts what follows without a pause.
    let orders = headers.generation.orders.saturating_sub(before.orders);
    match orders {
        0 if headers.is_dated => media::ChunkArrival::At(headers.offset_ms),
        0 | 1 => media::ChunkArrival::Unknown,
        _ => media::ChunkArrival::AfterPause,
    }
}

/// Puts a chunk's media into the work bucket, until record files are made of it.
async fn keep<W: World>(
    world: &W,
    session: &str,
    seq: u64,
    media: ChunkMedia<W::Stream>,
) -> Result<(), Refusal> {
    let at = shared::work_bucket(world).await?;
    let key = naming::media_object(session, seq);
    let put = world.put_new(at, &key, MEDIA, &key, media.size, media.bytes).await;
    put.map(drop).map_err(|error| Refusal::from(error).while_doing(&format!("work bucket object {key:?}")))
}

/// Puts the slice into the user's bucket. A name that another writer has taken is noted, and the chunk refused for
/// now: its next try takes the next name.
async fn put<W: World>(
    world: &W,
    seq: u64,
    prepared: &Prepared,
    (size, delivery): (u64, &Delivery),
    transport_stream: W::Stream,
) -> Result<(), Refusal> {
    let Prepared { session, names_taken, replacing, token, .. } = prepared;
    let rule = rule_of(prepared)?;
    let placed = world.place_slice(token.clone(), delivery.clone()).await?;
    let at = bucket::Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() };
    if *replacing {
        world.look_first(at.clone()).await?;
    }
    let tag = shared::tag::slice(&session.id, seq);
    let said = (&*tag, placed.note);
    let put = world.put_noted(at, &placed.object, TRANSPORT_STREAM, said, size, transport_stream);
    match put.await {
        Err(bucket::Error::Taken) => {
            world.take_slice_name(&session.id, seq, names_taken + 1).await?;
            let message = format!("object {:?} is another writer's; try again", placed.object);
            Err(Refusal::unavailable("NameTaken", message))
        }
        created => Ok(created.map(drop)?),
    }
}

fn rule_of(prepared: &Prepared) -> Result<&SessionRule, Refusal> {
    prepared.session.rule.as_ref().ok_or_else(|| {
        let message = format!("no rule records session {:?}; its chunks are not wanted", prepared.session.id);
        Refusal::unprocessable("NotRecorded", message)
    })
}

fn answer(seq: u64) -> Answer {
    ok(&ChunkAnswer { seq, next: seq + 1 })
}

fn told_lost(seq: u64) -> Refusal {
    let message = format!("chunk {seq} was told lost; its media comes too late for its place");
    Refusal::new(StatusCode::CONFLICT, conflict::LOST, message)
}
