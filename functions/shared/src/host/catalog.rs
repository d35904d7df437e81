//! The catalog as Spin gives it: the component that the function is composed with.

use protocol::EndSession;

use super::Host;
use crate::bucket::Location;
use crate::catalog::{
    self, After, Callback, Changes, Container, Delivery, Entry, Event, Heartbeat, Lane, Loss, MediaGroup,
    OrderedSession, Placed, PushName, RebuildStep, RecordFile, Resends, Session, StreamName, Timer, Turn,
    Upload, Wish,
};
use crate::{Catalog, Denial};

impl Catalog for Host {
    async fn begin(
        &self,
        session: Session,
        after: Option<After>,
        resends: Option<Resends>,
        now_ms: u64,
    ) -> Result<OrderedSession, catalog::Error> {
        catalog::begin(session, after, resends, now_ms).await
    }

    async fn find_wish(&self, push: PushName) -> Result<Option<Wish>, catalog::Error> {
        catalog::find_wish(push).await
    }

    async fn decide_wish(&self, push: PushName, proposal: Wish) -> Result<Wish, catalog::Error> {
        catalog::decide_wish(push, proposal).await
    }

    async fn get_session(&self, id: &str) -> Result<Session, catalog::Error> {
        catalog::get_session(id.into()).await
    }

    async fn end(&self, id: &str, end: EndSession, now_ms: u64) -> Result<u64, catalog::Error> {
        catalog::end(id.into(), end.ended_ago_ms, end.duration_ms, end.chunks, now_ms).await
    }

    async fn beat(&self, heartbeat: Heartbeat, now_ms: u64) -> Result<Changes, catalog::Error> {
        catalog::beat(heartbeat, now_ms).await
    }

    async fn end_pushes(
        &self,
        stream: StreamName,
        only: Option<&str>,
        denial: Denial,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::end_pushes(stream, only.map(Into::into), denial.reason, denial.until_ms, now_ms).await
    }

    async fn prepare_chunk(&self, session: &str, seq: u64, now_ms: u64) -> Result<Turn, catalog::Error> {
        catalog::prepare_chunk(session.into(), seq, now_ms).await
    }

    async fn place_slice(&self, prepared: Vec<u8>, delivery: Delivery) -> Result<Placed, catalog::Error> {
        catalog::place_slice(prepared, delivery).await
    }

    async fn take_slice_name(
        &self,
        session: &str,
        seq: u64,
        names_taken: u32,
    ) -> Result<u32, catalog::Error> {
        catalog::take_slice_name(session.into(), seq, names_taken).await
    }

    async fn commit_chunk(
        &self,
        prepared: Vec<u8>,
        delivery: Delivery,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::commit_chunk(prepared, delivery, now_ms).await
    }

    async fn lose_chunk(
        &self,
        session: &str,
        seq: u64,
        loss: Loss,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::lose_chunk(session.into(), seq, loss, now_ms).await
    }

    async fn list_due(&self, lane: Lane, now_ms: u64) -> Result<Vec<Timer>, catalog::Error> {
        catalog::list_due(lane, now_ms).await
    }

    async fn attend(&self, timer: Timer, now_ms: u64) -> Result<Option<Vec<String>>, catalog::Error> {
        catalog::attend(timer, now_ms).await
    }

    async fn release(&self, timer: Timer) -> Result<(), catalog::Error> {
        catalog::release(timer).await
    }

    async fn settle(
        &self,
        attended: Vec<Timer>,
        failed: Vec<Timer>,
        untried: Vec<Timer>,
        now_ms: u64,
    ) -> Result<Vec<u64>, catalog::Error> {
        catalog::settle(attended, failed, untried, now_ms).await
    }

    async fn next_file(
        &self,
        recording: &str,
        container: Container,
    ) -> Result<Option<RecordFile>, catalog::Error> {
        catalog::next_file(recording.into(), container).await
    }

