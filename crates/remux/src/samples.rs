//! A chunk's samples, as MP4 files hold them, and their table.

use media::{AccessUnit, Media, TrackKind};
use mpegts::Muxer;
use sample_table::{Head, Sample, Script, TableWriter, TrackHead};

use crate::{
    demux::SampleFacts,
    sample_entries::Entries,
    sample_pieces::{Piece, video_pieces},
};

/// Samples of a run begin within this time. Unit: 1/90 000 s.
const MAX_RUN_90KHZ: i64 = 90_000;

/// Bytes of parameter sets that are put before pictures which do not bring their own, in all of a chunk.
///
/// Ordinary chunks have them once, a hundred bytes. Bounds what a hostile chunk of many configurations can make of long
/// sets.
const MAX_HEADERS_SIZE: usize = 256 * 1024;

/// A chunk's samples.
///
/// Pictures of H.264 and HEVC are NAL units behind lengths of 4 bytes, those of MPEG-4 part 2 as they were pushed, and
/// so are audio frames. The first picture of each configuration has its parameter sets before it, unless it brings them:
/// so decoding can begin with every chunk that begins with a keyframe, also by players that go by the first sample entry
/// of a file alone. Parameter sets and delimiters that were pushed stay where they are.
///
/// The samples of both tracks alternate in runs of at most a second.
#[derive(Debug)]
pub struct Samples<'a> {
    table: Vec<u8>,
    size: u64,
    runs: Vec<RunOf>,
    /// Video units that have their headers before them, in rising order.
    headers_due: Vec<usize>,
    /// What is written: the next unit of a run, its pieces, and how much of those is written.
    next_run: usize,
    next_unit: usize,
    pieces: Vec<Piece<'a>>,
    next_piece: usize,
    piece_offset: usize,
}

/// Access units `first..end` of a track that have one sample entry.
#[derive(Clone, Copy, Debug)]
struct RunOf {
    track: TrackKind,
    first: usize,
    end: usize,
}

impl<'a> Samples<'a> {
    // Apart from its caller, for the same reason as `Muxer::write`.
    #[inline(never)]
    pub(crate) fn new(media: &Media<'a>, facts: &SampleFacts<'a>, last_durations: [i64; 2]) -> Self {
        let entries = Entries::new(media, &facts.audio_records);
        let mut samples = Self {
            table: Vec::new(),
            size: 0,
            runs: runs(media, &entries),
            headers_due: headers_due(media),
            next_run: 0,
            next_unit: 0,
            pieces: Vec::new(),
            next_piece: 0,
            piece_offset: 0,
        };
        let mut writer = TableWriter::new();
        let mut size = 0;
        for run in samples.runs.clone() {
            let (units, numbers) = match run.track {
                TrackKind::Video => (&media.video.units, &entries.video),
                TrackKind::Audio => (&media.audio.units, &entries.audio),
            };
            writer.begin_run(run.track, numbers[units[run.first].config as usize]);
            for (index, unit) in units.iter().enumerate().take(run.end).skip(run.first) {
                let bytes = samples.sample_size(media, run.track, index);
                size += bytes;
                writer.sample(Sample {
                    dts_90khz: unit.dts_90khz,
                    composition_offset_90khz: (unit.pts_90khz - unit.dts_90khz) as u32,
                    size: bytes as u32,
                    is_sync: unit.random_access,
                });
            }
        }
        let track = |duration: i64, is_enhanced| TrackHead {
            last_duration_90khz: duration.clamp(0, MAX_LAST_DURATION_90KHZ) as u32,
            is_enhanced,
        };
        let scripts = facts.scripts.iter().map(|&(time_90khz, body)| Script { time_90khz, body });
        let [video, audio] = last_durations;
        samples.table = writer.finish(&Head {
            video: track(video, facts.video_is_enhanced),
            audio: track(audio, facts.audio_is_enhanced),
            entries: entries.list(),
            scripts: scripts.collect(),
        });
        samples.size = size;
        samples.next_unit = samples.runs.first().map_or(0, |run| run.first);
        samples
    }

    /// The sample table, encoded.
    #[must_use]
    pub fn table(&self) -> &[u8] {
        &self.table
    }

