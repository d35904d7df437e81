//! The real rules on a store in memory, and stand-ins for the catalog and the buckets.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use ::rules::nonces::{self, Nonce};
use ::rules::{forbidden, notify, rule};
use shared::{Clock, Denial, Random, Refusal, Variables};
use store::memory::{MemoryStore, run};

use super::{NOW_S, VARIABLES};
use crate::backend::Backend;
use crate::bindings::recorder::bucket::objects::{self, Created, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, Callback, Command, Entry, IndexFile, LocatedEntry, PictureSize, RecordedSpan, Session, StreamName,
    Tracks, VideoCodec,
};
use crate::bindings::recorder::rules::rules::{
    self, ForbiddenStream, NotifyConfig, Rule, Triple, VersionedNotifyConfig, VersionedRule,
};
use crate::told::told;

pub(super) const BUCKET: &str = "test123";
pub(super) const ENDPOINT: &str = "oss-cn-shanghai.aliyuncs.com";

/// Everything that the function can see. One bucket exists, [`BUCKET`].
pub(super) struct World {
    pub(super) now_s: Cell<u64>,
    /// The application's variables; one that is not here is one that the host does not give.
    pub(super) variables: RefCell<BTreeMap<&'static str, String>>,
    /// Holds the rules, the notify configs and the nonces, as the store of the application does.
    pub(super) store: MemoryStore,
    /// The domains that a rule was added for.
    domains: RefCell<BTreeSet<String>>,
    pub(super) live: RefCell<Vec<Session>>,
    pub(super) slices: RefCell<Vec<LocatedEntry>>,
    pub(super) indexes: RefCell<Vec<IndexFile>>,
    pub(super) objects: RefCell<BTreeMap<String, (String, String)>>,
    /// How many of the next updates find that another caller has made one just before.
    pub(super) interferences: Cell<u32>,
    /// Whether the catalog fails.
    pub(super) catalog_fails: Cell<bool>,
    /// The callbacks that were sent.
    pub(super) callbacks: RefCell<Vec<Callback>>,
    /// The last thing that the catalog was told.
    pub(super) told: RefCell<Option<Result<(), catalog::Error>>>,
    /// The streams of which it was copied whether they are forbidden, and whether that fails.
    pub(super) copied: RefCell<Vec<String>>,
    pub(super) copies_fail: Cell<bool>,
    /// The streams whose pushes were ended, with the reasons.
    pub(super) ended: RefCell<Vec<(StreamName, String)>>,
    nonce: Cell<u64>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now_s: Cell::new(NOW_S),
            variables: RefCell::new(VARIABLES.map(|(name, value)| (name, value.into())).into()),
            store: MemoryStore::default(),
            domains: RefCell::default(),
            live: RefCell::default(),
            slices: RefCell::default(),
            indexes: RefCell::default(),
            objects: RefCell::default(),
            interferences: Cell::new(0),
            catalog_fails: Cell::new(false),
            callbacks: RefCell::default(),
            told: RefCell::default(),
            copied: RefCell::default(),
            copies_fail: Cell::default(),
            ended: RefCell::default(),
            nonce: Cell::new(0),
        }
    }

    pub(super) fn next_nonce(&self) -> u64 {
        self.nonce.set(self.nonce.get() + 1);
        self.nonce.get()
    }

    /// Every rule there is.
    pub(super) fn rules(&self) -> Vec<::rules::Rule> {
        let list = |domain: &String| run(rule::list_domain(&self.store, domain)).unwrap();
        self.domains.borrow().iter().flat_map(list).collect()
    }

    /// Lets every component fail from now on.
    pub(super) fn fail(&self) {
        self.store.break_at(0);
        self.catalog_fails.set(true);
    }

    /// Lets every component work again.
    pub(super) fn mend(&self) {
        self.store.mend();
        self.catalog_fails.set(false);
    }

    /// Ten slices of 6 s from a second on, in a bucket.
    pub(super) fn record(&self, from_s: u64, bucket: &str) {
        for n in 0..10 {
            let entry = Entry {
                object: format!("record/live/teststream/{}_{n}.ts", from_s + n * 6),
                start_ms: (from_s + n * 6) * 1000,
                duration90khz: 540_000,
                independent: true,
                discontinuity: n == 0,
            };
            self.slices.borrow_mut().push(LocatedEntry {
                entry,
                tracks: Tracks {
                    video: Some(VideoCodec::H264),
                    audio: None,
                    size: Some(PictureSize { width: 640, height: 480 }),
                },
                oss_endpoint: ENDPOINT.into(),
                oss_bucket: bucket.into(),
            });
        }
    }

    pub(super) fn push(&self, app: &str, stream: &str) {
        self.live.borrow_mut().push(Session {
            id: "0".into(),
            stream: StreamName { domain: "test.com".into(), app: app.into(), stream: stream.into() },
            gateway: "gateway-1".into(),
            boot: "spool.1".into(),
            push: "1".into(),
            client: "192.0.2.1:50000".into(),
            arguments: Vec::new(),
            video_codec: Some("h264".into()),
            audio_codec: Some("aac".into()),
            video_kbps: Some(2000),
            began_ms: NOW_S * 1000,
            rule: None,
            wanted: false,
            timezone: "+08:00".into(),
            tells_status: false,
            tells_slices: false,
            keeps_gaps: false,
        });
    }

    fn catalog(&self) -> Result<(), catalog::Error> {
        if self.catalog_fails.get() { Err(catalog::Error::Store("broken".into())) } else { Ok(()) }
    }

    fn interfered(&self) -> bool {
        let left = self.interferences.get();
        self.interferences.set(left.saturating_sub(1));
        left > 0
    }
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        self.now_s.get() * 1000
    }
}

