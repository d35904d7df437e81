//! Finished files made of a push's samples: the coded data and the times of the push, as ffmpeg reads them.

use std::path::{Path, PathBuf};

use flv::record_file::RecordPlan;
use media::TrackKind;
use mp4::{
    Follows, IndexBuilder,
    verify::{self, Movie},
};
use recorder_remux::{Policy, Slice, remux_with_samples};
use sample_table::SampleTable;

use crate::{
    chunks, compare,
    entries::Sample,
    ffmpeg,
    packets::{Source, Stream},
};

/// Tables and media of a session's chunks.
pub(crate) fn samples(chunks: &[Vec<u8>]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut state = Vec::new();
    let mut recorded = Vec::new();
    for chunk in chunks {
        let (slice, muxer, mut samples) = remux_with_samples(chunk, &state, &Policy::default()).unwrap();
        let mut media = Vec::with_capacity(samples.size() as usize);
        samples.write(&muxer, &mut media);
        recorded.push((samples.table().to_vec(), media));
        state = slice.state.clone();
    }
    recorded
}

/// A file of a session, checked by the rules for every file.
pub(crate) fn mp4(recorded: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut builder = IndexBuilder::new(mp4::Policy::default());
    for (table, _) in recorded {
        builder.add(&SampleTable::parse(table).unwrap(), Follows::Directly);
    }
    let index = builder.finish().unwrap();
    let size = index.file_size();
    let file: Vec<u8> =
        index.pieces().chain(recorded.iter().map(|(_, media)| &media[..])).flatten().copied().collect();
    assert_eq!(file.len() as u64, size);
    verify::check(&Movie::read(&file).unwrap(), size).unwrap();
    file
}

/// The same as FLV.
pub(crate) fn flv(recorded: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let tables: Vec<_> = recorded.iter().map(|(table, _)| SampleTable::parse(table).unwrap()).collect();
    let plan = RecordPlan::new(tables.iter().map(|table| (table, Follows::Directly)));
    let layout = plan.lay_out().unwrap();
    let (mut file, mut writer) = (layout.head.bytes.clone(), layout.writer(0).0);
    for (_, media) in recorded {
        writer.take(media, &mut file).unwrap();
    }
    assert_eq!(file.len() as u64, layout.head.file_size);
    file
}

/// Makes files of whatever the tests here record: they keep the rules, and last as long as the slices.
pub(crate) fn check(chunks: &[Vec<u8>], slices: &[(Slice, Vec<u8>)]) {
    let recorded = samples(chunks);
    if recorded.iter().all(|(_, media)| media.is_empty()) {
        return;
    }
    let (mp4, flv) = (Movie::read(&mp4(&recorded)).unwrap(), flv(&recorded));
    let first = slices.iter().map(|(slice, _)| slice.start_90khz).min().unwrap();
    let end = slices.iter().map(|(slice, _)| slice.start_90khz + slice.duration_90khz).max().unwrap();
    // Slices go by decoding times, and end with pictures where sound goes on for less than two frames.
    let apart = mp4.duration.abs_diff(end - first);
    assert!(apart <= 45_000, "a file of {} for slices of {}", mp4.duration, end - first);
    assert!(flv::Reader::new(&flv).unwrap().all(|tag| tag.is_ok()));
}

/// The media of each track. How tracks lie beside one another follows from the order of tags, which a file has by time.
fn tracks(recorded: &[(Vec<u8>, Vec<u8>)]) -> [Vec<u8>; 2] {
    let mut tracks = [Vec::new(), Vec::new()];
    for (table, media) in recorded {
        let mut rest = &media[..];
        for run in SampleTable::parse(table).unwrap().runs() {
            let size: usize = run.samples().map(|sample| sample.size as usize).sum();
            let (own, after) = rest.split_at(size);
            tracks[usize::from(run.track == TrackKind::Audio)].extend_from_slice(own);
            rest = after;
        }
        assert_eq!(rest, [] as [u8; 0]);
    }
    tracks
}

