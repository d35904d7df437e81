//! What record files hold, by what stands in them.

use std::collections::BTreeMap;

use shared::catalog::Container;
use shared::rules;
use shared::testing::Object;

use super::held::{self, Held};
use super::{Chunk, Fact, Facts};
use crate::history::History;
use crate::hosts::WORK_BUCKET;
use crate::media::{Frame, Timed, Track};

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
    let begins = by_first_picture(facts);
    let objects = history.hosts.any().buckets.objects.borrow();
    let mut found: Found = FORMATS.into_iter().map(|format| (format, Files::new())).collect();
    for (name, object) in objects.iter().filter(|(name, _)| !name.starts_with(WORK_BUCKET)) {
        let Some(format) = FORMATS.into_iter().find(|format| name.ends_with(format.extension())) else {
            continue;
        };
        let fail = |what: String| format!("{name}: {what}");
        let held = match format {
            Format::M3u8 => slices(&objects, name, object, facts),
            Format::Mp4 => held::of_mp4(&object.bytes).and_then(|held| whole_chunks(held, &begins, facts)),
            Format::Flv => held::of_flv(&object.bytes).and_then(|held| whole_chunks(held, &begins, facts)),
        };
        found.entry(format).or_default().insert(name.clone(), held.map_err(fail)?);
    }
    Ok(found)
}

fn by_first_picture(facts: &Facts<'_>) -> BTreeMap<Frame, Chunk> {
    let first = |(chunk, fact): (&Chunk, &Fact<'_>)| {
        sent(fact, Track::Video).first().map(|(frame, _)| (*frame, chunk.clone()))
    };
    facts.iter().filter_map(first).collect()
}

/// The frames of a chunk.
fn sent(fact: &Fact<'_>, track: Track) -> Vec<Timed> {
    fact.push.shape().frames(track, fact.spooled.from_ms, fact.spooled.to_ms)
}

/// The chunks that a playlist lists, each of whose slices holds exactly the frames that were sent.
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
        if let Some(fact) = facts.get(&chunk) {
            held::slice_is(&slice.bytes, |track| sent(fact, track))
                .map_err(|what| format!("{uri} of {chunk:?} {what}"))?;
        }
        Ok(chunk)
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

/// The chunks that a file is of, each of which has to be whole.
fn whole_chunks(
    mut held: Held,
    begins: &BTreeMap<Frame, Chunk>,
    facts: &Facts<'_>,
) -> Result<Vec<Chunk>, String> {
    let mut found = Vec::new();
    while let Some((first, _)) = held[&Track::Video].first() {
        let chunk = begins.get(first).ok_or_else(|| format!("no gateway sent {first:?} first in a chunk"))?;
        held::take(&mut held, |track| sent(&facts[chunk], track))
            .map_err(|what| format!("it {what} in the place of {chunk:?}"))?;
        found.push(chunk.clone());
    }
    match held[&Track::Audio].first() {
        Some(frame) => Err(format!("{frame:?} is of no chunk that it has pictures of")),
        None => Ok(found),
    }
}
