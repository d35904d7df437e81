//! Asking the on-demand URL.

use callback::Receiver;
use callback::on_demand::{self, Answer, MAX_ANSWER_BYTES, Question, next_wait_ms};
use http::{Request, header};
use protocol::{BeginSession, StreamPath};
use shared::catalog::{Container, PushName, Wish, WishedCycle};
use shared::rules::NotifyConfig;
use shared::{Refusal, USER_AGENT, display_name, private_callbacks};

use crate::world::World;

/// What the on-demand URL of a push's domain wants: what was decided, or else what it answers now. Whoever fails to
/// get an answer decides as well, that nothing is recorded.
///
/// # Errors
/// The store or the work bucket failed: nothing may be decided.
pub async fn wish(
    world: &impl World,
    path: &StreamPath,
    begin: &BeginSession,
    config: Option<&NotifyConfig>,
) -> Result<Wish, Refusal> {
    let push = PushName { stream: path.into(), gateway: begin.gateway.clone(), push: begin.push.clone() };
    if let Some(wish) = world.find_wish(push.clone()).await? {
        return Ok(wish);
    }
    let proposal = match ask(world, path, begin, config).await? {
        Ok(answer) => wished(answer),
        Err(reason) => {
            eprintln!("{}: not recorded on demand: {reason}", display_name(&push.stream));
            Wish { record: false, containers: None, cycles: Vec::new(), reason: Some(reason) }
        }
    };
    Ok(world.decide_wish(push, proposal).await?)
}

/// Asks until there is an answer; or says why there is none.
async fn ask(
    world: &impl World,
    path: &StreamPath,
    begin: &BeginSession,
    config: Option<&NotifyConfig>,
) -> Result<Result<Answer, String>, Refusal> {
    let began_ms = world.now_ms();
    let Some(url) = config.and_then(|config| config.on_demand_url.as_deref()) else {
        return Ok(Err("the domain has no OnDemandUrl".into()));
    };
    let private = private_callbacks(world).await?;
    let question = Question {
        app: path.app(),
        domain: path.domain(),
        stream: path.stream(),
        video_kbps: begin.video_kbps,
        video_codec: begin.video_codec.as_deref(),
    };
    let receiver = Receiver::of(url, private);
    let target = receiver.and_then(|receiver| Ok((question.target(&receiver)?, receiver)));
    let (target, receiver) = match target {
        Ok(target) => target,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let mut tries = 0;
    loop {
        let request = Request::get(receiver.uri(target.clone()))
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .expect("a URI and constant headers should make a request");
        let (reason, is_final) = match world.call(request, MAX_ANSWER_BYTES).await {
            Ok(response) => match Answer::parse(response.status().as_u16(), response.body()) {
                Ok(answer) => return Ok(Ok(answer)),
                // What it said stays so.
                Err(error) => (error.to_string(), matches!(error, callback::Error::Answer { .. })),
            },
            Err(unanswered) => (unanswered.reason, unanswered.is_final),
        };
        tries += 1;
        let wait_ms = next_wait_ms(tries, world.now_ms().saturating_sub(began_ms));
        match wait_ms.filter(|_| !is_final) {
            Some(wait_ms) => world.pause(wait_ms).await,
            None => return Ok(Err(format!("{receiver}: {reason}, at try {tries}"))),
        }
    }
}

fn wished(answer: Answer) -> Wish {
    let Answer { record, containers, cycles } = answer;
    let cycle = |(of, seconds)| WishedCycle { container: container(of), seconds };
    Wish {
        record,
        containers: containers.map(|containers| containers.into_iter().map(container).collect()),
        cycles: cycles.into_iter().map(cycle).collect(),
        reason: None,
    }
}

fn container(container: on_demand::Container) -> Container {
    match container {
        on_demand::Container::M3u8 => Container::M3u8,
        on_demand::Container::Mp4 => Container::Mp4,
        on_demand::Container::Flv => Container::Flv,
    }
}
