//! From tags to chunks.

mod entry;
mod tracks;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use flv::{StreamMetadata, TAG_HEADER_SIZE};
use rtmp::Media;

use crate::{
    block::Pool,
    cut::{Cut, Cutter, Frame, Track},
    headers::{Change, Class, Headers, Slot, classify},
    queue::QueueWriter,
    spool::{OpenChunk, Spool},
};
use entry::Entry;
use tracks::Tracks;

/// What came longer ago than this is on disk: it is what a crash may lose. A chunk that is acknowledged sooner
/// is never written.
const FLUSH_AFTER: Duration = Duration::from_millis(95);

/// Writes one push into chunks, as the functions want them.
///
/// While nothing is to be recorded, chunks are held in memory from the last keyframe on, so that a later
/// command begins there.
#[derive(Debug)]
pub(crate) struct Recorder {
    queue: QueueWriter,
    spool: Arc<Spool>,
    pool: Arc<Pool>,
    /// When the push began.
    began: Instant,
    recording: bool,
    cutter: Cutter,
    headers: Headers,
    tracks: Tracks,
    open: Option<OpenChunk>,
    /// Closed chunks in memory, of the group of pictures that `open` goes on with.
    held: Vec<OpenChunk>,
    /// The last frame of `open` that a player can begin with.
    entry: Option<Entry>,
    /// Whether the next chunk is the first one after a time in which nothing was recorded.
    resumes: bool,
    flush_due: Option<Instant>,
    scratch: Vec<u8>,
}

