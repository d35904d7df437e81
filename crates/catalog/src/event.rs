//! Events: what a user's server is told of a record file.
//!
//! An event is noted with the fact that it tells of, under a name that follows from it, so that a call which dies
//! leaves no fact without its event; a timer leads to it. Those of one recording and container are delivered in their order:
//! the timer of an event does nothing while the one before it waits, and whoever delivers one goes on with those after it.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `ev.{recording}.{container}.{number}` | an event | the commit of its file: the same value by all, but for its time |
//! | `ed.{recording}.{container}.{number}` | what became of it | the delivery that has the recording in hand |

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::index_file::IndexFile;
use crate::key;
use crate::rule::Container;
use crate::session::Session;
use crate::stream::StreamName;
use crate::time::{CALL_MAX_MS, DAY_MS};
use crate::timer;

/// For how long it is known what became of an event.
const KEPT_MS: u64 = 3 * DAY_MS;

/// So many events are handed out at a time.
const MOST: usize = 16;

/// So many numbers are looked at for them.
const WALK: u32 = 64;

/// Names of push arguments that events carry begin so.
const PUSH_ARGUMENT: &str = "callback_";

/// Where an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<'a> {
    /// The recording: the id of its first session.
    pub recording: &'a str,
    /// The file's container.
    pub container: Container,
    /// The file's number.
    pub number: u32,
}

impl<'a> At<'a> {
    /// Of what a timer is for.
    #[must_use]
    pub fn of_timer(what: &'a str) -> Option<Self> {
        let mut words = what.split(' ').skip(1);
        let recording = words.next()?;
        let container = key::container(words.next()?)?;
        Some(Self { recording, container, number: words.next()?.parse().ok()? })
    }

    fn timer(self, lead: &str) -> String {
        format!("{lead} {} {} {}", self.recording, key::word(self.container), self.number)
    }

    fn event(self) -> String {
        key::event(self.recording, self.container, self.number)
    }

    fn outcome(self) -> String {
        key::event_outcome(self.recording, self.container, self.number)
    }
}

/// What is told of a record file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same at each try, and no other event's.
    pub id: String,
    /// The recording: the id of its first session.
    pub recording: String,
    /// The file's number.
    pub number: u32,
    /// The stream.
    pub stream: StreamName,
    /// The file's object.
    pub object: String,
    /// The file's container.
    pub container: Container,
    /// Begin of its content, Unix milliseconds.
    pub start_ms: u64,
    /// End of its content, Unix milliseconds.
    pub end_ms: u64,
    /// Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// The push arguments that it carries.
    pub arguments: Vec<(String, String)>,
    /// When it was noted, Unix milliseconds.
    pub noted_ms: u64,
}

impl Event {
    /// Where it belongs.
    #[must_use]
    pub fn at(&self) -> At<'_> {
        At { recording: &self.recording, container: self.container, number: self.number }
    }
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Where it was sent.
    pub url: String,
    /// How often it was sent.
    pub attempts: u32,
    /// The status that was answered at last, if any.
    pub status: Option<u16>,
    /// Why it was given up; `None`: it was taken.
    pub reason: Option<String>,
    /// When, Unix milliseconds.
    pub at_ms: u64,
}

impl Record for Event {
    const VERSION: u32 = 1;
}

impl Record for Outcome {
    const VERSION: u32 = 1;
}

/// Notes the event of a record file of a recording that begins with a session, and has it delivered.
///
/// # Errors
/// The store failed; the event may be noted all the same.
pub async fn note(
    store: &impl Store,
    first: &Session,
    file: &IndexFile,
    number: u32,
    now_ms: u64,
) -> Result<(), Error> {
    let at = At { recording: &first.id, container: file.container, number };
    let arguments = first.arguments.iter().filter(|(name, _)| name.starts_with(PUSH_ARGUMENT));
    let event = Event {
        id: file.id.clone(),
        recording: first.id.clone(),
        number,
        stream: file.stream.clone(),
        object: file.object.clone(),
        container: file.container,
        start_ms: file.start_ms,
        end_ms: file.end_ms,
        duration_90khz: file.duration_90khz,
        arguments: arguments.cloned().collect(),
        noted_ms: now_ms,
    };
    // One that fires too early finds nothing; one that is set after this call has died is never set.
    timer::set(store, now_ms + CALL_MAX_MS, &at.timer("w")).await?;
    if !store.exists(&at.event()).await? {
        write(store, &at.event(), &event).await?;
    }
    timer::set(store, now_ms, &at.timer("w")).await
}

/// The events that wait, from one on; none while the one before it waits, whose own timer comes to them.
///
/// # Errors
/// The store failed.
pub async fn waiting(store: &impl Store, from: At<'_>) -> Result<Vec<Event>, Error> {
    if let Some(before) = from.number.checked_sub(1) {
        let before = At { number: before, ..from };
        if store.exists(&before.event()).await? && !store.exists(&before.outcome()).await? {
            return Ok(Vec::new());
        }
    }
    let mut events = Vec::new();
    for number in from.number..from.number.saturating_add(WALK) {
        let at = At { number, ..from };
        let Some(event) = read(store, &at.event()).await? else { break };
        if !store.exists(&at.outcome()).await? {
            events.push(event);
        }
        if events.len() >= MOST {
            break;
        }
    }
    Ok(events)
}

/// Notes what became of an event; `None`: nobody wants it. Unless its caller goes on with the one after it, that is
/// looked at.
///
/// # Errors
/// The store failed; the event may be told again.
pub async fn done(
    store: &impl Store,
    at: At<'_>,
    outcome: Option<&Outcome>,
    goes_on: bool,
    now_ms: u64,
) -> Result<(), Error> {
    match outcome {
        Some(outcome) => {
            timer::set(store, now_ms + KEPT_MS, &at.timer("y")).await?;
            write(store, &at.outcome(), outcome).await?;
        }
        None => forget(store, at).await?,
    }
    let next = At { number: at.number + 1, ..at };
    if goes_on || !store.exists(&next.event()).await? {
        return Ok(());
    }
    timer::set(store, now_ms, &next.timer("w")).await
}

/// What became of an event; `None` while it waits.
///
/// # Errors
/// The store failed.
pub async fn outcome(store: &impl Store, at: At<'_>) -> Result<Option<Outcome>, Error> {
    Ok(read(store, &at.outcome()).await?)
}

/// Forgets an event that was told, or that nobody wants.
///
/// # Errors
/// The store failed.
pub async fn forget(store: &impl Store, at: At<'_>) -> Result<(), Error> {
    store.delete(&at.event()).await?;
    Ok(store.delete(&at.outcome()).await?)
}
