//! A store and a work bucket on one scheduler, pushes that are committed chunk by chunk, and the judge.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use store::memory::{MemoryStore, Outcome, Scheduler, run};

use crate::chunk::{AudioCodec, Chunk, Slice, Tracks, VideoCodec};
use crate::commit::{self, Delivery, Prepared, Turn};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::order::Generation;
use crate::rule::{Container, Format, Mode, Rule, SliceFormat};
use crate::session::{self, After, Session};
use crate::stream::StreamName;
use crate::time::{DAY_MS, Retention};
use crate::users::{Look, Seen, Unseen, UserBuckets};
use crate::{committed, due, file, names};

/// Commits a chunk that was prepared, and sets no timers.
pub(crate) async fn commit_alone(
    store: &MemoryStore,
    prepared: &Prepared,
    delivery: Delivery,
) -> Result<(), Error> {
    let (record, _) = commit::plan(prepared, delivery)?;
    committed::put(store, &prepared.session.id, prepared.seq, &record).await
}

/// Objects that are created once.
#[derive(Default)]
pub(crate) struct MemoryBucket {
    scheduler: Scheduler,
    /// Nothing can be created whose name begins so.
    pub(crate) refused: Cell<Option<&'static str>>,
    /// How often that was tried.
    pub(crate) refusals: Cell<u32>,
    objects: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl MemoryBucket {
    /// The names of all objects.
    pub(crate) fn names(&self) -> Vec<String> {
        self.objects.borrow().keys().cloned().collect()
    }
}

impl WorkBucket for MemoryBucket {
    async fn create_or_read(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        let outcome = self.scheduler.point().await;
        let is_refused = self.refused.get().is_some_and(|begin| name.starts_with(begin));
        self.refusals.set(self.refusals.get() + u32::from(is_refused));
        if outcome == Outcome::Refused || is_refused {
            return Err("refused by the test".into());
        }
        let mut objects = self.objects.borrow_mut();
        let object = objects.entry(name.into()).or_insert_with(|| body.into()).clone();
        if outcome == Outcome::ReplyLost { Err("reply lost by the test".into()) } else { Ok(object) }
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        match self.scheduler.point().await {
            Outcome::Applied => Ok(self.objects.borrow().get(name).cloned()),
            _ => Err("refused by the test".into()),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        let outcome = self.scheduler.point().await;
        if outcome != Outcome::Refused {
            self.objects.borrow_mut().remove(name);
        }
        if outcome == Outcome::Applied { Ok(()) } else { Err("refused or lost by the test".into()) }
    }

    async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, String> {
        if self.scheduler.point().await != Outcome::Applied {
            return Err("refused by the test".into());
        }
        let names = self.names().into_iter();
        let found = names.filter(|name| name.starts_with(prefix) && name.as_str() > after);
        Ok(found.take(most as usize).collect())
    }
}

/// The users' buckets: what their objects say beside their bytes.
#[derive(Default)]
pub(crate) struct MemoryUsers {
    pub(crate) objects: RefCell<BTreeMap<String, Seen>>,
    /// Why nothing is known of them, and how often that is still answered.
    pub(crate) unseen: RefCell<Option<(Unseen, u32)>>,
    /// Those that may not be looked at.
    pub(crate) hidden: RefCell<BTreeSet<String>>,
    /// They say nothing beside what an object is.
    pub(crate) drops_notes: Cell<bool>,
}

impl MemoryUsers {
    fn see(&self) -> Result<(), Unseen> {
        let mut unseen = self.unseen.borrow_mut();
        match &mut *unseen {
            Some((unseen, times)) if *times > 0 => {
                *times -= 1;
                Err(unseen.clone())
            }
            _ => Ok(()),
        }
    }
}

impl UserBuckets for MemoryUsers {
    async fn list(
        &self,
        _: (&str, &str),
        prefix: &str,
        after: &str,
        most: u32,
    ) -> Result<Vec<String>, Unseen> {
        self.see()?;
        let objects = self.objects.borrow();
        let found = objects.keys().filter(|name| name.starts_with(prefix) && name.as_str() > after);
        // Pages are as small as stores may make them.
        Ok(found.take(most.min(70) as usize).cloned().collect())
    }

