//! A world in memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use store::Store;

use super::NOW_S;
use crate::backend::Backend;
use crate::bindings::recorder::bucket::objects::{self, Created, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, Command, Entry, IndexFile, LocatedEntry, PictureSize, RecordedSpan, Session, Slice, StreamName,
    VideoTrack,
};
use crate::bindings::recorder::rules::rules::{self, NotifyConfig, Rule, Triple};

pub(super) const BUCKET: &str = "test123";
pub(super) const ENDPOINT: &str = "oss-cn-shanghai.aliyuncs.com";

/// Everything that the function can see. One bucket exists, [`BUCKET`].
pub(super) struct World {
    pub(super) now_s: Cell<u64>,
    pub(super) rules: RefCell<Vec<Rule>>,
    pub(super) notify: RefCell<Vec<NotifyConfig>>,
    pub(super) live: RefCell<Vec<Session>>,
    pub(super) slices: RefCell<Vec<LocatedEntry>>,
    pub(super) indexes: RefCell<Vec<IndexFile>>,
    pub(super) objects: RefCell<BTreeMap<String, (String, String)>>,
    pub(super) values: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(super) counters: RefCell<BTreeMap<String, i64>>,
    /// How many of the next updates find that somebody else came before.
    pub(super) interferences: Cell<u32>,
    /// Whether every component fails.
    pub(super) broken: Cell<bool>,
    /// The last thing that the catalog was told.
    pub(super) told: RefCell<Option<Result<(), catalog::Error>>>,
    version: Cell<u64>,
    nonce: Cell<u64>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now_s: Cell::new(NOW_S),
            rules: RefCell::default(),
            notify: RefCell::default(),
            live: RefCell::default(),
            slices: RefCell::default(),
            indexes: RefCell::default(),
            objects: RefCell::default(),
            values: RefCell::default(),
            counters: RefCell::default(),
            interferences: Cell::new(0),
            broken: Cell::new(false),
            told: RefCell::default(),
            version: Cell::new(0),
            nonce: Cell::new(0),
        }
    }

    pub(super) fn next_nonce(&self) -> u64 {
        self.nonce.set(self.nonce.get() + 1);
        self.nonce.get()
    }

    fn next_version(&self) -> u64 {
        self.version.set(self.version.get() + 1);
        self.version.get()
    }

    /// Ten slices of 6 s from a second on, in a bucket.
    pub(super) fn record(&self, from_s: u64, bucket: &str) {
        for n in 0..10 {
            let slice = Slice {
                object: format!("record/live/teststream/{}_{n}.ts", from_s + n * 6),
                size: 1,
                start_ms: (from_s + n * 6) * 1000,
                start90khz: n * 540_000,
                duration90khz: 540_000,
                independent: true,
                discontinuity: false,
                video: Some(VideoTrack {
                    codec: "h264".into(),
                    size: Some(PictureSize { width: 640, height: 480 }),
                }),
                audio: None,
            };
            self.slices.borrow_mut().push(LocatedEntry {
                entry: Entry { slice, discontinuity: n == 0 },
                oss_endpoint: ENDPOINT.into(),
                oss_bucket: bucket.into(),
            });
        }
    }

    pub(super) fn push(&self, app: &str, stream: &str) {
        self.live.borrow_mut().push(Session {
            id: "0".into(),
            stream: StreamName { domain: "test.com".into(), app: app.into(), stream: stream.into() },
            gateway: Some("gateway-1".into()),
            client: Some("192.0.2.1:50000".into()),
            arguments: Vec::new(),
            video_codec: Some("h264".into()),
            audio_codec: Some("aac".into()),
            video_kbps: Some(2000),
            began_ms: NOW_S * 1000,
            record: true,
            rule: None,
        });
    }

    fn rules(&self) -> Result<(), rules::Error> {
        if self.broken.get() { Err(rules::Error::Store("broken".into())) } else { Ok(()) }
    }

    fn catalog(&self) -> Result<(), catalog::Error> {
        if self.broken.get() { Err(catalog::Error::Store("broken".into())) } else { Ok(()) }
    }

    fn interfered(&self) -> bool {
        let left = self.interferences.get();
        self.interferences.set(left.saturating_sub(1));
        left > 0
    }
}

