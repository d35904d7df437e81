//! Sessions: a push, offered by its begin, adopted by its gateway, ended once.

mod adopt;
mod end;
mod offer;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::key;
use crate::order::{self, Order};
use crate::rule::{Mode, Rule};
use crate::stream::StreamName;
use crate::time::{DAY_MS, Retention};
use crate::wish::{self, Push, Wish};

pub use adopt::adopt;
pub(crate) use adopt::{announce, complete};
pub(crate) use end::{decided_end, end_at_last, restore as restore_end};
pub use end::{end, ended};
pub use offer::{After, Resends, offer};
pub(crate) use offer::{expire, forget_offer};

/// So many sessions of a recording are walked, at most.
const WALK: u32 = 256;

/// One push by one gateway, as its begin offered it. Nothing of it ever changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, which names the day of its begin.
    pub id: String,
    /// What is pushed.
    pub stream: StreamName,
    /// Name of the gateway.
    pub gateway: String,
    /// The gateway's spool and how often it was started.
    pub boot: String,
    /// The gateway's name of the push.
    pub push: String,
    /// Address of the publisher.
    pub client: String,
    /// Query arguments of the push URL.
    pub arguments: Vec<(String, String)>,
    /// The video codec, if known.
    pub video_codec: Option<String>,
    /// The audio codec, if known.
    pub audio_codec: Option<String>,
    /// The video bit rate, if known. Unit: kbit/s.
    pub video_kbps: Option<u32>,
    /// When its first coded frame came, by the functions' clock, Unix milliseconds.
    pub began_ms: u64,
    /// The rule of that moment; `None`: nothing records it.
    pub rule: Option<Rule>,
    /// Whether the on-demand URL or the push's argument wants it recorded, for rules that ask one of them.
    pub is_wanted: bool,
    /// Time zone of object names, such as `+08:00`.
    pub timezone: String,
    /// Whether the user's server wants to be told of its recording's status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells_status: bool,
    /// The domain's server is told of each slice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells_slices: bool,
    /// Its MP4 and FLV files keep time in which nothing was recorded, where it is the first of its recording.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_gaps: bool,
    /// The session that it continues if no other has done so by the time it is adopted.
    pub continues: Option<String>,
}

impl Session {
    /// What the keys of its gateway begin with.
    pub(crate) fn gateway_key(&self) -> String {
        key::gateway(&self.gateway, &self.boot)
    }

    /// The longest break that its recording goes on over; 0 where nothing records it. Unit: ms.
    pub(crate) fn delay_ms(&self) -> u64 {
        self.rule.as_ref().map_or(0, Rule::delay_ms)
    }

    /// The object with the [wish](crate::wish) for its push, where the on-demand URL was asked.
    fn wish_name(&self) -> Option<String> {
        self.asked_push().map(|push| push.object_name())
    }

    /// What the on-demand URL wants of it, where the rule asks one.
    pub(crate) async fn wish(&self, bucket: &impl WorkBucket) -> Result<Option<Wish>, Error> {
        match self.asked_push() {
            Some(push) => wish::find(bucket, push).await,
            None => Ok(None),
        }
    }

    /// The push, where the rule asks the on-demand URL of it.
    fn asked_push(&self) -> Option<Push<'_>> {
        let is_asked = self.rule.as_ref().is_some_and(|rule| rule.mode == Mode::OnDemand);
        let push = Push { stream: &self.stream, gateway: &self.gateway, push: &self.push };
        is_asked.then_some(push)
    }

    /// The orders that it begins with.
    #[must_use]
    pub fn initial_orders(&self) -> Vec<Order> {
        self.rule.as_ref().map_or(Vec::new(), |rule| order::initial(rule, self.is_wanted, self.began_ms))
    }

    /// Whether its first frame is wanted.
    fn is_recorded_at_begin(&self) -> bool {
        self.initial_orders().first().is_some_and(|first| first.record && first.at_ms <= self.began_ms)
    }
}

