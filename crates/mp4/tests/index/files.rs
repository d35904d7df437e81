//! Small files of every codec: what they hold is what was pushed, and readers that we did not write agree.

use std::io::Cursor;

use media::TrackKind;
use recorder_mp4::{Policy, verify::Movie};
use sample_table::SampleTable;

use crate::common::{Chunk, file, session};

macro_rules! golden {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../../tests/corpus/golden/", $name, ".flv")).as_slice())
    };
}

const FILES: &[(&str, &[u8])] = &[
    golden!("h264_aac"),
    golden!("h264_slices"),
    golden!("he_aac"),
    golden!("he_aac_v2"),
    golden!("hevc_enhanced"),
    golden!("mpeg4_lengths"),
    golden!("mp3"),
    ("sample", include_bytes!("../../../../tests/assets/sample.flv")),
];

/// The file twice in one session, the second time 1.2 s later.
fn two_chunks(flv: &[u8]) -> Vec<Chunk> {
    let end = flv::Reader::new(flv).unwrap().map(|tag| tag.unwrap().timestamp_ms).max().unwrap();
    let later = if end < 1_200 { 1_200 } else { end + 40 };
    let mut second = Vec::new();
    flv::write_header(&mut second, true, true);
    for tag in flv::Reader::new(flv).unwrap().map(Result::unwrap) {
        flv::write_tag(&mut second, tag.kind, tag.timestamp_ms + later, tag.body).unwrap();
    }
    session(&[flv, &second])
}

/// Decoding and presentation time at 90 kHz, whether decoding can begin there, and the bytes, of a track's samples.
type Expected = Vec<(i64, i64, bool, Vec<u8>)>;

fn expected(chunks: &[Chunk], kind: TrackKind) -> Expected {
    let mut found = Vec::new();
    for Chunk { table, media } in chunks {
        for run in SampleTable::parse(table).unwrap().runs().filter(|run| run.track == kind) {
            let mut offset = run.offset as usize;
            for sample in run.samples() {
                let bytes = media[offset..offset + sample.size as usize].to_vec();
                offset += sample.size as usize;
                let shown = sample.dts_90khz + i64::from(sample.composition_offset_90khz);
                found.push((sample.dts_90khz, shown, sample.is_sync, bytes));
            }
        }
    }
    found
}

#[test]
fn samples_have_their_bytes_and_their_times() {
    for (name, flv) in FILES {
        let chunks = two_chunks(flv);
        let file = file(&chunks, Policy::default());
        let movie = Movie::read(&file).unwrap();
        let mut begin = i64::MAX;
        for kind in [TrackKind::Video, TrackKind::Audio] {
            let first = expected(&chunks, kind).iter().map(|(_, shown, ..)| *shown).min();
            begin = begin.min(first.unwrap_or(i64::MAX));
        }
        for (kind, handler) in [(TrackKind::Video, b"vide"), (TrackKind::Audio, b"soun")] {
            let expected = expected(&chunks, kind);
            let Some(track) = movie.tracks.iter().find(|track| track.handler == *handler) else {
                assert!(expected.is_empty(), "{name}");
                continue;
            };
            assert_eq!(track.samples.len(), expected.len(), "{name}");
            let empty = track.edits.iter().find(|edit| edit.media_time == -1).map_or(0, |edit| edit.duration);
            let from = track.edits.last().map_or(0, |edit| edit.media_time);
            // Sound may be moved by what its stamps were rounded.
            let tolerance = if kind == TrackKind::Video { 0 } else { 182 };
            for (sample, (dts, shown, is_sync, bytes)) in track.samples.iter().zip(&expected) {
                let at = sample.offset as usize;
                assert!(file[at..at + sample.size as usize] == *bytes, "{name}");
                assert_eq!((sample.is_sync, sample.composition_offset >= 0), (*is_sync, true));
                let units = sample.dts.cast_signed() + sample.composition_offset - from;
                let plays = empty.cast_signed() + units * 90_000 / i64::from(track.timescale);
                assert!((plays - (shown - begin)).abs() <= tolerance, "{name} {kind:?} at {dts}: {plays}");
            }
        }
    }
}

