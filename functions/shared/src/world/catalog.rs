//! What was pushed and recorded, and what is due, as a function asks for it.

use protocol::EndSession;

use super::Denial;
use crate::bucket::Location;
use crate::catalog::{
    self, After, Callback, Changes, Container, Delivery, Entry, Event, Heartbeat, Lane, Loss, MediaGroup,
    OrderedSession, Placed, PushName, RebuildStep, RecordFile, Resends, Session, StreamName, Timer, Turn,
    Upload, Wish,
};

/// What was pushed and recorded, and what is due.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/catalog documents each function")]
pub trait Catalog {
    async fn begin(
        &self,
        session: Session,
        after: Option<After>,
        resends: Option<Resends>,
        now_ms: u64,
    ) -> Result<OrderedSession, catalog::Error>;
    async fn find_wish(&self, push: PushName) -> Result<Option<Wish>, catalog::Error>;
    async fn decide_wish(&self, push: PushName, proposal: Wish) -> Result<Wish, catalog::Error>;
    async fn get_session(&self, id: &str) -> Result<Session, catalog::Error>;
    async fn end(&self, id: &str, end: EndSession, now_ms: u64) -> Result<u64, catalog::Error>;
    async fn beat(&self, heartbeat: Heartbeat, now_ms: u64) -> Result<Changes, catalog::Error>;
    async fn end_pushes(
        &self,
        stream: StreamName,
        only: Option<&str>,
        denial: Denial,
        now_ms: u64,
    ) -> Result<(), catalog::Error>;

    async fn prepare_chunk(&self, session: &str, seq: u64, now_ms: u64) -> Result<Turn, catalog::Error>;
    async fn place_slice(&self, prepared: Vec<u8>, delivery: Delivery) -> Result<Placed, catalog::Error>;
    async fn take_slice_name(&self, session: &str, seq: u64, names_taken: u32)
    -> Result<u32, catalog::Error>;
    async fn commit_chunk(
        &self,
        prepared: Vec<u8>,
        delivery: Delivery,
        now_ms: u64,
    ) -> Result<(), catalog::Error>;
    async fn lose_chunk(
        &self,
        session: &str,
        seq: u64,
        loss: Loss,
        now_ms: u64,
    ) -> Result<(), catalog::Error>;

    async fn list_due(&self, lane: Lane, now_ms: u64) -> Result<Vec<Timer>, catalog::Error>;
    async fn attend(&self, timer: Timer, now_ms: u64) -> Result<Option<Vec<String>>, catalog::Error>;
    async fn release(&self, timer: Timer) -> Result<(), catalog::Error>;
    async fn settle(
        &self,
        attended: Vec<Timer>,
        failed: Vec<Timer>,
        untried: Vec<Timer>,
        now_ms: u64,
    ) -> Result<Vec<u64>, catalog::Error>;
    async fn next_file(
        &self,
        recording: &str,
        container: Container,
    ) -> Result<Option<RecordFile>, catalog::Error>;
    async fn name_file(&self, file: RecordFile, names_taken: u32) -> Result<String, catalog::Error>;
    async fn take_file_name(&self, file: RecordFile) -> Result<u32, catalog::Error>;
    async fn list_entries(&self, file: RecordFile) -> Result<Vec<Entry>, catalog::Error>;
    async fn get_upload(&self, file: RecordFile) -> Result<Option<Upload>, catalog::Error>;
    async fn decide_upload(&self, file: RecordFile, begun: Upload) -> Result<Upload, catalog::Error>;
    async fn note_upload(&self, file: RecordFile, upload: Upload) -> Result<(), catalog::Error>;
    async fn list_media(&self, file: RecordFile, block_bytes: u64)
    -> Result<Vec<MediaGroup>, catalog::Error>;
    async fn next_block(
        &self,
        recording: &str,
        block_bytes: u64,
    ) -> Result<Option<(u32, MediaGroup)>, catalog::Error>;
    async fn note_block(&self, recording: &str, file: u32, group: MediaGroup) -> Result<(), catalog::Error>;
    async fn may_copy(&self, at: &Location, now_ms: u64) -> Result<bool, catalog::Error>;
    async fn note_uncopied(&self, at: &Location, now_ms: u64) -> Result<(), catalog::Error>;
    async fn commit_file(
        &self,
        file: RecordFile,
        object: Option<&str>,
        is_told: bool,
        now_ms: u64,
    ) -> Result<(), catalog::Error>;
    async fn list_events(&self, timer: Timer, now_ms: u64) -> Result<Vec<Event>, catalog::Error>;
    async fn note_event(
        &self,
        event: Event,
        is_wanted: bool,
        goes_on: bool,
        now_ms: u64,
    ) -> Result<(), catalog::Error>;
    async fn note_refused(&self, session: &str, now_ms: u64) -> Result<(), catalog::Error>;
    async fn note_callback(&self, callback: Callback) -> Result<(), catalog::Error>;
    async fn is_probed(&self, at: &Location) -> Result<bool, catalog::Error>;
    async fn note_probed(&self, at: &Location) -> Result<(), catalog::Error>;
    async fn note_replacing(
        &self,
        at: &Location,
        stream: StreamName,
        now_ms: u64,
    ) -> Result<(), catalog::Error>;
    async fn begin_anew(&self) -> Result<(), catalog::Error>;
    async fn rebuild(
        &self,
        at: Option<String>,
        dry_run: bool,
        without: Vec<String>,
        now_ms: u64,
    ) -> Result<RebuildStep, catalog::Error>;
    async fn may_lack(&self, session: &str) -> Result<bool, catalog::Error>;
}
