//! What was pushed against what is recorded.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::site::Site;
use harness::{bucket, ffmpeg, nal};

use crate::parts::Parts;
use crate::pushes::{Push, RATE, stream};
use crate::{APP, DELAY_S};

/// How long after the last push all files may take to be there.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long ffmpeg may take from its start to its first frame, and what a gateway that is killed may not have on its
/// disk yet. Unit: seconds.
const SLACK_S: f64 = 3.0;

/// How long a publisher may be kept waiting before it is refused.
const REFUSED: Duration = Duration::from_secs(12);

/// How far ffmpeg may be ahead of the time. Unit: seconds.
const BURST_S: f64 = 2.0;

/// A gateway that is killed so soon after a push's end may lose of it what was not on its disk.
const UNSYNCED: Duration = Duration::from_secs(1);

/// What was found.
#[derive(Default)]
pub(crate) struct Figures {
    pushes: usize,
    whole: usize,
    pictures: usize,
    files: usize,
    /// The most that was cut off with a gateway, in seconds, by when ffmpeg noticed it.
    most_cut_s: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} pushes, {} of them whole; {} pictures recorded, the same in {} files of each format; \
             a gateway's death cut off {:.1} s at most",
            self.pushes, self.whole, self.pictures, self.files, self.most_cut_s
        )
    }
}

pub(crate) fn verify(
    parts: &Parts,
    sources: &[PathBuf],
    pushed: &[Vec<Push>],
    kills: &[Instant],
) -> Result<Figures> {
    thread::sleep(Duration::from_secs(DELAY_S));
    let mut figures = Figures::default();
    for (number, (source, pushes)) in sources.iter().zip(pushed).enumerate() {
        // The first gateway, which has the streams of even numbers, is not killed.
        let kills = if number % 2 == 0 { &[] } else { kills };
        check(parts, number, source, pushes, kills, &mut figures)
            .with_context(|| format!("the stream {}", stream(number)))?;
    }
    Ok(figures)
}

fn check(
    parts: &Parts,
    number: usize,
    source: &Path,
    pushes: &[Push],
    kills: &[Instant],
    figures: &mut Figures,
) -> Result<()> {
    let prefix = format!("record/{APP}/{}/", stream(number));
    let [playlists, mp4, flv] = wait_for_files(parts, &prefix)?;
    let pushed = pictures(&ffmpeg::h264(source)?);
    let scratch = parts.bucket_folder("recordings").with_file_name("whole.ts");
    let mut recorded = Vec::new();
    for playlist in bucket::recordings(parts, "recordings", &prefix)?
        .iter()
        .filter(|recording| playlists.contains(&recording.object))
    {
        std::fs::write(&scratch, playlist.transport_stream()?)?;
        recorded.push((time_of(&playlist.object), pictures(&ffmpeg::h264(&scratch)?)));
    }
    recorded.sort_by(|(one, _), (other, _)| one.cmp(other));
    let recorded: Vec<u64> = recorded.into_iter().flat_map(|(_, pictures)| pictures).collect();
    for (format, files) in [("mp4", &mp4), ("flv", &flv)] {
        let mut files: Vec<&String> = files.iter().collect();
        files.sort_by_key(|file| time_of(file));
        let mut found = Vec::new();
        for file in files {
            found.extend(pictures(&ffmpeg::h264(&parts.bucket_folder("recordings").join(file))?));
        }
        let (of_format, of_m3u8) = (found.len(), recorded.len());
        ensure!(found == recorded, "{format} has {of_format} pictures, m3u8 {of_m3u8}, or they differ");
    }
    figures.files += mp4.len();
    figures.pictures += recorded.len();
    match_pushes(&pushed, &recorded, pushes, kills, figures)
}

