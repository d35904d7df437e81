//! Sessions: a push, offered by its begin, adopted by its gateway, ended once.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::order::{self, Order};
use crate::rule::Rule;
use crate::stream::StreamName;
use crate::{committed, key};

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
    /// The session that it continues if no other has done so by the time it is adopted.
    pub continues: Option<String>,
}

impl Session {
    /// The orders that it begins with.
    #[must_use]
    pub fn initial_orders(&self) -> Vec<Order> {
        self.rule.as_ref().map_or(Vec::new(), |rule| order::initial(rule, self.is_wanted, self.began_ms))
    }
}

/// Which recording a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The recording: the id of its first session.
    pub recording: String,
    /// The session that it continues.
    pub continues: Option<String>,
}

/// How a session ended. The first end that is told holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When its last coded frame came, by the functions' clock, Unix milliseconds.
    pub ended_ms: u64,
    /// How many chunks it has, committed or not.
    pub chunks: u64,
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

/// How the break after a session was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Break {
    /// It lasted too long.
    Closed,
    /// This session continues the recording.
    Continued(String),
}

/// What the gateway that saw both pushes says of the break between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The session before.
    pub session: String,
    /// From its last coded frame to the first one of the push. Unit: ms.
    pub gap_ms: u64,
}

/// Offers a session. It is no part of the stream until its gateway adopts it.
///
/// # Errors
/// The store failed.
pub async fn offer(
    store: &impl Store,
    mut session: Session,
    after: Option<&After>,
) -> Result<Session, Error> {
    session.continues = match (&session.rule, after) {
        (Some(rule), Some(after)) => continued_by(store, &session.stream, rule, after).await?,
        _ => None,
    };
    write(store, &key::session(&session.id), &session).await?;
    Ok(session)
}

/// The session that a push with a rule continues, by what its gateway saw of the break.
async fn continued_by(
    store: &impl Store,
    stream: &StreamName,
    rule: &Rule,
    after: &After,
) -> Result<Option<String>, Error> {
    if after.gap_ms > rule.delay_ms() {
        return Ok(None);
    }
    let Some(before) = read::<Session>(store, &key::session(&after.session)).await? else { return Ok(None) };
    let is_same = before.stream == *stream && before.rule.as_ref() == Some(rule);
    let is_adopted = is_same && adopted(store, &before.id).await?.is_some();
    Ok(is_adopted.then_some(before.id))
}

/// The session of an id, adopted or not.
///
/// # Errors
/// [`Error::NoSuchSession`].
pub async fn get(store: &impl Store, id: &str) -> Result<Session, Error> {
    let session = read(store, &key::session(id)).await?;
    session.ok_or_else(|| Error::NoSuchSession(id.into()))
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

/// Makes an offered session part of its stream. Told by its gateway or by its first chunk, however often.
///
/// Whether it continues the recording before is decided here and nowhere else, against the tick that closes it.
///
/// # Errors
/// [`Error::NoSuchSession`]; the store or the work bucket failed.
pub async fn adopt(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
) -> Result<Adopted, Error> {
    if let Some(adopted) = adopted(store, &session.id).await? {
        return Ok(adopted);
    }
    let mut adopted = Adopted { recording: session.id.clone(), continues: None };
    if let Some(before) = &session.continues {
        let proposal = Break::Continued(session.id.clone());
        let decided: Break = decision::decide(bucket, &break_name(before), &proposal).await?;
        if decided == proposal
            && let Some(chain) = self::adopted(store, before).await?
        {
            adopted = Adopted { recording: chain.recording, continues: Some(before.clone()) };
            let continuation = Continuation { session: session.id.clone() };
            write(store, &key::continued(before), &continuation).await?;
        }
    }
    write(store, &key::adopted(&session.id), &adopted).await?;
    Ok(adopted)
}

/// The decision on the break after a session.
pub(crate) fn break_name(session: &str) -> String {
    format!("decision/break/{session}")
}

/// Notes that a push ended; answers its end, which is the first one told.
///
/// # Errors
/// [`Error::NoSuchSession`]; the store failed.
pub async fn end(store: &impl Store, id: &str, duration_ms: u64, chunks: u64) -> Result<End, Error> {
    let session = get(store, id).await?;
    if let Some(end) = read(store, &key::end(id)).await? {
        return Ok(end);
    }
    let end = End { ended_ms: session.began_ms + duration_ms, chunks };
    write(store, &key::end(id), &end).await?;
    Ok(end)
}

/// A session's end, if it has ended.
///
/// # Errors
/// The store failed.
pub async fn ended(store: &impl Store, id: &str) -> Result<Option<End>, Error> {
    Ok(read(store, &key::end(id)).await?)
}

/// The first chunk of an ended session that is not committed; `None` once all are.
pub(crate) async fn missing(store: &impl Store, id: &str, end: &End) -> Result<Option<u64>, Error> {
    let length = committed::length(store, id).await?;
    Ok((length < end.chunks).then_some(length))
}
