//! The real catalog, over the store and the work bucket in memory.

use ::catalog::decision::WorkBucket;
use ::catalog::time::Retention;
use ::catalog::users::{Look, Seen, Unseen, UserBuckets};
use catalog_component::{Service, types};
use futures_util::FutureExt as _;
use protocol::EndSession;
use serde::{Serialize, de::DeserializeOwned};

use store::memory::MemoryStore;

use crate::bucket::Location;
use crate::catalog::{
    After, Callback, Changes, Command, Container, Delivery, Entry, Error, Event, Heartbeat, IndexFile, Lane,
    Loss, MediaGroup, OrderedSession, Placed, PushName, RebuildStep, RecordFile, Resends, Session,
    StreamName, Timer, Turn, Upload, Wish,
};
use crate::{Catalog, Denial, Random};

use super::{World, convert};

fn answer<A: Serialize, B: DeserializeOwned>(result: Result<A, types::Error>) -> Result<B, Error> {
    result.map(convert).map_err(convert)
}

impl World {
    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> Service<'_, MemoryStore, Self> {
        Service { store: &*self.store, bucket: self }
    }

    /// A heartbeat of the gateway of every [`session`](super::session), which has told everything.
    ///
    /// # Errors
    /// Where the store or the work bucket fails.
    pub async fn hear_gateway(&self) -> Result<Changes, Error> {
        let heartbeat = Heartbeat {
            gateway: "gateway-1".into(),
            boot: "spool.1".into(),
            since: None,
            told_ms: 0,
            adopted: Vec::new(),
            holds: Vec::new(),
            confirmed: Vec::new(),
        };
        // What a heartbeat tells holds up to the one before it, since it may have been long on its way.
        self.beat(heartbeat.clone(), self.now_ms.get()).await?;
        self.beat(heartbeat, self.now_ms.get()).await
    }

    /// What the recording API can say about a stream.
    ///
    /// # Errors
    /// Why the command does not fit the stream's state.
    pub async fn give_command(&self, stream: &StreamName, command: Command) -> Result<(), Error> {
        let call = format!("{:?}", self.random());
        answer(self.catalog().give_command(convert(stream), convert(command), &call, self.now_ms.get()).await)
    }

    /// The index files of a stream.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn index_files(&self, stream: &StreamName) -> Result<Vec<IndexFile>, Error> {
        let day_ms = 86_400_000;
        let now_ms = self.now_ms.get();
        answer(self.catalog().list_index_files(convert(stream), now_ms - day_ms, now_ms + day_ms).await)
    }
}

impl WorkBucket for World {
    async fn create_or_read(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        self.buckets.create_or_read(format!("{}/{name}", self.work_bucket()), body).await
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.buckets.read(&format!("{}/{name}", self.work_bucket())).await
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        self.buckets.delete(&format!("{}/{name}", self.work_bucket())).await
    }

    async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, String> {
        self.buckets.list(&format!("{}/", self.work_bucket()), (prefix, after), most).await
    }
}

/// Users' buckets, as far as they may be listed.
impl UserBuckets for World {
    async fn list(
        &self,
        (endpoint, bucket): (&str, &str),
        prefix: &str,
        after: &str,
        most: u32,
    ) -> Result<Vec<String>, Unseen> {
        self.check_listed()?;
        let bucket = format!("{endpoint}/{bucket}/");
        self.buckets.list(&bucket, (prefix, after), most).await.map_err(Unseen::Failed)
    }

    async fn look(&self, (endpoint, bucket): (&str, &str), names: &[String]) -> Result<Vec<Look>, Unseen> {
        self.check_listed()?;
        let (objects, notes) = (self.buckets.objects.borrow(), self.buckets.notes.borrow());
        let seen = names.iter().map(|name| {
            let name = format!("{endpoint}/{bucket}/{name}");
            let Some(object) = objects.get(&name) else { return Look::Absent };
            let size = Some(object.bytes.len() as u64);
            Look::Seen(Seen { tag: Some(object.tag.clone()), note: notes.get(&name).cloned(), size })
        });
        Ok(seen.collect())
    }
}

impl World {
    fn check_listed(&self) -> Result<(), Unseen> {
        self.buckets.unlisted.borrow().clone().map_or(Ok(()), |reason| Err(Unseen::Refused(reason)))
    }
}

/// A future is compiled by the crate that polls it. These are boxed, so that this crate compiles the catalog once, and not
/// each crate of tests anew.
impl Catalog for World {
    fn begin(
        &self,
        session: Session,
        after: Option<After>,
        resends: Option<Resends>,
        now_ms: u64,
    ) -> impl Future<Output = Result<OrderedSession, Error>> {
        async move {
            answer(self.catalog().begin(convert(session), convert(after), convert(resends), now_ms).await)
        }
        .boxed_local()
    }

    fn find_wish(&self, push: PushName) -> impl Future<Output = Result<Option<Wish>, Error>> {
        async move { answer(self.catalog().find_wish(convert(push)).await) }.boxed_local()
    }

