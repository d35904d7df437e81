//! Telling one receiver of one recording.

use std::cell::RefCell;
use std::collections::BTreeMap;

use callback::event::{FileEvent, GIVEN_UP_MS, Status, StatusEvent, is_taken};
use callback::{Private, Receiver, signature};
use http::{HeaderName, Request, header};
use shared::catalog::{
    self, Callback, Container, Event, Fact, LossReason, RecordingStatus, Timer, ToldFile, Trouble,
};
use shared::rules::NotifyConfig;
use shared::{Refusal, USER_AGENT, display_name};

use crate::world::World;

/// An event is given up after so many tries at the earliest.
const LEAST_TRIES: u32 = 10;

/// What a file event is about.
const CONTAINER: HeaderName = HeaderName::from_static("x-recorder-container");

/// Why something of a recording is lost, in words.
const REASON: HeaderName = HeaderName::from_static("x-recorder-reason");

/// How much of a reason is told. Unit: characters.
const MOST_REASON_CHARS: usize = 512;

/// Why a receiver is left alone until the next call.
pub(crate) type Breaker = RefCell<Option<String>>;

/// A recording's events, the timer that led to them, and who is to be told.
pub(crate) struct Due {
    pub(crate) timer: Timer,
    /// Those that are due as well, of events behind its own.
    pub(crate) behind: Vec<Timer>,
    pub(crate) events: Vec<Event>,
    pub(crate) config: Option<NotifyConfig>,
}

impl Due {
    /// How often the first of them was tried or left alone in vain.
    pub(crate) fn waits(&self) -> u32 {
        self.events.first().map_or(0, |event| event.tries).max(self.timer.tries)
    }
}

/// The first event of a recording that has to be told again, and why.
pub(crate) struct Untold {
    pub(crate) number: u32,
    pub(crate) reason: String,
    /// Its receiver was called: only that counts as a try.
    pub(crate) is_tried: bool,
}

/// Why an event was not taken.
struct Refused {
    status: Option<u16>,
    reason: String,
}

/// Tells of a recording's events in their order, up to the first that is not taken; the one that is told when the time is
/// over is the last. Answers the number of the last one that was told.
pub(crate) async fn tell(
    world: &impl World,
    due: &Due,
    private: Private,
    breaker: &Breaker,
    until_ms: u64,
) -> Result<Option<u32>, Untold> {
    let mut last = None;
    for (place, event) in due.events.iter().enumerate() {
        let attempt = event.tries + 1;
        let goes_on = place + 1 < due.events.len() && world.now_ms() < until_ms;
        let config = due.config.as_ref().filter(|config| is_wanted(config, event));
        let url = config.and_then(|config| Some((config, config.notify_url.as_deref()?)));
        if let Some((config, url)) = url {
            let (content, about) = body(event);
            let told = Told { event, attempt, content: &content, about };
            let left_alone = breaker.borrow().clone();
            if let Some(reason) = left_alone {
                // Nothing is given up, nor listed, nor counted as a try, that was not sent.
                return Err(Untold { number: event.number, reason, is_tried: false });
            }
            let sent = send(world, &told, (config, url), private, breaker).await;
            let is_slice = matches!(event.fact, Fact::Slice(_));
            // Time in which nobody delivered does not count, but for slices: there are very many of them.
            let is_late = world.now_ms() > event.noted_ms.saturating_add(GIVEN_UP_MS);
            let is_old = is_late && (is_slice || attempt >= LEAST_TRIES);
            if is_old || sent.is_ok() && !is_slice || sent.is_err() && attempt.is_power_of_two() {
                note(world, &told, url, &sent).await;
            }
            if let Err(Refused { reason, .. }) = sent {
                if !is_old {
                    return Err(Untold { number: event.number, reason, is_tried: true });
                }
                eprintln!("{}: event {} is given up: {reason}", display_name(&event.stream), event.id);
            }
        }
        let noted = world.note_event(event.clone(), url.is_some(), goes_on, world.now_ms()).await;
        noted.map_err(|error| Untold {
            number: event.number,
            reason: Refusal::from(error).problem.message,
            is_tried: url.is_some(),
        })?;
        last = Some(event.number);
        if !goes_on {
            break;
        }
    }
    Ok(last)
}