    async fn look(&self, _: (&str, &str), names: &[String]) -> Result<Vec<Look>, Unseen> {
        self.see()?;
        let (objects, hidden) = (self.objects.borrow(), self.hidden.borrow());
        let look = |name: &String| match objects.get(name).cloned() {
            _ if hidden.contains(name) => Look::Refused,
            seen => seen.map_or(Look::Absent, Look::Seen),
        };
        Ok(names.iter().map(look).collect())
    }
}

/// When everything happens, unless a test says otherwise. Unix milliseconds.
pub(crate) const NOW: u64 = 1_000_000;

/// How long everything is kept.
pub(crate) const KEPT: Retention =
    Retention { sessions_ms: 92 * DAY_MS, files_ms: 184 * DAY_MS, written: &[Container::M3u8] };

/// One stream under one rule.
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) bucket: MemoryBucket,
    pub(crate) users: MemoryUsers,
}

pub(crate) const CYCLE_SECONDS: u32 = 900;

impl World {
    pub(crate) fn new() -> Self {
        let store = MemoryStore::default();
        let bucket = MemoryBucket { scheduler: store.scheduler().clone(), ..MemoryBucket::default() };
        Self { store, bucket, users: MemoryUsers::default() }
    }

    /// Puts a slice that is about to be committed into the user's bucket, where its rule gives it a name.
    pub(crate) fn put(&self, prepared: &Prepared, delivery: &Delivery) {
        let Chunk::Slice(slice) = delivery.chunk else { return };
        let (session, seq) = (&prepared.session, prepared.seq);
        let name = names::slice(session, seq, slice.start_ms(), slice.names_taken.into());
        let Ok(name) = name else { return };
        let note = commit::note(prepared, delivery).unwrap().filter(|_| !self.users.drops_notes.get());
        let tag = Some(naming::tag::slice(&session.id, seq));
        let seen = Seen { tag, note, size: Some(slice.size) };
        let mut objects = self.users.objects.borrow_mut();
        // One that is there stays as it is, whatever it was thought to be in when it was put.
        let there = objects.entry(name).or_insert(seen.clone());
        assert_eq!((&there.tag, there.size), (&seen.tag, seen.size));
    }

    /// Offers a session that may continue another, whose last frame came a second before.
    pub(crate) fn offer(&self, id: &str, after: Option<&str>) -> Session {
        run(self.try_offer(id, after)).unwrap()
    }

    /// The same where the store may fail.
    pub(crate) async fn try_offer(&self, id: &str, after: Option<&str>) -> Result<Session, Error> {
        let after = after.map(|session| After { session: session.into(), gap_ms: 1_000 });
        let (store, session) = (&self.store, session_of(id));
        Ok(session::offer(store, &self.bucket, session, after.as_ref(), None, NOW).await?.0)
    }

    /// Brings a chunk of 5 s, as a gateway does: until it is committed. Sets no timers.
    pub(crate) async fn bring(&self, id: &str, seq: u64, files: u32) -> Result<(), Error> {
        let Some((prepared, delivery)) = self.next(id, seq, files, NOW).await? else { return Ok(()) };
        commit_alone(&self.store, &prepared, delivery).await
    }

    /// The same at a time, with timers.
    pub(crate) async fn bring_at(&self, id: &str, seq: u64, files: u32, now_ms: u64) -> Result<(), Error> {
        let Some((prepared, delivery)) = self.next(id, seq, files, now_ms).await? else { return Ok(()) };
        due::commit(&self.store, &prepared, delivery, now_ms).await
    }

    /// What a chunk is built on, and the chunk, unless it is committed.
    async fn next(
        &self,
        id: &str,
        seq: u64,
        files: u32,
        now_ms: u64,
    ) -> Result<Option<(Box<Prepared>, Delivery)>, Error> {
        match commit::prepare(&self.store, &self.bucket, id, seq, now_ms).await? {
            Turn::Done => Ok(None),
            Turn::Lost => Err(Error::Lost { session: id.into(), seq }),
            Turn::Next(prepared) => {
                let delivery = delivery(seq, files, Chunk::Slice(slice(seq)));
                Ok(Some((prepared, delivery)))
            }
        }
    }

