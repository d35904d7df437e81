//! A record file that holds its media, read back by its URL.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;

use super::client::Client;

/// An MP4 or FLV record file.
pub(super) struct MediaFile {
    url: String,
    bytes: Bytes,
    duration_s: f64,
}

impl MediaFile {
    /// Reads an MP4 file.
    pub(super) async fn fetch_mp4(client: &Client, object: &str) -> Result<Self> {
        let (url, bytes) = fetch(client, object).await?;
        let duration_s = mp4_duration_s(&bytes).with_context(|| format!("{url} is no MP4 file"))?;
        Ok(Self { url, bytes, duration_s })
    }

    /// Reads an FLV file.
    pub(super) async fn fetch_flv(client: &Client, object: &str) -> Result<Self> {
        let (url, bytes) = fetch(client, object).await?;
        let duration_s = flv_duration_s(&bytes).with_context(|| format!("{url} is no FLV file"))?;
        Ok(Self { url, bytes, duration_s })
    }

    /// Whether it lasts about as long.
    pub(super) fn check(&self, expected_s: f64) -> Result<()> {
        let Self { url, duration_s, .. } = self;
        ensure!((duration_s - expected_s).abs() < 0.1, "{url} lasts {duration_s} s, not {expected_s} s");
        Ok(())
    }

    /// Prints the file and its URL.
    pub(super) fn show(&self) {
        println!("{:>9}  {:>8.3}  {}", self.bytes.len(), self.duration_s, self.url);
    }
}

async fn fetch(client: &Client, object: &str) -> Result<(String, Bytes)> {
    let url = client.object_url(object)?;
    let bytes = client.get(&url).await?;
    Ok((url, bytes))
}

/// How long an MP4 file lasts by its `mvhd` (ISO/IEC 14496-12 §8.2.2). Its `moov` has to stand before its `mdat`, which
/// ends the file.
fn mp4_duration_s(file: &[u8]) -> Option<f64> {
    let mut rest = file;
    let mut duration_s = None;
    while !rest.is_empty() {
        let (kind, content, after) = next_box(rest)?;
        match kind {
            b"moov" => duration_s = Some(mvhd_duration_s(content)?),
            b"mdat" => return duration_s.filter(|_| after.is_empty()),
            _ => {}
        }
        rest = after;
    }
    None
}

/// The kind and the content of a box, and what follows it (ISO/IEC 14496-12 §4.2).
fn next_box(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, _) = rest.split_first_chunk::<4>()?;
    let (header, size) = match u32::from_be_bytes(*size) {
        1 => (16, u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)),
        size => (8, u64::from(size)),
    };
    let (whole, after) = bytes.split_at_checked(size.try_into().ok()?)?;
    Some((kind, whole.get(header..)?, after))
}

fn mvhd_duration_s(moov: &[u8]) -> Option<f64> {
    let (kind, content, _) = next_box(moov)?;
    let word = |at: usize| Some(u32::from_be_bytes(*content.get(at..)?.first_chunk()?));
    let (timescale, duration) = match (kind, content.first()?) {
        (b"mvhd", 0) => (word(12)?, u64::from(word(16)?)),
        (b"mvhd", 1) => (word(20)?, u64::from_be_bytes(*content.get(24..)?.first_chunk()?)),
        _ => return None,
    };
    Some(duration as f64 / f64::from(timescale))
}

/// How long an FLV file lasts by its tags: to the last one's time, and as long again as that one is after the one
/// before of its kind.
fn flv_duration_s(file: &[u8]) -> Option<f64> {
    let mut at = flv::FILE_HEADER_SIZE;
    let mut last: [Option<(u32, u32)>; 2] = [None; 2];
    while let Some(rest) = file.get(at..).filter(|rest| !rest.is_empty()) {
        let header = flv::TagHeader::parse(rest.first_chunk()?)?;
        let track = match header.kind {
            flv::TagKind::Audio => 0,
            flv::TagKind::Video => 1,
            flv::TagKind::Script => 2,
        };
        if let Some(last) = last.get_mut(track) {
            let step = last.map_or(0, |(time, _)| header.timestamp_ms.saturating_sub(time));
            *last = Some((header.timestamp_ms, step));
        }
        at += header.tag_size() as usize;
    }
    let end = last.iter().flatten().map(|(time, step)| time + step).max()?;
    Some(f64::from(end) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MP4: &[u8] = include_bytes!("../../../../tests/corpus/golden/h264_aac.mp4");
    const FLV: &[u8] = include_bytes!("../../../../tests/corpus/golden/h264_aac.recorded.flv");

    #[test]
    fn durations_are_those_of_the_media() {
        let (mp4, flv) = (mp4_duration_s(MP4).unwrap(), flv_duration_s(FLV).unwrap());
        assert!((mp4 - flv).abs() < 0.05 && mp4 > 0.5, "{mp4} {flv}");
    }

    #[test]
    fn a_file_that_is_cut_off_has_none() {
        assert_eq!(mp4_duration_s(&MP4[..MP4.len() - 1]), None);
        assert_eq!(mp4_duration_s(&MP4[..100]), None);
        assert_eq!(flv_duration_s(&FLV[..30]), None);
    }
}
