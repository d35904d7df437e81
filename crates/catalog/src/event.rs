//! Events: what a user's server is told of a recording: of its record files, its status, and what it lost.
//!
//! An event is noted before the fact that it tells of, under a name that follows from it, so that a call which dies
//! leaves no fact without its event; a timer leads to it. Those of one recording and kind are delivered in their order:
//! the timer of an event does nothing while the one before it waits, and whoever delivers one goes on with those after
//! it.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `ev.{recording}.{kind}.{number}` | an event; hint: how often it was tried | who notes its fact: the same value by all, but for its time; then the delivery that has the recording in hand |
//! | `ed.{recording}.{kind}.{number}` | it was told or given up | the delivery that has the recording in hand |

mod outbox;

use naming::digest;
use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::chunk::GapReason;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::index_file::IndexFile;
use crate::key;
use crate::rule::Container;
use crate::session::{self, Session};
use crate::stream::StreamName;
use crate::time::DAY_MS;
use crate::timer;

pub use outbox::{done, waiting};
pub(crate) use outbox::{forget, put_off, untold};

/// Names of push arguments that events carry begin so.
const PUSH_ARGUMENT: &str = "callback_";

/// What events tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Record files of a container, by their numbers.
    File(Container),
    /// The recording's status, by how often it has changed before.
    Status,
    /// Slices, each by itself. The recording is their session.
    Slice,
    /// What cannot be recorded. The recording is the session.
    Trouble,
    /// A bucket that refuses what is recorded, once for each session or recording.
    Refusal,
    /// Nobody said to record, once for each session.
    Unanswered,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::File(container) => key::word(container),
            Self::Status => "status",
            Self::Slice => "slice",
            Self::Trouble => "trouble",
            Self::Refusal => "refusal",
            Self::Unanswered => "unanswered",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "status" => Some(Self::Status),
            "slice" => Some(Self::Slice),
            "trouble" => Some(Self::Trouble),
            "refusal" => Some(Self::Refusal),
            "unanswered" => Some(Self::Unanswered),
            word => key::container(word).map(Self::File),
        }
    }
}

/// Where an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<'a> {
    /// The recording: the id of its first session.
    pub recording: &'a str,
    /// What it tells of.
    pub kind: Kind,
    /// Its number among those of its kind.
    pub number: u32,
}

impl<'a> At<'a> {
    /// Of what a timer is for.
    #[must_use]
    pub fn of_timer(what: &'a str) -> Option<Self> {
        let mut words = what.split(' ').skip(1);
        let recording = words.next()?;
        let kind = Kind::parse(words.next()?)?;
        Some(Self { recording, kind, number: words.next()?.parse().ok()? })
    }

    fn timer(self, lead: &str) -> String {
        format!("{lead} {} {} {}", self.recording, self.kind.word(), self.number)
    }

    fn event(self) -> String {
        key::event(self.recording, self.kind.word(), self.number)
    }

    fn done(self) -> String {
        key::event_done(self.recording, self.kind.word(), self.number)
    }
}

/// A record file, or a slice, that is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFile {
    /// The file's container; of a slice, that of the files that it is in.
    pub container: Container,
    /// The file's object.
    pub object: String,
    /// Begin of its content, Unix milliseconds.
    pub start_ms: u64,
    /// End of its content, Unix milliseconds.
    pub end_ms: u64,
    /// Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// The arguments of the push whose names begin with `callback_`.
    pub arguments: Vec<(String, String)>,
}

/// What a recording's status becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Its first slice is there, or the next one after a pause in which its files were closed.
    Started,
    /// Its push has ended, or was stopped.
    Paused,
    /// The next slice is there, in the same files.
    Resumed,
}

/// A change of a recording's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it becomes.
    pub status: Status,
    /// The session whose slices were seen last.
    pub session: String,
    /// The number of the order that had stopped that session before these slices; 0 if none had.
    pub stopped: u32,
    /// The round of silence that had suspended that session before these slices; 0 if none had.
    pub suspended: u64,
}

