//! The real catalog, over the store and the work bucket in memory.

use ::catalog::decision::WorkBucket;
use ::catalog::time::Retention;
use catalog_component::{Service, types};
use protocol::EndSession;
use serde::{Serialize, de::DeserializeOwned};

use store::memory::MemoryStore;

use crate::bucket::Location;
use crate::catalog::{
    After, Callback, Changes, Command, Container, Delivery, Entry, Error, Event, Heartbeat, IndexFile, Lane,
    Loss, MediaGroup, OrderedSession, Placed, PushName, RebuildStep, RecordFile, Resends, Session, Slice,
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

impl Catalog for World {
    async fn begin(
        &self,
        session: Session,
        after: Option<After>,
        resends: Option<Resends>,
        now_ms: u64,
    ) -> Result<OrderedSession, Error> {
        answer(self.catalog().begin(convert(session), convert(after), convert(resends), now_ms).await)
    }

    async fn find_wish(&self, push: PushName) -> Result<Option<Wish>, Error> {
        answer(self.catalog().find_wish(convert(push)).await)
    }

    async fn decide_wish(&self, push: PushName, proposal: Wish) -> Result<Wish, Error> {
        answer(self.catalog().decide_wish(convert(push), convert(proposal)).await)
    }

    async fn get_session(&self, id: &str) -> Result<Session, Error> {
        answer(self.catalog().get_session(id).await)
    }

    async fn end(&self, id: &str, end: EndSession, now_ms: u64) -> Result<u64, Error> {
        let EndSession { ended_ago_ms, duration_ms, chunks } = end;
        answer(self.catalog().end(id, ended_ago_ms, duration_ms, chunks, now_ms).await)
    }

    async fn beat(&self, heartbeat: Heartbeat, now_ms: u64) -> Result<Changes, Error> {
        answer(self.catalog().beat(convert(heartbeat), now_ms).await)
    }

    async fn end_pushes(
        &self,
        stream: StreamName,
        only: Option<&str>,
        denial: Denial,
        now_ms: u64,
    ) -> Result<(), Error> {
        let Denial { reason, until_ms } = denial;
        answer(self.catalog().end_pushes(convert(stream), only, reason, until_ms, now_ms).await)
    }

    async fn prepare_chunk(&self, session: &str, seq: u64, now_ms: u64) -> Result<Turn, Error> {
        answer(self.catalog().prepare_chunk(session, seq, now_ms).await)
    }

    async fn place_slice(&self, prepared: Vec<u8>, offset_ms: u64, slice: Slice) -> Result<Placed, Error> {
        answer(self.catalog().place_slice(&prepared, offset_ms, &convert(slice)))
    }

    async fn take_slice_name(&self, session: &str, seq: u64, names_taken: u32) -> Result<u32, Error> {
        answer(self.catalog().take_slice_name(session, seq, names_taken).await)
    }

    async fn commit_chunk(&self, prepared: Vec<u8>, delivery: Delivery, now_ms: u64) -> Result<(), Error> {
        answer(self.catalog().commit_chunk(&prepared, convert(delivery), now_ms).await)
    }

    async fn lose_chunk(&self, session: &str, seq: u64, loss: Loss, now_ms: u64) -> Result<(), Error> {
        answer(self.catalog().lose_chunk(session, seq, convert(loss), now_ms).await)
    }

    async fn list_due(&self, lane: Lane, now_ms: u64) -> Result<Vec<Timer>, Error> {
        answer(self.catalog().list_due(convert(lane), now_ms).await)
    }

    async fn attend(&self, timer: Timer, now_ms: u64) -> Result<Option<Vec<String>>, Error> {
        answer(self.catalog().attend(convert(timer), Retention::default(), now_ms).await)
    }

    async fn release(&self, timer: Timer) -> Result<(), Error> {
        answer(self.catalog().release(convert(timer)).await)
    }

    async fn settle(&self, attended: Vec<Timer>, failed: Vec<Timer>, now_ms: u64) -> Result<Vec<u64>, Error> {
        answer(self.catalog().settle(convert(attended), convert(failed), now_ms).await)
    }

    async fn next_file(&self, recording: &str, container: Container) -> Result<Option<RecordFile>, Error> {
        answer(self.catalog().next_file(recording, convert(container)).await)
    }

    async fn name_file(&self, file: RecordFile, names_taken: u32) -> Result<String, Error> {
        answer(self.catalog().name_file(convert(file), names_taken).await)
    }

    async fn take_file_name(&self, file: RecordFile) -> Result<u32, Error> {
        answer(self.catalog().take_file_name(convert(file)).await)
    }

    async fn list_entries(&self, file: RecordFile) -> Result<Vec<Entry>, Error> {
        answer(self.catalog().list_entries(convert(file)).await)
    }

    async fn get_upload(&self, file: RecordFile) -> Result<Option<Upload>, Error> {
        answer(self.catalog().get_upload(convert(file)).await)
    }

    async fn decide_upload(&self, file: RecordFile, begun: Upload) -> Result<Upload, Error> {
        answer(self.catalog().decide_upload(convert(file), convert(begun)).await)
    }

    async fn note_upload(&self, file: RecordFile, upload: Upload) -> Result<(), Error> {
        answer(self.catalog().note_upload(convert(file), convert(upload)).await)
    }

    async fn list_media(&self, file: RecordFile, block_bytes: u64) -> Result<Vec<MediaGroup>, Error> {
        answer(self.catalog().list_media(convert(file), block_bytes).await)
    }

    async fn next_block(
        &self,
        recording: &str,
        block_bytes: u64,
    ) -> Result<Option<(u32, MediaGroup)>, Error> {
        answer(self.catalog().next_block(recording, block_bytes).await)
    }

    async fn note_block(&self, recording: &str, file: u32, group: MediaGroup) -> Result<(), Error> {
        answer(self.catalog().note_block(recording, file, convert(group)).await)
    }

    async fn may_copy(&self, at: &Location, now_ms: u64) -> Result<bool, Error> {
        answer(self.catalog().may_copy(&at.endpoint, &at.bucket, now_ms).await)
    }

    async fn note_uncopied(&self, at: &Location, now_ms: u64) -> Result<(), Error> {
        answer(self.catalog().note_uncopied(&at.endpoint, &at.bucket, now_ms).await)
    }

    async fn commit_file(
        &self,
        file: RecordFile,
        object: Option<&str>,
        is_told: bool,
        now_ms: u64,
    ) -> Result<(), Error> {
        let is_write_only = self.buckets.write_only.get();
        answer(self.catalog().commit_file(convert(file), object, is_told, is_write_only, now_ms).await)
    }

    async fn list_events(&self, timer: Timer, now_ms: u64) -> Result<Vec<Event>, Error> {
        answer(self.catalog().list_events(convert(timer), now_ms).await)
    }

    async fn note_event(
        &self,
        event: Event,
        is_wanted: bool,
        goes_on: bool,
        now_ms: u64,
    ) -> Result<(), Error> {
        answer(self.catalog().note_event(convert(event), is_wanted, goes_on, now_ms).await)
    }

    async fn note_refused(&self, session: &str, now_ms: u64) -> Result<(), Error> {
        answer(self.catalog().note_refused(session, now_ms).await)
    }

    async fn note_callback(&self, callback: Callback) -> Result<(), Error> {
        answer(self.catalog().note_callback(convert(callback)).await)
    }

    async fn is_probed(&self, at: &Location) -> Result<bool, Error> {
        answer(self.catalog().is_probed(&at.endpoint, &at.bucket).await)
    }

    async fn note_probed(&self, at: &Location) -> Result<(), Error> {
        answer(self.catalog().note_probed(&at.endpoint, &at.bucket).await)
    }

    async fn note_replacing(&self, at: &Location, stream: StreamName, now_ms: u64) -> Result<(), Error> {
        answer(self.catalog().note_replacing(&at.endpoint, &at.bucket, convert(stream), now_ms).await)
    }

    async fn begin_anew(&self) -> Result<(), Error> {
        answer(self.catalog().begin_anew().await)
    }

    async fn rebuild(&self, at: Option<String>, dry_run: bool, now_ms: u64) -> Result<RebuildStep, Error> {
        answer(self.catalog().rebuild(at, dry_run, Retention::default(), now_ms).await)
    }
}
