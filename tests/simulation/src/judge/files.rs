//! Whether everything that was acknowledged is in exactly one record file, in order.

use std::collections::BTreeMap;

use shared::testing::World;

/// A chunk: its session and its number.
pub type Chunk = (String, u64);

/// The record files of the users' bucket, each as the chunks that it lists.
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

/// Checks that each acknowledged chunk is in exactly one record file, and that files list chunks of a session in order
/// without leaving one out that is acknowledged.
///
/// # Errors
/// What is wrong, in words.
pub fn check(files: &BTreeMap<String, Vec<Chunk>>, acknowledged: &[Chunk]) -> Result<(), String> {
    let mut found: BTreeMap<&Chunk, &str> = BTreeMap::new();
    for (name, chunks) in files {
        for chunk in chunks {
            if let Some(other) = found.insert(chunk, name) {
                return Err(format!("{chunk:?} is in {other} and in {name}"));
            }
        }
        for pair in chunks.windows(2) {
            let [(session, seq), (next_session, next)] = pair else { continue };
            let between = acknowledged
                .iter()
                .find(|(of, at)| of == session && *at > *seq && (next_session != session || at < next));
            if session == next_session && next <= seq {
                return Err(format!("{name} lists {next} after {seq}"));
            }
            if let Some(between) = between {
                return Err(format!("{name} leaves {between:?} out"));
            }
        }
    }
    match acknowledged.iter().find(|chunk| !found.contains_key(chunk)) {
        Some(missing) => Err(format!("{missing:?} is in no record file of {:?}", files.keys())),
        None => Ok(()),
    }
}
