//! A world in memory, natively: the real catalog over a store in memory, the real remuxer, buckets in memory,
//! and a clock that stands still until a test moves it.
//!
//! The store and the buckets can fail where a test says so; whatever is done is done in one thread, in the order
//! in which the functions do it.

mod buckets;
mod calls;
mod catalog;
mod media;
mod receivers;
mod upload;
mod uploads;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, ready};
use std::rc::Rc;

use ::rules::forbidden;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use protocol::{EndSession, Route};
use serde::{Serialize, de::DeserializeOwned};
use store::memory::MemoryStore;

use crate::catalog::{Container, Format, Mode, Session, SessionRule, SliceFormat, StreamName};
use crate::rules::{self, NotifyConfig, Rule};
use crate::{Answer, Body, BodyError, Clock, Random, Refusal, Rules, Streams, Variables};

pub use buckets::{Buckets, Fault, Kept, Moved, Object, Trouble};
pub use receivers::{Answered, Receivers, Reply};
pub use store::memory::run;
pub use upload::{OnComplete, OnCopy, Upload};

/// The ingest token of a [`World`].
pub const INGEST_TOKEN: &str = "token";

/// The access keys of a [`World`], as the variable says them: an id and its secret.
pub const ACCESS_KEYS: &str = "testid:testsecret";

/// Everything that a function can see.
pub struct World {
    /// The key-value store.
    pub store: Rc<MemoryStore>,
    /// All object stores.
    pub buckets: Rc<Buckets>,
    /// Now, in Unix milliseconds.
    pub now_ms: Rc<Cell<u64>>,
    /// The variables; one that is not here is one that the host does not give.
    pub variables: RefCell<BTreeMap<&'static str, String>>,
    /// The rule that every push falls under, or why none can be looked up.
    pub rule: RefCell<Result<Option<Rule>, rules::Error>>,
    /// Buckets, as `endpoint/bucket`, of which this instance knows that they replace objects.
    replacing: RefCell<BTreeSet<String>>,
    /// The notify config of every domain, or why none can be looked up.
    pub notify: RefCell<Result<Option<NotifyConfig>, rules::Error>>,
    /// What receivers of callbacks answer.
    pub receivers: Receivers,
    /// How often it was drawn, from a number on that no other host has.
    drawn: Cell<u64>,
}

impl World {
    /// A world in which nothing has been pushed and no rule is set, at a time.
    #[must_use]
    pub fn at(now_ms: u64) -> Self {
        let variables = [
            ("access_keys", ACCESS_KEYS),
            ("ingest_token", INGEST_TOKEN),
            ("private_callbacks", "false"),
            ("name_timezone", "+08:00"),
            ("bucket_endpoints", ""),
            ("work_bucket", "http://work/work"),
            ("new_store", "false"),
            ("slice_events", "false"),
            ("keep_gaps", "false"),
            ("push_domains", ""),
        ];
        let store = Rc::new(MemoryStore::with_any_key());
        Self {
            buckets: Rc::new(Buckets::new(store.scheduler().clone())),
            store,
            now_ms: Rc::new(Cell::new(now_ms)),
            variables: RefCell::new(variables.map(|(name, value)| (name, value.to_owned())).into()),
            rule: RefCell::new(Ok(None)),
            replacing: RefCell::default(),
            notify: RefCell::new(Ok(None)),
            receivers: Receivers::default(),
            drawn: Cell::new(0),
        }
    }

    /// Another function host with a clock of its own, beside this one: they share the stores.
    #[must_use]
    pub fn beside(&self, now_ms: u64) -> Self {
        let other = Self::at(now_ms);
        Self {
            store: Rc::clone(&self.store),
            buckets: Rc::clone(&self.buckets),
            rule: RefCell::new(self.rule.borrow().clone()),
            notify: RefCell::new(self.notify.borrow().clone()),
            receivers: self.receivers.clone(),
            drawn: Cell::new(self.drawn.get() + (1 << 32)),
            ..other
        }
    }