impl Store for World {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, store::Error> {
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), store::Error> {
        self.values.borrow_mut().insert(key.into(), value.into());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), store::Error> {
        self.values.borrow_mut().remove(key);
        self.counters.borrow_mut().remove(key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, store::Error> {
        Ok(self.values.borrow().contains_key(key) || self.counters.borrow().contains_key(key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, store::Error> {
        if self.broken.get() {
            return Err(store::Error::Backend {
                operation: store::Operation::Increment,
                key: key.into(),
                reason: "broken".into(),
            });
        }
        let mut counters = self.counters.borrow_mut();
        let counter = counters.entry(key.into()).or_default();
        *counter += delta;
        Ok(*counter)
    }
}

impl Backend for World {
    fn store(&self) -> &impl Store {
        self
    }

    fn now_ms(&self) -> u64 {
        self.now_s.get() * 1000
    }

    async fn add_rule(&self, rule: Rule) -> Result<(), rules::Error> {
        self.rules()?;
        if self.rules.borrow().iter().any(|other| other.triple == rule.triple) {
            return Err(rules::Error::AlreadyExists);
        }
        self.rules.borrow_mut().push(Rule { version: self.next_version(), ..rule });
        Ok(())
    }

    async fn update_rule(&self, rule: Rule) -> Result<(), rules::Error> {
        self.rules()?;
        let interfered = self.interfered();
        let version = self.next_version();
        let mut rules = self.rules.borrow_mut();
        let current =
            rules.iter_mut().find(|other| other.triple == rule.triple).ok_or(rules::Error::NotFound)?;
        if interfered || current.version != rule.version {
            current.version = version;
            return Err(rules::Error::Changed);
        }
        *current = Rule { version, ..rule };
        Ok(())
    }

    async fn delete_rule(&self, triple: Triple) -> Result<(), rules::Error> {
        self.rules()?;
        let mut rules = self.rules.borrow_mut();
        let at = rules.iter().position(|rule| rule.triple == triple).ok_or(rules::Error::NotFound)?;
        rules.remove(at);
        Ok(())
    }

    async fn get_rule(&self, triple: Triple) -> Result<Option<Rule>, rules::Error> {
        self.rules()?;
        Ok(self.rules.borrow().iter().find(|rule| rule.triple == triple).cloned())
    }

    async fn list_rules(&self, domain: &str) -> Result<Vec<Rule>, rules::Error> {
        self.rules()?;
        Ok(self.rules.borrow().iter().filter(|rule| rule.triple.domain == domain).cloned().collect())
    }

    async fn add_notify(&self, config: NotifyConfig) -> Result<(), rules::Error> {
        if self.get_notify(&config.domain).await?.is_some() {
            return Err(rules::Error::AlreadyExists);
        }
        self.notify.borrow_mut().push(NotifyConfig { version: self.next_version(), ..config });
        Ok(())
    }

    async fn update_notify(&self, config: NotifyConfig) -> Result<(), rules::Error> {
        let interfered = self.interfered();
        let version = self.next_version();
        let mut configs = self.notify.borrow_mut();
        let current =
            configs.iter_mut().find(|other| other.domain == config.domain).ok_or(rules::Error::NotFound)?;
        if interfered || current.version != config.version {
            current.version = version;
            return Err(rules::Error::Changed);
        }
        *current = NotifyConfig { version, ..config };
        Ok(())
    }

    async fn delete_notify(&self, domain: &str) -> Result<(), rules::Error> {
        let mut configs = self.notify.borrow_mut();
        let at = configs.iter().position(|config| config.domain == domain).ok_or(rules::Error::NotFound)?;
        configs.remove(at);
        Ok(())
    }

    async fn get_notify(&self, domain: &str) -> Result<Option<NotifyConfig>, rules::Error> {
        self.rules()?;
        Ok(self.notify.borrow().iter().find(|config| config.domain == domain).cloned())
    }

    async fn give_command(&self, stream: StreamName, _: Command) -> Result<(), catalog::Error> {
        self.catalog()?;
        if !self.live.borrow().iter().any(|session| session.stream == stream) {
            return Err(catalog::Error::NoSuchStream);
        }
        self.told.borrow_mut().take().unwrap_or(Ok(()))
    }

    async fn known_stream(&self, stream: StreamName) -> Result<bool, catalog::Error> {
        let recorded = !self.list_indexes(stream.clone(), (0, u64::MAX)).await?.is_empty();
        Ok(recorded || self.live_session(stream).await?.is_some())
    }

    async fn live_session(&self, stream: StreamName) -> Result<Option<Session>, catalog::Error> {
        self.catalog()?;
        Ok(self.live.borrow().iter().find(|session| session.stream == stream).cloned())
    }

    async fn live_sessions(&self, domain: &str) -> Result<Vec<Session>, catalog::Error> {
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
            start_ms: first.entry.slice.start_ms,
            end_ms: last.entry.slice.start_ms + 6000,
            duration90khz: slices.len() as u64 * 540_000,
            oss_endpoint: first.oss_endpoint.clone(),
            oss_bucket: first.oss_bucket.clone(),
            slice_object_prefix: naming::DEFAULT_SLICE.into(),
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
            of_stream.clone().filter(|s| (from..to).contains(&s.entry.slice.start_ms)).cloned().collect();
        if one_more {
            taken.extend(of_stream.clone().find(|s| s.entry.slice.start_ms >= to).cloned());
        }
        Ok(taken)
    }

    async fn add_index(&self, index: IndexFile) -> Result<(), catalog::Error> {
        self.indexes.borrow_mut().push(index);
        Ok(())
    }

    async fn get_index(&self, stream: StreamName, id: &str) -> Result<Option<IndexFile>, catalog::Error> {
        self.catalog()?;
        Ok(self.indexes.borrow().iter().find(|index| index.stream == stream && index.id == id).cloned())
    }

    async fn list_indexes(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<IndexFile>, catalog::Error> {
        self.catalog()?;
        let overlaps =
            |index: &&IndexFile| index.stream == stream && index.start_ms < to && index.end_ms > from;
        Ok(self.indexes.borrow().iter().filter(overlaps).cloned().collect())
    }

    async fn delete_index(&self, stream: StreamName, id: &str) -> Result<bool, catalog::Error> {
        self.catalog()?;
        let mut indexes = self.indexes.borrow_mut();
        let before = indexes.len();
        indexes.retain(|index| index.stream != stream || index.id != id);
        Ok(indexes.len() < before)
    }

    async fn check_bucket(&self, at: Location) -> Result<(), objects::Error> {
        match at.bucket.as_str() {
            BUCKET | "other-bucket" => Ok(()),
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
