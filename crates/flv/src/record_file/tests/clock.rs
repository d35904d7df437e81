//! Times of a file whose push began at any time, and what of its media they ask for.

use super::*;
use crate::VideoTagHeader;

/// When the push began on its own clock. Unit: milliseconds.
const BEGIN_MS: i64 = 7_654_321;

const TEXT: &[u8] = b"\x02\0\x0aonTextData\x08\0\0\0\0\0\0\x09";

fn file(layout: &RecordLayout<'_>, media: &[u8]) -> Vec<u8> {
    [&layout.head.bytes[..], &write(layout.writer(0).0, media).0].concat()
}

#[test]
fn script_data_is_on_the_clock_of_the_file_from_its_begin_on() {
    let mut chunks = push(2, 0, 3_000);
    chunks.iter_mut().flatten().for_each(|(_, time_ms, _)| *time_ms += BEGIN_MS);
    let (file, _) = record(&chunks, &[(BEGIN_MS - 1, TEXT), (BEGIN_MS + 200, TEXT), (BEGIN_MS + 510, TEXT)]);
    let scripts = tags(&file).into_iter().filter(|tag| tag.kind == TagKind::Script);
    assert_eq!(scripts.map(|tag| tag.timestamp_ms).collect::<Vec<_>>(), [0, 200, 510]);
    check_samples(&file, &chunks);
}

#[test]
fn script_data_moves_with_its_chunk_behind_a_gap() {
    let chunks = [push(1, 0, 3_000), push(1, 0, 3_000)].concat();
    let tables = [table(&chunks[0], &[]), table(&chunks[1], &[(100, TEXT)])];
    let tables = tables.each_ref().map(|table| SampleTable::parse(table).unwrap());
    let follows = [Follows::Directly, Follows::AfterGap { gap_90khz: 90_000 }];
    let layout = RecordPlan::new(tables.iter().zip(follows)).lay_out().unwrap();
    let file = file(&layout, &vec![1; layout.media(0..u64::MAX).end as usize]);
    let scripts = tags(&file).into_iter().filter(|tag| tag.kind == TagKind::Script).skip(1);
    // The last sound of the first chunk is at 980.
    assert_eq!(scripts.map(|tag| tag.timestamp_ms).collect::<Vec<_>>(), [980 + 1_000 + 100]);
}

#[test]
fn composition_times_are_those_of_the_push_as_far_as_24_bits_hold_them() {
    let entry = VideoEntry { codec: VideoCodec::H264, width: 0, height: 0, record: b"record" };
    let offsets_ms = [0, 80, 9_000_000, 8_388_607, 40];
    let mut writer = TableWriter::new();
    writer.begin_run(TrackKind::Video, 0);
    for (number, offset_ms) in (0..).zip(offsets_ms) {
        let dts_90khz = (BEGIN_MS + number * PICTURE_MS) * 90;
        let composition_offset_90khz = offset_ms * 90;
        writer.sample(Sample { dts_90khz, composition_offset_90khz, size: 9, is_sync: false });
    }
    let table = writer.finish(&Head { entries: vec![SampleEntry::Video(entry)], ..Head::default() });
    let table = SampleTable::parse(&table).unwrap();
    let layout = RecordPlan::new([(&table, Follows::Directly)]).lay_out().unwrap();
    let file = file(&layout, &[1; 9 * 5]);
    let pictures = tags(&file).into_iter().filter(|tag| TagClass::of(tag.kind, tag.body).is_frame());
    let found = pictures.map(|tag| VideoTagHeader::parse(tag.body).unwrap().composition_time_ms);
    assert_eq!(found.collect::<Vec<_>>(), [0, 80, 8_388_607, 8_388_607, 40]);
}

#[test]
fn a_header_of_sound_before_a_keyframe_is_not_after_the_sound_that_follows() {
    let video =
        |record| SampleEntry::Video(VideoEntry { codec: VideoCodec::H264, width: 0, height: 0, record });
    let sound = aac(b"asc");
    let entries = vec![video(b"one"), video(b"two"), SampleEntry::Audio(sound)];
    let table = |samples: &[(TrackKind, u32, i64)]| {
        let mut writer = TableWriter::new();
        for &(track, entry, time_ms) in samples {
            writer.begin_run(track, entry);
            let dts_90khz = (BEGIN_MS + time_ms) * 90;
            writer.sample(Sample { dts_90khz, composition_offset_90khz: 0, size: 50, is_sync: true });
        }
        writer.finish(&Head { entries: entries.clone(), ..Head::default() })
    };
    // The second sound is behind by more than can wait.
    let first = table(&[(TrackKind::Audio, 2, 0), (TrackKind::Video, 0, 0), (TrackKind::Video, 1, 1_000)]);
    let second = table(&[(TrackKind::Audio, 2, 500)]);
    let tables = [&first, &second].map(|table| SampleTable::parse(table).unwrap());
    let mut plan = RecordPlan::new(tables.iter().map(|table| (table, Follows::Directly)));
    plan.max_waiting = 0;
    let file = file(&plan.lay_out().unwrap(), &[1; 200]);
    let sounds = tags(&file).into_iter().filter(|tag| tag.kind == TagKind::Audio);
    let expected = [(0, false), (0, true), (500, false), (500, true)];
    let found = sounds.map(|tag| (tag.timestamp_ms, TagClass::of(tag.kind, tag.body).is_frame()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn a_track_waits_for_as_much_of_the_other_as_may_wait() {
    let chunks = [vec![(TrackKind::Video, 1_000, 5_000)], vec![(TrackKind::Audio, 0, 9)]];
    let tables = chunks.each_ref().map(|chunk| table(chunk, &[]));
    let tables = tables.each_ref().map(|table| SampleTable::parse(table).unwrap());
    for (max_waiting, is_sorted) in [(5_000, true), (4_999, false)] {
        let mut plan = RecordPlan::new(tables.iter().map(|table| (table, Follows::Directly)));
        plan.max_waiting = max_waiting;
        assert_eq!(is_in_order(&file(&plan.lay_out().unwrap(), &[1; 5_009])), is_sorted);
    }
}

#[test]
fn media_of_a_chunk_is_asked_for_where_bytes_of_its_tags_are() {
    let chunks = push(3, 0, 3_000);
    let tables: Vec<_> = chunks.iter().map(|chunk| table(chunk, &[])).collect();
    let tables: Vec<_> = tables.iter().map(|table| SampleTable::parse(table).unwrap()).collect();
    let sizes: Vec<u64> = tables.iter().map(SampleTable::media_size).collect();
    let layout = RecordPlan::new(tables.iter().map(|table| (table, Follows::Directly))).lay_out().unwrap();
    let media = vec![1; sizes.iter().sum::<u64>() as usize];
    let file = file(&layout, &media);
    let before = layout.head.bytes.len() as u64;
    let ends = [1, 2].map(|second| {
        let next = tags(&file).into_iter().find(|tag| tag.timestamp_ms == second * 1_000);
        next.unwrap().offset - before
    });
    let [first, second] = [sizes[0], sizes[0] + sizes[1]];
    assert_eq!(layout.media(0..ends[0]), 0..first);
    assert_eq!(layout.media(0..ends[0] + 1), 0..second);
    assert_eq!(layout.media(ends[0]..ends[1]), first..second);
    assert_eq!(layout.media(ends[0]..ends[1] + 1), first..media.len() as u64);
}
