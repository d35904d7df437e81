//! The functions of the WIT package, over any store and any work bucket.

use catalog::blocks::{self, Group};
use catalog::chunk::Chunk;
use catalog::commit::{self, Prepared, Turn};
use catalog::decision::WorkBucket;
use catalog::denial::Denial;
use catalog::order::Cause;
use catalog::rebuild::{Found, Mode};
use catalog::rule::Container;
use catalog::time::{DAY_MS, Retention};
use catalog::users::UserBuckets;
use catalog::{
    content, copies, denial, due, event, file, gateway, guard, index_file, live, media, names, rebuild,
    replacing, sent, session, upload, wish,
};
use store::Store;

use crate::convert::{self, ordered};
use crate::types::{self, Error};

/// What a variable says that is a number of days.
///
/// # Errors
/// [`Error::Unfit`], which names the variable and its value.
pub fn days(name: &str, text: &str) -> Result<u64, Error> {
    let wrong = || {
        Error::Unfit(format!("variable {name} is {text:?}, and has to be a number of days from 1 to 36500"))
    };
    text.trim().parse().ok().filter(|days| (1..=36_500).contains(days)).ok_or_else(wrong)
}

/// How long slices' information and files' information are kept. Unit: days.
#[must_use]
pub fn retention(slices: u64, files: u64) -> Retention {
    Retention { sessions_ms: slices * DAY_MS, files_ms: files * DAY_MS, ..Retention::default() }
}

/// The catalog over a store and a work bucket. The WIT package documents each function.
pub struct Service<'a, S, B> {
    /// The key-value store.
    pub store: &'a S,
    /// Where decisions are kept.
    pub bucket: &'a B,
}

/// Sessions.
#[expect(missing_docs, reason = "wit/catalog documents each function")]
impl<S: Store, B: WorkBucket> Service<'_, S, B> {
    pub async fn begin(
        &self,
        session: types::Session,
        after: Option<types::After>,
        resends: Option<types::Resends>,
        now_ms: u64,
    ) -> Result<types::OrderedSession, Error> {
        let after = after.map(session::After::from);
        let resends = resends.map(session::Resends::from);
        let (session, orders) =
            session::offer(self.store, self.bucket, session.into(), after.as_ref(), resends.as_ref(), now_ms)
                .await?;
        Ok(ordered(session, orders))
    }

    pub async fn find_wish(&self, push: types::PushName) -> Result<Option<types::Wish>, Error> {
        let stream = push.stream.into();
        let push = wish::Push { stream: &stream, gateway: &push.gateway, push: &push.push };
        Ok(wish::find(self.bucket, push).await?.map(Into::into))
    }

    pub async fn decide_wish(
        &self,
        push: types::PushName,
        proposal: types::Wish,
    ) -> Result<types::Wish, Error> {
        let stream = push.stream.into();
        let push = wish::Push { stream: &stream, gateway: &push.gateway, push: &push.push };
        Ok(wish::decide(self.bucket, push, &proposal.into()).await?.into())
    }

    pub async fn get_session(&self, id: &str) -> Result<types::Session, Error> {
        Ok(session::get(self.store, self.bucket, id).await?.into())
    }

    pub async fn end(
        &self,
        id: &str,
        ended_ago_ms: u64,
        duration_ms: u64,
        chunks: u64,
        now_ms: u64,
    ) -> Result<u64, Error> {
        let end =
            session::end(self.store, self.bucket, id, ended_ago_ms, duration_ms, chunks, now_ms).await?;
        Ok(end.chunks)
    }

    pub async fn beat(&self, heartbeat: types::Heartbeat, now_ms: u64) -> Result<types::Changes, Error> {
        let changes = gateway::beat(self.store, self.bucket, &heartbeat.into(), now_ms).await?;
        let sessions = changes.sessions.into_iter().map(|(session, orders)| ordered(session, orders));
        let denied = changes.denied.into_iter().map(|(session, reason)| types::Denied { session, reason });
        Ok(types::Changes { since: changes.since, sessions: sessions.collect(), denied: denied.collect() })
    }
}

