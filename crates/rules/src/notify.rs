//! Notify configs: a register a domain.

use store::SharedStore;

use crate::register::{Register, State};
use crate::{Error, NotifyConfig, Versioned, key};

/// Adds a domain's config. Of concurrent adds exactly one succeeds.
///
/// # Errors
/// [`Error::AlreadyExists`]; the store fails.
pub async fn add(store: &impl SharedStore, config: NotifyConfig) -> Result<(), Error> {
    let decide = |before: &State<NotifyConfig>| match before.value {
        Some(_) => Err(Error::AlreadyExists { what: name(&config.domain) }),
        None => Ok(Some(config.clone())),
    };
    register(store, &config.domain).change(decide).await?;
    Ok(())
}

/// Replaces a domain's config, if it is still of the version given. Of concurrent updates of one version exactly one
/// succeeds.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Changed`]; the store fails.
pub async fn update(store: &impl SharedStore, config: NotifyConfig, version: u64) -> Result<(), Error> {
    let decide = |before: &State<NotifyConfig>| match before {
        State { value: None, .. } => Err(Error::NotFound { what: name(&config.domain) }),
        State { ticket, .. } if *ticket == version => Ok(Some(config.clone())),
        State { .. } => Err(Error::Changed { what: name(&config.domain), version }),
    };
    register(store, &config.domain).change(decide).await?;
    Ok(())
}

/// Removes a domain's config.
///
/// # Errors
/// [`Error::NotFound`]; the store fails.
pub async fn delete(store: &impl SharedStore, domain: &str) -> Result<(), Error> {
    let decide = |before: &State<NotifyConfig>| match before.value {
        Some(_) => Ok(None),
        None => Err(Error::NotFound { what: name(domain) }),
    };
    register(store, domain).change(decide).await?;
    Ok(())
}

/// A domain's config.
///
/// # Errors
/// The store fails.
pub async fn get(store: &impl SharedStore, domain: &str) -> Result<Option<Versioned<NotifyConfig>>, Error> {
    let state: State<NotifyConfig> = register(store, domain).read().await?;
    Ok(state.value.map(|value| Versioned { version: state.ticket, value }))
}

fn register<'a, S: SharedStore>(store: &'a S, domain: &str) -> Register<'a, S> {
    Register::new(store, key::notify(domain))
}

fn name(domain: &str) -> String {
    format!("notify config of {domain}")
}
