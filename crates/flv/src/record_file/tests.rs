//! Tracks that lie apart in the chunks' media.

use std::ops::Range;

use media::{AudioCodec, TrackKind, VideoCodec};
use sample_table::{
    AudioEntry, Follows, Head, Sample, SampleEntry, SampleTable, Script, TableWriter, VideoEntry,
};

use super::{RecordLayout, RecordPlan, RecordWriter};
use crate::{Reader, Tag, TagClass, TagKind, write_header};

mod clock;

const PICTURE_MS: i64 = 40;
const SOUND_MS: i64 = 20;

/// So much may wait in these tests. Unit: bytes.
const MAX_WAITING: u64 = 400_000;

/// A chunk's samples: track, time in milliseconds, bytes of the picture or frame.
type Chunk = Vec<(TrackKind, i64, usize)>;

/// Chunks of a second, in which sound is behind pictures, or before them; sizes are of a picture.
fn push(chunks: i64, sound_is_behind_ms: i64, size: usize) -> Vec<Chunk> {
    let chunk = |n: i64| {
        let pictures = (n * 1_000..(n + 1) * 1_000).step_by(PICTURE_MS as usize);
        let pictures = pictures.map(|time_ms| (TrackKind::Video, time_ms, size + (time_ms % 7) as usize));
        let sound = (n * 1_000..(n + 1) * 1_000).step_by(SOUND_MS as usize);
        let sound = sound.map(|time_ms| (TrackKind::Audio, time_ms - sound_is_behind_ms, 9));
        pictures.chain(sound).collect()
    };
    (0..chunks).map(chunk).collect()
}

/// Bytes that tell a sample from others.
fn sample((track, time_ms, size): (TrackKind, i64, usize)) -> Vec<u8> {
    let mut bytes = vec![track as u8; size];
    bytes[..8].copy_from_slice(&time_ms.to_be_bytes());
    bytes
}

/// Sound of AAC that such a record says how to decode.
fn aac(record: &[u8]) -> AudioEntry<'_> {
    AudioEntry {
        codec: AudioCodec::Aac,
        sample_rate_hz: 48_000,
        channels: 2,
        frame_samples: 1_024,
        in_adts: false,
        record,
    }
}

fn table(chunk: &Chunk, scripts: &[(i64, &[u8])]) -> Vec<u8> {
    let video = VideoEntry { codec: VideoCodec::H264, width: 0, height: 0, record: b"record" };
    let audio = AudioEntry {
        codec: AudioCodec::Mp3,
        sample_rate_hz: 48_000,
        channels: 2,
        frame_samples: 960,
        in_adts: false,
        record: &[],
    };
    let mut writer = TableWriter::new();
    let mut before = None;
    for &(track, time_ms, size) in chunk {
        if before.replace(track) != Some(track) {
            writer.begin_run(track, track as u32);
        }
        let (dts_90khz, size) = (time_ms * 90, size as u32);
        writer.sample(Sample { dts_90khz, composition_offset_90khz: 0, size, is_sync: false });
    }
    let scripts = scripts.iter().map(|&(time_ms, body)| Script { time_90khz: time_ms * 90, body });
    let entries = vec![SampleEntry::Video(video), SampleEntry::Audio(audio)];
    writer.finish(&Head { entries, scripts: scripts.collect(), ..Head::default() })
}

/// The tags of a file of chunks, and the most that waited for the media of a later chunk.
fn record(chunks: &[Chunk], scripts: &[(i64, &[u8])]) -> (Vec<u8>, usize) {
    let tables: Vec<_> = chunks.iter().map(|chunk| table(chunk, &[])).collect();
    let with_scripts = table(&chunks[0], scripts);
    let tables = std::iter::once(&with_scripts).chain(&tables[1..]);
    let tables: Vec<_> = tables.map(|table| SampleTable::parse(table).unwrap()).collect();
    let media: Vec<u8> = chunks.iter().flatten().flat_map(|placed| sample(*placed)).collect();
    let mut plan = RecordPlan::new(tables.iter().map(|table| (table, Follows::Directly)));
    plan.max_waiting = MAX_WAITING;
    let layout = plan.lay_out().unwrap();
    let (tags, waited) = write(layout.writer(0).0, &media);
    assert_eq!(layout.head.file_size, (layout.head.bytes.len() + tags.len()) as u64);
    let size = tags.len();
    for behind in (0..4).map(|part| size * part / 4 + 1).chain([size]) {
        let (writer, passed) = layout.writer(behind as u64);
        let (resumed, waited) = write(writer, &media);
        assert!(passed <= behind as u64 && tags[passed as usize..] == resumed, "{behind} of {size}");
        assert!(waited as u64 <= MAX_WAITING);
        check_media(&layout, &media, &tags, behind..(behind + size / 5).min(size));
    }
    let mut file = Vec::new();
    write_header(&mut file, true, true);
    let before = file.len();
    file.extend(&tags);
    for (number, tag) in self::tags(&file).iter().enumerate() {
        if tag.kind == TagKind::Script || number % 97 == 0 {
            let begin = tag.offset as usize - before;
            check_media(&layout, &media, &tags, begin..begin + 1);
            check_media(&layout, &media, &tags, begin..begin + tag.body.len() + 15);
        }
    }
    (file, waited)
}