/// What cannot be recorded of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// Chunks that follow one another will never come: why, and the number of the first.
    Lost(GapReason, u64),
    /// A track of a codec that is not recorded, for example `audio speex`.
    LeftOut(String),
    /// The user's bucket refuses what is recorded.
    Refused,
    /// Nothing is recorded, since the on-demand URL has not answered: why.
    Unanswered(String),
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// A record file is there.
    File(ToldFile),
    /// A slice is there.
    Slice(ToldFile),
    /// The recording's status has changed.
    Status(Change),
    /// Something cannot be recorded.
    Trouble(Trouble),
}

impl Fact {
    fn kind(&self) -> Kind {
        match self {
            Self::File(file) => Kind::File(file.container),
            Self::Status(_) => Kind::Status,
            Self::Slice(_) => Kind::Slice,
            Self::Trouble(Trouble::Lost(..) | Trouble::LeftOut(_)) => Kind::Trouble,
            Self::Trouble(Trouble::Unanswered(_)) => Kind::Unanswered,
            Self::Trouble(Trouble::Refused) => Kind::Refusal,
        }
    }

    /// What it is among all facts of its recording and kind. Numbers begin anew where a store was lost; this does not.
    fn subject(&self) -> String {
        match self {
            Self::File(file) | Self::Slice(file) => file.object.clone(),
            Self::Status(Change { status, session, stopped, suspended }) => {
                format!("{status:?} {session} {stopped} {suspended}")
            }
            Self::Trouble(trouble) => format!("{trouble:?}"),
        }
    }
}

/// What a user's server is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same at each try, and no other event's.
    pub id: String,
    /// The recording: the id of its first session.
    pub recording: String,
    /// Its number among those of its kind.
    pub number: u32,
    /// The stream.
    pub stream: StreamName,
    /// What is told.
    pub fact: Fact,
    /// When it was noted, Unix milliseconds.
    pub noted_ms: u64,
    /// How often it was tried in vain.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub tries: u32,
    /// It is not told before this moment, for which it has a timer. Unix milliseconds.
    #[serde(default)]
    pub(crate) again_ms: u64,
}

impl Event {
    /// Whether it has to wait until it is told again. The wait that a clock far ahead has set counts for nothing.
    pub(crate) fn is_put_off(&self, now_ms: u64) -> bool {
        let left_ms = self.again_ms.saturating_sub(now_ms);
        left_ms > 0 && left_ms <= timer::BACKOFF_MS.1
    }

    /// Where it belongs.
    #[must_use]
    pub fn at(&self) -> At<'_> {
        At { recording: &self.recording, kind: self.fact.kind(), number: self.number }
    }
}

impl Record for Event {
    const VERSION: u32 = 1;
}

/// The arguments of a push that its events carry.
pub(crate) fn arguments(session: &Session) -> Vec<(String, String)> {
    let arguments = session.arguments.iter().filter(|(name, _)| name.starts_with(PUSH_ARGUMENT));
    arguments.cloned().collect()
}

/// Notes the event of a record file of a recording that begins with a session, and has it delivered.
///
/// # Errors
/// The store failed; the event may be noted all the same.
pub async fn note_file(
    store: &impl Store,
    first: &Session,
    file: &IndexFile,
    number: u32,
    now_ms: u64,
) -> Result<(), Error> {
    let told = ToldFile {
        container: file.container,
        object: file.object.clone(),
        start_ms: file.start_ms,
        end_ms: file.end_ms,
        duration_90khz: file.duration_90khz,
        arguments: arguments(first),
    };
    note(store, first, &first.id, number, Fact::File(told), now_ms).await
}

