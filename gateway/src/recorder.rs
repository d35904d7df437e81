//! From tags to chunks.

mod carried;
mod entry;
mod kept;
mod orders;
mod tracks;

use std::{sync::Arc, time::Duration};

use flv::{StreamMetadata, TAG_HEADER_SIZE, TagKind};
use protocol::{ChunkPolicy, Generation, LossReason, LostChunk};
use rtmp::Media;

use crate::{
    block::Pool,
    blocking,
    cut::{Cut, Cutter, Frame, Track},
    headers::{Change, Class, Headers, Slot, classify, metadata},
    operation::{TrackKind, Traffic},
    queue::{QueueWriter, Schedule, Timed},
    spool::{ChunkName, OpenChunk},
};
use carried::Carried;
use entry::Entry;
use kept::Kept;
use tokio::time::Instant;
use tracks::Tracks;

/// What came longer ago than this is on disk: it is what a crash may lose. A chunk that is acknowledged sooner
/// is never written.
const FLUSH_AFTER: Duration = Duration::from_millis(95);

/// After the disk has refused media.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// Where a chunk has waited for as long as so many take, the functions are slower than the push.
const BACKLOG_CHUNKS: u64 = 2;

/// Writes one push into chunks, as the functions want them.
///
/// What tracks have that are not recorded goes into the chunks as it was pushed, and decides nothing.
///
/// An order that begins a new file or ends recording takes effect at the first keyframe after it is due, or where no
/// frame comes for 2 s, after the last one. While nothing is to be recorded the last seconds are [`Kept`], so that a
/// start begins at the keyframe before it.
#[derive(Debug)]
pub(crate) struct Recorder {
    queue: QueueWriter,
    pool: Arc<Pool>,
    traffic: Arc<Traffic>,
    /// When the first coded frame came.
    began: Option<Instant>,
    last_frame: Instant,
    /// When a track that is not recorded last had a frame: the publisher is there.
    last_other_frame: Option<Instant>,
    schedule: Option<Schedule>,
    /// What holds for what is cut now.
    generation: Generation,
    recording: bool,
    /// An order that waits for a keyframe, and from when on.
    pending: Option<(Timed, Instant)>,
    cutter: Cutter,
    headers: Headers,
    tracks: Tracks,
    open: Option<OpenChunk>,
    /// Whether a player can begin with `open`.
    open_is_entry: bool,
    /// What waits for the next chunk.
    carried: Carried,
    kept: Kept,
    /// The last frame of `open` that a player can begin with.
    entry: Option<Entry>,
    /// How many frames are left out until the next keyframe, if any have to be.
    left_out: Option<u64>,
    flush_due: Option<Instant>,
    scratch: Vec<u8>,
}

impl Recorder {
    pub(crate) fn new(queue: QueueWriter, pool: Arc<Pool>, traffic: Arc<Traffic>) -> Self {
        Self {
            queue,
            pool,
            traffic,
            began: None,
            last_frame: Instant::now(),
            last_other_frame: None,
            schedule: None,
            generation: Generation::default(),
            recording: true,
            pending: None,
            cutter: Cutter::new(ChunkPolicy::default()),
            headers: Headers::default(),
            tracks: Tracks::default(),
            open: None,
            open_is_entry: false,
            carried: Carried::default(),
            kept: Kept::default(),
            entry: None,
            left_out: None,
            flush_due: None,
            scratch: Vec::new(),
        }
    }

    /// What the recorded push waits in.
    pub(crate) fn queue(&self) -> &QueueWriter {
        &self.queue
    }

    /// Whether a coded frame of a recorded track has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    /// When the last coded frame came, of any track; before the first one of a recorded track, when the push was accepted.
    pub(crate) fn last_frame(&self) -> Instant {
        let other = self.last_other_frame.filter(|_| self.has_begun());
        other.map_or(self.last_frame, |other| other.max(self.last_frame))
    }

    /// Completes when [`follow_orders`](Self::follow_orders) has something to take.
    pub(crate) async fn orders_changed(&mut self) {
        self.queue.orders_changed().await;
    }

    /// Takes a tag.
    pub(crate) fn write(&mut self, media: &Media<'_>) {
        match classify(media) {
            Class::Frame(frame, codec) => {
                if self.tracks.take_codec(frame.track(), codec) {
                    self.headers.forget_other(codec);
                    self.change(frame.track());
                    self.tell_codecs();
                }
                if frame == Frame::Key && self.headers.changes_size(media) {
                    self.change(Track::Video);
                }
                self.write_frame(frame, media)
            }
            Class::OtherFrame => {
                let now = Instant::now();
                self.last_other_frame = Some(now);
                let kind = if media.kind == TagKind::Video { TrackKind::Video } else { TrackKind::Audio };
                self.traffic.frame(kind, media.body.len(), self.recording, now);
                self.append_other(media);
            }
            Class::Header(slot) => self.write_header(slot, media),
            Class::Other => self.append_other(media),
        }
    }

