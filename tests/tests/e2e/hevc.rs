//! A push of HEVC. ffmpeg before 6.1 writes no FLV of it, so its tags are put together here, out of an MP4 file.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::flv_tags::{Kind, Tag};

/// NAL unit types (23008-2 table 7-1): of coded slices all are below, and of those that begin a sequence between.
const FIRST_OTHER: u8 = 32;
const RANDOM_ACCESS: std::ops::RangeInclusive<u8> = 16..=21;

/// 8 s at 25 pictures per second with a keyframe each 2 s, none of them reordered.
pub(crate) struct Clip {
    /// The MP4 file: what a recording of the push is compared with.
    pub(crate) file: PathBuf,
    /// The configuration record (14496-15 §8.3.3.1).
    pub(crate) record: Vec<u8>,
    /// Whether each picture is a keyframe, and its NAL units behind lengths.
    pub(crate) pictures: Vec<(bool, Vec<u8>)>,
}

/// The clip, made once.
pub(crate) fn clip() -> &'static Clip {
    static CLIP: LazyLock<Clip> = LazyLock::new(make);
    &CLIP
}

/// The clip as tags: each body begins with what `header` makes of whether it is the sequence header and whether it
/// is a keyframe.
pub(crate) fn tags(clip: &Clip, record: &[u8], header: impl Fn(bool, bool) -> Vec<u8>) -> Vec<Tag> {
    let tag = |at: usize, body| {
        let sent_ms = at as u64 * 40;
        Tag { kind: Kind::Video, timestamp_ms: sent_ms as u32, sent_ms, body }
    };
    let picture = |(at, (is_key, units)): (usize, &(bool, Vec<u8>))| {
        tag(at, [&header(false, *is_key), &units[..]].concat())
    };
    let first = tag(0, [&header(true, true), record].concat());
    std::iter::once(first).chain(clip.pictures.iter().enumerate().map(picture)).collect()
}

fn make() -> Clip {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clips");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("hevc.mp4");
    let parameters = "log-level=none:keyint=50:min-keyint=50:open-gop=0:bframes=0:repeat-headers=1";
    let mut arguments = vec!["-y", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "8"];
    arguments.extend([
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-x265-params",
        parameters,
    ]);
    arguments.extend(["-tag:v", "hvc1", file.to_str().unwrap()]);
    harness::ffmpeg::quiet(&arguments).unwrap();
    let bytes = std::fs::read(&file).unwrap();

    let at = bytes.windows(4).position(|bytes| bytes == b"hvcC").unwrap();
    let size = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
    let record = bytes[at + 4..at - 4 + size].to_vec();
    Clip { file, record, pictures: pictures(media(&bytes)) }
}

/// What the box `mdat` holds: the samples of the one track, one after the other.
fn media(file: &[u8]) -> &[u8] {
    let mut rest = file;
    loop {
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        if &rest[4..8] == b"mdat" {
            return &rest[8..size];
        }
        rest = &rest[size..];
    }
}

/// Each picture is one coded slice and what comes before it.
fn pictures(mut rest: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let mut pictures = Vec::new();
    let mut units = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (unit, after) = rest.split_at(4 + length);
        rest = after;
        units.extend_from_slice(unit);
        let kind = unit[4] >> 1 & 0x3f;
        if kind < FIRST_OTHER {
            pictures.push((RANDOM_ACCESS.contains(&kind), std::mem::take(&mut units)));
        }
    }
    pictures
}
