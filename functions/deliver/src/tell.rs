//! Telling one receiver of one recording.

use std::cell::RefCell;
use std::collections::BTreeMap;

use callback::event::{FileEvent, GIVEN_UP_MS, is_taken, seconds};
use callback::{Private, Receiver, signature};
use http::{Request, header};
use shared::catalog::{Container, Event, EventOutcome, Timer};
use shared::rules::NotifyConfig;
use shared::{Refusal, USER_AGENT, display_name};

use crate::world::World;

/// How much of an answer is read, in bytes: its status alone counts.
const MAX_ANSWER_BYTES: usize = 1_024;

/// A recording that was told of for so long leaves the rest to the next call. Unit: ms.
const MOST_MS: u64 = 20_000;

/// Why a receiver is left alone until the next call.
pub(crate) type Breaker = RefCell<Option<String>>;

/// A recording's events, the timer that led to them, and who is to be told.
pub(crate) struct Due {
    pub(crate) timer: Timer,
    pub(crate) events: Vec<Event>,
    pub(crate) config: Option<NotifyConfig>,
}

/// Why an event was not taken.
struct Refused {
    status: Option<u16>,
    reason: String,
}

/// Tells of a recording's events in their order, up to the first that is not taken.
pub(crate) async fn tell(
    world: &impl World,
    due: &Due,
    private: Private,
    breaker: &Breaker,
) -> Result<(), String> {
    let began_ms = world.now_ms();
    for (place, event) in due.events.iter().enumerate() {
        // Only the first was told before.
        let attempt = if place == 0 { due.timer.tries + 1 } else { 1 };
        let goes_on = place + 1 < due.events.len() && world.now_ms() < began_ms + MOST_MS;
        let url = due.config.as_ref().and_then(|config| Some((config, config.notify_url.as_deref()?)));
        let outcome = match url {
            None => None,
            Some((config, url)) => {
                let sent = send(world, event, (config, url), attempt, private, breaker).await;
                let is_old = world.now_ms() > event.noted_ms.saturating_add(GIVEN_UP_MS);
                let (status, reason) = match sent {
                    Ok(status) => (Some(status), None),
                    Err(Refused { status, reason }) if is_old => {
                        let stream = display_name(&event.stream);
                        eprintln!("{stream}: event {} is given up: {reason}", event.id);
                        (status, Some(reason))
                    }
                    Err(Refused { reason, .. }) => return Err(reason),
                };
                Some(EventOutcome { url: url.into(), attempts: attempt, status, reason })
            }
        };
        let noted = world.note_event(event.clone(), outcome, goes_on, world.now_ms()).await;
        noted.map_err(|error| Refusal::from(error).problem.message)?;
        if !goes_on {
            break;
        }
    }
    Ok(())
}

/// Sends an event once; answers the status with which it was taken.
async fn send(
    world: &impl World,
    event: &Event,
    (config, url): (&NotifyConfig, &str),
    attempt: u32,
    private: Private,
    breaker: &Breaker,
) -> Result<u16, Refused> {
    if let Some(reason) = breaker.borrow().clone() {
        return Err(Refused { status: None, reason });
    }
    let unsent = |reason: String| Refused { status: None, reason };
    let receiver = Receiver::of(url, private).map_err(|error| unsent(error.to_string()))?;
    let body = file_event(event).body();
    let mut request = Request::post(receiver.uri(receiver.target.clone()))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, USER_AGENT)
        .header("x-recorder-event-id", &event.id)
        .header("x-recorder-container", extension(event.container))
        .header("x-recorder-attempt", attempt);
    if let Some(key) = config.notify_auth_key.as_deref().filter(|_| config.notify_req_auth) {
        let now_s = world.now_ms() / 1_000;
        request = request
            .header(signature::TIMESTAMP_HEADER, now_s)
            .header(signature::SIGNATURE_HEADER, signature::original(receiver.host(), now_s, key))
            .header(signature::BODY_SIGNATURE_HEADER, signature::of_body(now_s, &event.id, &body, key));
    }
    let request = request.body(body).map_err(|error| unsent(error.to_string()))?;
    match world.call(request, MAX_ANSWER_BYTES).await {
        Ok(answer) if is_taken(answer.status().as_u16()) => Ok(answer.status().as_u16()),
        Ok(answer) => {
            let status = answer.status().as_u16();
            Err(Refused { status: Some(status), reason: format!("{receiver} answers {status}") })
        }
        Err(unanswered) => {
            let reason = format!("{receiver}: {}", unanswered.reason);
            *breaker.borrow_mut() = Some(reason.clone());
            Err(unsent(reason))
        }
    }
}

fn file_event(event: &Event) -> FileEvent {
    FileEvent {
        domain: event.stream.domain.clone(),
        app: event.stream.app.clone(),
        stream: event.stream.stream.clone(),
        uri: event.object.clone(),
        duration: seconds(event.duration90khz),
        start_time: event.start_ms / 1_000,
        stop_time: event.end_ms / 1_000,
        push_args: event.arguments.iter().cloned().collect::<BTreeMap<_, _>>(),
    }
}

fn extension(container: Container) -> &'static str {
    match container {
        Container::M3u8 => "m3u8",
        Container::Mp4 => "mp4",
        Container::Flv => "flv",
    }
}
