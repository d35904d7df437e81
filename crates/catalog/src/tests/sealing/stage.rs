//! A world under a clock whose ticks write files and seal days.

use store::memory::{Outcome, run};

use super::super::media::{Push, TRACKS};
pub(crate) use super::super::world::KEPT;
use super::super::world::{World, session_of};
use crate::chunk::{Chunk, Slice};
use crate::commit::{self, Delivery, Turn};
use crate::error::Error;
use crate::index_file::{self, IndexFile};
use crate::order::Generation;
use crate::rule::Container;
use crate::stream::StreamName;
use crate::time::DAY_MS;
use crate::timer::Timer;
use crate::{content, due, file, session};

/// The begin of a day.
pub(crate) const TODAY: u64 = 18_262 * DAY_MS;

pub(crate) fn stream() -> StreamName {
    session_of("").stream
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) now_ms: u64,
    /// No record file can be written.
    pub(crate) is_full: bool,
}

impl Stage {
    pub(crate) fn new(world: World) -> Self {
        Self { world, now_ms: TODAY + DAY_MS, is_full: false }
    }

    /// A push of so many slices that has ended.
    pub(crate) fn of_push(id: &str, began_ms: u64, slices: u64) -> Self {
        let world = World::new();
        let mut push = Push::begin(&world, id, began_ms, None);
        push.slices(slices);
        push.end(5_000 * slices);
        Self::new(world)
    }

    /// One tick; answers how many timers it attended to. What fails comes again.
    pub(crate) fn tick(&mut self) -> usize {
        run(self.try_tick()).unwrap_or(1)
    }

    async fn try_tick(&self) -> Result<usize, Error> {
        let World { store, bucket, .. } = &self.world;
        let mut attended = 0;
        for timer in due::due(store, due::Lane::Tick, self.now_ms).await? {
            match self.attend(&timer).await {
                Ok(true) => due::settle(store, std::slice::from_ref(&timer), &[], &[], self.now_ms).await?,
                Ok(false) => continue,
                Err(_) => due::settle(store, &[], std::slice::from_ref(&timer), &[], self.now_ms).await?,
            };
            attended += 1;
        }
        let _ = bucket;
        Ok(attended)
    }

    async fn attend(&self, timer: &Timer) -> Result<bool, Error> {
        let World { store, bucket, .. } = &self.world;
        let Some(recordings) = due::attend(store, bucket, timer, KEPT, self.now_ms).await? else {
            return Ok(false);
        };
        for recording in recordings {
            self.write_files(&recording).await?;
        }
        Ok(true)
    }

    async fn write_files(&self, recording: &str) -> Result<(), Error> {
        let World { store, bucket, .. } = &self.world;
        let container = Container::M3u8;
        while let Some(run) = file::complete(store, bucket, recording, container).await? {
            if self.is_full {
                return Err(Error::WorkBucket("full".into()));
            }
            let first = session::get(store, bucket, recording).await?;
            let entries = file::entries(store, bucket, &run).await?;
            assert_eq!(entries.len() as u32, run.slices);
            let known = index_file::of_record_file(&first, container, &run, "o", self.now_ms);
            index_file::add(store, bucket, &known, self.now_ms).await?;
            file::written(store, recording, container, &run).await?;
        }
        Ok(())
    }

    /// Writes the files that are complete by now of every session.
    pub(crate) fn write_open_files(&self) {
        for key in self.keys_of(&["s"]) {
            run(self.write_files(&key[2..])).unwrap();
        }
    }

    pub(crate) fn tick_until(&mut self, end_ms: u64, step_ms: u64) {
        while self.now_ms < end_ms {
            self.tick();
            self.now_ms += step_ms;
        }
    }

    /// Ticks until the first part of a day is written.
    pub(crate) fn tick_until_sealed(&mut self, step_ms: u64) {
        while self.objects("log/") == 0 {
            self.tick();
            self.now_ms += step_ms;
        }
    }

    /// Ticks until everything that was due is done, then leaps to where something may be due.
    pub(crate) fn leap_until(&mut self, end_ms: u64) {
        while self.now_ms < end_ms {
            let step_ms = if end_ms - self.now_ms > 3 * DAY_MS { DAY_MS / 2 } else { 600_000 };
            self.now_ms = end_ms.min(self.now_ms + step_ms);
            for _ in 0..40 {
                if self.tick() == 0 {
                    break;
                }
                self.now_ms += 61_000;
            }
        }
    }

