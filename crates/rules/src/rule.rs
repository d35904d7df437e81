//! Rules: a register a triple, a directory a domain.

use serde::{Deserialize, Serialize};
use store::{Record, SharedStore};

use crate::directory::Directory;
use crate::entry::{self, Entry};
use crate::register::{Register, State};
use crate::{Error, Rule, Triple, Versioned, key};

/// A rule as it is stored: with the slot that the domain's directory has it in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entered {
    pub(crate) rule: Rule,
    pub(crate) slot: u64,
}

impl Record for Entered {
    const VERSION: u32 = 1;
}

impl Entry for Entered {
    fn slot(&self) -> u64 {
        self.slot
    }
}

/// Adds a rule. Of concurrent adds of one triple exactly one succeeds.
///
/// # Errors
/// [`Error::AlreadyExists`]; the store fails.
pub async fn add(store: &impl SharedStore, rule: Rule) -> Result<(), Error> {
    let register = Register::new(store, key::rule(&rule.triple));
    let directory = Directory::of_rules(store, &rule.triple.domain);
    let check = |before: &State<Entered>| match before.value {
        Some(_) => Err(Error::AlreadyExists { what: name(&rule.triple) }),
        None => Ok(()),
    };
    let entry = |slot| Entered { rule: rule.clone(), slot };
    entry::enter(&register, &directory, &rule.triple, check, entry).await
}

/// Replaces a rule, if it is still of the version given. Of concurrent updates of one version exactly one succeeds.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Changed`]; the store fails.
pub async fn update(store: &impl SharedStore, rule: Rule, version: u64) -> Result<(), Error> {
    let register = Register::new(store, key::rule(&rule.triple));
    let decide = |before: &State<Entered>| {
        let current = before.value.as_ref().ok_or_else(|| Error::NotFound { what: name(&rule.triple) })?;
        if before.ticket != version {
            return Err(Error::Changed { what: name(&rule.triple), version });
        }
        Ok(Some(Entered { rule: rule.clone(), slot: current.slot }))
    };
    register.change(decide).await?;
    Ok(())
}

/// Removes a rule.
///
/// # Errors
/// [`Error::NotFound`]; the store fails.
pub async fn delete(store: &impl SharedStore, triple: &Triple) -> Result<(), Error> {
    let register = Register::new(store, key::rule(triple));
    let directory = Directory::of_rules(store, &triple.domain);
    let check = |before: &State<Entered>| match before.value {
        Some(_) => Ok(()),
        None => Err(Error::NotFound { what: name(triple) }),
    };
    entry::remove(&register, &directory, check).await
}

/// The rule of exactly this triple. A lookup costs one operation where there never was a rule, three where there is
/// one.
///
/// # Errors
/// The store fails.
pub async fn get(store: &impl SharedStore, triple: &Triple) -> Result<Option<Versioned<Rule>>, Error> {
    Ok(entered(store, triple)
        .await?
        .map(|Versioned { version, value }| Versioned { version, value: value.rule }))
}

/// Every rule of a domain, oldest first.
///
/// # Errors
/// The store fails.
pub async fn list_domain(store: &impl SharedStore, domain: &str) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    for (slot, triple) in Directory::of_rules(store, domain).slots_in_use().await? {
        let entered = entered(store, &triple).await?.map(|versioned| versioned.value);
        rules.extend(entered.filter(|entered| entered.slot == slot).map(|entered| entered.rule));
    }
    rules.sort_by_key(|rule| rule.created_s);
    Ok(rules)
}

/// Whether a domain has a rule. Costs no more with many rules than with one, unless the oldest were removed.
///
/// # Errors
/// The store fails.
pub async fn has_any(store: &impl SharedStore, domain: &str) -> Result<bool, Error> {
    let directory = Directory::of_rules(store, domain);
    let last = directory.last().await?;
    let mut at = 0;
    while let Some((slot, triple)) = directory.after(at, last).await? {
        if entered(store, &triple).await?.is_some_and(|entered| entered.value.slot == slot) {
            return Ok(true);
        }
        at = slot;
    }
    Ok(false)
}

/// The rule that a push falls under: that of the stream, of the stream's name in every application, of the
/// application, of the domain, whichever is there first.
///
/// # Errors
/// The store fails.
pub async fn find_for_push(
    store: &impl SharedStore,
    domain: &str,
    app: &str,
    stream: &str,
) -> Result<Option<Rule>, Error> {
    const ANY: &str = Triple::ANY;
    for (app, stream) in [(app, stream), (ANY, stream), (app, ANY), (ANY, ANY)] {
        let triple = Triple { domain: domain.into(), app: app.into(), stream: stream.into() };
        if let Some(rule) = get(store, &triple).await? {
            return Ok(Some(rule.value));
        }
    }
    Ok(None)
}

async fn entered(store: &impl SharedStore, triple: &Triple) -> Result<Option<Versioned<Entered>>, Error> {
    let state: State<Entered> = Register::new(store, key::rule(triple)).read().await?;
    Ok(state.value.map(|value| Versioned { version: state.ticket, value }))
}

fn name(triple: &Triple) -> String {
    format!("rule {}/{}/{}", triple.domain, triple.app, triple.stream)
}