/// The number of the event that a timer leads to.
pub(crate) fn number(timer: &Timer) -> u32 {
    timer.what.rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Whether a domain's server wants an event.
fn is_wanted(config: &NotifyConfig, event: &Event) -> bool {
    matches!(event.fact, Fact::File(_) | Fact::Slice(_)) || config.need_status_notify
}

/// Notes that an event was sent, for those who ask; the event does not wait for that. Of many tries in vain a few are
/// noted.
async fn note(world: &impl World, told: &Told<'_>, url: &str, sent: &Result<u16, Refused>) {
    let (status, reason) = match sent {
        Ok(status) => (Some(*status), None),
        Err(Refused { status, reason }) => (*status, Some(reason.clone())),
    };
    let callback = Callback {
        sent_ms: world.now_ms(),
        stream: told.event.stream.clone(),
        event: name(&told.event.fact).into(),
        url: url.into(),
        content: String::from_utf8_lossy(told.content).into_owned(),
        attempt: told.attempt,
        status,
        reason,
    };
    if let Err(error) = world.note_callback(callback).await {
        eprintln!("event {} is in no list: {}", told.event.id, Refusal::from(error).problem.message);
    }
}

/// An event that is sent.
struct Told<'a> {
    event: &'a Event,
    attempt: u32,
    content: &'a [u8],
    /// What it is about, in a header of our own.
    about: Option<(HeaderName, String)>,
}

/// Sends an event once; answers the status with which it was taken.
async fn send(
    world: &impl World,
    told: &Told<'_>,
    (config, url): (&NotifyConfig, &str),
    private: Private,
    breaker: &Breaker,
) -> Result<u16, Refused> {
    let unsent = |reason: String| Refused { status: None, reason };
    let receiver = Receiver::of(url, private).map_err(|error| unsent(error.to_string()))?;
    let mut request = Request::post(receiver.uri(receiver.target.clone()))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, USER_AGENT)
        .header("x-recorder-event-id", &told.event.id)
        .header("x-recorder-attempt", told.attempt);
    if let Some((name, what)) = &told.about {
        request = request.header(name, what);
    }
    if let Some(key) = config.notify_auth_key.as_deref().filter(|_| config.notify_req_auth) {
        let now_s = world.now_ms() / 1_000;
        request = request
            .header(signature::TIMESTAMP_HEADER, now_s)
            .header(signature::SIGNATURE_HEADER, signature::original(receiver.host(), now_s, key))
            .header(
                signature::BODY_SIGNATURE_HEADER,
                signature::of_body(now_s, &told.event.id, told.content, key),
            );
    }
    let request = request.body(told.content.to_vec()).map_err(|error| unsent(error.to_string()))?;
    // Its status alone counts, however its body comes and ends.
    match world.call(request, 0).await {
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

/// What is sent, and what it is about in our own headers.
fn body(event: &Event) -> (Vec<u8>, Option<(HeaderName, String)>) {
    let catalog::StreamName { domain, app, stream } = event.stream.clone();
    let (status, about) = match &event.fact {
        Fact::File(file) => {
            return (file_body(event, file), Some((CONTAINER, extension(file.container).into())));
        }
        Fact::Slice(slice) => return (file_body(event, slice), Some((CONTAINER, "ts".into()))),
        Fact::Status(changed) => (recording(*changed), None),
        Fact::Trouble(trouble) => (Status::Error, Some((REASON, reason(trouble)))),
    };
    (StatusEvent { domain, app, stream, event: status }.body(), about)
}

fn file_body(event: &Event, file: &ToldFile) -> Vec<u8> {
    let catalog::StreamName { domain, app, stream } = event.stream.clone();
    let told = FileEvent {
        domain,
        app,
        stream,
        uri: file.object.clone(),
        duration: hls::seconds(file.duration90khz),
        start_time: file.start_ms / 1_000,
        stop_time: file.end_ms / 1_000,
        push_args: file.arguments.iter().cloned().collect::<BTreeMap<_, _>>(),
    };
    told.body()
}

/// What an event is called where callbacks are listed.
fn name(fact: &Fact) -> &'static str {
    match fact {
        Fact::File(_) | Fact::Slice(_) => "file_created",
        Fact::Status(changed) => recording(*changed).name(),
        Fact::Trouble(_) => Status::Error.name(),
    }
}

/// What cannot be recorded, in words that a header can hold.
fn reason(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Lost(reason) => loss(*reason).into(),
        Trouble::LeftOut(track) => format!("a track is not recorded: {}", printable(track)),
        Trouble::Unanswered(why) => format!("nobody said whether to record: {}", printable(why)),
        Trouble::Refused => "the bucket refuses what is recorded".into(),
    }
}

/// What of a text a header can hold.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(MOST_REASON_CHARS).collect()
}

fn recording(changed: RecordingStatus) -> Status {
    match changed {
        RecordingStatus::Started => Status::Started,
        RecordingStatus::Paused => Status::Paused,
        RecordingStatus::Resumed => Status::Resumed,
    }
}

fn loss(reason: LossReason) -> &'static str {
    match reason {
        LossReason::Refused => "media was refused for what it holds",
        LossReason::Shed => "media was given up, since the spool was full",
        LossReason::Damaged => "media was damaged in the spool",
        LossReason::Acknowledged => "media is lost with the key-value store",
    }
}

fn extension(container: Container) -> &'static str {
    match container {
        Container::M3u8 => "m3u8",
        Container::Mp4 => "mp4",
        Container::Flv => "flv",
    }
}
