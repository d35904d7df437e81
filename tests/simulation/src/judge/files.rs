//! Each acknowledged chunk is in exactly one record file, in order.

use std::collections::BTreeMap;

use shared::testing::World;

use super::{Chunk, Fact, Facts};

/// The record files of the users' bucket, each as the chunks that it lists. Another format's files belong here, too,
/// once there are some.
///
/// # Panics
/// Where a playlist lists an object that is not there.
#[must_use]
pub fn record_files(world: &World) -> BTreeMap<String, Vec<Chunk>> {
    let objects = world.buckets.objects.borrow();
    let playlists = objects.iter().filter(|(name, _)| name.ends_with(".m3u8"));
    let files = playlists.map(|(name, playlist)| {
        let text = std::str::from_utf8(&playlist.bytes).expect("a playlist is text");
        let chunks = text.lines().filter(|line| !line.starts_with('#')).map(|uri| {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let slice = resolve(folder, uri);
            let object =
                objects.get(&slice).unwrap_or_else(|| panic!("{name} lists {uri}, which is not there"));
            let (session, seq) = object.tag.rsplit_once('/').expect("a slice's tag is session/seq");
            (session.to_owned(), seq.parse().expect("a slice's tag ends in its number"))
        });
        (name.clone(), chunks.collect())
    });
    files.collect()
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

fn is_acknowledged(fact: &Fact<'_>) -> bool {
    fact.spooled.acknowledged_ms.is_some()
}

/// Which acknowledged chunk is in no record file yet.
pub(super) fn missing(files: &BTreeMap<String, Vec<Chunk>>, facts: &Facts<'_>) -> Option<Chunk> {
    let found: std::collections::BTreeSet<&Chunk> = files.values().flatten().collect();
    let mut acknowledged = facts.iter().filter(|(_, fact)| is_acknowledged(fact));
    acknowledged.find(|(chunk, _)| !found.contains(chunk)).map(|(chunk, _)| chunk.clone())
}

/// Checks that each acknowledged chunk is in exactly one record file, that files list what gateways sent, chunks of a
/// session in order without leaving one out, and sessions one after the other.
pub(super) fn check(files: &BTreeMap<String, Vec<Chunk>>, facts: &Facts<'_>) -> Result<(), String> {
    let mut found: BTreeMap<&Chunk, &str> = BTreeMap::new();
    for (name, chunks) in files {
        for chunk in chunks {
            if let Some(other) = found.insert(chunk, name) {
                return Err(format!("{chunk:?} is in {other} and in {name}"));
            }
            if !facts.contains_key(chunk) {
                return Err(format!("{name} lists {chunk:?}, which no gateway sent"));
            }
        }
        for pair in chunks.windows(2) {
            let [before, after] = pair else { continue };
            if before.0 == after.0 && after.1 != before.1 + 1 {
                return Err(format!("{name} lists {after:?} after {before:?}"));
            }
            let next = (before.0.clone(), before.1 + 1);
            if before.0 != after.0 && (after.1 != 0 || facts.get(&next).is_some_and(is_acknowledged)) {
                return Err(format!(
                    "{name} lists {after:?} after {before:?}, which is not the session's last"
                ));
            }
        }
    }
    match missing(files, facts) {
        Some(missing) => Err(format!("{missing:?} is in no record file of {:?}", files.keys())),
        None => Ok(()),
    }
}
