//! A key-value store and a work bucket in memory that count, and pushes into them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use catalog::chunk::{AudioCodec, Chunk, Slice, Tracks, VideoCodec};
use catalog::commit::{self, Delivery, Turn};
use catalog::decision::WorkBucket;
use catalog::file::Confirmed;
use catalog::gateway::{self, Beat};
use catalog::order::Generation;
use catalog::rule::{Container, Format, Mode, Rule, SliceFormat};
use catalog::session::{self, Session};
use catalog::stream::StreamName;
use catalog::time::{DAY_MS, Retention};
use catalog::{due, file, index_file};
use store::memory::{MemoryStore, run};
use store::{Error, Store};

use super::kept::Kept;
use super::left::Left;

/// What something took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Operations of the key-value store.
    pub(crate) operations: u64,
    /// Bytes of keys and values that it was given to write.
    pub(crate) bytes: u64,
    /// Objects of the work bucket that were created or read.
    pub(crate) objects: u64,
    pub(crate) time: Duration,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
        self.objects += other.objects;
        self.time += other.time;
    }
}

/// Counts what the store is asked.
#[derive(Default)]
pub(crate) struct Counted {
    kept: Kept,
    operations: Cell<u64>,
    bytes: Cell<u64>,
}

impl Counted {
    pub(crate) fn of(kept: Kept) -> Self {
        Self { kept, ..Self::default() }
    }

    fn ask(&self, written: usize) {
        self.operations.set(self.operations.get() + 1);
        self.bytes.set(self.bytes.get() + written as u64);
    }
}

impl Store for Counted {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.ask(0);
        match &self.kept {
            Kept::Memory(store) => store.get(key).await,
            Kept::Host(store) => store.get(key).await,
        }
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.ask(key.len() + value.len());
        match &self.kept {
            Kept::Memory(store) => store.set(key, value).await,
            Kept::Host(store) => store.set(key, value).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.ask(0);
        match &self.kept {
            Kept::Memory(store) => store.delete(key).await,
            Kept::Host(store) => store.delete(key).await,
        }
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.ask(0);
        match &self.kept {
            Kept::Memory(store) => store.exists(key).await,
            Kept::Host(store) => store.exists(key).await,
        }
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        self.ask(if delta == 0 { 0 } else { key.len() + size_of::<i64>() });
        match &self.kept {
            Kept::Memory(store) => store.increment(key, delta).await,
            Kept::Host(store) => store.increment(key, delta).await,
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Bucket {
    objects: RefCell<BTreeMap<String, Vec<u8>>>,
    asked: Cell<u64>,
}

impl WorkBucket for Bucket {
    async fn create_or_read(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        self.asked.set(self.asked.get() + 1);
        Ok(self.objects.borrow_mut().entry(name.into()).or_insert_with(|| body.into()).clone())
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.asked.set(self.asked.get() + 1);
        Ok(self.objects.borrow().get(name).cloned())
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        self.asked.set(self.asked.get() + 1);
        self.objects.borrow_mut().remove(name);
        Ok(())
    }

    async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, String> {
        self.asked.set(self.asked.get() + 1);
        let objects = self.objects.borrow();
        let names = objects.keys().filter(|name| name.starts_with(prefix) && name.as_str() > after);
        Ok(names.take(most as usize).cloned().collect())
    }
}

/// Three and six months; the bench writes the record files of all formats.
const KEPT: Retention = Retention {
    sessions_ms: 92 * DAY_MS,
    files_ms: 184 * DAY_MS,
    written: &[Container::M3u8, Container::Mp4, Container::Flv],
};

/// Slices of 6 s, in record files of an hour in three containers.
const SLICE_MS: u64 = 6_000;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) store: Counted,
    pub(crate) bucket: Bucket,
}

/// 2027-01-15 08:00:00 UTC.
pub(crate) const BEGIN_MS: u64 = 1_800_000_000_000;

pub(crate) fn stream(number: u64) -> StreamName {
    StreamName { domain: "live.example.com".into(), app: "app".into(), stream: format!("camera-{number}") }
}

fn rule() -> Rule {
    let format = |container, slices| Format {
        container,
        cycle_seconds: 3_600,
        object_prefix: "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}".into(),
        slices,
    };
    let object_prefix = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}".into();
    Rule {
        endpoint: "oss-cn-shanghai.example.com".into(),
        bucket: "recordings".into(),
        delay_seconds: 180,
        formats: vec![
            format(Container::M3u8, Some(SliceFormat { seconds: 6, object_prefix })),
            format(Container::Mp4, None),
            format(Container::Flv, None),
        ],
        mode: Mode::Automatic,
        window_start: None,
        window_end: None,
    }
}

