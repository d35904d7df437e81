//! What was heard of a gateway: its boot, and up to when it has told everything.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::changes::Hole;
use crate::error::Error;
use crate::key;
use crate::session::{End, Session};
use crate::time::{HEARD_MS, HOSTS_AGREE_MS};

/// A longer step between two heartbeats, or one back, tells of another clock or of an outage.
const STEP_MAX_MS: u64 = 20_000;

/// After such a step so many steady heartbeats are waited for. Where two hosts whose clocks differ take turns, they
/// do not come.
const STEADY: u32 = 30;

/// No step counts for more: gateways are heard this often at least. Unit: ms.
const BEAT_MS: u64 = 2_000;

/// What was heard of a gateway. A hint: a heartbeat that stalls may set it back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    /// Id of its spool.
    pub(crate) spool: String,
    /// How often a gateway was started on the spool.
    pub(crate) boot: u64,
    /// The last heartbeat, Unix milliseconds.
    pub(crate) heard_ms: u64,
    /// Every begin, adoption and end up to here was told, Unix milliseconds.
    pub(crate) told_until_ms: u64,
    /// So long ago it was heard first, by the steps from heartbeat to heartbeat: where one of two hosts is an hour off,
    /// rather too short.
    #[serde(default)]
    pub(crate) heard_for_ms: u64,
    /// Every begin, adoption and end was told up to when it had been heard for so long, whatever clocks say.
    #[serde(default)]
    told_for_ms: u64,
    /// Heartbeats since the last step of the clock.
    steady: u32,
    /// A change that may still be written.
    pub(crate) hole: Option<Hole>,
    /// Changes up to this one are deleted.
    pub(crate) deleted: u64,
}

impl Record for Heard {
    const VERSION: u32 = 1;
}

impl Heard {
    /// After a heartbeat. `told_ms` is the age of the oldest begin, adoption or end that it has not told.
    pub(crate) fn after(self, boot: &Boot, told_ms: u64, now_ms: u64) -> Self {
        let is_first = self.heard_ms == 0;
        let is_steady =
            now_ms + 1_000 >= self.heard_ms && now_ms.saturating_sub(self.heard_ms) <= STEP_MAX_MS;
        let steady = match is_steady {
            _ if is_first => STEADY,
            true => (self.steady + 1).min(STEADY),
            false => 0,
        };
        // A heartbeat may have been long on its way. The gateway sent it after the one before was answered.
        let sent_ms = self.heard_ms.min(now_ms);
        let told_until_ms =
            if steady == STEADY { sent_ms.saturating_sub(told_ms) } else { self.told_until_ms };
        // Where two hosts whose clocks differ take turns, a step forth is followed by one back. It counts where they agree:
        // two hosts hear a heartbeat that is sent twice at once. Otherwise it counts for nothing.
        let step_ms = if is_first { 0 } else { now_ms.saturating_sub(self.heard_ms).min(BEAT_MS) };
        let back_ms = self.heard_ms.saturating_sub(now_ms);
        let back_ms = if back_ms <= HOSTS_AGREE_MS { back_ms } else { 0 };
        Self {
            spool: boot.spool.clone(),
            boot: boot.number,
            heard_ms: now_ms,
            told_until_ms,
            heard_for_ms: (self.heard_for_ms + step_ms).saturating_sub(back_ms),
            told_for_ms: self.heard_for_ms.saturating_sub(told_ms),
            steady,
            ..self
        }
    }

    /// Whether it gave no sign of life just before.
    pub(crate) fn was_silent(&self, now_ms: u64) -> bool {
        self.heard_ms.abs_diff(now_ms) > STEP_MAX_MS
    }
}

/// `{spool id}.{how often a gateway was started on it}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Boot {
    pub(crate) spool: String,
    pub(crate) number: u64,
}

impl Boot {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (spool, number) = text.rsplit_once('.')?;
        Some(Self { spool: spool.into(), number: number.parse().ok()? })
    }

    /// Whether it is a boot of a spool that comes after another one of it.
    pub(crate) fn is_after(&self, other: &str) -> bool {
        Self::parse(other).is_some_and(|other| other.spool == self.spool && other.number < self.number)
    }
}