impl Recorder {
    pub(crate) fn new(mut queue: QueueWriter, spool: Arc<Spool>, pool: Arc<Pool>, began: Instant) -> Self {
        let (orders, _) = queue.orders();
        Self {
            queue,
            spool,
            pool,
            began,
            recording: orders.record,
            cutter: Cutter::new(orders.chunk),
            headers: Headers::default(),
            tracks: Tracks::default(),
            open: None,
            held: Vec::new(),
            entry: None,
            resumes: false,
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
        match classify(media) {
            Class::Frame(frame, codec) => {
                if self.tracks.take_codec(frame.track(), codec) {
                    self.headers.forget_other(codec);
                    self.tracks.change(frame.track(), self.cutter.has(frame.track()));
                    self.tell_codecs();
                }
                self.write_frame(frame, media)
            }
            Class::Header(slot) => self.write_header(slot, media),
            Class::Other => self.append(media),
        }
    }

    fn write_frame(&mut self, frame: Frame, media: &Media<'_>) -> io::Result<()> {
        let offset_ms = self.offset_ms();
        let wanted = self.cutter.take(frame, media.timestamp_ms, offset_ms);
        let is_changed = self.tracks.is_changed(frame.track());
        let can_begin = self.cutter.is_entry(frame);
        // A slice that goes on with a picture begins nothing, neither a chunk nor what a player can begin with.
        let is_part = frame.track() == Track::Video
            && (can_begin || is_changed || wanted != Cut::No)
            && !self.headers.begins_picture(media);
        let is_entry = can_begin && !is_part;

        if self.open.is_some() {
            let is_full = !self.cutter.fits((TAG_HEADER_SIZE + media.body.len() + 4) as u64);
            // Where no sound came since the last keyframe, sound that has changed needs no chunk that begins elsewhere.
            let fits_at_keyframe = self.recording && !is_full && !self.tracks.is_changed(Track::Video);
            let is_unheard = self.entry.is_some_and(|entry| !entry.is_first && !entry.sound_since);
            if is_changed && frame == Frame::Audio && is_unheard && fits_at_keyframe {
                self.cut_at_keyframe()?;
                self.tracks.begin();
            } else if is_full
                || !is_part && (is_changed || !self.recording && is_entry || wanted == Cut::Here)
            {
                self.cut()?;
            } else if wanted == Cut::AtKeyframe && self.recording {
                // A chunk's headers do not fit what came before they changed.
                if self.tracks.is_changed(Track::Video) { self.cut() } else { self.cut_at_keyframe() }?;
            }
        }
        if is_entry && !self.recording {
            self.held.clear();
        }
        let is_first = self.open.is_none();
        if is_first {
            let open = self.begin(media.timestamp_ms, offset_ms)?;
            self.cutter.begin(frame.track(), open.bytes());
            self.tracks.begin();
            self.open = Some(open);
        }
        if is_entry {
            let mark = self.cutter.mark();
            let timestamp_ms = media.timestamp_ms;
            self.entry = Some(Entry { timestamp_ms, offset_ms, is_first, sound_since: false, mark });
        }
        if let Some(entry) = &mut self.entry {
            entry.sound_since |= frame == Frame::Audio;
        }
        self.append(media)
    }

    fn write_header(&mut self, slot: Slot, media: &Media<'_>) -> io::Result<()> {
        let change = self.headers.set(slot, media);
        let track = match slot {
            Slot::Video(_) => Some(Track::Video),
            Slot::Audio(_) => Some(Track::Audio),
            Slot::Metadata => {
                self.take_metadata(StreamMetadata::parse(media.body).unwrap_or_default());
                None
            }
            Slot::VideoMetadata(_) | Slot::AudioLayout(_) => None,
        };
        if let Some(track) = track {
            self.cutter.announce(track);
        }
        match change {
            Change::Repeated => return Ok(()),
            Change::Unusable => {
                if self.tracks.count_unusable() == 1 {
                    let path = self.queue.path();
                    tracing::warn!("{path}: {slot:?}: a configuration that cannot be used is left out");
                }
                return Ok(());
            }
            Change::Added | Change::Replaced => {}
        }
        if let Some((track, codec)) = track.zip(crate::headers::codec(media)) {
            self.tracks.take_codec(track, codec);
            self.tell_codecs();
            // What came before was coded by another configuration: what comes needs another chunk.
            if change == Change::Replaced && self.cutter.has(track) {
                self.tracks.change(track, true);
                return Ok(());
            }
        }
        self.append(media)
    }

    fn take_metadata(&mut self, metadata: StreamMetadata) {
        let announced = [(Track::Video, metadata.has_video), (Track::Audio, metadata.has_audio)];
        for (track, _) in announced.into_iter().filter(|(_, has)| *has == Some(true)) {
            self.cutter.announce(track);
        }
        if let Some(kbps) = metadata.video_kbps {
            self.tracks.set_video_kbps(kbps);
            self.tell_codecs();
        }
    }

    fn tell_codecs(&self) {
        let (codecs, is_complete) = self.tracks.codecs();
        self.queue.set_codecs(codecs.clone(), is_complete);
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
                self.resumes = true;
                self.spool_held()
            }
            _ => Ok(()),
        }
    }

    /// Moves the current group of pictures from the open chunk's file to memory.
    fn hold(&mut self) -> io::Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if let Some(entry) = self.entry.take() {
            let mut held = self.begin(entry.timestamp_ms, entry.offset_ms)?;
            self.entry = Some(self.go_back(entry, &held));
            held.write(&open.tail(entry.mark.bytes())?)?;
            self.open = Some(held);
        }
        open.forget()
    }

    /// Ends the open chunk before its last keyframe: what came since goes into the next one.
    fn cut_at_keyframe(&mut self) -> io::Result<()> {
        match (self.open.take(), self.entry.take()) {
            // It begins there already.
            (open, Some(entry)) if entry.is_first => {
                self.open = open;
                self.entry = Some(entry);
                Ok(())
            }
            (Some(mut open), Some(entry)) => {
                let mut next = self.begin(entry.timestamp_ms, entry.offset_ms)?;
                self.entry = Some(self.go_back(entry, &next));
                open.split(entry.mark.bytes(), &mut next)?;
                if let Some(chunk) = open.close()? {
                    self.queue.push(chunk);
                }
                self.open = Some(next);
                Ok(())
            }
            (open, _) => {
                self.open = open;
                self.cut()
            }
        }
    }

    /// Goes back to an entry, which becomes the first frame of `chunk`.
    fn go_back(&mut self, entry: Entry, chunk: &OpenChunk) -> Entry {
        self.cutter.cut_back(entry.mark, chunk.bytes());
        Entry { is_first: true, mark: entry.mark.at_begin(chunk.bytes()), ..entry }
    }

    /// Ends the open chunk, so that it can be uploaded.
    pub(crate) fn cut(&mut self) -> io::Result<()> {
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
        let offset_ms = self.offset_ms();
        self.queue.end(offset_ms);
    }

    /// A chunk that begins with the headers.
    fn begin(&mut self, timestamp_ms: u32, offset_ms: u64) -> io::Result<OpenChunk> {
        let mut open = OpenChunk::new(&self.pool, offset_ms);
        if self.recording {
            self.place(&mut open);
        }
        self.scratch.clear();
        self.headers.write(timestamp_ms, &mut self.scratch);
        open.write(&self.scratch)?;
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
            self.place(&mut held);
            if let Some(chunk) = held.close()? {
                self.queue.push(chunk);
            }
        }
        if let Some(mut open) = self.open.take() {
            self.place(&mut open);
            self.open = Some(open);
        }
        self.flush()
    }

    /// Gives a chunk its place in the spool.
    fn place(&mut self, chunk: &mut OpenChunk) {
        let index = self.queue.take_index();
        chunk.place(&self.spool, self.queue.folder(), index, std::mem::take(&mut self.resumes));
    }

    /// Milliseconds since the push began.
    fn offset_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}