/// Chunks.
#[expect(missing_docs, reason = "wit/catalog documents each function")]
impl<S: Store, B: WorkBucket> Service<'_, S, B> {
    pub async fn prepare_chunk(&self, session: &str, seq: u64, now_ms: u64) -> Result<types::Turn, Error> {
        Ok(match commit::prepare(self.store, self.bucket, session, seq, now_ms).await? {
            Turn::Next(prepared) => types::Turn::Next(convert::prepared(&prepared)?),
            Turn::Done => types::Turn::Committed,
            Turn::Lost => types::Turn::Lost,
        })
    }

    pub fn place_slice(&self, prepared: &[u8], delivery: types::Delivery) -> Result<types::Placed, Error> {
        let prepared = Prepared::from_bytes(prepared)?;
        let names_taken = delivery.slice.map_or(0, |slice| slice.names_taken);
        let delivery = convert::delivery(&prepared, delivery);
        let Chunk::Slice(slice) = delivery.chunk else {
            return Err(Error::Name("a chunk that holds no slice has no name".into()));
        };
        let start_ms = slice.start_ms();
        let object = names::slice(&prepared.session, prepared.seq, start_ms, names_taken)?;
        Ok(types::Placed { object, start_ms, note: commit::note(&prepared, &delivery)? })
    }

    pub async fn take_slice_name(&self, session: &str, seq: u64, names_taken: u32) -> Result<u32, Error> {
        Ok(names::take_slice(self.store, session, seq, names_taken).await?)
    }

    pub async fn commit_chunk(
        &self,
        prepared: &[u8],
        delivery: types::Delivery,
        now_ms: u64,
    ) -> Result<(), Error> {
        let prepared = Prepared::from_bytes(prepared)?;
        let delivery = convert::delivery(&prepared, delivery);
        Ok(due::commit(self.store, &prepared, delivery, now_ms).await?)
    }

    pub async fn lose_chunk(
        &self,
        session: &str,
        seq: u64,
        loss: types::Loss,
        now_ms: u64,
    ) -> Result<(), Error> {
        match commit::prepare(self.store, self.bucket, session, seq, now_ms).await? {
            Turn::Done | Turn::Lost => Ok(()),
            Turn::Next(prepared) => {
                let delivery = convert::lost(&prepared, loss);
                Ok(due::commit(self.store, &prepared, delivery, now_ms).await?)
            }
        }
    }
}

