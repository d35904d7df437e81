//! Rules: a register a triple, an index a domain.

use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    index::Index,
    key,
    register::{ATTEMPTS, Attempt, Register, Version},
    types::{Rule, Triple},
};
use store::SharedStore;

/// Stands for every application, or for every stream.
const ANY: &str = "*";

/// A rule and the slot that the domain's index has it in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Indexed {
    rule: Rule,
    slot: i64,
}

/// Adds a rule. Of concurrent adds of one triple exactly one succeeds.
///
/// # Errors
/// [`Error::AlreadyExists`]; the store fails.
pub async fn add(store: &impl SharedStore, rule: Rule) -> Result<(), Error> {
    let register = Register::new(store, key::rule(&rule.triple));
    let index = Index::new(store, &rule.triple.domain);
    let decline = |before: &Version<Indexed>| match before.value {
        Some(_) => Err(Error::AlreadyExists { what: name(&rule.triple) }),
        None => Ok(()),
    };
    for _ in 0..ATTEMPTS {
        decline(&register.read().await?)?;
        let slot = index.take(&rule.triple).await?;
        let attempt = register.attempt(|before| {
            decline(before)?;
            Ok(Some(Indexed { rule: rule.clone(), slot }))
        });
        match attempt.await? {
            Attempt::Committed(_) => return Ok(()),
            Attempt::Declined(error) => {
                index.give_back(slot).await?;
                return Err(error);
            }
            // The proposal with this slot may have been seen by others for a moment: leave the slot alone.
            Attempt::Lost => {}
        }
    }
    Err(register.contended())
}

/// Replaces a rule, if it is still of the version given.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Changed`]; the store fails.
pub async fn update(store: &impl SharedStore, rule: Rule) -> Result<(), Error> {
    let register = Register::new(store, key::rule(&rule.triple));
    let decide = |before: &Version<Indexed>| {
        let current = before.value.as_ref().ok_or_else(|| Error::NotFound { what: name(&rule.triple) })?;
        if before.ticket != rule.version {
            return Err(Error::Changed { what: name(&rule.triple), version: rule.version });
        }
        Ok(Some(Indexed { rule: rule.clone(), slot: current.slot }))
    };
    register.change(decide).await?;
    Ok(())
}

/// Removes a rule.
///
/// # Errors
/// [`Error::NotFound`]; the store fails.
pub async fn delete(store: &impl SharedStore, triple: &Triple) -> Result<(), Error> {
    let decide = |before: &Version<Indexed>| match before.value {
        Some(_) => Ok(None),
        None => Err(Error::NotFound { what: name(triple) }),
    };
    let before = Register::new(store, key::rule(triple)).change(decide).await?;
    match before.value {
        Some(Indexed { slot, .. }) => Index::new(store, &triple.domain).give_back(slot).await,
        None => Ok(()),
    }
}

/// The rule of exactly this triple.
///
/// # Errors
/// The store fails.
pub async fn get(store: &impl SharedStore, triple: &Triple) -> Result<Option<Rule>, Error> {
    Ok(indexed(store, triple).await?.map(|indexed| indexed.rule))
}

/// Every rule of a domain, oldest first.
///
/// # Errors
/// The store fails.
pub async fn list_domain(store: &impl SharedStore, domain: &str) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    for (slot, triple) in Index::new(store, domain).slots_in_use().await? {
        rules.extend(
            indexed(store, &triple).await?.filter(|indexed| indexed.slot == slot).map(|indexed| indexed.rule),
        );
    }
    rules.sort_by_key(|rule| rule.created);
    Ok(rules)
}

/// The rule that a push falls under.
///
/// # Errors
/// The store fails.
pub async fn find_for_push(
    store: &impl SharedStore,
    domain: &str,
    app: &str,
    stream: &str,
) -> Result<Option<Rule>, Error> {
    for (app, stream) in [(app, stream), (ANY, stream), (app, ANY), (ANY, ANY)] {
        let triple = Triple { domain: domain.into(), app: app.into(), stream: stream.into() };
        if let Some(rule) = get(store, &triple).await? {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

async fn indexed(store: &impl SharedStore, triple: &Triple) -> Result<Option<Indexed>, Error> {
    let version: Version<Indexed> = Register::new(store, key::rule(triple)).read().await?;
    Ok(version.value.map(|indexed| {
        let rule = Rule { version: version.ticket, ..indexed.rule };
        Indexed { rule, ..indexed }
    }))
}

fn name(triple: &Triple) -> String {
    format!("rule {}/{}/{}", triple.domain, triple.app, triple.stream)
}