/// Which recording a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The recording: the id of its first session.
    pub recording: String,
    /// The session that it continues.
    pub continues: Option<String>,
    /// No record file that its first chunk begins has a number below this one: it came back from a lost store, with none of
    /// its chunks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files_from: Option<u32>,
}

/// How a session ended. The first end that is told holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When its last coded frame came, by the functions' clock, Unix milliseconds.
    pub ended_ms: u64,
    /// How many chunks it has, committed or not.
    pub chunks: u64,
    /// When the functions noted it, by their clock, Unix milliseconds.
    #[serde(default)]
    pub noted_ms: u64,
    /// How long ago that frame was then, by the gateway's clock; 0 where no gateway told. Unit: ms.
    #[serde(default)]
    pub ended_ago_ms: u64,
    /// For how long its gateway had been heard by then; none where it never was, in a store that was filled anew for one. Unit:
    /// ms.
    #[serde(default)]
    pub heard_for_ms: Option<u64>,
    /// Its gateway told it. Otherwise a chunk may be on its way past it.
    #[serde(default)]
    pub is_told: bool,
}

impl Record for Session {
    const VERSION: u32 = 1;
}

impl Record for Adopted {
    const VERSION: u32 = 1;
}

impl Record for End {
    const VERSION: u32 = 1;
}

/// The session that continues a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Continuation {
    session: String,
}

impl Record for Continuation {
    const VERSION: u32 = 1;
}

/// Something beside a session's chunks has to be read.
#[derive(Serialize, Deserialize)]
struct Flag {}

impl Record for Flag {
    const VERSION: u32 = 1;
}

/// How the break after a session was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Break {
    /// It lasted too long.
    Closed,
    /// This session continues the recording.
    Continued(String),
}

/// The session of an id, adopted or not; also one that is over.
///
/// # Errors
/// [`Error::NoSuchSession`]; the store or the work bucket failed.
pub async fn get(store: &impl Store, bucket: &impl WorkBucket, id: &str) -> Result<Session, Error> {
    if let Some(session) = find(store, id).await? {
        return Ok(session);
    }
    object(bucket, id).await?.ok_or_else(|| Error::NoSuchSession(id.into()))
}

/// The session of an id, by the work bucket alone; `None` for an offer that has expired or was never adopted.
pub(crate) async fn object(bucket: &impl WorkBucket, id: &str) -> Result<Option<Session>, Error> {
    Ok(decision::find::<Option<Session>>(bucket, &object_name(id)).await?.flatten())
}

/// Whether what was recorded of a session may not be kept any more, by the day that its id names.
#[must_use]
pub fn is_expired(id: &str, retention: Retention, now_ms: u64) -> bool {
    let began_ms = naming::session_day_ms(id);
    began_ms.is_some_and(|began_ms| began_ms.saturating_add(DAY_MS + retention.sessions_ms) < now_ms)
}

/// The session of an id, adopted or not, unless there is none in the store.
pub(crate) async fn find(store: &impl Store, id: &str) -> Result<Option<Session>, Error> {
    Ok(read(store, &key::session(id)).await?)
}

/// Which recording a session belongs to; `None` until it is adopted.
///
/// # Errors
/// The store failed.
pub async fn adopted(store: &impl Store, id: &str) -> Result<Option<Adopted>, Error> {
    Ok(read(store, &key::adopted(id)).await?)
}

/// The session that continues a session.
pub(crate) async fn continued(store: &impl Store, id: &str) -> Result<Option<String>, Error> {
    let continuation: Option<Continuation> = read(store, &key::continued(id)).await?;
    Ok(continuation.map(|continuation| continuation.session))
}

