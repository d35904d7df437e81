//! The component itself: `crates/rules` on Spin's key-value store.

use key_value::SpinStore;
use rules::{notify, rule};

use crate::bindings;
use crate::bindings::exports::recorder::rules::rules::{
    Error, Guest, NotifyConfig, Rule, Triple, VersionedNotifyConfig, VersionedRule,
};

struct Component;

impl Guest for Component {
    async fn add(rule: Rule) -> Result<(), Error> {
        Ok(rule::add(&SpinStore::open().await?, rule.into()).await?)
    }

    async fn update(rule: Rule, version: u64) -> Result<(), Error> {
        Ok(rule::update(&SpinStore::open().await?, rule.into(), version).await?)
    }

    async fn delete(triple: Triple) -> Result<(), Error> {
        Ok(rule::delete(&SpinStore::open().await?, &triple.into()).await?)
    }

    async fn get(triple: Triple) -> Result<Option<VersionedRule>, Error> {
        Ok(rule::get(&SpinStore::open().await?, &triple.into()).await?.map(Into::into))
    }

    async fn list_domain(domain: String) -> Result<Vec<Rule>, Error> {
        let rules = rule::list_domain(&SpinStore::open().await?, &domain).await?;
        Ok(rules.into_iter().map(Into::into).collect())
    }

    async fn has_any(domain: String) -> Result<bool, Error> {
        Ok(rule::has_any(&SpinStore::open().await?, &domain).await?)
    }

    async fn find_for_push(domain: String, app: String, stream: String) -> Result<Option<Rule>, Error> {
        let found = rule::find_for_push(&SpinStore::open().await?, &domain, &app, &stream).await?;
        Ok(found.map(Into::into))
    }

    async fn add_notify(config: NotifyConfig) -> Result<(), Error> {
        Ok(notify::add(&SpinStore::open().await?, config.into()).await?)
    }

    async fn update_notify(config: NotifyConfig, version: u64) -> Result<(), Error> {
        Ok(notify::update(&SpinStore::open().await?, config.into(), version).await?)
    }

    async fn delete_notify(domain: String) -> Result<(), Error> {
        Ok(notify::delete(&SpinStore::open().await?, &domain).await?)
    }

    async fn get_notify(domain: String) -> Result<Option<VersionedNotifyConfig>, Error> {
        Ok(notify::get(&SpinStore::open().await?, &domain).await?.map(Into::into))
    }
}

bindings::export!(Component with_types_in bindings);
