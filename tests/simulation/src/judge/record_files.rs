//! What record files hold, by what stands in them.

use std::collections::BTreeMap;

use mp4::verify::{Movie, check};
use shared::catalog::Container;
use shared::rules;
use shared::testing::Object;

use super::{Chunk, Facts};
use crate::history::History;
use crate::hosts::WORK_BUCKET;
use crate::media::{Picture, pictures};

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
    let chunks = by_first_picture(facts);
    let objects = history.hosts.any().buckets.objects.borrow();
    let mut found: Found = FORMATS.into_iter().map(|format| (format, Files::new())).collect();
    for (name, object) in objects.iter().filter(|(name, _)| !name.starts_with(WORK_BUCKET)) {
        let Some(format) = FORMATS.into_iter().find(|format| name.ends_with(format.extension())) else {
            continue;
        };
        let fail = |what: String| format!("{name}: {what}");
        let held = match format {
            Format::M3u8 => slices(&objects, name, object, facts),
            Format::Mp4 => mp4_pictures(&object.bytes).and_then(|held| whole_chunks(&held, &chunks, facts)),
            Format::Flv => flv_pictures(&object.bytes).and_then(|held| whole_chunks(&held, &chunks, facts)),
        };
        found.entry(format).or_default().insert(name.clone(), held.map_err(fail)?);
    }
    Ok(found)
}

fn by_first_picture(facts: &Facts<'_>) -> BTreeMap<Picture, Chunk> {
    let first =
        |(chunk, fact): (&Chunk, &super::Fact<'_>)| ((fact.push.mark, fact.spooled.from_ms), chunk.clone());
    facts.iter().map(first).collect()
}

fn pictures_of(fact: &super::Fact<'_>) -> Vec<Picture> {
    let times = (fact.spooled.from_ms..fact.spooled.to_ms).step_by(1_000);
    times.map(|at_ms| (fact.push.mark, at_ms)).collect()
}

/// The chunks that a playlist lists, each of whose slices holds exactly the pictures that were sent.
fn slices(
    objects: &BTreeMap<String, Object>,
    name: &str,
    playlist: &Object,
    facts: &Facts<'_>,
) -> Result<Vec<Chunk>, String> {
    let text = std::str::from_utf8(&playlist.bytes).map_err(|error| error.to_string())?;
    let uris = text.lines().filter(|line| !line.starts_with('#'));
    let chunks = uris.map(|uri| {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let slice = objects.get(&resolve(folder, uri)).ok_or_else(|| format!("{uri} is not there"))?;
        let tag = slice.tag.rsplit_once('/').and_then(|(session, seq)| Some((session, seq.parse().ok()?)));
        let (session, seq) = tag.ok_or_else(|| format!("{uri} has the tag {:?}", slice.tag))?;
        let chunk = (session.to_owned(), seq);
        let held = pictures(&slice.bytes);
        match facts.get(&chunk).map(pictures_of) {
            Some(sent) if sent != held => Err(format!("{uri} holds {held:?} of {chunk:?}, not {sent:?}")),
            _ => Ok(chunk),
        }
    });
    chunks.collect()
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

/// The pictures of an MP4 file, as its index says where they lie and when they come.
fn mp4_pictures(file: &[u8]) -> Result<Vec<(Picture, u64)>, String> {
    let movie = Movie::read(file)?;
    check(&movie, file.len() as u64)?;
    let [track] = &movie.tracks[..] else { return Err(format!("it has {} tracks", movie.tracks.len())) };
    let samples = track.samples.iter().map(|sample| {
        let begin = sample.offset as usize;
        let bytes = file.get(begin..begin + sample.size as usize).ok_or("a sample lies outside")?;
        let at_ms = sample.dts * 1_000 / u64::from(track.timescale);
        Ok((one_picture(bytes)?, at_ms))
    });
    samples.collect()
}

fn flv_pictures(file: &[u8]) -> Result<Vec<(Picture, u64)>, String> {
    let (mut held, mut last_ms) = (Vec::new(), 0);
    for tag in flv::Reader::new(file).map_err(|error| error.to_string())? {
        let tag = tag.map_err(|error| error.to_string())?;
        let before_ms = std::mem::replace(&mut last_ms, tag.timestamp_ms);
        if last_ms < before_ms {
            return Err(format!("a tag at {last_ms} ms stands behind one at {before_ms} ms"));
        }
        // A coded picture of AVC, which is no sequence header.
        if tag.kind == flv::TagKind::Video && tag.body.get(1) == Some(&1) {
            held.push((one_picture(tag.body)?, u64::from(tag.timestamp_ms)));
        }
    }
    Ok(held)
}

fn one_picture(bytes: &[u8]) -> Result<Picture, String> {
    match pictures(bytes)[..] {
        [picture] => Ok(picture),
        ref others => Err(format!("a sample holds {others:?}")),
    }
}

/// The chunks that pictures are of, each of which has to be whole; and a second is a second.
fn whole_chunks(
    held: &[(Picture, u64)],
    chunks: &BTreeMap<Picture, Chunk>,
    facts: &Facts<'_>,
) -> Result<Vec<Chunk>, String> {
    let mut found = Vec::new();
    let mut rest = held;
    while let Some((first, _)) = rest.first() {
        let chunk = chunks.get(first).ok_or_else(|| format!("no gateway sent {first:?} first in a chunk"))?;
        let sent = pictures_of(&facts[chunk]);
        let (these, others) = rest.split_at(sent.len().min(rest.len()));
        if !these.iter().map(|(picture, _)| picture).eq(&sent) {
            return Err(format!("{these:?} are not {chunk:?}, which is {sent:?}"));
        }
        if let Some(pair) = these.windows(2).find(|pair| pair[1].1.abs_diff(pair[0].1 + 1_000) > 1) {
            return Err(format!("{pair:?} of {chunk:?} are not a second apart"));
        }
        found.push(chunk.clone());
        rest = others;
    }
    Ok(found)
}
