//! From the request to the answer.

use http::Request;
use protocol::{
    BeginSession, ChunkPolicy, EndAnswer, EndSession, Heartbeat, HeartbeatAnswer, Route, SessionAnswer,
    SessionChange, SessionPath, StreamPath, check_name,
};
use shared::catalog::{Container, Format, Session, SessionRule, SliceFormat, StreamName};
use shared::rules::Rule;
use shared::{
    Answer, Body, Catalog, Clock, Random, Refusal, Rules, Variables, answer_to, authorize, catalog,
    read_json, rules,
};

use crate::decision::{Terms, chunk_policy, session_id};

/// What this function needs of the world.
pub trait World: Catalog + Rules + Clock + Random + Variables {}

impl<T: Catalog + Rules + Clock + Random + Variables> World for T {}

/// Answers a request.
pub async fn handle(world: &impl World, request: Request<impl Body>) -> Answer {
    serve(world, request).await.unwrap_or_else(Answer::from)
}

async fn serve(world: &impl World, request: Request<impl Body>) -> Result<Answer, Refusal> {
    authorize(world, request.headers()).await?;
    let route = Route::parse(request.method(), request.uri().path())?;
    let body = request.into_body();
    Ok(match route {
        Route::Sessions(stream) => {
            answer_to::<BeginSession>(&begin(world, &stream, read_json(body).await?).await?)
        }
        Route::End(session) => answer_to::<EndSession>(&end(world, &session, read_json(body).await?).await?),
        Route::Heartbeat => answer_to::<Heartbeat>(&heartbeat(world, read_json(body).await?).await?),
        other => return Err(Refusal::no_such_route(&other)),
    })
}

async fn begin(world: &impl World, path: &StreamPath, begin: BeginSession) -> Result<SessionAnswer, Refusal> {
    if !begin.gateway.is_empty() {
        check_name("gateway", &begin.gateway)?;
    }
    let rule = world.find_for_push(stream_name(path)).await?;
    let id = session_id(path, &begin, || world.random());
    let session = world.begin(session(path, id, begin, rule, world.now_ms())).await?;
    let chunk = policy(&session);
    Ok(SessionAnswer { session: session.id, record: session.record, chunk })
}

fn session(path: &StreamPath, id: String, begin: BeginSession, rule: Option<Rule>, now_ms: u64) -> Session {
    // On the wire, an empty text says nothing.
    let given = |text: String| (!text.is_empty()).then_some(text);
    let terms = rule.as_ref().map(|rule| Terms {
        on_demand: rule.on_demand,
        start_time: rule.start_time,
        end_time: rule.end_time,
    });
    let rule = rule.and_then(session_rule);
    let wanted = terms.is_some_and(|terms| terms.record(&begin.arguments, now_ms));
    Session {
        id,
        stream: stream_name(path),
        gateway: given(begin.gateway),
        client: given(begin.client),
        arguments: begin.arguments.into_iter().collect(),
        video_codec: given(begin.video_codec),
        audio_codec: given(begin.audio_codec),
        video_kbps: (begin.video_kbps > 0).then_some(begin.video_kbps),
        began_ms: now_ms,
        record: rule.is_some() && wanted,
        rule,
    }
}

/// What a rule says of a session, if it wants anything that is recorded.
fn session_rule(rule: Rule) -> Option<SessionRule> {
    let formats: Vec<Format> = rule.formats.into_iter().filter_map(format).collect();
    (!formats.is_empty()).then_some(SessionRule {
        oss_endpoint: rule.oss_endpoint,
        oss_bucket: rule.oss_bucket,
        delay_seconds: rule.delay_seconds,
        formats,
    })
}

/// The formats that are recorded: a rule may ask for MP4 and FLV, which are not made yet.
fn format(format: rules::Format) -> Option<Format> {
    (format.container == rules::Container::M3u8).then_some(Format {
        container: Container::M3u8,
        cycle_seconds: format.cycle_seconds,
        object_prefix: format.object_prefix,
        slices: format
            .slices
            .map(|slices| SliceFormat { seconds: slices.seconds, object_prefix: slices.object_prefix }),
    })
}

/// How a session is cut: by its rule's slices.
fn policy(session: &Session) -> ChunkPolicy {
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    let slices = formats.filter_map(|format| format.slices.as_ref());
    chunk_policy(slices.map(|slices| slices.seconds).max())
}

async fn end(world: &impl World, path: &SessionPath, end: EndSession) -> Result<EndAnswer, Refusal> {
    // A gateway's clock may be ahead: nothing ends in the future.
    let now_ms = world.now_ms();
    let at_ms = if end.ended_at_ms == 0 { now_ms } else { end.ended_at_ms.min(now_ms) };
    let session = world.get_session(&path.session).await?;
    if session.stream != stream_name(&path.stream) {
        return Err(catalog::Error::NoSuchSession.into());
    }
    Ok(EndAnswer { chunks: world.end(&session.id, at_ms).await? })
}

fn stream_name(path: &StreamPath) -> StreamName {
    StreamName { domain: path.domain().into(), app: path.app().into(), stream: path.stream().into() }
}

async fn heartbeat(world: &impl World, heartbeat: Heartbeat) -> Result<HeartbeatAnswer, Refusal> {
    check_name("gateway", &heartbeat.gateway)?;
    let pending = world.heartbeat(&heartbeat.gateway, heartbeat.since, world.now_ms()).await?;
    let mut sessions = Vec::new();
    for order in pending.orders {
        let session = match world.get_session(&order.session).await {
            // An order that no push can follow must not keep the gateway from the orders after it.
            Err(catalog::Error::NoSuchSession) => continue,
            session => session?,
        };
        let chunk = policy(&session);
        sessions.push(SessionChange { session: session.id, record: order.record, chunk });
    }
    Ok(HeartbeatAnswer { since: pending.since, sessions })
}