    /// One operation fails, or its reply is lost.
    pub(crate) fn fail_once(&self, at: u64, outcome: Outcome) {
        let mut count = 0;
        self.world.store.fail(move |_| {
            count += 1;
            if count == at + 1 { outcome } else { Outcome::Applied }
        });
    }

    /// What a range holds, in words.
    pub(crate) fn answer(&self, (from_ms, to_ms): (u64, u64)) -> String {
        let World { store, bucket, .. } = &self.world;
        let stream = stream();
        let spans = run(content::spans(store, bucket, &stream, from_ms, to_ms)).unwrap();
        let mut answer = String::new();
        for span in spans {
            answer += &format!("span {} {} {}\n", span.start_ms, span.end_ms, span.duration_90khz);
        }
        for one_more in [false, true] {
            for found in run(content::slices(store, bucket, &stream, from_ms, to_ms, one_more)).unwrap() {
                let entry = &found.entry;
                let (at, slice) = (&entry.at, &entry.slice);
                answer += &format!(
                    "{} {} {} {} {}\n",
                    at.session,
                    at.seq,
                    slice.start_ms(),
                    slice.duration_90khz,
                    entry.is_discontinuous
                );
            }
        }
        for file in run(index_file::list(store, bucket, &stream, from_ms, to_ms)).unwrap() {
            assert_eq!(run(index_file::get(store, bucket, &stream, &file.id)).unwrap().as_ref(), Some(&file));
            answer += &format!("{file:?}\n");
        }
        answer
    }

    /// What some days hold.
    pub(crate) fn answers(&self) -> String {
        self.answer((TODAY, TODAY + 4 * DAY_MS))
    }

    /// Session, number and begin of each slice.
    pub(crate) fn slices(&self) -> Vec<(String, u64, u64)> {
        let World { store, bucket, .. } = &self.world;
        let found = run(content::slices(store, bucket, &stream(), TODAY, TODAY + 4 * DAY_MS, false)).unwrap();
        found
            .into_iter()
            .map(|found| (found.entry.at.session, found.entry.at.seq, found.entry.slice.start_ms()))
            .collect()
    }

    pub(crate) fn files(&self) -> Vec<IndexFile> {
        let World { store, bucket, .. } = &self.world;
        run(index_file::list(store, bucket, &stream(), TODAY, TODAY + 4 * DAY_MS)).unwrap()
    }

    /// The keys that begin with one of some letters.
    pub(crate) fn keys_of(&self, letters: &[&str]) -> Vec<String> {
        let is_of = |key: &String| letters.iter().any(|letter| key.split('.').next() == Some(letter));
        self.world.store.keys().into_iter().filter(is_of).collect()
    }

    /// The keys besides those of timers and lists, which depend on when ticks came.
    pub(crate) fn lasting_keys(&self) -> Vec<String> {
        let mut keys = self.keys_of(&["s", "a", "n", "c", "h", "e", "u", "w", "q", "x", "k", "o", "f", "j"]);
        keys.extend(self.keys_of(&["y", "i"]).into_iter().filter(|key| !key.ends_with(".low")));
        keys
    }

    pub(crate) fn objects(&self, prefix: &str) -> usize {
        self.world.bucket.names().iter().filter(|name| name.starts_with(prefix)).count()
    }

    /// Brings a chunk of 5 s that was late; answers its slice.
    pub(crate) fn come_late(&mut self, id: &str, seq: u64) -> (String, u64, u64) {
        self.try_late(id, seq).unwrap()
    }

    pub(crate) fn try_late(&mut self, id: &str, seq: u64) -> Result<(String, u64, u64), Error> {
        let World { store, bucket, .. } = &self.world;
        let prepared = match run(commit::prepare(store, bucket, id, seq, self.now_ms))? {
            Turn::Next(prepared) => prepared,
            other => panic!("{other:?}"),
        };
        let placed = prepared.place(seq * 5_000, seq * 450_000, 0);
        let slice = Slice {
            anchor_ms: placed.anchor_ms,
            start_90khz: seq * 450_000,
            duration_90khz: 450_000,
            size: 188_000,
            is_enterable: true,
            is_discontinuous: true,
            names_taken: 0,
            tracks: TRACKS,
        };
        let delivery = Delivery {
            left_out: Vec::new(),
            generation: Generation { orders: 1, files: 0 },
            chunk: Chunk::Slice(slice),
            is_followed_by_entry: true,
            remux_state: Vec::new(),
        };
        self.world.put(&prepared, &delivery);
        run(due::commit(store, &prepared, delivery, self.now_ms))?;
        Ok((id.into(), seq, slice.start_ms()))
    }
}
