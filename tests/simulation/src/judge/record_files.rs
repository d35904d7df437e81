//! What record files hold, by what stands in them.

use std::collections::BTreeMap;

use shared::catalog::Container;
use shared::rules;
use shared::testing::Object;

use super::times::{JOINED, Run, later, take_chunk};
use super::{Chunk, Fact, Facts};
use crate::history::History;
use crate::hosts::WORK_BUCKET;
use crate::media::{Frame, Held, Timed, Track, read_flv, read_mp4, read_slice};

/// The format of record files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Playlists and their slices.
    M3u8,
    /// MP4 files.
    Mp4,
    /// FLV files.
    Flv,
}

/// All formats.
pub const FORMATS: [Format; 3] = [Format::M3u8, Format::Mp4, Format::Flv];

/// Record files of a format, each as its chunks in order.
pub type Files = BTreeMap<String, Vec<Chunk>>;

/// Record files by format.
pub type Found = BTreeMap<Format, Files>;

impl Format {
    /// How names of its record files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::M3u8 => ".m3u8",
            Self::Mp4 => ".mp4",
            Self::Flv => ".flv",
        }
    }
}

impl From<Container> for Format {
    fn from(container: Container) -> Self {
        match container {
            Container::M3u8 => Self::M3u8,
            Container::Mp4 => Self::Mp4,
            Container::Flv => Self::Flv,
        }
    }
}

impl From<rules::Container> for Format {
    fn from(container: rules::Container) -> Self {
        match container {
            rules::Container::M3u8 => Self::M3u8,
            rules::Container::Mp4 => Self::Mp4,
            rules::Container::Flv => Self::Flv,
        }
    }
}

/// The record files of the users' buckets.
///
/// # Errors
/// What of them cannot be read, or is no whole chunk of a push, in words.
pub fn record_files(history: &History) -> Result<Found, String> {
    let facts = super::facts(history);
    read(history, &facts)
}

pub(super) fn read(history: &History, facts: &Facts<'_>) -> Result<Found, String> {
    let begins = by_first_frames(facts);
    let objects = history.hosts.any().buckets.objects.borrow();
    let mut found: Found = FORMATS.into_iter().map(|format| (format, Files::new())).collect();
    for (name, object) in objects.iter().filter(|(name, _)| !name.starts_with(WORK_BUCKET)) {
        let Some(format) = FORMATS.into_iter().find(|format| name.ends_with(format.extension())) else {
            continue;
        };
        let fail = |what: String| format!("{name}: {what}");
        let held = match format {
            Format::M3u8 => slices(&objects, name, object, facts),
            Format::Mp4 => {
                read_mp4(&object.bytes).and_then(|held| whole_chunks(held, &begins, facts, JOINED))
            }
            Format::Flv => read_flv(&object.bytes).and_then(|held| whole_chunks(held, &begins, facts, 0)),
        };
        found.entry(format).or_default().insert(name.clone(), held.map_err(fail)?);
    }
    Ok(found)
}

fn by_first_frames(facts: &Facts<'_>) -> BTreeMap<Frame, Chunk> {
    let firsts = |(chunk, fact): (&Chunk, &Fact<'_>)| {
        let first = |track| fact.sent(track).next().map(|pushed| (pushed.frame, chunk.clone()));
        Track::ALL.into_iter().filter_map(first).collect::<Vec<_>>()
    };
    facts.iter().flat_map(firsts).collect()
}

/// What a slice may last longer or shorter than its chunk in a playlist, whose numbers are rounded. Unit: s.
const ROUNDED_S: f64 = 0.002;

/// The same where sound lies beside the pictures by a clock of its own: a slice may begin with a frame of sound that ends as
/// late as the last picture seems to.
const APART_S: f64 = 0.128;