    /// Brings chunks without faults.
    pub(crate) fn bring_all(&self, id: &str, seqs: std::ops::Range<u64>) {
        for seq in seqs {
            run(self.bring(id, seq, 0)).unwrap();
        }
    }

    /// The record files of a recording that are complete, each as its chunks. Writes them down.
    pub(crate) async fn close_files(&self, recording: &str) -> Result<Vec<Vec<String>>, Error> {
        let mut files = Vec::new();
        self.close_files_into(recording, &mut files).await.map(|()| files)
    }

    /// The same; `files` also has those that were written before a failure. One that is written again is the same.
    pub(crate) async fn close_files_into(
        &self,
        recording: &str,
        files: &mut Vec<Vec<String>>,
    ) -> Result<(), Error> {
        let container = Container::M3u8;
        while let Some(run) = file::complete(&self.store, &self.bucket, recording, container).await? {
            let entries = file::entries(&self.store, &self.bucket, &run).await?;
            assert_eq!(entries.len() as u32, run.slices, "{run:?}");
            let chunks =
                entries.iter().map(|entry| format!("{}{}", entry.at.session, entry.at.seq)).collect();
            if !files.contains(&chunks) {
                files.push(chunks);
            }
            file::written(&self.store, recording, container, &run).await?;
        }
        Ok(())
    }

    /// Ends a session, where the store may fail.
    pub(crate) async fn try_end(&self, id: &str, chunks: u64) -> Result<(), Error> {
        session::end(&self.store, &self.bucket, id, 0, chunks * 5_000, chunks, NOW).await.map(drop)
    }

    /// Ends a session with all its chunks, and the break after it.
    pub(crate) fn end(&self, id: &str, chunks: u64) {
        run(async {
            self.try_end(id, chunks).await?;
            file::close_break(&self.bucket, id).await
        })
        .unwrap();
    }
}

/// A session of the one stream, as a begin makes it.
pub(crate) fn session_of(id: &str) -> Session {
    let format = |container| Format {
        container,
        cycle_seconds: CYCLE_SECONDS,
        object_prefix: "r".into(),
        slices: Some(SliceFormat { seconds: 5, object_prefix: "s".into() }),
    };
    let rule = Rule {
        endpoint: "e".into(),
        bucket: "b".into(),
        delay_seconds: 180,
        formats: vec![format(Container::M3u8)],
        mode: Mode::Automatic,
        window_start: None,
        window_end: None,
    };
    Session {
        id: id.into(),
        stream: StreamName { domain: "d".into(), app: "a".into(), stream: "s".into() },
        gateway: "g".into(),
        boot: "spool.1".into(),
        push: id.into(),
        client: "127.0.0.1:1".into(),
        arguments: Vec::new(),
        video_codec: None,
        audio_codec: None,
        video_kbps: None,
        began_ms: NOW,
        rule: Some(rule),
        is_wanted: false,
        timezone: "+00:00".into(),
        tells_status: false,
        tells_slices: false,
        keeps_gaps: false,
        continues: None,
    }
}

pub(crate) fn slice(seq: u64) -> Slice {
    let tracks =
        Tracks { video: Some(VideoCodec::H264), audio: Some(AudioCodec::Aac), width: 640, height: 360 };
    Slice {
        anchor_ms: NOW,
        start_90khz: seq * 450_000,
        duration_90khz: 450_000,
        size: 188_000,
        is_enterable: true,
        is_discontinuous: false,
        names_taken: 0,
        tracks,
    }
}

pub(crate) fn delivery(seq: u64, files: u32, chunk: Chunk) -> Delivery {
    Delivery {
        left_out: Vec::new(),
        generation: Generation { orders: files + 1, files },
        chunk,
        is_followed_by_entry: true,
        remux_state: vec![seq as u8; 300],
    }
}