    fn write_frame(&mut self, frame: Frame, media: &Media<'_>) {
        let now = Instant::now();
        if self.began.is_none() {
            self.began = Some(now);
            self.queue.begin(now);
        }
        if self.order_due().is_some_and(|due| due <= now) {
            self.follow_schedule(now);
        }
        self.last_frame = now;
        let kind = match frame.track() {
            Track::Video => TrackKind::Video,
            Track::Audio => TrackKind::Audio,
        };
        self.traffic.frame(kind, media.body.len(), self.recording, now);
        let offset_ms = self.offset_ms(now);
        self.queue.frame(offset_ms);
        let wanted = self.cutter.take(frame, media.timestamp_ms, offset_ms);
        let is_changed = self.tracks.is_changed(frame.track());
        let can_begin = self.cutter.is_entry(frame);
        // A slice that goes on with a picture begins nothing, neither a chunk nor what a player can begin with.
        let is_part = frame.track() == Track::Video
            && (can_begin || is_changed || wanted != Cut::No)
            && !self.headers.begins_picture(media);
        let is_entry = can_begin && !is_part;

        if is_entry {
            self.enter(now);
        } else if let Some(left_out) = &mut self.left_out {
            *left_out += 1;
            self.traffic.metrics().frames_left_out.add_one();
            return;
        }
        if let Some(open) = &self.open {
            let from_ms = open.name().offset_ms;
            let is_full = self.carried.is_due() || !self.cutter.fits(tag_bytes(media));
            let has_to_end = is_full || !is_part && is_changed;
            let is_due = !has_to_end
                && !is_part
                && if self.recording {
                    wanted == Cut::Here && self.cutter.may_end(false)
                } else {
                    is_entry && Kept::is_whole(from_ms, offset_ms)
                };
            // A chunk's headers do not fit what came before they changed, and what they are longer by has to find room.
            let fits_at_keyframe = self.recording
                && !self.tracks.is_changed(Track::Video)
                && self.cutter.fits(tag_bytes(media) + self.headers.bytes());
            // Where no sound came since the last keyframe, sound that has changed needs no chunk that begins elsewhere.
            let is_unheard = self.entry.is_some_and(|entry| !entry.is_first && !entry.sound_since);
            if is_changed && frame == Frame::Audio && is_unheard && fits_at_keyframe && !is_full {
                self.cut_at_keyframe();
                self.tracks.begin();
            } else if has_to_end || is_due {
                self.cut(!is_entry);
            } else if wanted == Cut::AtKeyframe && self.recording {
                if fits_at_keyframe { self.cut_at_keyframe() } else { self.cut(!is_entry) }
            }
        }
        let is_first = self.open.is_none();
        if is_first {
            // What is kept begins with a keyframe.
            if !self.recording && !is_entry && self.kept.is_empty() {
                return;
            }
            let open = self.begin(media.timestamp_ms, offset_ms);
            self.cutter.begin(frame.track(), open.bytes());
            self.tracks.begin();
            self.open = Some(open);
            // Nothing is before the first frame.
            self.open_is_entry = is_entry || offset_ms == 0;
        }
        if is_entry {
            let mark = self.cutter.mark();
            let timestamp_ms = media.timestamp_ms;
            self.entry = Some(Entry { timestamp_ms, offset_ms, is_first, sound_since: false, mark });
        }
        if let Some(entry) = &mut self.entry {
            entry.sound_since |= frame == Frame::Audio;
        }
        self.append(media);
    }

    fn write_header(&mut self, slot: Slot, media: &Media<'_>) {
        let change = self.headers.set(slot, media);
        let track = match slot {
            Slot::Video(_) => Some(Track::Video),
            Slot::Audio(_) => Some(Track::Audio),
            Slot::Metadata => {
                self.take_metadata(metadata(media.body));
                None
            }
            Slot::VideoMetadata(_) | Slot::AudioLayout(_) => None,
        };
        if let Some(track) = track {
            self.cutter.announce(track);
        }
        match change {
            Change::Repeated => return,
            Change::Unusable => {
                self.traffic.metrics().configurations_left_out.add_one();
                if self.tracks.count_unusable() == 1 {
                    let path = self.queue.path();
                    tracing::warn!("{path}: {slot:?}: a configuration that cannot be used is left out");
                }
                return;
            }
            Change::Added | Change::Replaced => {}
        }
        if let Some((track, codec)) = track.zip(crate::headers::codec(media)) {
            self.tracks.take_codec(track, codec);
            self.tell_codecs();
            // What came before was coded by another configuration: what comes needs another chunk.
            if change == Change::Replaced && self.change(track) {
                return;
            }
        }
        self.append_header(media);
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

    /// Brings what was taken to disk, in the order in which it came: a crash leaves no gap. What the disk refuses stays in
    /// memory, and is tried again.
    pub(crate) fn flush(&mut self) {
        let Self { queue, open, .. } = self;
        let flush = || queue.flush().and_then(|()| open.as_mut().map_or(Ok(()), OpenChunk::flush));
        let flushed = blocking::run(flush);
        self.flush_due = flushed.is_err().then(|| Instant::now() + DISK_PAUSE);
    }

    fn leave_memory(&mut self) {
        self.flush();
        self.queue.leave_memory();
        blocking::run(|| self.open.iter_mut().for_each(OpenChunk::leave_memory));
    }

    /// Ends the open chunk before its last keyframe: what came since goes into the next one.
    fn cut_at_keyframe(&mut self) {
        match (self.open.take(), self.entry.take()) {
            // It begins there already.
            (open, Some(entry)) if entry.is_first => {
                self.open = open;
                self.entry = Some(entry);
            }
            (Some(mut open), Some(entry)) => {
                let bytes = match open.read() {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        tracing::error!("{}: a chunk is not cut back: {error}", self.queue.path());
                        self.open = Some(open);
                        return self.cut(true);
                    }
                };
                let mut next = self.begin(entry.timestamp_ms, entry.offset_ms);
                self.cutter.cut_back(entry.mark, next.bytes());
                self.entry = Some(Entry { is_first: true, mark: entry.mark.at_begin(next.bytes()), ..entry });
                open.split(entry.mark.bytes(), bytes, &mut next);
                self.queue.push(open.close(entry.offset_ms, false));
                self.open = Some(next);
                self.open_is_entry = true;
            }
            (open, _) => {
                self.open = open;
                self.cut(true);
            }
        }
    }