/// What is due.
#[expect(missing_docs, reason = "wit/catalog documents each function")]
impl<S: Store, B: WorkBucket> Service<'_, S, B> {
    pub async fn list_due(&self, lane: types::Lane, now_ms: u64) -> Result<Vec<types::Timer>, Error> {
        let timers = due::due(self.store, lane.into(), now_ms).await?;
        Ok(timers.into_iter().map(Into::into).collect())
    }

    pub async fn attend(
        &self,
        timer: types::Timer,
        retention: Retention,
        now_ms: u64,
    ) -> Result<Option<Vec<String>>, Error> {
        Ok(due::attend(self.store, self.bucket, &timer.into(), retention, now_ms).await?)
    }

    pub async fn release(&self, timer: types::Timer) -> Result<(), Error> {
        Ok(due::release(self.store, &timer.into()).await?)
    }

    pub async fn settle(
        &self,
        attended: Vec<types::Timer>,
        failed: Vec<types::Timer>,
        untried: Vec<types::Timer>,
        now_ms: u64,
    ) -> Result<Vec<u64>, Error> {
        let timers = |timers: Vec<types::Timer>| timers.into_iter().map(Into::into).collect::<Vec<_>>();
        let (attended, failed, untried) = (timers(attended), timers(failed), timers(untried));
        Ok(due::settle(self.store, &attended, &failed, &untried, now_ms).await?)
    }

    pub async fn next_file(
        &self,
        recording: &str,
        container: types::Container,
    ) -> Result<Option<types::RecordFile>, Error> {
        let container = container.into();
        let found = file::complete(self.store, self.bucket, recording, container).await?;
        let Some(run) = found else { return Ok(None) };
        let names_taken = names::file_taken(self.store, recording, container, run.number).await?;
        Ok(Some(convert::record_file(recording, container, run, names_taken)))
    }

    pub async fn name_file(&self, file: types::RecordFile, names_taken: u32) -> Result<String, Error> {
        let first = session::get(self.store, self.bucket, &file.recording).await?;
        let container = file.container.into();
        Ok(names::file(&first, &convert::run(file), container, names_taken)?)
    }

    pub async fn take_file_name(&self, file: types::RecordFile) -> Result<u32, Error> {
        let count = file.names_taken + 1;
        let container = file.container.into();
        Ok(names::take_file(self.store, &file.recording, container, file.number, count).await?)
    }

    pub async fn list_entries(&self, file: types::RecordFile) -> Result<Vec<types::Entry>, Error> {
        let mut session = session::get(self.store, self.bucket, &file.first.session).await?;
        let mut entries = Vec::new();
        for entry in file::entries(self.store, self.bucket, &convert::run(file)).await? {
            if entry.at.session != session.id {
                session = session::get(self.store, self.bucket, &entry.at.session).await?;
            }
            entries.push(convert::entry(&session, &entry)?);
        }
        Ok(entries)
    }

    pub async fn get_upload(&self, file: types::RecordFile) -> Result<Option<types::Upload>, Error> {
        Ok(upload::get(self.store, self.bucket, convert::upload_target(&file)).await?.map(Into::into))
    }

    pub async fn decide_upload(
        &self,
        file: types::RecordFile,
        begun: types::Upload,
    ) -> Result<types::Upload, Error> {
        let begun = convert::upload(file.number, begun);
        Ok(upload::decide(self.store, self.bucket, convert::upload_target(&file), &begun).await?.into())
    }

    pub async fn note_upload(&self, file: types::RecordFile, upload: types::Upload) -> Result<(), Error> {
        let container = file.container.into();
        let upload = convert::upload(file.number, upload);
        Ok(upload::note(self.store, &file.recording, container, &upload).await?)
    }

    pub async fn list_media(
        &self,
        file: types::RecordFile,
        block_bytes: u64,
    ) -> Result<Vec<types::MediaGroup>, Error> {
        let (recording, container) = (file.recording.clone(), Container::from(file.container));
        let run = convert::run(file);
        let groups = match container {
            Container::Mp4 => blocks::groups(self.store, self.bucket, &recording, &run, block_bytes).await?,
            _ => vec![Group { block: None, chunks: media::chunks(self.store, self.bucket, &run).await? }],
        };
        Ok(groups.into_iter().map(Into::into).collect())
    }

    pub async fn next_block(
        &self,
        recording: &str,
        block_bytes: u64,
    ) -> Result<Option<(u32, types::MediaGroup)>, Error> {
        let next = blocks::next(self.store, self.bucket, recording, block_bytes).await?;
        Ok(next.map(|(file, group)| (file, group.into())))
    }

    pub async fn note_block(
        &self,
        recording: &str,
        file: u32,
        group: types::MediaGroup,
    ) -> Result<(), Error> {
        Ok(blocks::note(self.store, recording, file, &group.into()).await?)
    }

    pub async fn may_copy(&self, endpoint: &str, bucket: &str, now_ms: u64) -> Result<bool, Error> {
        Ok(copies::are_possible(self.store, (endpoint, bucket), now_ms).await?)
    }

    pub async fn note_uncopied(&self, endpoint: &str, bucket: &str, now_ms: u64) -> Result<(), Error> {
        Ok(copies::refused(self.store, (endpoint, bucket), now_ms).await?)
    }

    pub async fn commit_file(
        &self,
        file: types::RecordFile,
        object: Option<&str>,
        is_told: bool,
        is_write_only: bool,
        now_ms: u64,
    ) -> Result<(), Error> {
        let first = session::get(self.store, self.bucket, &file.recording).await?;
        let (recording, container) = (file.recording.clone(), Container::from(file.container));
        let run = convert::run(file);
        let known = object.map(|object| index_file::of_record_file(&first, container, &run, object, now_ms));
        if let Some(known) = &known {
            index_file::add(self.store, self.bucket, known, now_ms).await?;
        }
        if container.holds_media() {
            let stays_ms = if is_write_only { media::WRITE_ONLY_MS } else { 0 };
            let file = (&*recording, container);
            media::release(self.store, self.bucket, file, &run, stays_ms, now_ms).await?;
            if container == Container::Mp4 {
                blocks::release(self.store, &recording, run.number, stays_ms, now_ms).await?;
            }
        }
        if let Some(known) = known.filter(|_| is_told) {
            event::note_file(self.store, &first, &known, run.number, now_ms).await?;
        }
        Ok(file::written(self.store, &recording, container, &run).await?)
    }

    pub async fn list_events(&self, timer: types::Timer, now_ms: u64) -> Result<Vec<types::Event>, Error> {
        let Some(from) = event::At::of_timer(&timer.what) else { return Ok(Vec::new()) };
        Ok(event::waiting(self.store, from, now_ms).await?.into_iter().map(Into::into).collect())
    }

    pub async fn note_event(
        &self,
        event: types::Event,
        is_wanted: bool,
        goes_on: bool,
        now_ms: u64,
    ) -> Result<(), Error> {
        Ok(event::done(self.store, convert::event::place(&event), is_wanted, goes_on, now_ms).await?)
    }

    pub async fn note_refused(&self, session: &str, now_ms: u64) -> Result<(), Error> {
        Ok(event::note_refused(self.store, self.bucket, session, now_ms).await?)
    }

    pub async fn note_callback(&self, callback: types::Callback) -> Result<(), Error> {
        Ok(sent::note(self.store, &callback.into()).await?)
    }

    pub async fn list_callbacks(
        &self,
        domain: &str,
        from_ms: u64,
        to_ms: u64,
        now_ms: u64,
    ) -> Result<Vec<types::Callback>, Error> {
        let sent = sent::between(self.store, domain, (from_ms, to_ms), now_ms).await?;
        Ok(sent.into_iter().map(Into::into).collect())
    }

    pub async fn is_probed(&self, endpoint: &str, bucket: &str) -> Result<bool, Error> {
        Ok(guard::is_probed(self.store, self.bucket, endpoint, bucket).await?)
    }

    pub async fn note_probed(&self, endpoint: &str, bucket: &str) -> Result<(), Error> {
        Ok(guard::note_probed(self.store, endpoint, bucket).await?)
    }

    pub async fn note_replacing(
        &self,
        endpoint: &str,
        bucket: &str,
        stream: types::StreamName,
        now_ms: u64,
    ) -> Result<(), Error> {
        Ok(replacing::note(self.store, (endpoint, bucket), &stream.into(), now_ms).await?)
    }

    pub async fn may_lack(&self, session: &str) -> Result<bool, Error> {
        let session = session::get(self.store, self.bucket, session).await?;
        Ok(guard::may_lack(self.store, session.began_ms).await?)
    }

    pub async fn begin_anew(&self) -> Result<(), Error> {
        Ok(guard::begin_anew(self.store).await?)
    }

    pub async fn rebuild(
        &self,
        users: &impl UserBuckets,
        (at, dry_run, without): (Option<String>, bool, Vec<String>),
        retention: Retention,
        now_ms: u64,
    ) -> Result<types::RebuildStep, Error> {
        let mode = if dry_run { Mode::DryRun(at) } else { Mode::Write };
        let to = (self.store, self.bucket, users);
        let step = rebuild::step(to, mode, &without, retention, now_ms).await?;
        let Found { parts, slices, files, sessions, restored, tail, unlisted } = step.found;
        Ok(types::RebuildStep { next: step.next, parts, slices, files, sessions, restored, tail, unlisted })
    }
}