    /// Bytes that [`write`](Self::write) gives in all, exactly.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the next bytes of the samples to `out`, as many as fit into its capacity. `muxer` is the one that came with
    /// them, before or after it has written.
    ///
    /// `out` stays as it is when all is written. It never grows.
    #[inline(never)]
    pub fn write(&mut self, muxer: &Muxer<'a>, out: &mut Vec<u8>) {
        loop {
            while let Some(piece) = self.pieces.get(self.next_piece) {
                let rest = &piece.bytes()[self.piece_offset..];
                let size = rest.len().min(out.capacity() - out.len());
                out.extend_from_slice(&rest[..size]);
                if size < rest.len() {
                    self.piece_offset += size;
                    return;
                }
                (self.next_piece, self.piece_offset) = (self.next_piece + 1, 0);
            }
            let Some(&run) = self.runs.get(self.next_run) else { return };
            let mut pieces = std::mem::take(&mut self.pieces);
            pieces.clear();
            self.collect(muxer.media(), run.track, self.next_unit, &mut pieces);
            (self.pieces, self.next_piece) = (pieces, 0);
            self.next_unit += 1;
            if self.next_unit == run.end {
                self.next_run += 1;
                self.next_unit = self.runs.get(self.next_run).map_or(0, |run| run.first);
            }
        }
    }

    fn sample_size(&mut self, media: &Media<'a>, track: TrackKind, unit: usize) -> u64 {
        if track == TrackKind::Audio {
            return media.audio.units[unit].data.size();
        }
        let mut pieces = std::mem::take(&mut self.pieces);
        self.collect(media, track, unit, &mut pieces);
        let size = pieces.iter().map(|piece| piece.bytes().len() as u64).sum();
        pieces.clear();
        self.pieces = pieces;
        size
    }

    fn collect(&self, media: &Media<'a>, track: TrackKind, unit: usize, pieces: &mut Vec<Piece<'a>>) {
        match track {
            TrackKind::Video => {
                let headers_due = self.headers_due.binary_search(&unit).is_ok();
                let unit = &media.video.units[unit];
                video_pieces(&media.video.configs[unit.config as usize], unit, headers_due, pieces);
            }
            TrackKind::Audio => {
                let data = media.audio.units[unit].data.pieces();
                pieces.extend(data.iter().map(|piece| Piece::Lent(piece)));
            }
        }
    }
}

/// The longest that a table says of a last sample: an hour. Unit: 1/90 000 s.
const MAX_LAST_DURATION_90KHZ: i64 = 3_600 * 90_000;

/// The runs of both tracks, in turn.
fn runs(media: &Media<'_>, entries: &Entries<'_>) -> Vec<RunOf> {
    let tracks = [
        (TrackKind::Video, media.video.units.as_slice(), &entries.video),
        (TrackKind::Audio, media.audio.units.as_slice(), &entries.audio),
    ];
    let (mut next, mut runs) = ([0, 0], Vec::new());
    loop {
        let begins = tracks.iter().zip(next).filter_map(|((_, units, _), next)| units.get(next));
        let Some(begin) = begins.map(|unit| unit.dts_90khz).min() else { return runs };
        for ((track, units, numbers), next) in tracks.iter().zip(&mut next) {
            let entry = |unit: &AccessUnit<'_>| numbers[unit.config as usize];
            let is_within = |unit: &&AccessUnit<'_>| unit.dts_90khz < begin + MAX_RUN_90KHZ;
            while let Some(first) = units.get(*next).filter(is_within) {
                let units = units[*next..].iter().take_while(is_within);
                let count = units.take_while(|unit| entry(unit) == entry(first)).count();
                runs.push(RunOf { track: *track, first: *next, end: *next + count });
                *next += count;
            }
        }
    }
}

/// The first picture of each configuration, as long as their headers are no longer than [`MAX_HEADERS_SIZE`].
fn headers_due(media: &Media<'_>) -> Vec<usize> {
    let (mut size, mut last, mut due) = (0, None, Vec::new());
    for (index, unit) in media.video.units.iter().enumerate() {
        if last.replace(unit.config) != Some(unit.config) {
            let headers = &media.video.configs[unit.config as usize].headers;
            size += headers.iter().map(|header| header.len() + 4).sum::<usize>();
            if size <= MAX_HEADERS_SIZE {
                due.push(index);
            }
        }
    }
    due
}