/// Notes an event of a session under the first number from one on that no other event has, and answers that. A call that
/// died may have noted what was not committed then.
pub(crate) async fn note_next(
    store: &impl Store,
    session: &Session,
    mut number: u32,
    fact: Fact,
    now_ms: u64,
) -> Result<u32, Error> {
    loop {
        let at = At { recording: &session.id, kind: fact.kind(), number };
        let known = get(store, at).await?;
        if known.is_none_or(|known| known.id == id(at, &fact, now_ms)) {
            note(store, session, &session.id, number, fact, now_ms).await?;
            return Ok(number);
        }
        // Nobody may have it delivered yet, and those behind it wait for it.
        deliver(store, at, now_ms).await?;
        number += 1;
    }
}

/// Notes that the user's bucket refuses what is recorded of a session, or of a recording that begins with it.
///
/// # Errors
/// [`Error::NoSuchSession`]; the store or the work bucket failed.
pub async fn note_refused(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    now_ms: u64,
) -> Result<(), Error> {
    let session = session::get(store, bucket, id).await?;
    if !session.tells_status {
        return Ok(());
    }
    note(store, &session, id, 0, Fact::Trouble(Trouble::Refused), now_ms).await
}

/// Notes that a session is not recorded since its on-demand URL has not answered, where that is so.
pub(crate) async fn note_unanswered(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<(), Error> {
    if session.is_wanted || !session.tells_status {
        return Ok(());
    }
    if let Some(reason) = session.wish(bucket).await?.and_then(|wish| wish.reason) {
        note(store, session, &session.id, 0, Fact::Trouble(Trouble::Unanswered(reason)), now_ms).await?;
    }
    Ok(())
}

/// Notes an event of a session's stream, and has it delivered. Whoever notes its fact does this before: a call that dies
/// in between is made again.
pub(crate) async fn note(
    store: &impl Store,
    session: &Session,
    recording: &str,
    number: u32,
    fact: Fact,
    now_ms: u64,
) -> Result<(), Error> {
    let at = At { recording, kind: fact.kind(), number };
    match get(store, at).await? {
        // It has a timer.
        Some(known) if known.is_put_off(now_ms) => return Ok(()),
        Some(_) if store.exists(&at.done()).await? => return Ok(()),
        Some(_) => {}
        None => {
            let event = Event {
                id: id(at, &fact, now_ms),
                recording: recording.into(),
                number,
                stream: session.stream.clone(),
                fact,
                noted_ms: now_ms,
                tries: 0,
                again_ms: 0,
            };
            write(store, &at.event(), &event).await?;
        }
    }
    deliver(store, at, now_ms).await
}

/// Has the events from one on and before another number delivered that wait. Only the first of them leads to the others: two
/// calls that come to one event at once would both tell it.
pub(crate) async fn deliver_rest(
    store: &impl Store,
    from: At<'_>,
    before: u32,
    now_ms: u64,
) -> Result<(), Error> {
    for number in from.number..before {
        let at = At { number, ..from };
        if outbox::is_waiting(store, at).await? {
            return deliver(store, at, now_ms).await;
        }
    }
    Ok(())
}

/// Has an event delivered, and those behind it.
async fn deliver(store: &impl Store, at: At<'_>, now_ms: u64) -> Result<(), Error> {
    timer::set(store, now_ms, &at.timer("w")).await
}

/// The id of an event that is noted at a moment. That a bucket refuses is told anew after days, which is another event each
/// time.
fn id(at: At<'_>, fact: &Fact, noted_ms: u64) -> String {
    let subject = match fact {
        Fact::Trouble(Trouble::Refused) => format!("{} {}", fact.subject(), noted_ms / DAY_MS),
        _ => fact.subject(),
    };
    hex::encode(&digest([at.recording, at.kind.word(), &subject])[..16])
}

/// An event of a recording that is known, whether it was told or not.
pub(crate) async fn get(store: &impl Store, at: At<'_>) -> Result<Option<Event>, Error> {
    Ok(read(store, &at.event()).await?)
}
