//! Copies of rules, forbidden streams and notify configs, for the case that the store is lost.
//!
//! A change is answered as done once its copy is there: the object `config/{register}/{time}.{ticket}` holds what the
//! register held at a time (Unix milliseconds) under a ticket. A copy never changes. A later one has a later time; of those
//! of a few seconds, which several hosts may have made, the higher ticket is the later one. Copies that others have
//! replaced stay for [`KEPT_MS`].

use serde::{Deserialize, Serialize};
use store::{Record, SharedStore, record};

use crate::register::{Register, State};
use crate::{Error, Forbidden, NotifyConfig, Rule, Triple, forbidden, key, notify, rule};

/// A copy is kept for so long after the next one was made: 30 days.
pub const KEPT_MS: u64 = 30 * 86_400_000;

/// The clocks of hosts differ by less. Tickets of the store that was lost and of the one after it are further apart.
const CLOCKS_AGREE_MS: u64 = 5_000;

/// What the names of all copies begin with.
const FOLDER: &str = "config/";

/// Comes after every name of a register's copies.
const END: char = '~';

/// So many names are asked for at a time.
const NAMES: u32 = 1_000;

/// So many registers are looked at in a call.
const REGISTERS: u64 = 50;

/// Where copies are kept.
#[expect(async_fn_in_trait, reason = "components have one thread; no caller needs a Send bound")]
pub trait Copies {
    /// Creates an object; one that is there stays as it is.
    ///
    /// # Errors
    /// The bucket failed; the object may be there all the same.
    async fn create(&self, name: &str, body: &[u8]) -> Result<(), String>;

    /// What an object holds; `None` if there is none.
    ///
    /// # Errors
    /// The bucket failed.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String>;

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// The bucket failed; the object may be gone all the same.
    async fn delete(&self, name: &str) -> Result<(), String>;

    /// The first names that begin with `prefix` and come after `after`, in the order of their bytes: at most `most`, and
    /// none where there are no more.
    ///
    /// # Errors
    /// The bucket failed.
    async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, String>;
}

/// What a copy holds; nothing at all where it was removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Copy {
    rule: Option<Rule>,
    notify: Option<NotifyConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forbidden: Option<Forbidden>,
}

impl Record for Copy {
    const VERSION: u32 = 1;
}

/// Copies a rule as it is now, or that there is none any more. `now_ms` is a moment before this call.
///
/// # Errors
/// The store or the bucket fails; the same call can be made again.
pub async fn keep_rule(
    store: &impl SharedStore,
    copies: &impl Copies,
    triple: &Triple,
    now_ms: u64,
) -> Result<(), Error> {
    let register = key::rule(triple);
    let state: State<rule::Entered> = Register::new(store, register.clone()).read().await?;
    let rule = state.value.map(|entered| entered.rule);
    keep(copies, &register, state.ticket, Copy { rule, ..Copy::default() }, now_ms).await
}

/// Copies what forbids a stream now, or that nothing does any more. `now_ms` is a moment before this call.
///
/// # Errors
/// The store or the bucket fails; the same call can be made again.
pub async fn keep_forbidden(
    store: &impl SharedStore,
    copies: &impl Copies,
    stream: &Triple,
    now_ms: u64,
) -> Result<(), Error> {
    let register = key::forbidden(stream);
    let state: State<forbidden::Entered> = Register::new(store, register.clone()).read().await?;
    // What was resumed is in the register for a time.
    let holds = |forbidden: &Forbidden| forbidden.holds(now_ms / 1_000);
    let forbidden = state.value.map(|entered| entered.forbidden).filter(holds);
    keep(copies, &register, state.ticket, Copy { forbidden, ..Copy::default() }, now_ms).await
}

/// Copies a domain's notify config as it is now, or that there is none any more. `now_ms` is a moment before this call.
///
/// # Errors
/// The store or the bucket fails; the same call can be made again.
pub async fn keep_notify(
    store: &impl SharedStore,
    copies: &impl Copies,
    domain: &str,
    now_ms: u64,
) -> Result<(), Error> {
    let register = key::notify(domain);
    let State { ticket, value } = Register::new(store, register.clone()).read().await?;
    keep(copies, &register, ticket, Copy { notify: value, ..Copy::default() }, now_ms).await
}