#[test]
fn sound_of_whole_frames_has_one_duration() {
    for name in ["h264_aac", "mp3", "sample", "he_aac"] {
        let (_, flv) = FILES.iter().find(|(known, _)| *known == name).unwrap();
        let movie = Movie::read(&file(&session(&[flv]), Policy::default())).unwrap();
        let sound = movie.tracks.iter().find(|track| track.handler == *b"soun").unwrap();
        let frame = sound.samples[0].duration;
        assert!([1_024, 1_152, 2_048, 576].contains(&frame), "{name}: {frame}");
        assert!(sound.samples.iter().all(|sample| sample.duration == frame), "{name}");
    }
}

#[test]
fn sample_entries_name_the_codecs() {
    let entries = |name| {
        let (_, flv) = FILES.iter().find(|(known, _)| *known == name).unwrap();
        let movie = Movie::read(&file(&two_chunks(flv), Policy::default())).unwrap();
        let entries = movie.tracks.iter().flat_map(|track| &track.entries);
        entries.map(|(kind, _)| kind.escape_ascii().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(entries("h264_aac"), ["avc1", "mp4a"]);
    assert_eq!(entries("hevc_enhanced"), ["hvc1", "mp4a"]);
    assert_eq!(entries("mpeg4_lengths")[0], "mp4v");
    assert_eq!(entries("mp3"), ["mp4a"]);
}

#[test]
fn the_mp4_crate_reads_the_same() {
    // It knows AVC and AAC.
    for name in ["h264_aac", "h264_slices", "sample"] {
        let (_, flv) = FILES.iter().find(|(known, _)| *known == name).unwrap();
        let chunks = two_chunks(flv);
        let file = file(&chunks, Policy::default());
        let size = file.len() as u64;
        let mut reader = mp4_reader::Mp4Reader::read_header(Cursor::new(file), size).unwrap();
        let tracks: Vec<(u32, mp4_reader::TrackType)> =
            reader.tracks().iter().map(|(id, track)| (*id, track.track_type().unwrap())).collect();
        for (id, kind) in tracks {
            let kind = match kind {
                mp4_reader::TrackType::Video => TrackKind::Video,
                _ => TrackKind::Audio,
            };
            let expected = expected(&chunks, kind);
            assert_eq!(reader.sample_count(id).unwrap() as usize, expected.len(), "{name}");
            for (number, (dts, shown, is_sync, bytes)) in (1..).zip(&expected) {
                let sample = reader.read_sample(id, number).unwrap().unwrap();
                assert!(sample.bytes == bytes && sample.is_sync == *is_sync, "{name}");
                if kind == TrackKind::Video {
                    let (first, ..) = expected[0];
                    assert_eq!(sample.start_time, (dts - first).cast_unsigned());
                    assert_eq!(i64::from(sample.rendering_offset), shown - dts);
                }
            }
        }
        assert!(reader.moov.mvhd.duration > 0);
    }
}

/// Files whose bytes are kept: a changed byte shows in review. With `UPDATE_GOLDEN=1` they are written anew.
#[test]
fn golden_bytes() {
    let kept: [(&str, &[u8]); 2] = [
        ("h264_aac", include_bytes!("../../../../tests/corpus/golden/h264_aac.mp4")),
        ("mp3", include_bytes!("../../../../tests/corpus/golden/mp3.mp4")),
    ];
    for (name, kept) in kept {
        let (_, flv) = FILES.iter().find(|(known, _)| *known == name).unwrap();
        let policy = Policy { created_unix_s: Some(1_700_000_000) };
        let file = file(&two_chunks(flv), policy);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus/golden");
            std::fs::write(format!("{directory}/{name}.mp4"), &file).unwrap();
        } else {
            assert!(file == kept, "{name}");
        }
    }
}
