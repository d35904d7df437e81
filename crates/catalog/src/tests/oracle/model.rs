//! What there has to be, from the list of all chunks: plain loops over everything.

use std::collections::BTreeMap;

use super::{CYCLES, DELAY_MS, WINDOW_MS};
use crate::account::Run;
use crate::chunk::{AudioCodec, Tracks, VideoCodec};
use crate::rule::Container;

/// What a slice of 188 bytes and more says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) start_90khz: u64,
    pub(super) own_90khz: u64,
    pub(super) is_enterable: bool,
    pub(super) tracks: Tracks,
}

/// A chunk as it was cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) seq: u64,
    pub(super) offset_ms: u64,
    pub(super) files: u32,
    /// `None`: it is lost.
    pub(super) piece: Option<Piece>,
    pub(super) is_followed_by_entry: bool,
    pub(super) committed_ms: u64,
}

/// A push and all that was cut of it.
#[derive(Debug)]
pub(super) struct Push {
    pub(super) id: String,
    pub(super) recording: String,
    pub(super) began_ms: u64,
    pub(super) ended_ms: u64,
    /// How many orders that begin a file held when it ended.
    pub(super) files_at_end: u32,
    cuts: Vec<Cut>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) sessions: BTreeMap<String, Push>,
    last_ended: Option<(String, u64)>,
    /// Which session goes on with which.
    continued: BTreeMap<String, String>,
}

/// A slice, placed in time.
#[derive(Clone, Debug)]
struct Slice {
    session: String,
    cut: Cut,
    piece: Piece,
    anchor_ms: u64,
    start_ms: u64,
    /// It follows the slice before in its session without a gap.
    continues: bool,
    /// Until the next one that continues it, if there is one. Unit: 1/90 000 s.
    lasts_90khz: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordFile {
    pub(super) recording: String,
    pub(super) container: Container,
    pub(super) number: u32,
    pub(super) start_ms: u64,
    pub(super) end_ms: u64,
    first: (String, u64),
    last: (String, u64),
    duration_90khz: u64,
    slices: u32,
    /// When its last slice was committed.
    pub(super) complete_ms: u64,
}

impl RecordFile {
    /// As the catalog says it.
    pub(super) fn of(key: &(String, Container, u32), run: &Run, complete_ms: u64) -> Self {
        let (recording, container, number) = key.clone();
        let place = |place: &crate::account::Place| (place.session.clone(), place.seq);
        Self {
            recording,
            container,
            number,
            start_ms: run.start_ms,
            end_ms: run.end_ms,
            first: place(&run.first),
            last: place(&run.last),
            duration_90khz: run.duration_90khz,
            slices: run.slices,
            complete_ms,
        }
    }
}

impl Model {
    /// A push begins; `last` is the one that its gateway saw before, and when that ended.
    pub(super) fn begin(&mut self, id: &str, now_ms: u64, last: Option<&(String, u64)>) {
        let is_recorded = (WINDOW_MS.0..WINDOW_MS.1).contains(&now_ms);
        let before = last.or(self.last_ended.as_ref());
        let before = before.filter(|before| is_recorded && now_ms - before.1 <= DELAY_MS);
        let before = before.map(|before| before.0.clone());
        let before = before.filter(|before| !self.continued.contains_key(before));
        let mut recording = id.to_owned();
        if let Some(before) = before {
            recording.clone_from(&self.sessions[&before].recording);
            self.continued.insert(before, id.into());
        }
        let (id, cuts) = (id.to_owned(), Vec::new());
        let push = Push { id: id.clone(), recording, began_ms: now_ms, ended_ms: 0, files_at_end: 0, cuts };
        self.sessions.insert(id, push);
    }

    pub(super) fn end(&mut self, id: &str, now_ms: u64) {
        self.session(id).ended_ms = now_ms;
        self.last_ended = Some((id.into(), now_ms));
    }

    pub(super) fn commit(&mut self, id: &str, cut: Cut) {
        self.session(id).cuts.push(cut);
    }

    fn session(&mut self, id: &str) -> &mut Push {
        self.sessions.get_mut(id).expect("the push has begun")
    }

