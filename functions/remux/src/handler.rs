//! From the request to the answer.

use http::{Request, StatusCode};
use naming::Timezone;
use protocol::{ChunkAnswer, ChunkPath, ChunkPolicy, Route, StreamPath};
use shared::catalog::{
    AudioTrack, ChunkStatus, Cursor, PictureSize, Session, SessionRule, Slice, VideoTrack,
};
use shared::{
    Answer, Body, BodyError, Bucket, Catalog, Clock, Media, Refusal, Variables, authorize, bucket, catalog,
    media, ok, timezone,
};

use crate::headers::ChunkHeaders;
use crate::slice;

/// Longest chunk, in bytes.
const MAX_BYTES: u64 = ChunkPolicy::DEFAULT.max_bytes;

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
    if let Some(length) = headers.length.filter(|&length| length > MAX_BYTES) {
        let message = format!("the chunk has {length} bytes, at most {MAX_BYTES} are taken");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "ChunkTooLarge", message));
    }
    let session = world.get_session(&path.session).await?;
    if !is_of_stream(&session, &path.stream) {
        return Err(catalog::Error::NoSuchSession.into());
    }
    let cursor = match world.get_chunk_status(&session.id, seq).await? {
        ChunkStatus::Next(cursor) => cursor,
        other => return answer(other, seq),
    };

    let (remuxed, transport_stream) = remux(world, request.into_body(), &headers, &cursor).await?;
    report(&session, seq, &remuxed);
    let (anchor_ms, gap) =
        slice::anchor(headers.reached_ms, cursor.anchor_ms, session.began_ms, remuxed.start90khz);
    let committed = if remuxed.size == 0 {
        None
    } else {
        let start_ms = slice::wall_ms(anchor_ms, remuxed.start90khz);
        let target = Target::of(&session, seq, cursor.names_taken)?;
        let object = target.object_name(start_ms, timezone(world).await?)?;
        target.put(world, &object, remuxed.size, transport_stream).await?;
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
    let status =
        world.commit_chunk(&session.id, seq, committed, remuxed.state, anchor_ms, world.now_ms()).await?;
    answer(status, seq)
}

/// Hands the body to the remuxer, and makes sure that it was all there.
async fn remux<W: World, B: Body<Stream = W::Stream>>(
    world: &W,
    body: B,
    headers: &ChunkHeaders,
    cursor: &Cursor,
) -> Result<(media::Slice, W::Stream), Refusal> {
    let (chunk, all_read) = body.into_stream();
    let state = cursor.remux_state.clone().unwrap_or_default();
    let remuxed = world.flv_to_ts(chunk, state, headers.arrival_ms, MAX_BYTES).await;
    // What looks malformed may only be cut off, which the sender's line did, not its data.
    if matches!(remuxed, Ok(_) | Err(media::Error::Malformed(_))) {
        all_read.await?;
    }
    let (remuxed, transport_stream) = remuxed?;
    if headers.length.is_some_and(|length| length != remuxed.consumed) {
        return Err(BodyError::CutOff.into());
    }
    Ok((remuxed, transport_stream))
}

/// Says in the log what the push did wrong, and which tracks cannot be recorded.
fn report(session: &Session, seq: u64, remuxed: &media::Slice) {
    let repairs = remuxed.repairs.iter().map(|repair| format!("{} ×{}", repair.kind, repair.count));
    let left_out = remuxed.left_out.iter().map(|left_out| {
        format!("{} {} not recorded ({} messages)", left_out.kind, left_out.name, left_out.messages)
    });
    let all: Vec<String> = repairs.chain(left_out).collect();
    if !all.is_empty() {
        eprintln!("session {} chunk {seq}: {}", session.id, all.join(", "));
    }
}

fn video_track(video: media::VideoTrack) -> VideoTrack {
    let size = video.size.map(|size| PictureSize { width: size.width, height: size.height });
    VideoTrack { codec: video.codec, size }
}

/// Where a chunk's slice goes.
struct Target<'a> {
    session: &'a Session,
    rule: &'a SessionRule,
    /// Template of the name.
    template: &'a str,
    seq: u64,
    names_taken: u32,
}

impl<'a> Target<'a> {
    /// # Errors
    /// 422 where no rule wants slices of the session.
    fn of(session: &'a Session, seq: u64, names_taken: u32) -> Result<Self, Refusal> {
        let rule = session.rule.as_ref();
        let slices = rule.and_then(|rule| rule.formats.iter().find_map(|format| format.slices.as_ref()));
        let (Some(rule), Some(slices)) = (rule, slices) else {
            let message = format!("no rule records session {:?}; its chunks are not wanted", session.id);
            return Err(Refusal::unprocessable("NotRecorded", message));
        };
        Ok(Self { session, rule, template: &slices.object_prefix, seq, names_taken })
    }

    fn object_name(&self, start_ms: u64, timezone: Timezone) -> Result<String, Refusal> {
        let name = slice::name(self.session, self.template, self.seq, start_ms, timezone);
        name.build_for(&self.session.id, self.names_taken)
            .map_err(|error| Refusal::unprocessable("BadObjectName", error.to_string()))
    }

    /// Puts the slice into the user's bucket. A name that another writer has taken is noted, and the chunk
    /// refused for now: its next try, and every chunk after it, takes names of the session's own.
    async fn put<W: World>(
        &self,
        world: &W,
        object: &str,
        size: u64,
        transport_stream: W::Stream,
    ) -> Result<(), Refusal> {
        let Self { session, rule, seq, .. } = self;
        let at = bucket::Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() };
        let tag = format!("{}/{seq}", session.id);
        match world.put_new(at, object, slice::CONTENT_TYPE, &tag, size, transport_stream).await {
            Err(bucket::Error::Taken) => {
                world.set_names_taken(&session.id, self.names_taken + 1).await?;
                let message = format!("object {object:?} is another writer's; try again");
                Err(Refusal::unavailable("NameTaken", message))
            }
            created => Ok(created.map(drop)?),
        }
    }
}

fn answer(status: ChunkStatus, seq: u64) -> Result<Answer, Refusal> {
    match status {
        ChunkStatus::Committed => Ok(ok(&ChunkAnswer { seq, next: seq + 1 })),
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

fn is_of_stream(session: &Session, path: &StreamPath) -> bool {
    let stream = &session.stream;
    (stream.domain.as_str(), stream.app.as_str(), stream.stream.as_str())
        == (path.domain(), path.app(), path.stream())
}
