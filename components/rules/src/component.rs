//! The component itself: `crates/rules` on Spin's key-value store, with copies in the work bucket.
//!
//! A change is answered once it is copied. Where that failed, the same call made again copies what is there then.

use std::time::{SystemTime, UNIX_EPOCH};

use key_value::SpinStore;
use rules::{copy, forbidden, notify, rule};

use crate::bindings;
use crate::bindings::exports::recorder::rules::rules::{
    Error, ForbiddenStream, Guest, NotifyConfig, Restored, Rule, Triple, VersionedNotifyConfig, VersionedRule,
};
use crate::copies::Work;

struct Component;

/// Now, in Unix milliseconds.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Changes a rule, and copies it as it is then, whatever became of the change: one before may not be copied.
async fn change_rule(
    triple: &rules::Triple,
    change: impl AsyncFnOnce(&SpinStore) -> Result<(), rules::Error>,
) -> Result<(), Error> {
    let store = SpinStore::open().await?;
    let changed = change(&store).await;
    copy::keep_rule(&store, &Work, triple, now_ms()).await?;
    Ok(changed?)
}

/// Changes a notify config, and copies it as it is then.
async fn change_notify(
    domain: &str,
    change: impl AsyncFnOnce(&SpinStore) -> Result<(), rules::Error>,
) -> Result<(), Error> {
    let store = SpinStore::open().await?;
    let changed = change(&store).await;
    copy::keep_notify(&store, &Work, domain, now_ms()).await?;
    Ok(changed?)
}

impl Guest for Component {
    async fn add(rule: Rule) -> Result<(), Error> {
        let rule = rules::Rule::from(rule);
        change_rule(&rule.triple.clone(), async |store| rule::add(store, rule).await).await
    }

    async fn update(rule: Rule, version: u64) -> Result<(), Error> {
        let rule = rules::Rule::from(rule);
        change_rule(&rule.triple.clone(), async |store| rule::update(store, rule, version).await).await
    }

    async fn delete(triple: Triple) -> Result<(), Error> {
        let triple = rules::Triple::from(triple);
        change_rule(&triple, async |store| rule::delete(store, &triple).await).await
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

    async fn forbid(stream: ForbiddenStream) -> Result<(), Error> {
        Ok(forbidden::add(&SpinStore::open().await?, stream.into()).await?)
    }

    async fn resume(triple: Triple) -> Result<(), Error> {
        Ok(forbidden::resume(&SpinStore::open().await?, &triple.into(), now_ms() / 1_000).await?)
    }

    async fn copy_forbidden(triple: Triple) -> Result<(), Error> {
        let store = SpinStore::open().await?;
        Ok(copy::keep_forbidden(&store, &Work, &triple.into(), now_ms()).await?)
    }

    async fn get_forbidden(triple: Triple, now: u64) -> Result<Option<ForbiddenStream>, Error> {
        Ok(forbidden::get(&SpinStore::open().await?, &triple.into(), now).await?.map(Into::into))
    }

    async fn list_forbidden(domain: String, now: u64) -> Result<Vec<ForbiddenStream>, Error> {
        let streams = forbidden::list_domain(&SpinStore::open().await?, &domain, now).await?;
        Ok(streams.into_iter().map(Into::into).collect())
    }

    async fn add_notify(config: NotifyConfig) -> Result<(), Error> {
        let config = rules::NotifyConfig::from(config);
        change_notify(&config.domain.clone(), async |store| notify::add(store, config).await).await
    }

    async fn update_notify(config: NotifyConfig, version: u64) -> Result<(), Error> {
        let config = rules::NotifyConfig::from(config);
        change_notify(&config.domain.clone(), async |store| notify::update(store, config, version).await)
            .await
    }

    async fn delete_notify(domain: String) -> Result<(), Error> {
        change_notify(&domain, async |store| notify::delete(store, &domain).await).await
    }

    async fn get_notify(domain: String) -> Result<Option<VersionedNotifyConfig>, Error> {
        Ok(notify::get(&SpinStore::open().await?, &domain).await?.map(Into::into))
    }

    async fn restore(after: Option<String>, dry_run: bool) -> Result<Restored, Error> {
        let store = if dry_run { None } else { Some(SpinStore::open().await?) };
        let copy::Restored { next, found } = copy::restore(store.as_ref(), &Work, after.as_deref()).await?;
        Ok(Restored { next, found })
    }
}

bindings::export!(Component with_types_in bindings);
