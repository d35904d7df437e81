//! From the request to the answer.

use http::StatusCode;
use protocol::{
    BeginSession, EndAnswer, EndSession, Heartbeat, HeartbeatAnswer, Route, SessionAnswer, SessionChange,
    SessionPath, StreamPath, check_name,
};
use shared::{Answer, Refusal, authorized, json, now_ms, read_json, route};
use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::wasip3::random::random::get_random_bytes;

use crate::bindings::recorder::catalog::catalog::{
    self, Container, Format, Session, SessionRule, SliceFormat, StreamName,
};
use crate::bindings::recorder::rules::rules::{self, OnDemand, Rule};
use crate::decision::{Terms, chunk_policy, session_id};

#[http_service]
async fn handle(request: Request) -> Answer {
    serve(request).await.unwrap_or_else(Answer::from)
}

async fn serve(request: Request) -> Result<Answer, Refusal> {
    authorized(&request).await?;
    match route(&request)? {
        Route::Sessions(stream) => begin(&stream, read_json(request).await?).await,
        Route::End(session) => end(&session, read_json(request).await?).await,
        Route::Heartbeat => heartbeat(read_json(request).await?).await,
        other => Err(Refusal::no_such_route(&other)),
    }
}

async fn begin(path: &StreamPath, begin: BeginSession) -> Result<Answer, Refusal> {
    check_gateway(&begin.gateway)?;
    let now_ms = now_ms();
    let names = (path.domain().to_owned(), path.app().to_owned(), path.stream().to_owned());
    let rule = rules::find_for_push(names.0, names.1, names.2)
        .await
        .map_err(|error| Refusal::unavailable("RulesFailed", format!("{error:?}")))?;
    let id = session_id(path, &begin, || get_random_bytes(16));
    let session =
        catalog::begin(session(path, id, begin, rule, now_ms)).await.map_err(|error| failed(&error))?;
    let answer =
        SessionAnswer { session: session.id.clone(), record: session.record, chunk: policy(&session) };
    Ok(json(StatusCode::OK, &answer))
}

fn session(path: &StreamPath, id: String, begin: BeginSession, rule: Option<Rule>, now_ms: u64) -> Session {
    let mut session = Session {
        id,
        stream: stream_name(path),
        gateway: given(begin.gateway),
        client: given(begin.client),
        arguments: Vec::new(),
        video_codec: given(begin.video_codec),
        audio_codec: given(begin.audio_codec),
        video_kbps: (begin.video_kbps > 0).then_some(begin.video_kbps),
        began_ms: now_ms,
        record: false,
        rule: None,
    };
    if let Some(rule) = rule {
        let on_demand = match rule.on_demand {
            OnDemand::Always => 0,
            OnDemand::AskUrl => 1,
            OnDemand::PushArgument => 2,
            OnDemand::Command => 7,
        };
        let terms = Terms { on_demand, start_time: rule.start_time, end_time: rule.end_time };
        session.rule = session_rule(rule);
        session.record = session.rule.is_some() && terms.record(&begin.arguments, now_ms);
    }
    session.arguments = begin.arguments.into_iter().collect();
    session
}

/// On the wire, an empty text says nothing.
fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
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
fn policy(session: &Session) -> protocol::ChunkPolicy {
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    let slices = formats.filter_map(|format| format.slices.as_ref());
    chunk_policy(slices.map(|slices| slices.seconds).max())
}

async fn end(path: &SessionPath, end: EndSession) -> Result<Answer, Refusal> {
    // A gateway's clock may be ahead: nothing ends in the future.
    let now_ms = now_ms();
    let at_ms = if end.ended_at_ms == 0 { now_ms } else { end.ended_at_ms.min(now_ms) };
    let refuse = |error| match error {
        catalog::Error::NoSuchSession => Refusal::no_such_session(&path.session),
        other => failed(&other),
    };
    let session = catalog::get_session(path.session.clone()).await.map_err(refuse)?;
    if session.stream != stream_name(&path.stream) {
        return Err(Refusal::no_such_session(&path.session));
    }
    let chunks = catalog::end(session.id, at_ms).await.map_err(refuse)?;
    Ok(json(StatusCode::OK, &EndAnswer { chunks }))
}

fn stream_name(path: &StreamPath) -> StreamName {
    StreamName { domain: path.domain().into(), app: path.app().into(), stream: path.stream().into() }
}

async fn heartbeat(heartbeat: Heartbeat) -> Result<Answer, Refusal> {
    if heartbeat.gateway.is_empty() {
        return Err(Refusal::bad_request("InvalidName", "a heartbeat needs the gateway's name"));
    }
    check_gateway(&heartbeat.gateway)?;
    let heard = catalog::heartbeat(heartbeat.gateway, heartbeat.since, now_ms())
        .await
        .map_err(|error| failed(&error))?;
    let mut answer = HeartbeatAnswer { since: heard.since, sessions: Vec::new() };
    for order in heard.orders {
        let session = catalog::get_session(order.session).await.map_err(|error| failed(&error))?;
        answer.sessions.push(SessionChange {
            session: session.id.clone(),
            record: order.record,
            chunk: policy(&session),
        });
    }
    Ok(json(StatusCode::OK, &answer))
}

/// A gateway's name is part of a key.
fn check_gateway(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Ok(());
    }
    Ok(check_name("gateway", name)?)
}

fn failed(error: &catalog::Error) -> Refusal {
    Refusal::unavailable("CatalogFailed", format!("{error:?}"))
}
