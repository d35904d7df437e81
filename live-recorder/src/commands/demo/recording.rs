//! What was recorded, read back by its URLs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;

use super::client::Client;

/// Bytes of a transport stream packet (ISO/IEC 13818-1 §2.4.3.2).
const PACKET_BYTES: usize = 188;

/// First byte of each.
const SYNC_BYTE: u8 = 0x47;

/// Waits until the folder `prefix` of a bucket holds a file with each extension, and answers their object names.
///
/// The bucket server keeps each object as a file of the object's name in `bucket`.
pub(super) async fn wait_for_files<const N: usize>(
    bucket: &Path,
    prefix: &str,
    extensions: [&str; N],
    patience: Duration,
) -> Result<[String; N]> {
    let begun = Instant::now();
    loop {
        let files = files(&bucket.join(prefix))?;
        let with = |extension: &str| {
            let file = files.iter().find(|file| file.extension().is_some_and(|name| name == extension))?;
            Some(file.strip_prefix(bucket).ok()?.to_str()?.to_owned())
        };
        let found = extensions.map(with);
        if found.iter().all(Option::is_some) {
            return Ok(found.map(Option::unwrap_or_default));
        }
        if begun.elapsed() > patience {
            bail!("no record files {extensions:?} after {} s; the bucket has {files:?}", patience.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Every file below `folder`, which may be absent.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(found) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// A record file: a playlist and its slices.
pub(super) struct Recording {
    pub(super) url: String,
    playlist: Bytes,
    /// Whether the playlist says that nothing will be added.
    pub(super) ended: bool,
    pub(super) slices: Vec<Slice>,
}

/// A slice of a recording.
pub(super) struct Slice {
    url: String,
    duration_s: f64,
    bytes: Bytes,
}

impl Recording {
    /// Reads the playlist `object` and every slice that it names.
    pub(super) async fn fetch(client: &Client, object: &str) -> Result<Self> {
        let url = client.object_url(object)?;
        let playlist = client.get(&url).await?;
        let text = std::str::from_utf8(&playlist).context("the playlist is not UTF-8")?;
        let (folder, _) = url.rsplit_once('/').context("an object's URL has no path")?;
        let mut slices = Vec::new();
        for (uri, duration_s) in segments(text)? {
            let url = format!("{folder}/{uri}");
            let bytes = client.get(&url).await?;
            slices.push(Slice { url, duration_s, bytes });
        }
        let ended = text.lines().any(|line| line == "#EXT-X-ENDLIST");
        Ok(Self { url, playlist, ended, slices })
    }

    /// Sum of the slices' durations in seconds.
    pub(super) fn duration_s(&self) -> f64 {
        self.slices.iter().map(|slice| slice.duration_s).sum()
    }

    /// The packets of all slices; checks that they are whole.
    pub(super) fn transport_stream_packets(&self) -> Result<usize> {
        let mut count = 0;
        for Slice { url, bytes, .. } in &self.slices {
            let (packets, rest) = bytes.as_chunks::<PACKET_BYTES>();
            ensure!(rest.is_empty(), "{url}: {} bytes are no whole transport stream packets", bytes.len());
            ensure!(
                packets.iter().all(|packet| packet[0] == SYNC_BYTE),
                "{url}: a packet does not begin with its sync byte"
            );
            count += packets.len();
        }
        Ok(count)
    }

    /// Prints the files and their URLs.
    pub(super) fn show(&self) -> Result<()> {
        println!("\n{:>9}  {:>8}  object", "bytes", "seconds");
        for Slice { url, duration_s, bytes } in &self.slices {
            println!("{:>9}  {duration_s:>8.3}  {url}", bytes.len());
        }
        println!("{:>9}  {:>8.3}  {}", self.playlist.len(), self.duration_s(), self.url);
        Ok(())
    }
}

/// URI and duration in seconds of each segment of a media playlist (RFC 8216 §4.3.2.1).
fn segments(playlist: &str) -> Result<Vec<(&str, f64)>> {
    let mut segments = Vec::new();
    let mut duration_s = None;
    for line in playlist.lines() {
        if let Some(tag) = line.strip_prefix("#EXTINF:") {
            let (duration, _title) = tag.split_once(',').unwrap_or((tag, ""));
            duration_s = Some(duration.parse().with_context(|| format!("{line:?} has no duration"))?);
        } else if !line.is_empty() && !line.starts_with('#') {
            segments.push((line, duration_s.take().with_context(|| format!("{line:?} has no #EXTINF"))?));
        }
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_read_with_their_durations() {
        let playlist =
            "#EXTM3U\n#EXTINF:5.000,\n0.ts\n\n#EXTINF:1.5\n#EXT-X-DISCONTINUITY\n1.ts\n#EXT-X-ENDLIST\n";
        assert_eq!(segments(playlist).unwrap(), [("0.ts", 5.0), ("1.ts", 1.5)]);
        assert!(segments("#EXTM3U\n0.ts\n").is_err());
    }
}