/// Each piece that begins as the source does is of one push, in their order, and as long as it has to be.
fn match_pushes(
    source: &[u64],
    recorded: &[u64],
    pushes: &[Push],
    kills: &[Instant],
    figures: &mut Figures,
) -> Result<()> {
    ensure!(source[1..].iter().all(|picture| *picture != source[0]), "the source begins twice");
    ensure!(recorded.first().is_none_or(|first| *first == source[0]), "the recording begins amid a push");
    let starts: Vec<usize> = (0..recorded.len()).filter(|at| recorded[*at] == source[0]).collect();
    let ends = starts.iter().skip(1).copied().chain([recorded.len()]);
    let pieces: Vec<&[u64]> = starts.iter().zip(ends).map(|(start, end)| &recorded[*start..end]).collect();
    let otherwise = pieces.iter().position(|piece| !source.starts_with(piece));
    ensure!(otherwise.is_none(), "the piece {otherwise:?} is recorded otherwise than it was pushed");
    let due = pushes.iter().map(|push| Due::of(push, kills, source.len())).collect::<Result<Vec<_>>>()?;
    let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
    let matched = assign(&due, &lengths).with_context(|| {
        format!("pieces of {lengths:?} pictures are recorded of pushes that sent {due:?}")
    })?;
    let has_whole = matched.contains(&source.len());
    ensure!(has_whole || !kills.is_empty(), "no push is recorded whole: {due:?}");
    figures.pushes += due.len();
    for (due, length) in due.iter().zip(matched) {
        figures.whole += usize::from(length == source.len());
        if due.is_killed {
            let cut_off = due.most.saturating_sub(length) as f64 / RATE as f64;
            figures.most_cut_s = figures.most_cut_s.max(cut_off);
        }
    }
    Ok(())
}

/// How much of a push has to be recorded, in pictures.
#[derive(Debug)]
struct Due {
    least: usize,
    most: usize,
    is_killed: bool,
}

impl Due {
    fn of(push: &Push, kills: &[Instant], whole: usize) -> Result<Self> {
        let pictures = |seconds: f64| ((seconds.max(0.0) * RATE as f64) as usize).min(whole);
        let lasted = push.ended - push.began;
        let killed = kills.iter().find(|kill| (push.began..push.ended + UNSYNCED).contains(kill));
        let most = pictures(lasted.as_secs_f64() + BURST_S);
        let least = match killed {
            Some(kill) => pictures((*kill - push.began).as_secs_f64() - SLACK_S),
            None if push.is_whole => whole,
            // Refused, once the functions were asked in vain.
            None => {
                ensure!(lasted < REFUSED, "a push was cut off after {lasted:?} by nobody");
                0
            }
        };
        Ok(Self { least, most, is_killed: killed.is_some() })
    }
}

/// Which piece is of which push, in their order: the lengths of what is recorded of each. `None`: there is no way, so
/// that something is missing or too much.
fn assign(due: &[Due], pieces: &[usize]) -> Option<Vec<usize>> {
    let Some((first, rest)) = due.split_first() else { return pieces.is_empty().then(Vec::new) };
    let with = |length: usize, pieces: &[usize]| {
        let mut lengths = assign(rest, pieces)?;
        lengths.insert(0, length);
        Some(lengths)
    };
    let fits = |piece: &&usize| (first.least..=first.most).contains(*piece);
    let taken = pieces.first().filter(fits).and_then(|piece| with(*piece, &pieces[1..]));
    taken.or_else(|| if first.least == 0 { with(0, pieces) } else { None })
}

/// The playlists, MP4 and FLV files of a stream, once every slice is in a playlist and there are as many of each.
fn wait_for_files(parts: &Parts, prefix: &str) -> Result<[BTreeSet<String>; 3]> {
    let begun = Instant::now();
    loop {
        let objects = bucket::objects(parts, "recordings", prefix)?;
        let of = |extension: &str| -> BTreeSet<String> {
            objects.iter().filter(|object| object.ends_with(extension)).cloned().collect()
        };
        let all = [".m3u8", ".mp4", ".flv"].map(of);
        let slices = of(".ts").len();
        let recordings = bucket::recordings(parts, "recordings", prefix)?;
        let filed: usize = recordings.iter().map(|recording| recording.playlist.segments.len()).sum();
        if filed == slices && all.iter().all(|files| files.len() == all[0].len()) {
            return Ok(all);
        }
        let counts = all.map(|files| files.len());
        ensure!(
            begun.elapsed() < PATIENCE,
            "after {PATIENCE:?} {filed} of {slices} slices are in playlists, and there are {counts:?} files"
        );
        thread::sleep(Duration::from_millis(500));
    }
}

/// What follows the number in a file's name: the times, from the begin on.
fn time_of(object: &str) -> String {
    let name = object.rsplit('/').next().unwrap_or(object);
    name.split_once('_').map_or(name, |(_, times)| times).to_owned()
}

fn pictures(stream: &[u8]) -> Vec<u64> {
    let hash = |slice: &[u8]| {
        let mut hasher = DefaultHasher::new();
        slice.hash(&mut hasher);
        hasher.finish()
    };
    nal::slices(stream).into_iter().map(hash).collect()
}
