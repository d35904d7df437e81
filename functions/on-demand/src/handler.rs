//! From the request to the answer.

use http::{Request, StatusCode};
use protocol::{
    AskAdmission, BeginSession, EndAnswer, EndSession, Heartbeat, HeartbeatAnswer, Rebuild, Route,
    SessionAnswer, SessionPath, StreamPath, check_name,
};
use shared::catalog::Mode;
use shared::{Answer, Body, Refusal, answer_to, authorize, catalog, flag, read_json, timezone, work_bucket};

use crate::admission::{admit, end_forbidden};
use crate::decision::is_wanted;
use crate::world::World;
use crate::{ask, convert, rebuild};

/// Answers a request.
pub async fn handle(world: &impl World, request: Request<impl Body>) -> Answer {
    serve(world, request).await.unwrap_or_else(Answer::from)
}

async fn serve(world: &impl World, request: Request<impl Body>) -> Result<Answer, Refusal> {
    authorize(world, request.headers()).await?;
    let route = Route::parse(request.method(), request.uri().path())?;
    let body = request.into_body();
    Ok(match route {
        Route::Admission(stream) => {
            read_json::<AskAdmission>(body).await?;
            admit(world, &stream).await?;
            let mut answer = Answer::default();
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        }
        Route::Sessions(stream) => {
            answer_to::<BeginSession>(&begin(world, &stream, read_json(body).await?).await?)
        }
        Route::End(session) => answer_to::<EndSession>(&end(world, &session, read_json(body).await?).await?),
        Route::Rebuild => answer_to::<Rebuild>(&rebuild::step(world, read_json(body).await?).await?),
        Route::Heartbeat => answer_to::<Heartbeat>(&heartbeat(world, read_json(body).await?).await?),
        other => return Err(Refusal::no_such_route(&other)),
    })
}

async fn begin(world: &impl World, path: &StreamPath, begin: BeginSession) -> Result<SessionAnswer, Refusal> {
    check_name("gateway", &begin.gateway)?;
    let work_bucket = work_bucket(world).await?;
    if !world.is_probed(&work_bucket).await? {
        let message = "the work bucket was not found fit yet; the next tick tries it";
        return Err(Refusal::unavailable("WorkBucketNotProbed", message));
    }
    let began_ms = world.now_ms().saturating_sub(begin.began_ago_ms);
    let rule = world.find_for_push(path.into()).await?;
    let mut wanted = rule.as_ref().is_some_and(|rule| is_wanted(rule.on_demand, &begin.arguments));
    let mut rule = rule.and_then(convert::session_rule);
    let config = match &rule {
        Some(_) => world.get_notify(path.domain()).await?,
        None => None,
    };
    // What resends a chunk goes by the rule and the wish of the push that the chunk was of.
    if let Some(asking) = rule.as_mut().filter(|rule| rule.mode == Mode::OnDemand && begin.resends.is_none())
    {
        let wish = ask::wish(world, path, &begin, config.as_ref()).await?;
        wanted = convert::follow(asking, &wish);
    }
    // The answer may have been waited for.
    let now_ms = world.now_ms();
    let has_receiver = config.as_ref().is_some_and(|config| config.notify_url.is_some());
    let session = catalog::Session {
        id: naming::session_id(began_ms, world.random()),
        stream: path.into(),
        gateway: begin.gateway,
        boot: begin.boot,
        push: begin.push,
        client: begin.client,
        arguments: begin.arguments.into_iter().collect(),
        video_codec: begin.video_codec,
        audio_codec: begin.audio_codec,
        video_kbps: begin.video_kbps,
        began_ms,
        rule,
        wanted,
        timezone: timezone(world).await?.to_string(),
        keeps_gaps: flag(world, "keep_gaps").await?,
        tells_slices: flag(world, "slice_events").await? && has_receiver,
        tells_status: config.is_some_and(|config| config.need_status_notify),
    };
    let after = begin.after.map(|after| catalog::After { session: after.session, gap_ms: after.gap_ms });
    let resends = begin.resends.map(|chunk| catalog::Resends { session: chunk.session, seq: chunk.seq });
    let offered = world.begin(session, after, resends, now_ms).await?;
    Ok(convert::session_answer(offered, now_ms))
}

async fn end(world: &impl World, path: &SessionPath, end: EndSession) -> Result<EndAnswer, Refusal> {
    let session = world.get_session(&path.session).await?;
    if session.stream != catalog::StreamName::from(&path.stream) {
        return Err(catalog::Error::NoSuchSession.into());
    }
    let chunks = world.end(&session.id, end, world.now_ms()).await?;
    Ok(EndAnswer { chunks })
}

async fn heartbeat(world: &impl World, heartbeat: Heartbeat) -> Result<HeartbeatAnswer, Refusal> {
    check_name("gateway", &heartbeat.gateway)?;
    let now_ms = world.now_ms();
    let adopted = heartbeat.adopted.clone();
    let changes = world.beat(convert::heartbeat(heartbeat), now_ms).await?;
    end_forbidden(world, &adopted).await?;
    Ok(convert::heartbeat_answer(changes, now_ms))
}