    /// The pushes of each recording, oldest recording first.
    pub(super) fn recordings(&self) -> Vec<Vec<&Push>> {
        let mut recordings: BTreeMap<&str, Vec<&Push>> = BTreeMap::new();
        for push in self.sessions.values() {
            recordings.entry(&push.recording).or_default().push(push);
        }
        let mut recordings: Vec<_> = recordings.into_values().collect();
        for pushes in &mut recordings {
            pushes.sort_by_key(|push| push.began_ms);
        }
        recordings.sort_by_key(|pushes| (pushes[0].began_ms, pushes[0].id.clone()));
        recordings
    }

    /// How many recordings begin before another one has ended.
    pub(super) fn overlaps(&self) -> usize {
        let mut until_ms = 0;
        let mut overlaps = 0;
        for pushes in self.recordings() {
            overlaps += usize::from(pushes[0].began_ms < until_ms);
            until_ms = until_ms.max(pushes.iter().map(|push| push.ended_ms).max().unwrap_or(0));
        }
        overlaps
    }

    pub(super) fn record_files(&self) -> Vec<RecordFile> {
        let mut files = Vec::new();
        for pushes in self.recordings() {
            for (container, cycle_seconds) in CYCLES {
                files.extend(record_files(&pushes, container, u64::from(cycle_seconds) * 90_000));
            }
        }
        files
    }

    /// Begin, end and duration of what is recorded in a range.
    pub(super) fn spans(&self, from_ms: u64, to_ms: u64) -> Vec<(u64, u64, u64)> {
        let mut spans: Vec<(u64, u64, u64)> = Vec::new();
        for pushes in self.recordings() {
            let mut open: Option<(u64, u64, u64)> = None;
            for slice in pushes.iter().flat_map(|push| push.slices()) {
                let end_ms = slice.start_ms + slice.lasts_90khz / 90;
                if slice.start_ms >= to_ms || end_ms <= from_ms {
                    continue;
                }
                match &mut open {
                    Some(span) if slice.start_ms <= span.1 + DELAY_MS => {
                        span.1 = span.1.max(end_ms);
                        span.2 += slice.lasts_90khz;
                    }
                    _ => spans.extend(open.replace((slice.start_ms, end_ms, slice.lasts_90khz))),
                }
            }
            spans.extend(open);
        }
        spans.sort_by_key(|span| span.0);
        spans
    }