    /// Another instance of the functions on this host: it has found out nothing yet.
    #[must_use]
    pub fn instance(&self) -> Self {
        let (now_ms, variables) = (Rc::clone(&self.now_ms), self.variables.clone());
        Self { now_ms, variables, ..self.beside(self.now_ms.get()) }
    }

    /// Sets a variable.
    pub fn set_variable(&self, name: &'static str, value: &str) {
        self.variables.borrow_mut().insert(name, value.to_owned());
    }

    /// The work bucket, as `endpoint/bucket`.
    fn work_bucket(&self) -> String {
        self.variables.borrow().get("work_bucket").cloned().unwrap_or_default()
    }

    /// The key-value store is gone, with all that it held. Buckets stay.
    pub fn lose_store(&mut self) {
        self.store = Rc::new(MemoryStore::with_any_key());
    }

    /// Lets time pass.
    pub fn pass_ms(&self, ms: u64) {
        self.now_ms.set(self.now_ms.get() + ms);
    }
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }
}

impl Random for World {
    fn random(&self) -> [u8; 16] {
        let drawn = self.drawn.get() + 1;
        self.drawn.set(drawn);
        let mut bytes = [drawn as u8; 16];
        if drawn > u64::from(u8::MAX) {
            bytes[..8].copy_from_slice(&drawn.to_be_bytes());
        }
        bytes
    }
}

impl Variables for World {
    async fn variable(&self, name: &str) -> Result<String, Refusal> {
        let unset = || Refusal::unavailable("NoVariable", format!("the host does not give variable {name}"));
        self.variables.borrow().get(name).cloned().ok_or_else(unset)
    }
}

impl Rules for World {
    async fn find_for_push(&self, _: StreamName) -> Result<Option<Rule>, rules::Error> {
        self.rule.borrow().clone()
    }

    async fn get_forbidden(
        &self,
        stream: StreamName,
        now_s: u64,
    ) -> Result<Option<rules::ForbiddenStream>, rules::Error> {
        let triple = ::rules::Triple { domain: stream.domain, app: stream.app, stream: stream.stream };
        let failed = |error: ::rules::Error| rules::Error::Store(error.to_string());
        let found = forbidden::get(&*self.store, &triple, now_s).await.map_err(failed)?;
        Ok(found.map(|found| rules::ForbiddenStream {
            triple: rules::Triple {
                domain: found.stream.domain,
                app: found.stream.app,
                stream: found.stream.stream,
            },
            since: found.since_s,
            until: found.until_s,
        }))
    }

    /// One rule at a time, where there is one.
    async fn restore_rules(&self, after: Option<String>, _: bool) -> Result<rules::Restored, rules::Error> {
        let found = self.rule.borrow().clone()?;
        Ok(match (found, after) {
            (Some(_), None) => rules::Restored { next: Some("rule".into()), found: 1 },
            _ => rules::Restored { next: None, found: 0 },
        })
    }

    async fn get_notify(&self, _: &str) -> Result<Option<NotifyConfig>, rules::Error> {
        self.notify.borrow().clone()
    }
}

impl Streams for World {
    type Stream = Vec<u8>;

    fn stream(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

/// The body of a request.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// What arrives of it.
    pub bytes: Vec<u8>,
    /// How long it is said to be.
    pub declared: Option<u64>,
    /// Why no more arrives, where it was meant to be longer.
    pub broken: Option<BodyError>,
}

impl Sent {
    fn end(&self) -> Result<(), BodyError> {
        self.broken.map_or(Ok(()), Err)
    }
}

impl Body for Sent {
    type Stream = Vec<u8>;

    fn into_stream(self) -> (Vec<u8>, impl Future<Output = Result<(), BodyError>>) {
        let end = self.end();
        (self.bytes, ready(end))
    }

    fn declared(&self) -> Option<u64> {
        self.declared
    }