impl World {
    /// What a piece of work takes.
    pub(crate) fn cost<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(T, Cost)> {
        let (operations, bytes) = (self.store.operations.get(), self.store.bytes.get());
        let (objects, begun) = (self.bucket.asked.get(), Instant::now());
        let done = work()?;
        let cost = Cost {
            time: begun.elapsed(),
            operations: self.store.operations.get() - operations,
            bytes: self.store.bytes.get() - bytes,
            objects: self.bucket.asked.get() - objects,
        };
        Ok((done, cost))
    }

    /// A push of a stream begins and is adopted.
    pub(crate) fn begin(&self, stream_number: u64, id: &str, began_ms: u64) -> Result<()> {
        let session = Session {
            id: id.into(),
            stream: stream(stream_number),
            gateway: "gateway-1".into(),
            boot: "0123456789abcdef.1".into(),
            push: format!("{id}-push"),
            client: "192.0.2.1:50000".into(),
            arguments: Vec::new(),
            video_codec: Some("h264".into()),
            audio_codec: Some("aac".into()),
            video_kbps: Some(4_000),
            began_ms,
            rule: Some(rule()),
            is_wanted: false,
            timezone: "+08:00".into(),
            tells_status: false,
            tells_slices: false,
            keeps_gaps: false,
            continues: None,
        };
        let Self { store, bucket } = self;
        let (session, _) = run(session::offer(store, bucket, session, None, None, began_ms))?;
        run(session::adopt(store, bucket, &session, began_ms))?;
        Ok(())
    }

    /// Commits a chunk of 6 s.
    pub(crate) fn commit(&self, id: &str, seq: u64) -> Result<()> {
        self.commit_of(id, seq, (BEGIN_MS, SLICE_MS))
    }

    /// Commits a chunk of a push that began at a time, in chunks of a length.
    pub(crate) fn commit_of(&self, id: &str, seq: u64, (began_ms, slice_ms): (u64, u64)) -> Result<()> {
        let now_ms = began_ms + (seq + 1) * slice_ms;
        let prepared = match run(commit::prepare(&self.store, &self.bucket, id, seq, now_ms))? {
            Turn::Next(prepared) => prepared,
            turn => bail!("chunk {seq}: {turn:?}"),
        };
        // As between two calls of a component.
        let prepared = commit::Prepared::from_bytes(&prepared.to_bytes()?)?;
        let start_90khz = seq * slice_ms * 90;
        let slice = Slice {
            anchor_ms: prepared.place(seq * slice_ms, start_90khz, 0).anchor_ms,
            start_90khz,
            duration_90khz: slice_ms * 90,
            size: 188 * 16_000,
            is_enterable: true,
            is_discontinuous: false,
            names_taken: 0,
            tracks: Tracks {
                video: Some(VideoCodec::H264),
                audio: Some(AudioCodec::Aac),
                width: 1_920,
                height: 1_080,
            },
        };
        let delivery = Delivery {
            left_out: Vec::new(),
            generation: Generation { orders: 1, files: 0 },
            chunk: Chunk::Slice(slice),
            is_followed_by_entry: true,
            // As large as the state of H.264 with AAC is.
            remux_state: vec![7; 240],
        };
        Ok(run(due::commit(&self.store, &prepared, delivery, now_ms))?)
    }