/// The chunks that a playlist lists, each of whose slices holds exactly what was pushed. What continues in the push does so
/// in the playlist.
fn slices(
    objects: &BTreeMap<String, Object>,
    name: &str,
    playlist: &Object,
    facts: &Facts<'_>,
) -> Result<Vec<Chunk>, String> {
    let text = std::str::from_utf8(&playlist.bytes).map_err(|error| error.to_string())?;
    let (mut chunks, mut run): (_, Option<Run<'_>>) = (Vec::new(), None);
    let (mut lasts_s, mut before_s, mut is_discontinuous) = (0.0, 0.0, false);
    for line in text.lines() {
        if let Some(duration) = line.strip_prefix("#EXTINF:") {
            lasts_s = duration.trim_end_matches(',').parse().map_err(|_| format!("{line} is no duration"))?;
        }
        is_discontinuous |= line == "#EXT-X-DISCONTINUITY";
        if line.starts_with('#') {
            continue;
        }
        let (chunk, slice) = slice(objects, name, line)?;
        if let Some((known, fact)) = facts.get_key_value(&chunk) {
            let fail = |what| format!("{line} of {chunk:?} {what}");
            let mut held = read_slice(&slice.bytes).map_err(fail)?;
            let before = run.filter(|run| run.continues(known, fact));
            take_chunk(&mut held, &mut run, (known, fact), 0).map_err(fail)?;
            if let Some((before, run)) = before.zip(run) {
                check_join(&before, &run, is_discontinuous, before_s).map_err(fail)?;
            }
            if let Some(other) = held.values().flatten().next() {
                return Err(fail(format!("also holds {other:?}")));
            }
        }
        (before_s, is_discontinuous) = (lasts_s, false);
        chunks.push(chunk);
    }
    Ok(chunks)
}

/// Checks what a playlist says of a slice that continues another one, which it says lasts so long. A change of parameter
/// sets or of sound's configuration, and nothing else, makes it discontinuous (RFC 8216 §4.3.2.3).
fn check_join(before: &Run<'_>, run: &Run<'_>, is_discontinuous: bool, before_s: f64) -> Result<(), String> {
    let [one, two] = [before, run].map(|run| {
        let (shape, at_ms) = (run.fact.push.shape(), run.fact.spooled.to_ms - 1);
        (shape.sets(at_ms), run.fact.has(Track::Audio).then(|| shape.sound(at_ms)))
    });
    let is_another = one.0 != two.0 || one.1.zip(two.1).is_some_and(|(one, two)| one != two);
    if is_discontinuous != is_another {
        return Err(format!("continues a slice, and is discontinuous: {is_discontinuous}"));
    }
    let lasts_s = run.after_s(before);
    let is_apart = run.fact.push.shape().has_clocks_apart();
    if (before_s - lasts_s).abs() > ROUNDED_S + if is_apart { APART_S } else { 0.0 } {
        return Err(format!("follows on {lasts_s} s of media, which the playlist says are {before_s}"));
    }
    Ok(())
}

/// A slice that a playlist names, and the chunk that its tag says it is of.
fn slice<'a>(
    objects: &'a BTreeMap<String, Object>,
    playlist: &str,
    uri: &str,
) -> Result<(Chunk, &'a Object), String> {
    let folder = playlist.rsplit_once('/').map_or("", |(folder, _)| folder);
    let slice = objects.get(&resolve(folder, uri)).ok_or_else(|| format!("{uri} is not there"))?;
    let tag = slice.tag.rsplit_once('/').and_then(|(session, seq)| Some((session, seq.parse().ok()?)));
    let (session, seq) = tag.ok_or_else(|| format!("{uri} has the tag {:?}", slice.tag))?;
    Ok(((session.to_owned(), seq), slice))
}

/// The object that a relative reference means (RFC 3986 §5.2, as far as playlists of ours go).
fn resolve(folder: &str, uri: &str) -> String {
    let mut path: Vec<&str> = folder.split('/').collect();
    for part in uri.split('/') {
        match part {
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

/// The chunks that a file is of, each of which has to be whole.
fn whole_chunks(
    mut held: Held,
    begins: &BTreeMap<Frame, Chunk>,
    facts: &Facts<'_>,
    joined: u64,
) -> Result<Vec<Chunk>, String> {
    let (mut found, mut run) = (Vec::new(), None);
    while let Some(first) = first(&held, begins) {
        let chunk = begins.get(&first.frame);
        let chunk = chunk.ok_or_else(|| format!("no gateway sent {first:?} first in a chunk"))?;
        take_chunk(&mut held, &mut run, (chunk, &facts[chunk]), joined)
            .map_err(|what| format!("it {what}"))?;
        found.push(chunk.clone());
    }
    Ok(found)
}

/// The first frame of the chunk that comes next: of two chunks, each of which has a track of its own next, the earlier one's.
fn first(held: &Held, begins: &BTreeMap<Frame, Chunk>) -> Option<Timed> {
    let [picture, sound] = Track::ALL.map(|track| held[&track].first().copied());
    let (Some(picture), Some(sound)) = (picture, sound) else { return picture.or(sound) };
    let is_one = begins.get(&picture.frame) == begins.get(&sound.frame);
    let is_first = is_one || later(sound.decoded, picture.decoded) > 0;
    Some(if is_first { picture } else { sound })
}