/// Whether a session comes before another one of its recording. Clocks tell nothing of that: each may have been begun by a
/// host with another one.
pub(crate) async fn is_before(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    other: &str,
) -> Result<bool, Error> {
    let mut at = id.to_owned();
    for _ in 0..WALK {
        let after = match continued(store, &at).await? {
            Some(after) => after,
            // One that has left the store is found by what was decided.
            None => match decision::find(bucket, &break_name(&at)).await? {
                Some(Break::Continued(after)) => after,
                Some(Break::Closed) | None => return Ok(false),
            },
        };
        if after == other {
            return Ok(true);
        }
        at = after;
    }
    Ok(false)
}

/// The session in the work bucket, once it is adopted; null once its offer has expired.
fn object_name(id: &str) -> String {
    format!("session/{id}")
}

/// The objects of a session in the work bucket, beside its orders, its rounds of silence and its runs.
pub(crate) fn object_names(session: &Session) -> Vec<String> {
    let id = &session.id;
    let own = [object_name(id), break_name(id), end::decision_name(id), parted_name(id)];
    own.into_iter().chain(session.wish_name()).collect()
}

/// Puts back what is known of a session beside its chunks, for one that is over and has more chunks to come.
pub(crate) async fn restore(store: &impl Store, run: &crate::log::part::Run) -> Result<(), Error> {
    let id = &run.session.id;
    flag(store, id).await?;
    if let Some(end) = &run.end {
        write(store, &key::end(id), end).await?;
    }
    if let Some(after) = run.over.as_ref().and_then(|over| over.continued.clone()) {
        write(store, &key::continued(id), &Continuation { session: after }).await?;
    }
    Ok(write(store, &key::adopted(id), &run.adopted).await?)
}

/// The session that one continues, by the work bucket alone.
pub(crate) async fn continues(bucket: &impl WorkBucket, session: &Session) -> Result<Option<String>, Error> {
    let Some(before) = &session.continues else { return Ok(None) };
    let decided = decision::find::<Break>(bucket, &break_name(before)).await?;
    let is_continued = decided == Some(Break::Continued(session.id.clone()));
    Ok(if is_continued { object(bucket, before).await?.map(|before| before.id) } else { None })
}

/// Puts a session back whose chunks and end are back: it is found from now on.
pub(crate) async fn put_back(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    belongs: &Adopted,
) -> Result<(), Error> {
    let id = &session.id;
    if let Some(Break::Continued(next)) = decision::find(bucket, &break_name(id)).await? {
        write(store, &key::continued(id), &Continuation { session: next }).await?;
    }
    write(store, &key::adopted(id), belongs).await?;
    Ok(write(store, &key::session(id), session).await?)
}

/// Whether files were closed between the slices of a session and those of a later one of its recording that have come.
pub(crate) async fn is_parted(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    from: &str,
) -> Result<bool, Error> {
    let mut at = id.to_owned();
    for _ in 0..WALK {
        match decision::find::<bool>(bucket, &parted_name(&at)).await? {
            Some(true) => return Ok(true),
            // It was built on what is over, and so are the files of that. One in between may have no chunks.
            None if at == id => return Ok(true),
            Some(false) | None => {}
        }
        match adopted(store, &at).await?.and_then(|adopted| adopted.continues) {
            Some(before) if before != from => at = before,
            _ => break,
        }
    }
    Ok(false)
}

/// The decision whether the first chunk of a session is parted from those of the sessions that it continues.
pub(crate) fn parted_name(id: &str) -> String {
    format!("decision/parted/{id}")
}

/// The decision on the break after a session.
pub(crate) fn break_name(session: &str) -> String {
    format!("decision/break/{session}")
}

/// Notes that something beside a session's chunks has to be read: before that is written, so that a call which dies leaves
/// nothing that nobody reads.
pub(crate) async fn flag(store: &impl Store, id: &str) -> Result<(), Error> {
    Ok(write(store, &key::flag(id), &Flag {}).await?)
}

/// Whether something beside a session's chunks has to be read.
pub(crate) async fn is_flagged(store: &impl Store, id: &str) -> Result<bool, Error> {
    Ok(store.exists(&key::flag(id)).await?)
}