    /// Ends the open chunk, so that it can be uploaded. `continues`: the next one begins with what no player can
    /// begin with.
    fn cut(&mut self, continues: bool) {
        self.entry = None;
        let Some(mut open) = self.open.take() else { return };
        let end_ms = self.offset_ms(self.last_frame);
        if self.recording {
            self.queue.push(open.close(end_ms, continues));
            let waits_ms = self.queue.waits_since_ms().map_or(0, |since_ms| end_ms.saturating_sub(since_ms));
            self.cutter.has_backlog = waits_ms >= BACKLOG_CHUNKS * self.cutter.policy.target_ms.max(1);
            return;
        }
        open.leave_memory();
        let max_bytes = self.cutter.policy.max_bytes;
        self.kept.add(open.close(end_ms, false), self.open_is_entry, end_ms, max_bytes);
        if self.kept.is_empty() {
            tracing::warn!("{}: group of pictures is too long to be kept", self.queue.path());
        }
    }

    /// Ends the open chunk wherever it is, so that it can be uploaded.
    pub(crate) fn make_room(&mut self) {
        if self.recording {
            self.cut(true);
        }
    }

    /// What came after the last frame, until the publisher left, will not come: there was no room for it.
    pub(crate) fn lose_rest(&mut self, left: Instant) {
        if self.recording && self.has_begun() {
            self.cut(true);
            let (from_ms, to_ms) = (self.offset_ms(self.last_frame), self.offset_ms(left));
            tracing::error!("{}: the last {} ms are lost", self.queue.path(), to_ms.saturating_sub(from_ms));
            let lost = LossReason::Shed;
            self.queue.push_lost(LostChunk { lost, from_ms, to_ms, generation: self.generation });
        }
    }

    /// The push is over.
    pub(crate) fn finish(mut self) {
        if self.recording {
            self.cut(false);
        }
        self.flush();
        self.kept.clear();
        self.queue.end();
    }

    /// A chunk that begins with the headers, and what waited for it.
    fn begin(&mut self, timestamp_ms: u32, offset_ms: u64) -> OpenChunk {
        let index = if self.recording { self.queue.take_index() } else { self.kept.take_number() };
        let name = ChunkName { index, offset_ms, generation: self.generation, continues: false };
        let mut open = OpenChunk::new(self.queue.account(), &self.pool, self.queue.folder(), name);
        if self.recording {
            open.number(index, self.generation);
        }
        self.scratch.clear();
        self.headers.write(timestamp_ms, &mut self.scratch);
        open.write(&self.scratch);
        open.write(&self.carried.take());
        open
    }

    fn append(&mut self, media: &Media<'_>) {
        let Some(open) = &mut self.open else { return };
        let before = open.bytes();
        self.scratch.clear();
        flv::write_tag_header(&mut self.scratch, media.kind, media.body.len(), media.timestamp_ms)
            .expect("a message should be shorter than 2^24 bytes");
        open.write(&self.scratch);
        open.write(media.body);
        self.scratch.clear();
        flv::write_previous_tag_size(&mut self.scratch, media.body.len());
        open.write(&self.scratch);
        self.cutter.add(open.bytes() - before);
        if self.recording && self.flush_due.is_none() {
            self.flush_due = Some(Instant::now() + FLUSH_AFTER);
        }
        if self.pool.is_crowded() && open.is_in_memory() {
            self.leave_memory();
        }
    }

    /// Milliseconds from the push's begin to a moment.
    fn offset_ms(&self, moment: Instant) -> u64 {
        self.began.map_or(0, |began| moment.saturating_duration_since(began).as_millis() as u64)
    }
}

/// Bytes of the tag of a message, with its size behind it.
fn tag_bytes(media: &Media<'_>) -> u64 {
    (TAG_HEADER_SIZE + media.body.len() + 4) as u64
}