/// Records an entry as files, and has them judged.
pub(crate) fn judge(sample: &Sample, frames: &[Option<Vec<String>>; 2], chunks: &[Vec<u8>]) {
    let name = &sample.entry.name;
    let recorded = samples(chunks);
    let (mp4, flv) = (mp4(&recorded), flv(&recorded));
    let codec = sample.source.video.as_ref().map_or("", |video| &video.codec);
    configured_once(name, &mp4, &flv);
    // What is recorded of a recorded file is the file. Headers of MPEG-4 that went before a frame are its own then.
    let again = samples(&chunks::cut(&flv, 2_000));
    assert!(tracks(&again) == tracks(&recorded), "{name}: the media of a file of a file is another");
    assert!(codec == "mpeg4" || flv == self::flv(&again), "{name}: a file of a file is another");
    let path = write(name, "recorded.mp4", &mp4);
    same(name, &sample.source, &path);
    // The sequence header of one entry says more than what it was made of: its frames are decoded by that.
    let pushed = (name == "aac_he").then(|| ffmpeg::frame_hashes(&write(name, "pushed.flv", &sample.flv)));
    let frames = pushed.as_ref().unwrap_or(frames);
    ffmpeg::same_frames(name, frames, &path);
    // FFmpeg 5.1 knows neither HEVC nor Enhanced RTMP nor MP3 at 8 kHz in FLV, and opens a stream for each tag of MPEG-4.
    if !["hevc", "mpeg4"].contains(&codec) && !["h264_avc1", "mp3_8k"].contains(&name.as_str()) {
        let path = write(name, "recorded.flv", &flv);
        same(name, &sample.source, &path);
        ffmpeg::same_frames(name, frames, &path);
    }
}

/// What an encoder that changes nothing sends is described once, however many chunks it is recorded in.
fn configured_once(name: &str, mp4: &[u8], flv: &[u8]) {
    for track in Movie::read(mp4).unwrap().tracks {
        assert_eq!(track.entries.len(), 1, "{name}: sample entries of {}", track.handler.escape_ascii());
    }
    let is_header = |tag: &flv::Tag<'_>| {
        tag.kind == flv::TagKind::Video && flv::VideoTagHeader::parse(tag.body).unwrap().is_sequence_header()
    };
    let tags = flv::Reader::new(flv).unwrap().map(Result::unwrap);
    assert!(tags.filter(is_header).count() <= 1, "{name}: sequence headers");
}

/// A file decodes without a warning, and has the packets of its source.
pub(crate) fn same(name: &str, source: &Source, path: &Path) {
    ffmpeg::decodes_without_a_warning(path);
    let found = Source::read(path);
    let first = |source: &Source| {
        let packets = source.video.iter().chain(&source.audio).flat_map(|stream| &stream.packets);
        packets.map(|packet| packet.pts_ms).min().unwrap()
    };
    // A file begins with what is shown or heard first.
    let shift_ms = first(&found) - first(source);
    let pairs = [(&source.video, &found.video), (&source.audio, &found.audio)];
    for (expected, found) in pairs {
        let (Some(expected), Some(found)) = (expected, found) else {
            assert!(expected.is_none() && found.is_none(), "{name}: a track more or less");
            continue;
        };
        assert_eq!(expected.codec, found.codec, "{name}");
        compare::packets(expected, found);
        times(name, expected, found, shift_ms);
    }
}

/// Times are those of the source to what milliseconds and whole frames of sound leave.
fn times(name: &str, expected: &Stream, found: &Stream, shift_ms: i64) {
    for (expected, found) in expected.packets.iter().zip(&found.packets) {
        let apart_ms = found.pts_ms - expected.pts_ms - shift_ms;
        assert!(apart_ms.abs() <= 3, "{name}: {} ms for {}", found.pts_ms, expected.pts_ms);
    }
}

pub(crate) fn write(name: &str, suffix: &str, file: &[u8]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{name}-{suffix}"));
    std::fs::write(&path, file).unwrap();
    path
}