impl Random for World {
    fn random(&self) -> [u8; 16] {
        [0xff; 16]
    }
}

impl Variables for World {
    async fn variable(&self, name: &str) -> Result<String, Refusal> {
        let unset = || Refusal::unavailable("NoVariable", format!("the host does not give variable {name}"));
        self.variables.borrow().get(name).cloned().ok_or_else(unset)
    }
}

impl Backend for World {
    async fn admit(&self, nonce: Nonce<'_>, now_s: u64) -> Result<bool, store::Error> {
        nonces::admit(&self.store, nonce, now_s).await
    }

    async fn add_rule(&self, rule: Rule) -> Result<(), rules::Error> {
        self.domains.borrow_mut().insert(rule.triple.domain.clone());
        told(rule::add(&self.store, rule.into()).await)
    }

    async fn update_rule(&self, rule: Rule, version: u64) -> Result<(), rules::Error> {
        if self.interfered() {
            let stored = told(rule::get(&self.store, &rule.triple.clone().into()).await)?;
            let stored = stored.ok_or(rules::Error::NotFound)?;
            told(rule::update(&self.store, stored.value, stored.version).await)?;
        }
        told(rule::update(&self.store, rule.into(), version).await)
    }

    async fn delete_rule(&self, triple: Triple) -> Result<(), rules::Error> {
        told(rule::delete(&self.store, &triple.into()).await)
    }

    async fn get_rule(&self, triple: Triple) -> Result<Option<VersionedRule>, rules::Error> {
        let found = told(rule::get(&self.store, &triple.into()).await)?;
        Ok(found.map(|found| VersionedRule { rule: found.value.into(), version: found.version }))
    }

    async fn list_rules(&self, domain: &str) -> Result<Vec<Rule>, rules::Error> {
        let rules = told(rule::list_domain(&self.store, domain).await)?;
        Ok(rules.into_iter().map(Into::into).collect())
    }

    async fn has_rules(&self, domain: &str) -> Result<bool, rules::Error> {
        told(rule::has_any(&self.store, domain).await)
    }

    async fn forbid(&self, stream: ForbiddenStream) -> Result<(), rules::Error> {
        told(forbidden::add(&self.store, stream.into()).await)
    }

    async fn resume(&self, triple: Triple) -> Result<(), rules::Error> {
        told(forbidden::resume(&self.store, &triple.into(), self.now_s.get()).await)
    }

    async fn copy_forbidden(&self, triple: Triple) -> Result<(), rules::Error> {
        if self.copies_fail.get() {
            return Err(rules::Error::Store("the work bucket does not answer".into()));
        }
        let Triple { domain, app, stream } = triple;
        self.copied.borrow_mut().push(format!("{domain}/{app}/{stream}"));
        Ok(())
    }

    async fn get_forbidden(&self, triple: Triple, now: u64) -> Result<Option<ForbiddenStream>, rules::Error> {
        let found = told(forbidden::get(&self.store, &triple.into(), now).await)?;
        Ok(found.map(Into::into))
    }

