//! The component itself: the WIT package on Spin's key-value store.

use key_value::SpinStore;

use crate::bindings::exports::recorder::rules::rules::{
    Error as WitError, Guest, NotifyConfig, Rule, Triple,
};
use crate::{bindings, notify, rules};

struct Component;

impl Guest for Component {
    async fn add(rule: Rule) -> Result<(), WitError> {
        Ok(rules::add(&SpinStore::open().await?, rule).await?)
    }

    async fn update(rule: Rule) -> Result<(), WitError> {
        Ok(rules::update(&SpinStore::open().await?, rule).await?)
    }

    async fn delete(triple: Triple) -> Result<(), WitError> {
        Ok(rules::delete(&SpinStore::open().await?, &triple).await?)
    }

    async fn get(triple: Triple) -> Result<Option<Rule>, WitError> {
        Ok(rules::get(&SpinStore::open().await?, &triple).await?)
    }

    async fn list_domain(domain: String) -> Result<Vec<Rule>, WitError> {
        Ok(rules::list_domain(&SpinStore::open().await?, &domain).await?)
    }

    async fn find_for_push(domain: String, app: String, stream: String) -> Result<Option<Rule>, WitError> {
        Ok(rules::find_for_push(&SpinStore::open().await?, &domain, &app, &stream).await?)
    }

    async fn add_notify(config: NotifyConfig) -> Result<(), WitError> {
        Ok(notify::add(&SpinStore::open().await?, config).await?)
    }

    async fn update_notify(config: NotifyConfig) -> Result<(), WitError> {
        Ok(notify::update(&SpinStore::open().await?, config).await?)
    }

    async fn delete_notify(domain: String) -> Result<(), WitError> {
        Ok(notify::delete(&SpinStore::open().await?, &domain).await?)
    }

    async fn get_notify(domain: String) -> Result<Option<NotifyConfig>, WitError> {
        Ok(notify::get(&SpinStore::open().await?, &domain).await?)
    }
}

bindings::export!(Component with_types_in bindings);