async fn keep(
    copies: &impl Copies,
    register: &str,
    ticket: u64,
    copy: Copy,
    now_ms: u64,
) -> Result<(), Error> {
    if ticket == 0 {
        return Ok(());
    }
    let folder = format!("{FOLDER}{register}/");
    let name = format!("{folder}{now_ms:013}.{ticket}");
    let body = record::encode(&name, &copy)?;
    let names = names(copies, &folder).await?;
    let is_there = match newest(&names) {
        Some(newest) => copies.read(newest).await.map_err(Error::Copies)?.as_ref() == Some(&body),
        None => false,
    };
    if !is_there {
        copies.create(&name, &body).await.map_err(Error::Copies)?;
    }
    // A copy is replaced by the next one.
    for pair in names.windows(2) {
        if time_and_ticket(&pair[1]).is_some_and(|(made_ms, _)| made_ms + KEPT_MS < now_ms) {
            copies.delete(&pair[0]).await.map_err(Error::Copies)?;
        }
    }
    Ok(())
}

/// What was put back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Where the next call goes on; `None` once all are looked at.
    pub next: Option<String>,
    /// Rules, forbidden streams and configs that there are copies of.
    pub found: u64,
}

/// Puts rules, forbidden streams and configs back into a store that was lost, some at a time: those after `after`. What is
/// there stays as it is. Without a store they are only counted.
///
/// # Errors
/// The store or the bucket fails, or a copy cannot be read; the same call can be made again.
pub async fn restore(
    store: Option<&impl SharedStore>,
    copies: &impl Copies,
    after: Option<&str>,
) -> Result<Restored, Error> {
    let mut at = after.unwrap_or_default().to_owned();
    let mut found = 0;
    for _ in 0..REGISTERS {
        let first = copies.list(FOLDER, &at, 1).await.map_err(Error::Copies)?;
        let Some(folder) = first.first().and_then(|name| Some(&name[..=name.rfind('/')?])) else {
            return Ok(Restored { next: None, found });
        };
        let names = names(copies, folder).await?;
        if let Some(newest) = newest(&names)
            && let Some(body) = copies.read(newest).await.map_err(Error::Copies)?
        {
            let copy: Copy = record::decode(newest, &body)?;
            found += u64::from(copy != Copy::default());
            if let Some(store) = store {
                put_back(store, copy).await?;
            }
        }
        at = format!("{folder}{END}");
    }
    Ok(Restored { next: Some(at), found })
}

async fn put_back(store: &impl SharedStore, copy: Copy) -> Result<(), Error> {
    let there = |outcome| match outcome {
        Err(Error::AlreadyExists { .. }) => Ok(()),
        outcome => outcome,
    };
    if let Some(rule) = copy.rule {
        there(rule::add(store, rule).await)?;
    }
    if let Some(forbidden) = copy.forbidden {
        there(forbidden::add(store, forbidden).await)?;
    }
    if let Some(config) = copy.notify {
        there(notify::add(store, config).await)?;
    }
    Ok(())
}

/// The names of a register's copies, oldest first.
async fn names(copies: &impl Copies, folder: &str) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let after = names.last().map_or("", String::as_str);
        let more = copies.list(folder, after, NAMES).await.map_err(Error::Copies)?;
        if more.is_empty() {
            return Ok(names);
        }
        names.extend(more);
    }
}

/// The copy that holds.
fn newest(names: &[String]) -> Option<&str> {
    let known = || names.iter().filter_map(|name| Some((time_and_ticket(name)?, name.as_str())));
    let last_ms = known().map(|((made_ms, _), _)| made_ms).max()?;
    let last = known().filter(|((made_ms, _), _)| made_ms + CLOCKS_AGREE_MS >= last_ms);
    last.max_by_key(|((made_ms, ticket), _)| (*ticket, *made_ms)).map(|(_, name)| name)
}

fn time_and_ticket(name: &str) -> Option<(u64, u64)> {
    let (made_ms, ticket) = name.rsplit('/').next()?.split_once('.')?;
    Some((made_ms.parse().ok()?, ticket.parse().ok()?))
}