    fn decide_wish(&self, push: PushName, proposal: Wish) -> impl Future<Output = Result<Wish, Error>> {
        async move { answer(self.catalog().decide_wish(convert(push), convert(proposal)).await) }
            .boxed_local()
    }

    fn get_session(&self, id: &str) -> impl Future<Output = Result<Session, Error>> {
        let id = id.to_owned();
        async move { answer(self.catalog().get_session(&id).await) }.boxed_local()
    }

    fn end(&self, id: &str, end: EndSession, now_ms: u64) -> impl Future<Output = Result<u64, Error>> {
        let id = id.to_owned();
        async move {
            let EndSession { ended_ago_ms, duration_ms, chunks } = end;
            answer(self.catalog().end(&id, ended_ago_ms, duration_ms, chunks, now_ms).await)
        }
        .boxed_local()
    }

    fn beat(&self, heartbeat: Heartbeat, now_ms: u64) -> impl Future<Output = Result<Changes, Error>> {
        async move { answer(self.catalog().beat(convert(heartbeat), now_ms).await) }.boxed_local()
    }

    fn end_pushes(
        &self,
        stream: StreamName,
        only: Option<&str>,
        denial: Denial,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> {
        let only = only.map(str::to_owned);
        async move {
            let Denial { reason, until_ms } = denial;
            answer(
                self.catalog().end_pushes(convert(stream), only.as_deref(), reason, until_ms, now_ms).await,
            )
        }
        .boxed_local()
    }

    fn prepare_chunk(
        &self,
        session: &str,
        seq: u64,
        now_ms: u64,
    ) -> impl Future<Output = Result<Turn, Error>> {
        let session = session.to_owned();
        async move { answer(self.catalog().prepare_chunk(&session, seq, now_ms).await) }.boxed_local()
    }

    fn place_slice(
        &self,
        prepared: Vec<u8>,
        delivery: Delivery,
    ) -> impl Future<Output = Result<Placed, Error>> {
        async move { answer(self.catalog().place_slice(&prepared, convert(delivery))) }.boxed_local()
    }

    fn take_slice_name(
        &self,
        session: &str,
        seq: u64,
        names_taken: u32,
    ) -> impl Future<Output = Result<u32, Error>> {
        let session = session.to_owned();
        async move { answer(self.catalog().take_slice_name(&session, seq, names_taken).await) }.boxed_local()
    }

    fn commit_chunk(
        &self,
        prepared: Vec<u8>,
        delivery: Delivery,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> {
        async move { answer(self.catalog().commit_chunk(&prepared, convert(delivery), now_ms).await) }
            .boxed_local()
    }

    fn lose_chunk(
        &self,
        session: &str,
        seq: u64,
        loss: Loss,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> {
        let session = session.to_owned();
        async move { answer(self.catalog().lose_chunk(&session, seq, convert(loss), now_ms).await) }
            .boxed_local()
    }

    fn list_due(&self, lane: Lane, now_ms: u64) -> impl Future<Output = Result<Vec<Timer>, Error>> {
        async move { answer(self.catalog().list_due(convert(lane), now_ms).await) }.boxed_local()
    }

    fn attend(&self, timer: Timer, now_ms: u64) -> impl Future<Output = Result<Option<Vec<String>>, Error>> {
        async move { answer(self.catalog().attend(convert(timer), Retention::default(), now_ms).await) }
            .boxed_local()
    }

    fn release(&self, timer: Timer) -> impl Future<Output = Result<(), Error>> {
        async move { answer(self.catalog().release(convert(timer)).await) }.boxed_local()
    }

    fn settle(
        &self,
        attended: Vec<Timer>,
        failed: Vec<Timer>,
        untried: Vec<Timer>,
        now_ms: u64,
    ) -> impl Future<Output = Result<Vec<u64>, Error>> {
        let (attended, failed, untried) = (convert(attended), convert(failed), convert(untried));
        async move { answer(self.catalog().settle(attended, failed, untried, now_ms).await) }.boxed_local()
    }

    fn next_file(
        &self,
        recording: &str,
        container: Container,
    ) -> impl Future<Output = Result<Option<RecordFile>, Error>> {
        let recording = recording.to_owned();
        async move { answer(self.catalog().next_file(&recording, convert(container)).await) }.boxed_local()
    }

    fn name_file(&self, file: RecordFile, names_taken: u32) -> impl Future<Output = Result<String, Error>> {
        async move { answer(self.catalog().name_file(convert(file), names_taken).await) }.boxed_local()
    }

    fn take_file_name(&self, file: RecordFile) -> impl Future<Output = Result<u32, Error>> {
        async move { answer(self.catalog().take_file_name(convert(file)).await) }.boxed_local()
    }

    fn list_entries(&self, file: RecordFile) -> impl Future<Output = Result<Vec<Entry>, Error>> {
        async move { answer(self.catalog().list_entries(convert(file)).await) }.boxed_local()
    }

    fn get_upload(&self, file: RecordFile) -> impl Future<Output = Result<Option<Upload>, Error>> {
        async move { answer(self.catalog().get_upload(convert(file)).await) }.boxed_local()
    }

    fn decide_upload(&self, file: RecordFile, begun: Upload) -> impl Future<Output = Result<Upload, Error>> {
        async move { answer(self.catalog().decide_upload(convert(file), convert(begun)).await) }.boxed_local()
    }

    fn note_upload(&self, file: RecordFile, upload: Upload) -> impl Future<Output = Result<(), Error>> {
        async move { answer(self.catalog().note_upload(convert(file), convert(upload)).await) }.boxed_local()
    }

    fn list_media(
        &self,
        file: RecordFile,
        block_bytes: u64,
    ) -> impl Future<Output = Result<Vec<MediaGroup>, Error>> {
        async move { answer(self.catalog().list_media(convert(file), block_bytes).await) }.boxed_local()
    }

    fn next_block(
        &self,
        recording: &str,
        block_bytes: u64,
    ) -> impl Future<Output = Result<Option<(u32, MediaGroup)>, Error>> {
        let recording = recording.to_owned();
        async move { answer(self.catalog().next_block(&recording, block_bytes).await) }.boxed_local()
    }

    fn note_block(
        &self,
        recording: &str,
        file: u32,
        group: MediaGroup,
    ) -> impl Future<Output = Result<(), Error>> {
        let recording = recording.to_owned();
        async move { answer(self.catalog().note_block(&recording, file, convert(group)).await) }.boxed_local()
    }

    fn may_copy(&self, at: &Location, now_ms: u64) -> impl Future<Output = Result<bool, Error>> {
        let at = at.clone();
        async move { answer(self.catalog().may_copy(&at.endpoint, &at.bucket, now_ms).await) }.boxed_local()
    }

    fn note_uncopied(&self, at: &Location, now_ms: u64) -> impl Future<Output = Result<(), Error>> {
        let at = at.clone();
        async move { answer(self.catalog().note_uncopied(&at.endpoint, &at.bucket, now_ms).await) }
            .boxed_local()
    }

    fn commit_file(
        &self,
        file: RecordFile,
        object: Option<&str>,
        is_told: bool,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> {
        let object = object.map(str::to_owned);
        async move {
            let is_write_only = self.buckets.write_only.get();
            answer(
                self.catalog()
                    .commit_file(convert(file), object.as_deref(), is_told, is_write_only, now_ms)
                    .await,
            )
        }
        .boxed_local()
    }

    fn list_events(&self, timer: Timer, now_ms: u64) -> impl Future<Output = Result<Vec<Event>, Error>> {
        async move { answer(self.catalog().list_events(convert(timer), now_ms).await) }.boxed_local()
    }

    fn note_event(
        &self,
        event: Event,
        is_wanted: bool,
        goes_on: bool,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> {
        async move { answer(self.catalog().note_event(convert(event), is_wanted, goes_on, now_ms).await) }
            .boxed_local()
    }

    fn note_refused(&self, session: &str, now_ms: u64) -> impl Future<Output = Result<(), Error>> {
        let session = session.to_owned();
        async move { answer(self.catalog().note_refused(&session, now_ms).await) }.boxed_local()
    }

    fn note_callback(&self, callback: Callback) -> impl Future<Output = Result<(), Error>> {
        async move { answer(self.catalog().note_callback(convert(callback)).await) }.boxed_local()
    }

    fn is_probed(&self, at: &Location) -> impl Future<Output = Result<bool, Error>> {
        let at = at.clone();
        async move { answer(self.catalog().is_probed(&at.endpoint, &at.bucket).await) }.boxed_local()
    }

    fn note_probed(&self, at: &Location) -> impl Future<Output = Result<(), Error>> {
        let at = at.clone();
        async move { answer(self.catalog().note_probed(&at.endpoint, &at.bucket).await) }.boxed_local()
    }

    fn note_replacing(
        &self,
        at: &Location,
        stream: StreamName,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> {
        let at = at.clone();
        async move {
            answer(self.catalog().note_replacing(&at.endpoint, &at.bucket, convert(stream), now_ms).await)
        }
        .boxed_local()
    }

    fn begin_anew(&self) -> impl Future<Output = Result<(), Error>> {
        async move { answer(self.catalog().begin_anew().await) }.boxed_local()
    }

    fn rebuild(
        &self,
        at: Option<String>,
        dry_run: bool,
        without: Vec<String>,
        now_ms: u64,
    ) -> impl Future<Output = Result<RebuildStep, Error>> {
        let asked = (at, dry_run, without);
        async move { answer(self.catalog().rebuild(self, asked, Retention::default(), now_ms).await) }
            .boxed_local()
    }

    fn may_lack(&self, session: &str) -> impl Future<Output = Result<bool, Error>> {
        let session = session.to_owned();
        async move { answer(self.catalog().may_lack(&session).await) }.boxed_local()
    }
}