    async fn name_file(&self, file: RecordFile, names_taken: u32) -> Result<String, catalog::Error> {
        catalog::name_file(file, names_taken).await
    }

    async fn take_file_name(&self, file: RecordFile) -> Result<u32, catalog::Error> {
        catalog::take_file_name(file).await
    }

    async fn list_entries(&self, file: RecordFile) -> Result<Vec<Entry>, catalog::Error> {
        catalog::list_entries(file).await
    }

    async fn get_upload(&self, file: RecordFile) -> Result<Option<Upload>, catalog::Error> {
        catalog::get_upload(file).await
    }

    async fn decide_upload(&self, file: RecordFile, begun: Upload) -> Result<Upload, catalog::Error> {
        catalog::decide_upload(file, begun).await
    }

    async fn note_upload(&self, file: RecordFile, upload: Upload) -> Result<(), catalog::Error> {
        catalog::note_upload(file, upload).await
    }

    async fn list_media(
        &self,
        file: RecordFile,
        block_bytes: u64,
    ) -> Result<Vec<MediaGroup>, catalog::Error> {
        catalog::list_media(file, block_bytes).await
    }

    async fn next_block(
        &self,
        recording: &str,
        block_bytes: u64,
    ) -> Result<Option<(u32, MediaGroup)>, catalog::Error> {
        catalog::next_block(recording.into(), block_bytes).await
    }

    async fn note_block(&self, recording: &str, file: u32, group: MediaGroup) -> Result<(), catalog::Error> {
        catalog::note_block(recording.into(), file, group).await
    }

    async fn may_copy(&self, at: &Location, now_ms: u64) -> Result<bool, catalog::Error> {
        catalog::may_copy(at.endpoint.clone(), at.bucket.clone(), now_ms).await
    }

    async fn note_uncopied(&self, at: &Location, now_ms: u64) -> Result<(), catalog::Error> {
        catalog::note_uncopied(at.endpoint.clone(), at.bucket.clone(), now_ms).await
    }

    async fn commit_file(
        &self,
        file: RecordFile,
        object: Option<&str>,
        is_told: bool,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::commit_file(file, object.map(Into::into), is_told, now_ms).await
    }

    async fn list_events(&self, timer: Timer, now_ms: u64) -> Result<Vec<Event>, catalog::Error> {
        catalog::list_events(timer, now_ms).await
    }

    async fn note_event(
        &self,
        event: Event,
        is_wanted: bool,
        goes_on: bool,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::note_event(event, is_wanted, goes_on, now_ms).await
    }

    async fn note_refused(&self, session: &str, now_ms: u64) -> Result<(), catalog::Error> {
        catalog::note_refused(session.into(), now_ms).await
    }

    async fn note_callback(&self, callback: Callback) -> Result<(), catalog::Error> {
        catalog::note_callback(callback).await
    }

    async fn is_probed(&self, at: &Location) -> Result<bool, catalog::Error> {
        catalog::is_probed(at.endpoint.clone(), at.bucket.clone()).await
    }

    async fn note_probed(&self, at: &Location) -> Result<(), catalog::Error> {
        catalog::note_probed(at.endpoint.clone(), at.bucket.clone()).await
    }

    async fn note_replacing(
        &self,
        at: &Location,
        stream: StreamName,
        now_ms: u64,
    ) -> Result<(), catalog::Error> {
        catalog::note_replacing(at.endpoint.clone(), at.bucket.clone(), stream, now_ms).await
    }

    async fn begin_anew(&self) -> Result<(), catalog::Error> {
        catalog::begin_anew().await
    }

    async fn rebuild(
        &self,
        at: Option<String>,
        dry_run: bool,
        without: Vec<String>,
        now_ms: u64,
    ) -> Result<RebuildStep, catalog::Error> {
        catalog::rebuild(at, dry_run, without, now_ms).await
    }

    async fn may_lack(&self, session: &str) -> Result<bool, catalog::Error> {
        catalog::may_lack(session.into()).await
    }
}
