//! From tags to chunks.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use flv::{AudioTagHeader, TAG_HEADER_SIZE, TagKind, VideoTagHeader};
use rtmp::Media;

use crate::{
    block::Pool,
    clock::unix_ms,
    cut::Cutter,
    headers::{Change, Class, Headers, classify},
    queue::QueueWriter,
    spool::{Codecs, OpenChunk, Spool},
};

/// What came longer ago than this is on disk: it is what a crash may lose. A chunk that is acknowledged sooner
/// is never written.
const FLUSH_AFTER: Duration = Duration::from_millis(120);

/// Writes one push into chunks, as the functions want them.
///
/// While nothing is to be recorded, chunks are held in memory from the last keyframe on, so that a later
/// command begins there.
#[derive(Debug)]
pub(crate) struct Recorder {
    queue: QueueWriter,
    spool: Arc<Spool>,
    pool: Arc<Pool>,
    recording: bool,
    cutter: Cutter,
    headers: Headers,
    open: Option<OpenChunk>,
    /// The next frame needs another chunk.
    cut_pending: bool,
    /// Closed chunks in memory, of the group of pictures that `open` goes on with.
    held: Vec<OpenChunk>,
    /// Where the last frame that a player can begin with lies in `open`, and its times.
    entry: Option<Entry>,
    codecs: Codecs,
    flush_due: Option<Instant>,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    offset: u64,
    timestamp_ms: u32,
    time_ms: u64,
}

impl Recorder {
    pub(crate) fn new(mut queue: QueueWriter, spool: Arc<Spool>, pool: Arc<Pool>) -> Self {
        let (orders, _) = queue.orders();
        Self {
            queue,
            spool,
            pool,
            recording: orders.record,
            cutter: Cutter::new(orders.chunk),
            headers: Headers::default(),
            open: None,
            cut_pending: false,
            held: Vec::new(),
            entry: None,
            codecs: Codecs::default(),
            flush_due: None,
            scratch: Vec::new(),
        }
    }

    /// What the recorded push waits in.
    pub(crate) fn queue(&self) -> &QueueWriter {
        &self.queue
    }

    /// Completes when [`follow_orders`](Self::follow_orders) has something to do.
    pub(crate) async fn orders_changed(&mut self) {
        self.queue.orders_changed().await;
    }

    /// Takes a tag.
    pub(crate) fn write(&mut self, media: &Media<'_>) -> io::Result<()> {
        let tag_bytes = (TAG_HEADER_SIZE + media.body.len() + 4) as u64;
        match classify(media) {
            Class::Frame(frame) => {
                let is_due = self.cutter.is_due(frame, media.timestamp_ms, tag_bytes);
                let is_entry = self.cutter.is_entry(frame);
                if self.open.is_some() && (is_due || self.cut_pending || !self.recording && is_entry) {
                    self.cut()?;
                }
                if is_entry && !self.recording {
                    self.held.clear();
                }
                if self.open.is_none() {
                    self.open = Some(self.begin(media.timestamp_ms, unix_ms())?);
                }
                if self.lacks_codec(media.kind) {
                    self.learn_codecs(media);
                }
                if is_entry {
                    let offset = self.open.as_ref().map_or(0, OpenChunk::bytes);
                    self.entry = Some(Entry { offset, timestamp_ms: media.timestamp_ms, time_ms: unix_ms() });
                }
                self.append(media)
            }
            Class::Header(slot) => {
                let change = self.headers.set(slot, media);
                if change != Change::Repeated {
                    self.learn_codecs(media);
                }
                match change {
                    Change::Repeated => Ok(()),
                    Change::Added => self.append(media),
                    Change::Cuts => {
                        self.cut_pending = true;
                        Ok(())
                    }
                }
            }
            Class::Other => self.append(media),
        }
    }

    /// When what was taken must be on disk, if it is not.
    pub(crate) fn flush_due(&self) -> Option<Instant> {
        self.flush_due
    }

