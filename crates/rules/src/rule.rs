//! Rules: a register a triple, a directory a domain.

use serde::{Deserialize, Serialize};
use store::{Record, SharedStore};

use crate::directory::Directory;
use crate::register::{ATTEMPTS, Attempt, Register, State};
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

/// Adds a rule. Of concurrent adds of one triple exactly one succeeds.
///
/// # Errors
/// [`Error::AlreadyExists`]; the store fails.
pub async fn add(store: &impl SharedStore, rule: Rule) -> Result<(), Error> {
    let register = Register::new(store, key::rule(&rule.triple));
    let directory = Directory::new(store, &rule.triple.domain);
    let decline = |before: &State<Entered>| match before.value {
        Some(_) => Err(Error::AlreadyExists { what: name(&rule.triple) }),
        None => Ok(()),
    };
    for _ in 0..ATTEMPTS {
        decline(&register.read().await?)?;
        let slot = directory.take(&rule.triple).await?;
        let attempt = register.attempt(|before| {
            decline(before)?;
            Ok(Some(Entered { rule: rule.clone(), slot }))
        });
        match attempt.await? {
            Attempt::Committed(_) => return Ok(()),
            Attempt::Declined(error) => {
                directory.give_back(slot).await?;
                return Err(error);
            }
            // Others may have seen the proposal with this slot for a moment: the slot stays taken.
            Attempt::Lost => {}
        }
    }
    Err(register.contended())
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
    let decide = |before: &State<Entered>| match before.value {
        Some(_) => Ok(None),
        None => Err(Error::NotFound { what: name(triple) }),
    };
    let before = Register::new(store, key::rule(triple)).change(decide).await?;
    match before.value {
        Some(Entered { slot, .. }) => Directory::new(store, &triple.domain).give_back(slot).await,
        None => Ok(()),
    }
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
    for (slot, triple) in Directory::new(store, domain).slots_in_use().await? {
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
    let directory = Directory::new(store, domain);
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