/// What was heard of a gateway, unless it was never heard.
pub(crate) async fn of(store: &impl Store, name: &str) -> Result<Option<Heard>, Error> {
    Ok(read(store, &key::heard(name)).await?)
}

/// Whether the gateway of an ended session has told everything up to a moment, by the clocks that heard it, and up to when it
/// had been heard for as long after the end, whatever clocks say: the one that noted the end, or the one that it is dated by,
/// may be an hour off. Or the latter alone, for a little longer: clocks of hosts that take turns may never say the former.
pub(crate) async fn has_told(
    store: &impl Store,
    session: &Session,
    end: &End,
    at_ms: u64,
) -> Result<bool, Error> {
    let Some(heard) = of_session(store, session).await? else { return Ok(false) };
    let break_ms = at_ms.saturating_sub(end.ended_ms).min(session.delay_ms());
    let for_ms = end.heard_for_ms.unwrap_or_default() + break_ms.saturating_sub(end.ended_ago_ms);
    // A gateway that had never been heard is believed by dates alone, or it is late by the whole break after each outage.
    let is_heard_for = end.heard_for_ms.is_none() || heard.told_for_ms >= for_ms;
    let is_told_by_clocks = heard.told_until_ms >= at_ms && is_heard_for;
    Ok(is_told_by_clocks || heard.told_for_ms >= for_ms + HOSTS_AGREE_MS)
}

/// For how long the gateway of a session has been heard by a moment, on whichever spool, if it ever was, where it is heard just
/// then: what it tells later on the session's spool counts from there on. Unit: ms.
pub(crate) async fn heard_for_ms(
    store: &impl Store,
    session: &Session,
    now_ms: u64,
) -> Result<Option<u64>, Error> {
    let heard = of(store, &session.gateway).await?;
    Ok(heard.map(|heard| heard.heard_for_ms + now_ms.saturating_sub(heard.heard_ms).min(BEAT_MS)))
}

/// Whether a later boot of a session's spool was heard.
pub(crate) async fn has_later_boot(store: &impl Store, session: &Session) -> Result<bool, Error> {
    let heard = of_session(store, session).await?;
    let boot = Boot::parse(&session.boot);
    Ok(heard.zip(boot).is_some_and(|(heard, boot)| heard.boot > boot.number))
}

/// What was heard of a session's gateway on the session's spool.
async fn of_session(store: &impl Store, session: &Session) -> Result<Option<Heard>, Error> {
    let spool = Boot::parse(&session.boot).map(|boot| boot.spool);
    Ok(of(store, &session.gateway).await?.filter(|heard| Some(&heard.spool) == spool.as_ref()))
}

/// Notes what is heard of a gateway.
pub(crate) async fn note(store: &impl Store, name: &str, heard: &Heard) -> Result<(), Error> {
    Ok(write(store, &key::heard(name), heard).await?)
}

/// Whether a gateway's boot may call: a later boot of its spool may at once, an earlier one never, and another spool
/// once the gateway has not been heard for [`HEARD_MS`].
///
/// # Errors
/// [`Error::Boot`]; the store failed.
pub async fn check_boot(store: &impl Store, gateway: &str, boot: &str, now_ms: u64) -> Result<(), Error> {
    checked(store, gateway, boot, now_ms).await.map(drop)
}

/// The boot, and what was heard before.
pub(crate) async fn checked(
    store: &impl Store,
    gateway: &str,
    boot: &str,
    now_ms: u64,
) -> Result<(Boot, Heard), Error> {
    let heard = of(store, gateway).await?.unwrap_or_default();
    let refused = || Error::Boot {
        gateway: gateway.into(),
        found: boot.into(),
        heard: format!("{}.{}", heard.spool, heard.boot),
    };
    let found = Boot::parse(boot).ok_or_else(refused)?;
    if found.spool == heard.spool {
        return if found.number >= heard.boot { Ok((found, heard)) } else { Err(refused()) };
    }
    // What was heard of another spool says nothing of this one.
    let is_free = heard.heard_ms.abs_diff(now_ms) >= HEARD_MS;
    if !is_free {
        return Err(refused());
    }
    // The other spool's sessions measure by it when that one comes back.
    Ok((found, Heard { heard_for_ms: heard.heard_for_ms, ..Heard::default() }))
}

#[cfg(test)]
mod tests;
