//! What may be changed while a gateway runs.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Context;
use http::HeaderValue;
use push_auth::PushKeys;

use crate::network::Network;

/// Who may push, who speaks for whom, and the secrets by which functions and operators know one another.
///
/// All of it may be changed while a gateway runs ([`Control::change`](crate::Control::change)): it holds from the next
/// connection, publish, call or request on, and pushes that are live go on under what let them begin.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Shown to the functions with every call.
    pub ingest_token: String,
    /// Who shows it at the operator's address may see and do all; nobody else, where it is set.
    pub admin_token: Option<String>,
    /// The domains that may be pushed to; any, where none is named. Their case does not count.
    pub push_domains: Vec<String>,
    /// From where may be pushed; anywhere, where none is named. Connections from elsewhere are ended at once.
    pub push_from: Vec<Network>,
    /// By which keys push URLs have to be signed. Without a key anybody may push.
    pub push_keys: PushKeys,
    /// The proxies that are trusted: their connections have to begin with a header of the PROXY protocol, version 2, and
    /// count as those of whom it names. Nobody else may send one.
    pub proxy_from: Vec<Network>,
}

impl Settings {
    /// The names of those that are not the same.
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let Self { ingest_token, admin_token, push_domains, push_from, push_keys, proxy_from } = self;
        let differs = [
            ("ingest_token", *ingest_token != other.ingest_token),
            ("admin_token", *admin_token != other.admin_token),
            ("push_domains", *push_domains != other.push_domains),
            ("push_from", *push_from != other.push_from),
            ("push_keys", *push_keys != other.push_keys),
            ("proxy_from", *proxy_from != other.proxy_from),
        ];
        differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { push_domains, push_from, push_keys, proxy_from, ingest_token: _, admin_token: _ } = self;
        f.debug_struct("Settings")
            .field("push_domains", push_domains)
            .field("push_from", push_from)
            .field("push_keys", push_keys)
            .field("proxy_from", proxy_from)
            .finish_non_exhaustive()
    }
}

/// The settings that hold now. Each clone is of the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Current(Arc<RwLock<Held>>);

#[derive(Debug)]
struct Held {
    settings: Arc<Settings>,
    /// As functions are shown the token.
    authorization: HeaderValue,
}

impl Default for Current {
    fn default() -> Self {
        let authorization = HeaderValue::from_static("Bearer ");
        Self(Arc::new(RwLock::new(Held { settings: Arc::default(), authorization })))
    }
}

impl Current {
    pub(crate) fn new(settings: Settings) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(RwLock::new(Held::new(settings)?))))
    }

    pub(crate) fn get(&self) -> Arc<Settings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).settings)
    }

    pub(crate) fn authorization(&self) -> HeaderValue {
        self.0.read().unwrap_or_else(PoisonError::into_inner).authorization.clone()
    }

    /// Has other settings hold; answers the names of those that changed. Where they cannot be used nothing changes.
    pub(crate) fn set(&self, settings: Settings) -> anyhow::Result<Vec<&'static str>> {
        let next = Held::new(settings)?;
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let changed = next.settings.differing(&held.settings);
        *held = next;
        Ok(changed)
    }
}

impl Held {
    fn new(settings: Settings) -> anyhow::Result<Self> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", settings.ingest_token))
            .context("ingest_token holds characters that a header cannot")?;
        authorization.set_sensitive(true);
        Ok(Self { settings: Arc::new(settings), authorization })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(ingest_token: &str) -> Settings {
        Settings { ingest_token: ingest_token.into(), ..Settings::default() }
    }

    #[test]
    fn what_changed_is_named_and_what_cannot_be_used_changes_nothing() {
        let current = Current::new(settings("one")).unwrap();
        assert_eq!(current.set(settings("one")).unwrap(), <[&str; 0]>::default());
        let mut push_keys = PushKeys::new(60);
        push_keys.add("d.example", "hidden").unwrap();
        let next = Settings {
            ingest_token: "hidden-two".into(),
            admin_token: Some("a".into()),
            push_domains: vec!["d.example".into()],
            push_from: vec!["192.0.2.0/24".parse().unwrap()],
            push_keys,
            proxy_from: vec!["10.0.0.1".parse().unwrap()],
        };
        let all = ["ingest_token", "admin_token", "push_domains", "push_from", "push_keys", "proxy_from"];
        assert_eq!(current.set(next.clone()).unwrap(), all);
        assert_eq!(current.authorization(), "Bearer hidden-two");
        assert!(!format!("{current:?}").contains("hidden"));
        let error = current.set(Settings { ingest_token: "no\nheader".into(), ..next.clone() }).unwrap_err();
        assert!(
            error.to_string().contains("ingest_token") && !format!("{error:#}").contains("no\n"),
            "{error}"
        );
        assert!(*current.get() == next);
        // How long signed URLs hold is of the keys.
        assert_eq!(current.set(Settings { push_keys: PushKeys::new(1), ..next }).unwrap(), ["push_keys"]);
    }
}