/// As much media as is said to be needed writes these bytes.
#[track_caller]
fn check_media(layout: &RecordLayout<'_>, media: &[u8], tags: &[u8], bytes: Range<usize>) {
    let needed = layout.media(bytes.start as u64..bytes.end as u64);
    let (writer, passed) = layout.writer(bytes.start as u64);
    let (written, _) = write(writer, &media[..needed.end as usize]);
    assert!(passed as usize + written.len() >= bytes.end, "{bytes:?} of {}", tags.len());
    assert!(tags[passed as usize..].starts_with(&written));
}

fn write(mut writer: RecordWriter<'_>, media: &[u8]) -> (Vec<u8>, usize) {
    let (mut rest, mut tags, mut most) = (&media[writer.media_first() as usize..], Vec::new(), 0);
    while let Some(needed) = writer.needed()
        && let Some((next, after)) = rest.split_at_checked(needed as usize)
    {
        writer.take(next, &mut tags).unwrap();
        most = most.max(writer.waiting.iter().map(Vec::len).sum());
        rest = after;
    }
    (tags, most)
}

fn tags(file: &[u8]) -> Vec<Tag<'_>> {
    Reader::new(file).unwrap().map(Result::unwrap).collect()
}

/// Each track has its samples, in their order, at their times.
#[track_caller]
fn check_samples(file: &[u8], chunks: &[Chunk]) {
    let begin_ms = chunks.iter().flatten().map(|(_, time_ms, _)| *time_ms).min().unwrap();
    for (track, kind, header) in
        [(TrackKind::Video, TagKind::Video, 5), (TrackKind::Audio, TagKind::Audio, 1)]
    {
        let samples = chunks.iter().flatten().filter(|(of, ..)| *of == track);
        let expected: Vec<_> = samples.map(|placed| (placed.1 - begin_ms, sample(*placed))).collect();
        let coded = tags(file).into_iter().filter(|tag| tag.kind == kind);
        let coded = coded.filter(|tag| TagClass::of(tag.kind, tag.body).is_frame());
        let found: Vec<_> =
            coded.map(|tag| (i64::from(tag.timestamp_ms), tag.body[header..].to_vec())).collect();
        assert!(found == expected, "{track:?}: {} of {}", found.len(), expected.len());
    }
}

fn is_in_order(file: &[u8]) -> bool {
    tags(file).is_sorted_by_key(|tag| tag.timestamp_ms)
}

#[test]
fn tracks_that_are_apart_are_put_in_the_order_of_time_across_chunks() {
    for behind_ms in [0, 90, -90, 1_000, -1_000, 3_210, -3_210] {
        let chunks = push(8, behind_ms, 3_000);
        let (file, waited) = record(&chunks, &[]);
        assert!(is_in_order(&file), "{behind_ms}");
        check_samples(&file, &chunks);
        assert_eq!(waited > 0, behind_ms != 0, "{behind_ms}");
    }
}

#[test]
fn a_track_that_begins_late_and_pauses_keeps_its_times() {
    let mut chunks = push(60, 500, 3_000);
    for (n, chunk) in chunks.iter_mut().enumerate() {
        chunk.retain(|(track, ..)| *track == TrackKind::Video || n > 0 && !(5..50).contains(&n));
    }
    // Sound of the second chunk is from before the first picture.
    chunks[1].insert(25, (TrackKind::Audio, -30, 9));
    let (file, waited) = record(&chunks, &[]);
    assert!(is_in_order(&file));
    check_samples(&file, &chunks);
    assert!(waited < 300_000, "{waited}");
}

#[test]
fn tracks_that_are_too_far_apart_wait_no_longer() {
    for behind_ms in [2_000, -20_000] {
        let chunks = push(24, behind_ms, 12_000);
        let (file, waited) = record(&chunks, &[]);
        assert!(!is_in_order(&file), "{behind_ms}");
        check_samples(&file, &chunks);
        assert!(waited > 0, "{behind_ms}");
    }
}

#[test]
fn script_data_stands_in_its_chunk_and_within_the_file() {
    let text = b"\x02\0\x0aonTextData\x08\0\0\0\0\0\0\x09";
    let scripts: [(i64, &[u8]); 4] = [(500, text), (-9_000, text), (510, text), (3_600_000, text)];
    for (chunks, expected) in [(1, [500, 500, 510, 980]), (3, [500, 500, 510, 1_000])] {
        let (file, _) = record(&push(chunks, 0, 3_000), &scripts);
        let scripts = tags(&file).into_iter().filter(|tag| tag.kind == TagKind::Script);
        assert_eq!(scripts.map(|tag| tag.timestamp_ms).collect::<Vec<_>>(), expected);
        assert!(is_in_order(&file));
    }
}