    async fn receive(self, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
        self.end()?;
        if self.bytes.len() > max_bytes {
            return Err(BodyError::TooLarge { max_bytes });
        }
        Ok(self.bytes)
    }
}

/// A gateway's request, which carries the ingest token.
#[must_use]
pub fn request(route: &Route, bytes: impl Into<Vec<u8>>) -> Request<Sent> {
    request_to(route.method(), &route.to_string(), bytes)
}

/// A request with the ingest token, to any method and path.
///
/// # Panics
/// Where the path is not one.
#[must_use]
pub fn request_to(method: Method, path: &str, bytes: impl Into<Vec<u8>>) -> Request<Sent> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {INGEST_TOKEN}"))
        .body(Sent { bytes: bytes.into(), ..Sent::default() });
    request.expect("a test should ask for a path")
}

/// The body of an answer 200; of any other answer, its problem's status, code and message.
///
/// # Errors
/// The problem.
///
/// # Panics
/// Where the body is not the JSON expected.
pub fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, (u16, String, String)> {
    if answer.status().is_success() {
        return Ok(serde_json::from_str(answer.body()).expect("an answer should be the JSON expected"));
    }
    let problem: protocol::Problem =
        serde_json::from_str(answer.body()).expect("an answer that is not 200 should be a problem");
    Err((answer.status().as_u16(), problem.code, problem.message))
}

/// The end of a push of so long and so many chunks, which is told at once.
#[must_use]
pub fn ended(duration_ms: u64, chunks: u64) -> EndSession {
    EndSession { ended_ago_ms: 0, duration_ms, chunks }
}

/// A rule that records a push as M3U8, in cycles of 20 s, slices of 5 s and breaks of at most 15 s.
#[must_use]
pub fn rule() -> Rule {
    Rule {
        triple: rules::Triple { domain: "live.example.com".into(), app: "live".into(), stream: "*".into() },
        oss_endpoint: "http://store".into(),
        oss_bucket: "bkt".into(),
        on_demand: rules::OnDemand::Always,
        delay_seconds: 15,
        start_time: None,
        end_time: None,
        formats: vec![rules::Format {
            container: rules::Container::M3u8,
            cycle_seconds: 20,
            object_prefix: naming::DEFAULT_RECORD_FILE.into(),
            slices: Some(rules::SliceFormat { seconds: 5, object_prefix: naming::DEFAULT_SLICE.into() }),
        }],
        transcode_formats: Vec::new(),
        transcode_templates: Vec::new(),
        created: 0,
    }
}

/// A session of `live.example.com/live/cam` under [`rule`], whose id ends in 32 times one hex digit.
#[must_use]
pub fn session(digit: char, began_ms: u64) -> Session {
    Session {
        id: format!("20260102-{}", String::from(digit).repeat(32)),
        stream: StreamName { domain: "live.example.com".into(), app: "live".into(), stream: "cam".into() },
        gateway: "gateway-1".into(),
        boot: "spool.1".into(),
        push: String::from(digit),
        client: "192.0.2.1:50000".into(),
        arguments: Vec::new(),
        video_codec: None,
        audio_codec: None,
        video_kbps: None,
        began_ms,
        wanted: false,
        timezone: "+08:00".into(),
        tells_status: false,
        tells_slices: false,
        keeps_gaps: false,
        rule: Some(SessionRule {
            oss_endpoint: "http://store".into(),
            oss_bucket: "bkt".into(),
            delay_seconds: 15,
            formats: vec![Format {
                container: Container::M3u8,
                cycle_seconds: 20,
                object_prefix: naming::DEFAULT_RECORD_FILE.into(),
                slices: Some(SliceFormat { seconds: 5, object_prefix: naming::DEFAULT_SLICE.into() }),
            }],
            mode: Mode::Automatic,
            window_start: None,
            window_end: None,
        }),
    }
}

/// Between the sets of Rust types that importing and exporting one WIT package in several crates gives.
///
/// # Panics
/// Where the two are not of one record.
pub fn convert<A: Serialize, B: DeserializeOwned>(value: A) -> B {
    let json = serde_json::to_vec(&value).expect("a record should be representable as JSON");
    serde_json::from_slice(&json).expect("both sides of a WIT package should have the same records")
}
