//! A store and a work bucket on one scheduler, pushes that are committed chunk by chunk, and the judge.

use std::cell::RefCell;
use std::collections::BTreeMap;

use store::memory::{MemoryStore, Outcome, Scheduler, run};

use crate::chunk::{AudioCodec, Chunk, Slice, Tracks, VideoCodec};
use crate::commit::{self, Delivery, Turn};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::file;
use crate::order::Generation;
use crate::rule::{Container, Format, Mode, Rule};
use crate::session::{self, After, Session};
use crate::stream::StreamName;

/// Objects that are created once.
#[derive(Default)]
pub(crate) struct MemoryBucket {
    scheduler: Scheduler,
    objects: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl WorkBucket for MemoryBucket {
    async fn create_or_read(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        let outcome = self.scheduler.point().await;
        if outcome == Outcome::Refused {
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
}

/// One stream under one rule.
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) bucket: MemoryBucket,
}

pub(crate) const CYCLE_SECONDS: u32 = 900;

impl World {
    pub(crate) fn new() -> Self {
        let store = MemoryStore::default();
        let bucket = MemoryBucket { scheduler: store.scheduler().clone(), ..MemoryBucket::default() };
        Self { store, bucket }
    }

    /// Offers a session that may continue another, whose last frame came a second before.
    pub(crate) fn offer(&self, id: &str, after: Option<&str>) -> Session {
        run(self.try_offer(id, after)).unwrap()
    }

    /// The same where the store may fail.
    pub(crate) async fn try_offer(&self, id: &str, after: Option<&str>) -> Result<Session, Error> {
        let format = |container| Format {
            container,
            cycle_seconds: CYCLE_SECONDS,
            slice_seconds: 5,
            object_prefix: "r".into(),
            slice_object_prefix: "s".into(),
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
        let session = Session {
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
            began_ms: 1_000_000,
            rule: Some(rule),
            is_wanted: false,
            timezone: "+00:00".into(),
            continues: None,
        };
        let after = after.map(|session| After { session: session.into(), gap_ms: 1_000 });
        session::offer(&self.store, session, after.as_ref()).await
    }

    /// Brings a chunk of 5 s, as a gateway does: until it is committed.
    pub(crate) async fn bring(&self, id: &str, seq: u64, files: u32) -> Result<(), Error> {
        match commit::prepare(&self.store, &self.bucket, id, seq).await? {
            Turn::Done => Ok(()),
            Turn::Lost => Err(Error::Lost { session: id.into(), seq }),
            Turn::Next(prepared) => {
                let delivery = delivery(seq, files, Chunk::Slice(slice(seq)));
                commit::commit(&self.store, &prepared, delivery).await.map(drop)
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
        while let Some(run) = file::complete(&self.store, &self.bucket, recording, 0, container).await? {
            let entries = file::entries(&self.store, &run).await?;
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

    /// Ends a session with all its chunks, and the break after it.
    pub(crate) fn end(&self, id: &str, chunks: u64) {
        run(async {
            session::end(&self.store, id, chunks * 5_000, chunks).await?;
            file::close_break(&self.bucket, id).await
        })
        .unwrap();
    }
}

fn slice(seq: u64) -> Slice {
    let tracks =
        Tracks { video: Some(VideoCodec::H264), audio: Some(AudioCodec::Aac), width: 640, height: 360 };
    Slice {
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
        generation: Generation { orders: files + 1, files },
        offset_ms: seq * 5_000,
        chunk,
        is_followed_by_entry: true,
        remux_state: vec![seq as u8; 300],
    }
}