    pub(crate) fn end(&self, id: &str, chunks: u64, now_ms: u64) -> Result<()> {
        self.end_of(id, (chunks, SLICE_MS), now_ms)
    }

    /// Ends a push of so many chunks of a length.
    pub(crate) fn end_of(&self, id: &str, (chunks, slice_ms): (u64, u64), now_ms: u64) -> Result<()> {
        run(session::end(&self.store, &self.bucket, id, 0, chunks * slice_ms, chunks, now_ms))?;
        Ok(())
    }

    pub(crate) fn beat(&self, since: Option<u64>, now_ms: u64) -> Result<u64> {
        let beat = Beat {
            gateway: "gateway-1".into(),
            boot: "0123456789abcdef.1".into(),
            since,
            confirmed: Vec::<(String, Confirmed)>::new(),
            ..Beat::default()
        };
        Ok(run(gateway::beat(&self.store, &self.bucket, &beat, now_ms))?.since)
    }

    /// One tick, and beside it one call of the lane that composes files; answers how many timers of the tick were due.
    pub(crate) fn tick(&self, now_ms: u64) -> Result<usize> {
        let count = self.attend(due::Lane::Tick, now_ms)?;
        self.attend(due::Lane::Compose, now_ms)?;
        Ok(count)
    }

    /// Attends to what is due in a lane; answers how much that was.
    fn attend(&self, lane: due::Lane, now_ms: u64) -> Result<usize> {
        let Self { store, bucket } = self;
        let timers = run(due::due(store, lane, now_ms))?;
        let count = timers.len();
        for timer in timers {
            for recording in run(due::attend(store, bucket, &timer, KEPT, now_ms))?.unwrap_or_default() {
                self.write_files(&recording, now_ms)?;
            }
            run(due::settle(store, &[timer], &[], &[], now_ms))?;
        }
        Ok(count)
    }

    /// Writes down the record files of a recording that are complete.
    fn write_files(&self, recording: &str, now_ms: u64) -> Result<()> {
        let Self { store, bucket } = self;
        let first = run(session::get(store, bucket, recording))?;
        for container in [Container::M3u8, Container::Mp4, Container::Flv] {
            while let Some(complete) = run(file::complete(store, bucket, recording, container))? {
                if container == Container::M3u8 {
                    run(file::entries(store, bucket, &complete))?;
                }
                let known = index_file::of_record_file(&first, container, &complete, "object", now_ms);
                run(index_file::add(store, bucket, &known, now_ms))?;
                run(file::written(store, recording, container, &complete))?;
            }
        }
        Ok(())
    }

    /// What the store holds.
    pub(crate) fn left(&self) -> Result<Left> {
        Left::of(self.memory())
    }

    /// How many objects of a folder the work bucket holds, and how many bytes.
    pub(crate) fn objects(&self, folder: &str) -> (usize, usize) {
        let objects = self.bucket.objects.borrow();
        let of_folder = objects.iter().filter(|(name, _)| name.starts_with(folder));
        of_folder.fold((0, 0), |(count, bytes), (_, object)| (count + 1, bytes + object.len()))
    }

    /// How many keys are in the store.
    pub(crate) fn keys(&self) -> usize {
        self.memory().len()
    }

    /// A copy of a world whose store is in memory.
    pub(crate) fn copy(&self) -> Result<Self> {
        let copied = Self { bucket: self.bucket.clone(), ..Self::default() };
        let values = self.memory().values();
        for key in self.memory().keys() {
            if let Ok(at) = values.binary_search_by(|(found, _)| found.cmp(&key)) {
                run(copied.memory().set(&key, &values[at].1))?;
            } else {
                let counted = run(self.memory().increment(&key, 0))?;
                run(copied.memory().increment(&key, counted))?;
            }
        }
        Ok(copied)
    }

    /// The store of a world whose store is in memory.
    pub(crate) fn memory(&self) -> &MemoryStore {
        match &self.store.kept {
            Kept::Memory(store) => store,
            Kept::Host(_) => panic!("the store of this world is not in memory"),
        }
    }
}
