//! The components as Spin gives them.

use ::rules::nonces::{self, Nonce};
use key_value::SpinStore;
use shared::{Clock, Denial, Host, Streams};

use crate::backend::Backend;
use crate::bindings::recorder::bucket::objects::{self, Created, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, Callback, Command, IndexFile, LocatedEntry, RecordedSpan, Session, StreamName,
};
use crate::bindings::recorder::rules::rules::{
    self, ForbiddenStream, NotifyConfig, Rule, Triple, VersionedNotifyConfig, VersionedRule,
};

impl Backend for Host {
    async fn admit(&self, nonce: Nonce<'_>, now_s: u64) -> Result<bool, store::Error> {
        nonces::admit(&SpinStore::open().await?, nonce, now_s).await
    }

    async fn add_rule(&self, rule: Rule) -> Result<(), rules::Error> {
        rules::add(rule).await
    }

    async fn update_rule(&self, rule: Rule, version: u64) -> Result<(), rules::Error> {
        rules::update(rule, version).await
    }

    async fn delete_rule(&self, triple: Triple) -> Result<(), rules::Error> {
        rules::delete(triple).await
    }

    async fn get_rule(&self, triple: Triple) -> Result<Option<VersionedRule>, rules::Error> {
        rules::get(triple).await
    }

    async fn list_rules(&self, domain: &str) -> Result<Vec<Rule>, rules::Error> {
        rules::list_domain(domain.into()).await
    }

    async fn has_rules(&self, domain: &str) -> Result<bool, rules::Error> {
        rules::has_any(domain.into()).await
    }

    async fn forbid(&self, stream: ForbiddenStream) -> Result<(), rules::Error> {
        rules::forbid(stream).await
    }

    async fn resume(&self, triple: Triple) -> Result<(), rules::Error> {
        rules::resume(triple).await
    }

    async fn copy_forbidden(&self, triple: Triple) -> Result<(), rules::Error> {
        rules::copy_forbidden(triple).await
    }

    async fn get_forbidden(&self, triple: Triple, now: u64) -> Result<Option<ForbiddenStream>, rules::Error> {
        rules::get_forbidden(triple, now).await
    }

    async fn list_forbidden(&self, domain: &str, now: u64) -> Result<Vec<ForbiddenStream>, rules::Error> {
        rules::list_forbidden(domain.into(), now).await
    }

    async fn add_notify(&self, config: NotifyConfig) -> Result<(), rules::Error> {
        rules::add_notify(config).await
    }

    async fn update_notify(&self, config: NotifyConfig, version: u64) -> Result<(), rules::Error> {
        rules::update_notify(config, version).await
    }

    async fn delete_notify(&self, domain: &str) -> Result<(), rules::Error> {
        rules::delete_notify(domain.into()).await
    }

    async fn get_notify(&self, domain: &str) -> Result<Option<VersionedNotifyConfig>, rules::Error> {
        rules::get_notify(domain.into()).await
    }

    async fn give_command(
        &self,
        stream: StreamName,
        command: Command,
        call: &str,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::give_command(stream, command, call.into(), now_ms).await
    }

    async fn end_pushes(
        &self,
        stream: StreamName,
        denial: Denial,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::end_pushes(stream, None, denial.reason, denial.until_ms, now_ms).await
    }

    async fn let_push(&self, stream: StreamName, now_ms: u64) -> Result<(), catalog::Error> {
        catalog::let_push(stream, now_ms).await
    }

    async fn list_callbacks(
        &self,
        domain: &str,
        (from, to): (u64, u64),
    ) -> Result<Vec<Callback>, catalog::Error> {
        catalog::list_callbacks(domain.into(), from, to, self.now_ms()).await
    }

    async fn known_stream(&self, stream: StreamName) -> Result<bool, catalog::Error> {
        catalog::is_known_stream(stream).await
    }

    async fn stream_sessions(&self, stream: StreamName, now_ms: u64) -> Result<Vec<Session>, catalog::Error> {
        catalog::list_stream_sessions(stream, now_ms).await
    }

    async fn live_sessions(&self, domain: &str, now_ms: u64) -> Result<Vec<Session>, catalog::Error> {
        catalog::list_live_sessions(domain.into(), now_ms).await
    }

    async fn recorded_spans(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<RecordedSpan>, catalog::Error> {
        catalog::list_recorded_spans(stream, from, to).await
    }

    async fn slices_between(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, catalog::Error> {
        catalog::list_slices(stream, from, to, one_more).await
    }

    async fn add_index_file(&self, index: IndexFile) -> Result<(), catalog::Error> {
        catalog::add_index_file(index, self.now_ms()).await
    }

    async fn get_index_file(
        &self,
        stream: StreamName,
        id: &str,
    ) -> Result<Option<IndexFile>, catalog::Error> {
        catalog::get_index_file(stream, id.into()).await
    }

    async fn list_index_files(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<IndexFile>, catalog::Error> {
        catalog::list_index_files(stream, from, to).await
    }

    async fn delete_index_file(&self, stream: StreamName, id: &str) -> Result<bool, catalog::Error> {
        catalog::delete_index_file(stream, id.into(), self.now_ms()).await
    }

    async fn check_bucket(&self, at: Location) -> Result<(), objects::Error> {
        objects::check(at).await
    }

    async fn put_new(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        body: Vec<u8>,
    ) -> Result<Created, objects::Error> {
        let size = body.len() as u64;
        objects::put_new(at, key.into(), content_type.into(), tag.into(), size, self.stream(body)).await
    }
}