/// What the API asks.
#[expect(missing_docs, reason = "wit/catalog documents each function")]
impl<S: Store, B: WorkBucket> Service<'_, S, B> {
    pub async fn give_command(
        &self,
        stream: types::StreamName,
        command: types::Command,
        call: &str,
        now_ms: u64,
    ) -> Result<(), Error> {
        let cause = Cause::from(command);
        live::give(self.store, self.bucket, &stream.into(), cause, call, now_ms).await??;
        Ok(())
    }

    pub async fn end_pushes(
        &self,
        stream: types::StreamName,
        only: Option<&str>,
        reason: String,
        until_ms: Option<u64>,
        now_ms: u64,
    ) -> Result<(), Error> {
        let denial = Denial { reason, until_ms };
        Ok(denial::end_pushes(self.store, &stream.into(), only, &denial, now_ms).await?)
    }

    pub async fn let_push(&self, stream: types::StreamName, now_ms: u64) -> Result<(), Error> {
        Ok(denial::let_push(self.store, &stream.into(), now_ms).await?)
    }

    pub async fn is_known_stream(&self, stream: types::StreamName) -> Result<bool, Error> {
        Ok(live::is_known(self.store, &stream.into()).await?)
    }

    pub async fn list_stream_sessions(
        &self,
        stream: types::StreamName,
        now_ms: u64,
    ) -> Result<Vec<types::Session>, Error> {
        let sessions = live::of_stream(self.store, &stream.into(), now_ms).await?;
        Ok(sessions.into_iter().map(Into::into).collect())
    }

    pub async fn list_live_sessions(&self, domain: &str, now_ms: u64) -> Result<Vec<types::Session>, Error> {
        let sessions = live::of_domain(self.store, domain, now_ms).await?;
        Ok(sessions.into_iter().map(Into::into).collect())
    }

    pub async fn list_recorded_spans(
        &self,
        stream: types::StreamName,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<types::RecordedSpan>, Error> {
        let spans = content::spans(self.store, self.bucket, &stream.into(), from_ms, to_ms).await?;
        Ok(spans.into_iter().map(Into::into).collect())
    }

    pub async fn list_slices(
        &self,
        stream: types::StreamName,
        from_ms: u64,
        to_ms: u64,
        one_more: bool,
    ) -> Result<Vec<types::LocatedEntry>, Error> {
        let slices =
            content::slices(self.store, self.bucket, &stream.into(), from_ms, to_ms, one_more).await?;
        Ok(slices.iter().map(convert::located).collect::<Result<_, _>>()?)
    }

    pub async fn add_index_file(&self, file: types::IndexFile, now_ms: u64) -> Result<(), Error> {
        Ok(index_file::add(self.store, self.bucket, &file.into(), now_ms).await?)
    }

    pub async fn get_index_file(
        &self,
        stream: types::StreamName,
        id: &str,
    ) -> Result<Option<types::IndexFile>, Error> {
        Ok(index_file::get(self.store, self.bucket, &stream.into(), id).await?.map(Into::into))
    }

    pub async fn list_index_files(
        &self,
        stream: types::StreamName,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<types::IndexFile>, Error> {
        let files = index_file::list(self.store, self.bucket, &stream.into(), from_ms, to_ms).await?;
        Ok(files.into_iter().map(Into::into).collect())
    }

    pub async fn delete_index_file(
        &self,
        stream: types::StreamName,
        id: &str,
        now_ms: u64,
    ) -> Result<bool, Error> {
        Ok(index_file::delete(self.store, self.bucket, &stream.into(), id, now_ms).await?)
    }
}