    /// Brings what was taken to disk, in the order in which it came: a crash leaves no gap.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.flush_due = None;
        self.queue.flush()?;
        self.open.as_mut().map_or(Ok(()), OpenChunk::flush)
    }

    fn leave_memory(&mut self) -> io::Result<()> {
        self.flush()?;
        self.queue.leave_memory();
        self.open.as_mut().map_or(Ok(()), OpenChunk::leave_memory)
    }

    /// Does what the functions want now.
    pub(crate) fn follow_orders(&mut self) -> io::Result<()> {
        let (orders, discarded) = self.queue.orders();
        self.cutter.policy = orders.chunk;
        if discarded && self.recording {
            self.recording = false;
            self.hold()?;
        }
        match (self.recording, orders.record) {
            (true, false) => {
                self.recording = false;
                self.cut()
            }
            (false, true) => {
                self.recording = true;
                self.spool_held()
            }
            _ => Ok(()),
        }
    }

    /// Moves the current group of pictures from the open chunk's file to memory.
    fn hold(&mut self) -> io::Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if let Some(entry) = self.entry.take() {
            let tail = open.tail(entry.offset)?;
            let mut held = self.begin(entry.timestamp_ms, entry.time_ms)?;
            held.write(&tail)?;
            self.cutter.add(tail.len() as u64);
            self.open = Some(held);
        }
        open.forget()
    }

    /// Ends the open chunk, so that it can be uploaded.
    pub(crate) fn cut(&mut self) -> io::Result<()> {
        self.cut_pending = false;
        self.entry = None;
        let Some(open) = self.open.take() else { return Ok(()) };
        if open.is_placed() {
            if let Some(chunk) = open.close()? {
                self.queue.push(chunk);
            }
            return Ok(());
        }
        let held_bytes: u64 = self.held.iter().map(OpenChunk::bytes).sum();
        if held_bytes + open.bytes() > self.cutter.policy.max_bytes {
            tracing::warn!("{}: group of pictures is too long to be held", self.queue.path());
            self.held.clear();
        }
        self.held.push(open);
        Ok(())
    }

    /// The push is over.
    pub(crate) fn finish(mut self) {
        self.held.clear();
        if let Err(error) = self.cut().and_then(|()| self.flush()) {
            tracing::error!("{}: last chunk cannot be written: {error}", self.queue.path());
        }
        self.queue.end(unix_ms());
    }

    /// A chunk that begins with the headers.
    fn begin(&mut self, timestamp_ms: u32, time_ms: u64) -> io::Result<OpenChunk> {
        let mut open = OpenChunk::new(&self.pool, time_ms);
        if self.recording {
            open.place(&self.spool, self.queue.folder(), self.queue.take_index());
        }
        self.scratch.clear();
        self.headers.write(timestamp_ms, &mut self.scratch);
        open.write(&self.scratch)?;
        self.cutter.begin(timestamp_ms, open.bytes());
        Ok(open)
    }

    fn append(&mut self, media: &Media<'_>) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let before = open.bytes();
        self.scratch.clear();
        flv::write_tag_header(&mut self.scratch, media.kind, media.body.len(), media.timestamp_ms)
            .expect("a message should be shorter than 2^24 bytes");
        open.write(&self.scratch)?;
        open.write(media.body)?;
        self.scratch.clear();
        flv::write_previous_tag_size(&mut self.scratch, media.body.len());
        open.write(&self.scratch)?;
        self.cutter.add(open.bytes() - before);
        if self.recording && self.flush_due.is_none() {
            self.flush_due = Some(Instant::now() + FLUSH_AFTER);
        }
        if self.pool.is_crowded() && open.is_in_memory() { self.leave_memory() } else { Ok(()) }
    }

    fn spool_held(&mut self) -> io::Result<()> {
        for mut held in std::mem::take(&mut self.held) {
            held.place(&self.spool, self.queue.folder(), self.queue.take_index());
            if let Some(chunk) = held.close()? {
                self.queue.push(chunk);
            }
        }
        if let Some(open) = &mut self.open {
            open.place(&self.spool, self.queue.folder(), self.queue.take_index());
        }
        self.flush()
    }

    fn lacks_codec(&self, kind: TagKind) -> bool {
        match kind {
            TagKind::Video => self.codecs.video.is_empty(),
            TagKind::Audio => self.codecs.audio.is_empty(),
            TagKind::Script => false,
        }
    }

    fn learn_codecs(&mut self, media: &Media<'_>) {
        match media.kind {
            TagKind::Video => {
                self.codecs.video =
                    VideoTagHeader::parse(media.body).map_or(String::new(), |tag| tag.codec.name());
            }
            TagKind::Audio => {
                self.codecs.audio =
                    AudioTagHeader::parse(media.body).map_or(String::new(), |tag| tag.codec.name());
            }
            TagKind::Script => {
                self.codecs.video_kbps = video_kbps(media.body).unwrap_or(self.codecs.video_kbps)
            }
        }
        let complete = !self.codecs.video.is_empty() && !self.codecs.audio.is_empty();
        self.queue.set_codecs(self.codecs.clone(), complete);
    }
}

/// `videodatarate` of `onMetaData`, in kbit/s.
fn video_kbps(body: &[u8]) -> Option<u32> {
    let values = amf0::Value::decode_all(body).ok()?;
    Some(values.get(1)?.get("videodatarate")?.as_number()? as u32)
}
