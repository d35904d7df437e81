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

/// A gateway that is killed so soon after a push's end may lose of it what was not on its disk.
const UNSYNCED: Duration = Duration::from_secs(1);

/// What was found.
#[derive(Default)]
pub(crate) struct Figures {
    pushes: usize,
    whole: usize,
    pictures: usize,
    files: usize,
    /// Pictures that were cut off with their gateway, at most.
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
    let mut pieces = starts.iter().zip(ends).map(|(start, end)| &recorded[*start..end]).peekable();
    for (at, push) in pushes.iter().enumerate() {
        figures.pushes += 1;
        let killed = kills.iter().find(|kill| (push.began..push.ended + UNSYNCED).contains(kill));
        let least = match killed {
            None if push.is_whole => source.len(),
            // Refused at once: the functions were away.
            None => {
                let lasted = push.ended - push.began;
                ensure!(lasted < Duration::from_secs(20), "push {at} was cut off after {lasted:?} by nobody");
                0
            }
            Some(kill) => {
                let sent_s = ((*kill - push.began).as_secs_f64() - SLACK_S).max(0.0);
                ((sent_s * RATE as f64) as usize).min(source.len())
            }
        };
        let Some(piece) = pieces.next_if(|piece| piece.len() >= least) else {
            let next = pieces.peek().map(|piece| piece.len());
            ensure!(least == 0, "push {at} ({push:?}) has {next:?} pictures in place of {least} or more");
            continue;
        };
        ensure!(source.starts_with(piece), "push {at} is recorded otherwise than it was pushed");
        figures.whole += usize::from(piece.len() == source.len());
        if let Some(kill) = killed {
            let sent_s = (*kill - push.began).as_secs_f64().min(source.len() as f64 / RATE as f64);
            figures.most_cut_s = figures.most_cut_s.max(sent_s - piece.len() as f64 / RATE as f64);
        }
    }
    let more = pieces.count();
    ensure!(more == 0, "{more} pieces are recorded that nobody pushed");
    Ok(())
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