    /// Session, number, duration and discontinuity of the slices of an index.
    pub(super) fn slices(&self, from_ms: u64, to_ms: u64, one_more: bool) -> Vec<(String, u64, u64, bool)> {
        let mut found: Vec<(String, u64, u64, bool)> = Vec::new();
        let mut covered_ms = 0;
        for pushes in self.recordings() {
            let earlier_ms = covered_ms;
            for slices in pushes.iter().map(|push| push.slices()) {
                let is_wanted = |slice: &Slice| {
                    slice.start_ms >= from_ms && slice.start_ms >= earlier_ms && slice.start_ms < to_ms
                };
                let Some(mut first) = slices.iter().position(is_wanted) else { continue };
                let mut last = slices.iter().rposition(is_wanted).expect("there is one");
                last += usize::from(one_more && slices.get(last + 1).is_some_and(|more| more.continues));
                let enterable = (0..=first).rev().find(|at| slices[*at].piece.is_enterable);
                if found.is_empty()
                    && let Some(enterable) = enterable
                    && slices[enterable + 1..=first].iter().all(|slice| slice.continues)
                {
                    first = enterable;
                }
                for (number, slice) in slices[first..=last].iter().enumerate() {
                    let is_discontinuous = !found.is_empty() && (number == 0 || !slice.continues);
                    found.push((slice.session.clone(), slice.cut.seq, slice.lasts_90khz, is_discontinuous));
                    covered_ms = slice.start_ms + slice.lasts_90khz / 90;
                }
            }
        }
        found
    }
}

impl Push {
    fn slices(&self) -> Vec<Slice> {
        let mut slices: Vec<Slice> = Vec::new();
        let mut is_after_gap = false;
        for cut in &self.cuts {
            let Some(piece) = cut.piece else {
                is_after_gap = true;
                continue;
            };
            let came_ms = self.began_ms + cut.offset_ms - piece.start_90khz / 90;
            let known = slices.last().map(|slice| slice.anchor_ms);
            let anchor_ms = known.filter(|known| came_ms <= known + 10_000).unwrap_or(came_ms);
            let continues = known == Some(anchor_ms) && !is_after_gap;
            if continues && let Some(last) = slices.last_mut() {
                last.lasts_90khz = piece.start_90khz - last.piece.start_90khz;
            }
            slices.push(Slice {
                session: self.id.clone(),
                cut: *cut,
                piece,
                anchor_ms,
                start_ms: anchor_ms + piece.start_90khz / 90,
                continues,
                lasts_90khz: piece.own_90khz,
            });
            is_after_gap = false;
        }
        slices
    }
}

/// The record files of a recording in one container.
fn record_files(pushes: &[&Push], container: Container, cycle_90khz: u64) -> Vec<RecordFile> {
    let mut files: Vec<RecordFile> = Vec::new();
    let mut file: Vec<Slice> = Vec::new();
    let mut is_parted = false;
    let recording = &pushes[0].id;
    for push in pushes {
        let slices = push.slices();
        let mut files_before = 0;
        for cut in &push.cuts {
            is_parted |= cut.files != files_before;
            files_before = cut.files;
            let Some(slice) = slices.iter().find(|slice| slice.cut.seq == cut.seq) else { continue };
            if let Some(last) = file.last() {
                let sum_90khz = duration_90khz(&file);
                let is_full = sum_90khz >= cycle_90khz && last.cut.is_followed_by_entry;
                let reaches = slice.continues && !is_parted && !is_full;
                let step_90khz = slice.piece.start_90khz.wrapping_sub(last.piece.start_90khz);
                let until_90khz =
                    if reaches { sum_90khz - last.piece.own_90khz + step_90khz } else { sum_90khz };
                let is_cycle_over = until_90khz >= cycle_90khz && slice.piece.is_enterable;
                let splits = changes_codec(&file, slice)
                    || container == Container::M3u8 && splits_playlist(&file, slice);
                if is_parted || is_full || is_cycle_over || splits {
                    let end_ms = if reaches { slice.start_ms } else { own_end_ms(last) };
                    files.push(close(recording, container, files.len(), &file, (end_ms, until_90khz)));
                    file.clear();
                }
            }
            file.push(slice.clone());
            is_parted = false;
        }
        is_parted |= push.files_at_end > files_before;
    }
    if let Some(last) = file.last() {
        let end = (own_end_ms(last), duration_90khz(&file));
        files.push(close(recording, container, files.len(), &file, end));
    }
    files
}

fn own_end_ms(slice: &Slice) -> u64 {
    slice.anchor_ms + (slice.piece.start_90khz + slice.piece.own_90khz) / 90
}

/// Its last slice lasts as long as it says by itself.
fn duration_90khz(file: &[Slice]) -> u64 {
    let (last, before) = file.split_last().expect("a file has a slice");
    before.iter().map(|slice| slice.lasts_90khz).sum::<u64>() + last.piece.own_90khz
}

/// The codecs of a file's tracks.
fn codecs(file: &[Slice]) -> (Option<VideoCodec>, Option<AudioCodec>) {
    let video = file.iter().rev().find_map(|slice| slice.piece.tracks.video);
    (video, file.iter().rev().find_map(|slice| slice.piece.tracks.audio))
}

/// Few players play a file in which a track has two codecs.
fn changes_codec(file: &[Slice], slice: &Slice) -> bool {
    let (video, audio) = codecs(file);
    let tracks = slice.piece.tracks;
    video.is_some() && tracks.video.is_some() && tracks.video != video
        || audio.is_some() && tracks.audio.is_some() && tracks.audio != audio
}

/// Browsers play no playlist whose tracks change.
fn splits_playlist(file: &[Slice], slice: &Slice) -> bool {
    let tracks = slice.piece.tracks;
    let (video, audio) = codecs(file);
    let is_new_push = file.last().is_some_and(|last| last.session != slice.session);
    let differs =
        tracks.video.is_some() && tracks.video != video || tracks.audio.is_some() && tracks.audio != audio;
    let lacks = tracks.video.is_none() && video.is_some() || tracks.audio.is_none() && audio.is_some();
    differs || is_new_push && lacks
}

fn close(
    recording: &str,
    container: Container,
    number: usize,
    file: &[Slice],
    (end_ms, duration_90khz): (u64, u64),
) -> RecordFile {
    let (first, last) = (&file[0], &file[file.len() - 1]);
    RecordFile {
        recording: recording.into(),
        container,
        number: number as u32,
        start_ms: first.start_ms,
        end_ms,
        first: (first.session.clone(), first.cut.seq),
        last: (last.session.clone(), last.cut.seq),
        duration_90khz,
        slices: file.len() as u32,
        complete_ms: last.cut.committed_ms,
    }
}
