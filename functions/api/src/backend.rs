//! What the function needs of the components and of its host.

use ::rules::nonces::Nonce;
use shared::{Clock, Denial, Random, Variables};

use crate::bindings::recorder::bucket::objects::{self, Created, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, Callback, Command, IndexFile, LocatedEntry, RecordedSpan, Session, StreamName,
};
use crate::bindings::recorder::rules::rules::{
    self, ForbiddenStream, NotifyConfig, Rule, Triple, VersionedNotifyConfig, VersionedRule,
};

/// What the function needs of the world.
pub trait World: Backend + Clock + Random + Variables {}

impl<T: Backend + Clock + Random + Variables> World for T {}

/// What the function needs of the components. Each function is the one of its component's interface.
#[expect(async_fn_in_trait, reason = "used within this function only; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/ documents each function")]
pub trait Backend {
    /// Whether a request is the first one with its nonce. Nonces are this function's own to store; rules and
    /// recordings are the components'.
    async fn admit(&self, nonce: Nonce<'_>, now_s: u64) -> Result<bool, store::Error>;

    async fn add_rule(&self, rule: Rule) -> Result<(), rules::Error>;
    async fn update_rule(&self, rule: Rule, version: u64) -> Result<(), rules::Error>;
    async fn delete_rule(&self, triple: Triple) -> Result<(), rules::Error>;
    async fn get_rule(&self, triple: Triple) -> Result<Option<VersionedRule>, rules::Error>;
    async fn list_rules(&self, domain: &str) -> Result<Vec<Rule>, rules::Error>;
    async fn has_rules(&self, domain: &str) -> Result<bool, rules::Error>;

    async fn forbid(&self, stream: ForbiddenStream) -> Result<(), rules::Error>;
    async fn resume(&self, triple: Triple) -> Result<(), rules::Error>;
    async fn copy_forbidden(&self, triple: Triple) -> Result<(), rules::Error>;
    async fn get_forbidden(&self, triple: Triple, now: u64) -> Result<Option<ForbiddenStream>, rules::Error>;
    async fn list_forbidden(&self, domain: &str, now: u64) -> Result<Vec<ForbiddenStream>, rules::Error>;

    async fn add_notify(&self, config: NotifyConfig) -> Result<(), rules::Error>;
    async fn update_notify(&self, config: NotifyConfig, version: u64) -> Result<(), rules::Error>;
    async fn delete_notify(&self, domain: &str) -> Result<(), rules::Error>;
    async fn get_notify(&self, domain: &str) -> Result<Option<VersionedNotifyConfig>, rules::Error>;

    async fn give_command(
        &self,
        stream: StreamName,
        command: Command,
        call: &str,
        now_ms: u64,
    ) -> Result<(), catalog::Error>;
    async fn end_pushes(&self, stream: StreamName, denial: Denial, now_ms: u64)
    -> Result<(), catalog::Error>;
    async fn let_push(&self, stream: StreamName, now_ms: u64) -> Result<(), catalog::Error>;
    async fn list_callbacks(
        &self,
        domain: &str,
        range_ms: (u64, u64),
    ) -> Result<Vec<Callback>, catalog::Error>;
    async fn known_stream(&self, stream: StreamName) -> Result<bool, catalog::Error>;
    async fn stream_sessions(&self, stream: StreamName, now_ms: u64) -> Result<Vec<Session>, catalog::Error>;
    async fn live_sessions(&self, domain: &str, now_ms: u64) -> Result<Vec<Session>, catalog::Error>;
    async fn recorded_spans(
        &self,
        stream: StreamName,
        range_ms: (u64, u64),
    ) -> Result<Vec<RecordedSpan>, catalog::Error>;
    async fn slices_between(
        &self,
        stream: StreamName,
        range_ms: (u64, u64),
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, catalog::Error>;
    async fn add_index_file(&self, file: IndexFile) -> Result<(), catalog::Error>;
    async fn get_index_file(&self, stream: StreamName, id: &str)
    -> Result<Option<IndexFile>, catalog::Error>;
    async fn list_index_files(
        &self,
        stream: StreamName,
        range_ms: (u64, u64),
    ) -> Result<Vec<IndexFile>, catalog::Error>;
    async fn delete_index_file(&self, stream: StreamName, id: &str) -> Result<bool, catalog::Error>;

    async fn check_bucket(&self, at: Location) -> Result<(), objects::Error>;
    async fn put_new(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        body: Vec<u8>,
    ) -> Result<Created, objects::Error>;
}