#[test]
fn long_headers_between_tiny_keyframes_are_less_than_the_media() {
    let record = vec![7; 16_000];
    let video = |record| VideoEntry { codec: VideoCodec::H264, width: 0, height: 0, record };
    let entries = [&b"short"[..], &record].map(|record| SampleEntry::Video(video(record)));
    let (pictures, size) = (4_000, 30);
    let mut writer = TableWriter::new();
    for n in 0..pictures {
        if n < 2 {
            writer.begin_run(TrackKind::Video, n as u32);
        }
        let dts_90khz = n * 180;
        writer.sample(Sample { dts_90khz, composition_offset_90khz: 0, size, is_sync: true });
    }
    let table = writer.finish(&Head { entries: entries.to_vec(), ..Head::default() });
    let table = SampleTable::parse(&table).unwrap();
    let layout = RecordPlan::new([(&table, Follows::Directly)]).lay_out().unwrap();
    let media = vec![1; pictures as usize * size as usize];
    let (tags, _) = write(layout.writer(0).0, &media);
    assert_eq!(layout.head.file_size, (layout.head.bytes.len() + tags.len()) as u64);
    let headers = tags.windows(record.len()).filter(|bytes| *bytes == record).count();
    assert!((2..=1 + media.len() / record.len()).contains(&headers), "{headers}");
    for behind in (0..64).map(|part| tags.len() * part / 64) {
        let (writer, passed) = layout.writer(behind as u64);
        let (resumed, _) = write(writer, &media);
        assert!(tags[passed as usize..] == resumed, "{behind}");
        check_media(&layout, &media, &tags, behind..behind + 999);
    }
}

#[test]
fn a_long_header_of_sound_is_not_repeated_wherever_pictures_change() {
    let record = vec![7; 15_000];
    let video = |record| VideoEntry { codec: VideoCodec::H264, width: 0, height: 0, record };
    let [one, other] = [b"one", b"two"].map(|record| SampleEntry::Video(video(&record[..])));
    let sound = aac(&record);
    let mut writer = TableWriter::new();
    writer.begin_run(TrackKind::Audio, 2);
    writer.sample(Sample { dts_90khz: 0, composition_offset_90khz: 0, size: 9, is_sync: true });
    let pictures = 200;
    for n in 0..pictures {
        writer.begin_run(TrackKind::Video, n % 2);
        let dts_90khz = i64::from(n + 1) * 180;
        writer.sample(Sample { dts_90khz, composition_offset_90khz: 0, size: 30, is_sync: true });
    }
    let entries = vec![one, other, SampleEntry::Audio(sound)];
    let table = writer.finish(&Head { entries, ..Head::default() });
    let table = SampleTable::parse(&table).unwrap();
    let layout = RecordPlan::new([(&table, Follows::Directly)]).lay_out().unwrap();
    let (tags, _) = write(layout.writer(0).0, &vec![1; 9 + 30 * pictures as usize]);
    assert_eq!(layout.head.file_size, (layout.head.bytes.len() + tags.len()) as u64);
    assert_eq!(tags.windows(record.len()).filter(|bytes| *bytes == record).count(), 1);
    assert_eq!(tags.windows(3).filter(|bytes| *bytes == b"one").count(), 100);
}

#[test]
fn any_place_of_a_file_is_found_of_which_not_all_are_marked() {
    let (pictures, size) = (2_400, 1 << 20);
    let chunk: Chunk = (0..pictures).map(|n| (TrackKind::Video, n * PICTURE_MS, size)).collect();
    let table = table(&chunk, &[]);
    let table = SampleTable::parse(&table).unwrap();
    let layout = RecordPlan::new([(&table, Follows::Directly)]).lay_out().unwrap();
    // The sequence header goes with the first picture.
    let (header, picture) = (15 + 5 + b"record".len() as u64, 15 + 5 + size as u64);
    let pictures = pictures as u64;
    for behind in (1..=pictures).map(|number| header + number * picture) {
        let before = if behind == header + picture { 0 } else { behind - picture };
        assert_eq!(layout.writer(behind - 1).1, before);
        assert_eq!(layout.writer(behind).1, behind);
        let media = (behind - header) / picture * size as u64;
        let last = if behind == header + pictures * picture { media } else { media + size as u64 };
        assert_eq!(layout.writer(behind).0.media_first(), media);
        assert!(layout.media(behind..behind + 1).end >= last);
    }
    assert_eq!(layout.writer(u64::MAX).1, header + pictures * picture);
}
