//! Notify configs: a register a domain.

use crate::{
    error::Error,
    key,
    register::{Register, Version},
    types::NotifyConfig,
};
use store::SharedStore;

/// Adds a domain's config. Of concurrent adds exactly one succeeds.
///
/// # Errors
/// [`Error::AlreadyExists`]; the store fails.
pub async fn add(store: &impl SharedStore, config: NotifyConfig) -> Result<(), Error> {
    let decide = |before: &Version<NotifyConfig>| match before.value {
        Some(_) => Err(Error::AlreadyExists { what: name(&config.domain) }),
        None => Ok(Some(config.clone())),
    };
    register(store, &config.domain).change(decide).await?;
    Ok(())
}

/// Replaces a domain's config, if it is still of the version given.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Changed`]; the store fails.
pub async fn update(store: &impl SharedStore, config: NotifyConfig) -> Result<(), Error> {
    let decide = |before: &Version<NotifyConfig>| {
        let what = name(&config.domain);
        match before {
            Version { value: None, .. } => Err(Error::NotFound { what }),
            Version { ticket, .. } if *ticket == config.version => Ok(Some(config.clone())),
            Version { .. } => Err(Error::Changed { what, version: config.version }),
        }
    };
    register(store, &config.domain).change(decide).await?;
    Ok(())
}

/// Removes a domain's config.
///
/// # Errors
/// [`Error::NotFound`]; the store fails.
pub async fn delete(store: &impl SharedStore, domain: &str) -> Result<(), Error> {
    let decide = |before: &Version<NotifyConfig>| match before.value {
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
pub async fn get(store: &impl SharedStore, domain: &str) -> Result<Option<NotifyConfig>, Error> {
    let version: Version<NotifyConfig> = register(store, domain).read().await?;
    Ok(version.value.map(|config| NotifyConfig { version: version.ticket, ..config }))
}

fn register<'a, S: SharedStore>(store: &'a S, domain: &str) -> Register<'a, S> {
    Register::new(store, key::notify(domain))
}

fn name(domain: &str) -> String {
    format!("notify config of {domain}")
}