    async fn list_forbidden(&self, domain: &str, now: u64) -> Result<Vec<ForbiddenStream>, rules::Error> {
        let found = told(forbidden::list_domain(&self.store, domain, now).await)?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn add_notify(&self, config: NotifyConfig) -> Result<(), rules::Error> {
        told(notify::add(&self.store, config.into()).await)
    }

    async fn update_notify(&self, config: NotifyConfig, version: u64) -> Result<(), rules::Error> {
        if self.interfered() {
            let stored = told(notify::get(&self.store, &config.domain).await)?;
            let stored = stored.ok_or(rules::Error::NotFound)?;
            told(notify::update(&self.store, stored.value, stored.version).await)?;
        }
        told(notify::update(&self.store, config.into(), version).await)
    }

    async fn delete_notify(&self, domain: &str) -> Result<(), rules::Error> {
        told(notify::delete(&self.store, domain).await)
    }

    async fn get_notify(&self, domain: &str) -> Result<Option<VersionedNotifyConfig>, rules::Error> {
        let found = told(notify::get(&self.store, domain).await)?;
        Ok(found.map(|found| VersionedNotifyConfig { config: found.value.into(), version: found.version }))
    }

    async fn give_command(
        &self,
        stream: StreamName,
        _: Command,
        _: &str,
        _: u64,
    ) -> Result<(), catalog::Error> {
        self.catalog()?;
        if !self.live.borrow().iter().any(|session| session.stream == stream) {
            return Err(catalog::Error::NoSuchStream);
        }
        self.told.borrow_mut().take().unwrap_or(Ok(()))
    }

    async fn end_pushes(&self, stream: StreamName, denial: Denial, _: u64) -> Result<(), catalog::Error> {
        self.catalog()?;
        self.ended.borrow_mut().push((stream, denial.reason));
        Ok(())
    }

    async fn let_push(&self, stream: StreamName, _: u64) -> Result<(), catalog::Error> {
        self.catalog()?;
        self.ended.borrow_mut().retain(|(ended, _)| *ended != stream);
        Ok(())
    }

    /// Domains are compared as they are written, as in the catalog.
    async fn list_callbacks(
        &self,
        domain: &str,
        (from, to): (u64, u64),
    ) -> Result<Vec<Callback>, catalog::Error> {
        let asked_for = |sent: &&Callback| sent.stream.domain == domain && (from..to).contains(&sent.sent_ms);
        Ok(self.callbacks.borrow().iter().filter(asked_for).cloned().collect())
    }

    async fn known_stream(&self, stream: StreamName) -> Result<bool, catalog::Error> {
        let recorded = !self.list_index_files(stream.clone(), (0, u64::MAX)).await?.is_empty();
        Ok(recorded || !self.stream_sessions(stream, 0).await?.is_empty())
    }

    async fn stream_sessions(&self, stream: StreamName, _: u64) -> Result<Vec<Session>, catalog::Error> {
        self.catalog()?;
        Ok(self.live.borrow().iter().filter(|session| session.stream == stream).cloned().collect())
    }

    async fn live_sessions(&self, domain: &str, _: u64) -> Result<Vec<Session>, catalog::Error> {
        self.catalog()?;
        Ok(self.live.borrow().iter().filter(|session| session.stream.domain == domain).cloned().collect())
    }

    async fn recorded_spans(
        &self,
        stream: StreamName,
        range_ms: (u64, u64),
    ) -> Result<Vec<RecordedSpan>, catalog::Error> {
        let slices = self.slices_between(stream, range_ms, false).await?;
        let (Some(first), Some(last)) = (slices.first(), slices.last()) else { return Ok(Vec::new()) };
        Ok(vec![RecordedSpan {
            start_ms: first.entry.start_ms,
            end_ms: last.entry.start_ms + 6000,
            duration90khz: slices.len() as u64 * 540_000,
            oss_endpoint: first.oss_endpoint.clone(),
            oss_bucket: first.oss_bucket.clone(),
            object_prefix: naming::DEFAULT_SLICE.into(),
        }])
    }

    async fn slices_between(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, catalog::Error> {
        self.catalog()?;
        let slices = self.slices.borrow();
        let of_stream = slices.iter().filter(|_| stream.stream == "teststream");
        let mut taken: Vec<_> =
            of_stream.clone().filter(|s| (from..to).contains(&s.entry.start_ms)).cloned().collect();
        if one_more {
            taken.extend(of_stream.clone().find(|s| s.entry.start_ms >= to).cloned());
        }
        Ok(taken)
    }

    async fn add_index_file(&self, index: IndexFile) -> Result<(), catalog::Error> {
        self.indexes.borrow_mut().push(index);
        Ok(())
    }

    async fn get_index_file(
        &self,
        stream: StreamName,
        id: &str,
    ) -> Result<Option<IndexFile>, catalog::Error> {
        self.catalog()?;
        Ok(self.indexes.borrow().iter().find(|index| index.stream == stream && index.id == id).cloned())
    }

    async fn list_index_files(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<IndexFile>, catalog::Error> {
        self.catalog()?;
        let overlaps =
            |index: &&IndexFile| index.stream == stream && index.start_ms < to && index.end_ms > from;
        Ok(self.indexes.borrow().iter().filter(overlaps).cloned().collect())
    }

    async fn delete_index_file(&self, stream: StreamName, id: &str) -> Result<bool, catalog::Error> {
        self.catalog()?;
        let mut indexes = self.indexes.borrow_mut();
        let before = indexes.len();
        indexes.retain(|index| index.stream != stream || index.id != id);
        Ok(indexes.len() < before)
    }

    async fn check_bucket(&self, at: Location) -> Result<(), objects::Error> {
        match at.bucket.as_str() {
            BUCKET | "other-bucket" | "work-bucket" => Ok(()),
            "unreachable" => Err(objects::Error::Unavailable("timed out".into())),
            _ => Err(objects::Error::NoSuchBucket(format!("HEAD {} answers 404", at.bucket))),
        }
    }

    async fn put_new(
        &self,
        at: Location,
        key: &str,
        _: &str,
        tag: &str,
        body: Vec<u8>,
    ) -> Result<Created, objects::Error> {
        let key = format!("{}/{key}", at.bucket);
        let mut objects = self.objects.borrow_mut();
        match objects.get(&key) {
            Some((other, _)) if other == tag => Ok(Created::Before),
            Some(_) => Err(objects::Error::Taken),
            None => {
                objects.insert(key, (tag.into(), String::from_utf8(body).unwrap()));
                Ok(Created::Now)
            }
        }
    }
}
