//! The components over the world in memory of the functions beside: the real rules and the real catalog, so that what
//! gateways tell is what the API answers from.
//!
//! Rules that the API adds are in the store; what a push falls under is the world's own to say.

use ::rules::nonces::{self, Nonce};
use ::rules::{forbidden, notify, rule};
use serde::{Serialize, de::DeserializeOwned};
use shared::testing::{World, convert};
use shared::{Bucket, Denial};

use crate::backend::Backend;
use crate::bindings::recorder::bucket::objects::{self, Created, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, Callback, Command, IndexFile, LocatedEntry, RecordedSpan, Session, StreamName,
};
use crate::bindings::recorder::rules::rules::{
    self, ForbiddenStream, NotifyConfig, Rule, Triple, VersionedNotifyConfig, VersionedRule,
};
use crate::told::told;

/// What the catalog or a bucket answers, in this function's types.
fn answer<A: Serialize, E: Serialize, B: DeserializeOwned, F: DeserializeOwned>(
    result: Result<A, E>,
) -> Result<B, F> {
    result.map(convert).map_err(convert)
}

impl Backend for World {
    async fn admit(&self, nonce: Nonce<'_>, now_s: u64) -> Result<bool, store::Error> {
        nonces::admit(&*self.store, nonce, now_s).await
    }

    async fn add_rule(&self, rule: Rule) -> Result<(), rules::Error> {
        told(rule::add(&*self.store, rule.into()).await)
    }

    async fn update_rule(&self, rule: Rule, version: u64) -> Result<(), rules::Error> {
        told(rule::update(&*self.store, rule.into(), version).await)
    }

    async fn delete_rule(&self, triple: Triple) -> Result<(), rules::Error> {
        told(rule::delete(&*self.store, &triple.into()).await)
    }

    async fn get_rule(&self, triple: Triple) -> Result<Option<VersionedRule>, rules::Error> {
        let found = told(rule::get(&*self.store, &triple.into()).await)?;
        Ok(found.map(|found| VersionedRule { rule: found.value.into(), version: found.version }))
    }

    async fn list_rules(&self, domain: &str) -> Result<Vec<Rule>, rules::Error> {
        let rules = told(rule::list_domain(&*self.store, domain).await)?;
        Ok(rules.into_iter().map(Into::into).collect())
    }

    async fn has_rules(&self, domain: &str) -> Result<bool, rules::Error> {
        told(rule::has_any(&*self.store, domain).await)
    }

    async fn forbid(&self, stream: ForbiddenStream) -> Result<(), rules::Error> {
        told(forbidden::add(&*self.store, stream.into()).await)
    }

    async fn resume(&self, triple: Triple) -> Result<(), rules::Error> {
        told(forbidden::resume(&*self.store, &triple.into(), self.now_ms.get() / 1_000).await)
    }

    // The tests' rules have no copies.
    async fn copy_forbidden(&self, _: Triple) -> Result<(), rules::Error> {
        Ok(())
    }

    async fn get_forbidden(&self, triple: Triple, now: u64) -> Result<Option<ForbiddenStream>, rules::Error> {
        let found = told(forbidden::get(&*self.store, &triple.into(), now).await)?;
        Ok(found.map(Into::into))
    }

    async fn list_forbidden(&self, domain: &str, now: u64) -> Result<Vec<ForbiddenStream>, rules::Error> {
        let found = told(forbidden::list_domain(&*self.store, domain, now).await)?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn add_notify(&self, config: NotifyConfig) -> Result<(), rules::Error> {
        told(notify::add(&*self.store, config.into()).await)
    }

    async fn update_notify(&self, config: NotifyConfig, version: u64) -> Result<(), rules::Error> {
        told(notify::update(&*self.store, config.into(), version).await)
    }

    async fn delete_notify(&self, domain: &str) -> Result<(), rules::Error> {
        told(notify::delete(&*self.store, domain).await)
    }

    async fn get_notify(&self, domain: &str) -> Result<Option<VersionedNotifyConfig>, rules::Error> {
        let found = told(notify::get(&*self.store, domain).await)?;
        Ok(found.map(|found| VersionedNotifyConfig { config: found.value.into(), version: found.version }))
    }

    async fn give_command(
        &self,
        stream: StreamName,
        command: Command,
        call: &str,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        answer(self.catalog().give_command(convert(stream), convert(command), call, now_ms).await)
    }

    async fn end_pushes(
        &self,
        stream: StreamName,
        denial: Denial,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        let Denial { reason, until_ms } = denial;
        answer(self.catalog().end_pushes(convert(stream), None, reason, until_ms, now_ms).await)
    }

    async fn let_push(&self, stream: StreamName, now_ms: u64) -> Result<(), catalog::Error> {
        answer(self.catalog().let_push(convert(stream), now_ms).await)
    }

    async fn list_callbacks(
        &self,
        domain: &str,
        (from, to): (u64, u64),
    ) -> Result<Vec<Callback>, catalog::Error> {
        answer(self.catalog().list_callbacks(domain, from, to, self.now_ms.get()).await)
    }

    async fn known_stream(&self, stream: StreamName) -> Result<bool, catalog::Error> {
        answer(self.catalog().is_known_stream(convert(stream)).await)
    }

    async fn stream_sessions(&self, stream: StreamName, now_ms: u64) -> Result<Vec<Session>, catalog::Error> {
        answer(self.catalog().list_stream_sessions(convert(stream), now_ms).await)
    }

    async fn live_sessions(&self, domain: &str, now_ms: u64) -> Result<Vec<Session>, catalog::Error> {
        answer(self.catalog().list_live_sessions(domain, now_ms).await)
    }

    async fn recorded_spans(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<RecordedSpan>, catalog::Error> {
        answer(self.catalog().list_recorded_spans(convert(stream), from, to).await)
    }

    async fn slices_between(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, catalog::Error> {
        answer(self.catalog().list_slices(convert(stream), from, to, one_more).await)
    }

    async fn add_index_file(&self, file: IndexFile) -> Result<(), catalog::Error> {
        answer(self.catalog().add_index_file(convert(file), self.now_ms.get()).await)
    }

    async fn get_index_file(
        &self,
        stream: StreamName,
        id: &str,
    ) -> Result<Option<IndexFile>, catalog::Error> {
        answer(self.catalog().get_index_file(convert(stream), id).await)
    }

    async fn list_index_files(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<IndexFile>, catalog::Error> {
        answer(self.catalog().list_index_files(convert(stream), from, to).await)
    }

    async fn delete_index_file(&self, stream: StreamName, id: &str) -> Result<bool, catalog::Error> {
        answer(self.catalog().delete_index_file(convert(stream), id, self.now_ms.get()).await)
    }

    /// Buckets in memory are there when they are asked for.
    async fn check_bucket(&self, _: Location) -> Result<(), objects::Error> {
        Ok(())
    }

    async fn put_new(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        body: Vec<u8>,
    ) -> Result<Created, objects::Error> {
        answer(self.put_bytes(convert(at), key, content_type, tag, body).await)
    }
}
