//! What lies in a bucket: the embedded server keeps each object as a file of the object's name.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use m3u8_rs::MediaPlaylist;

use crate::site::Site;

/// The objects of a bucket whose names begin with a prefix, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn objects(site: &impl Site, bucket: &str, prefix: &str) -> Result<Vec<String>> {
    let mut found = objects_in(&site.bucket_folder(bucket))?;
    found.retain(|name| name.starts_with(prefix));
    Ok(found)
}

/// The objects of a bucket whose folder this is, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn objects_in(folder: &Path) -> Result<Vec<String>> {
    fn walk(folder: &Path, name: &str, found: &mut Vec<String>) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let file = entry.file_name().into_string().ok().context("a file name is not UTF-8")?;
            let name = if name.is_empty() { file } else { format!("{name}/{file}") };
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &name, found)?;
            } else {
                found.push(name);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

/// A record file's playlist.
pub struct Recording {
    /// Object name of the playlist.
    pub object: String,
    /// The playlist's file.
    pub file: PathBuf,
    /// The playlist, read by a parser that we did not write.
    pub playlist: MediaPlaylist,
}

impl Recording {
    /// The slices' files, in order.
    #[must_use]
    pub fn slices(&self) -> Vec<PathBuf> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let decode = |uri: &str| percent_encoding::percent_decode_str(uri).decode_utf8_lossy().into_owned();
        self.playlist.segments.iter().map(|segment| folder.join(decode(&segment.uri))).collect()
    }

    /// All slices one after the other.
    ///
    /// # Errors
    /// When a slice is missing.
    pub fn transport_stream(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for slice in self.slices() {
            bytes.extend(fs::read(&slice).with_context(|| format!("slice {} is missing", slice.display()))?);
        }
        Ok(bytes)
    }

    /// Sum of the slices' durations in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.playlist.segments.iter().map(|segment| f64::from(segment.duration)).sum()
    }
}

/// The recordings whose playlists are in the bucket, by object name.
///
/// # Errors
/// When a playlist cannot be parsed.
pub fn recordings(site: &impl Site, bucket: &str, prefix: &str) -> Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    for object in objects(site, bucket, prefix)? {
        if object.ends_with(".m3u8") {
            let file = site.bucket_folder(bucket).join(&object);
            let bytes = fs::read(&file)?;
            match m3u8_rs::parse_media_playlist_res(&bytes) {
                Ok(playlist) => recordings.push(Recording { object, file, playlist }),
                Err(error) => bail!("{object} is not a media playlist: {error}"),
            }
        }
    }
    Ok(recordings)
}

/// Waits until the bucket holds that many recordings.
///
/// # Errors
/// When the bucket holds fewer after the time given.
pub fn wait_for_recordings(
    site: &impl Site,
    bucket: &str,
    prefix: &str,
    count: usize,
    patience: Duration,
) -> Result<Vec<Recording>> {
    let begun = Instant::now();
    loop {
        let found = recordings(site, bucket, prefix)?;
        if found.len() >= count {
            return Ok(found);
        }
        if begun.elapsed() > patience {
            let objects = objects(site, bucket, prefix)?;
            bail!("{} of {count} record files after {patience:?}; the bucket has {objects:?}", found.len());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
