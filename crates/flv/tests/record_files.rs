//! Record files read back: positions, times, and the bytes that were pushed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use amf0::Value;
use recorder_flv::{
    Error, Reader, Tag, TagClass, TagKind, VideoTagHeader,
    record_file::{RecordPlan, RecordWriter},
    script, write_header, write_tag,
};
use remux::{Policy, remux_with_samples};
use sample_table::{Follows, SampleTable};

macro_rules! golden {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../tests/corpus/golden/", $name, ".flv")).as_slice())
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
    ("sample", include_bytes!("../../../tests/assets/sample.flv")),
];

/// A chunk's table, its media, and how it follows.
type Chunk = (Vec<u8>, Vec<u8>, Follows);

const GAP: Follows = Follows::AfterGap { gap_90khz: 0 };

/// The chunks of a session.
fn session(chunks: &[&[u8]], follows: Follows) -> Vec<Chunk> {
    let (mut state, mut follows) = (Vec::new(), follows);
    let record = |chunk: &&[u8]| {
        let (slice, muxer, mut samples) = remux_with_samples(*chunk, &state, &Policy::default()).unwrap();
        let mut media = Vec::with_capacity(samples.size() as usize);
        samples.write(&muxer, &mut media);
        let table = samples.table().to_vec();
        state = slice.state;
        (table, media, std::mem::replace(&mut follows, Follows::Directly))
    };
    chunks.iter().map(record).collect()
}

/// The tags of a file, later.
fn later(file: &[u8], by_ms: u32) -> Vec<u8> {
    let mut moved = Vec::new();
    write_header(&mut moved, true, true);
    for tag in Reader::new(file).unwrap().map(Result::unwrap) {
        write_tag(&mut moved, tag.kind, tag.timestamp_ms.wrapping_add(by_ms), tag.body).unwrap();
    }
    moved
}

fn record(chunks: &[Chunk]) -> Vec<u8> {
    let tables: Vec<_> = chunks.iter().map(|(table, ..)| SampleTable::parse(table).unwrap()).collect();
    let plan = RecordPlan::new(tables.iter().zip(chunks.iter().map(|(.., follows)| *follows)));
    let media: Vec<u8> = chunks.iter().flat_map(|(_, media, _)| media).copied().collect();
    let layout = plan.lay_out().unwrap();
    let head = &layout.head;
    let before = head.bytes.len();
    let file = [&head.bytes[..], &write(layout.writer(0).0, &media)].concat();
    assert_eq!(file.len() as u64, head.file_size);
    // A writer that begins anywhere writes the same.
    let size = file.len() - before;
    for behind in (0..16).map(|part| size * part / 16).chain([1, size - 1, size, size + 1]) {
        let (resumed, passed) = layout.writer(behind as u64);
        assert!(passed <= behind as u64);
        assert!(file[before + passed as usize..] == write(resumed, &media), "{behind} of {size}");
    }
    let fields = check(&file);
    let duration = fields.get("duration").unwrap().as_number().unwrap();
    assert!((duration - head.duration_90khz as f64 / 90_000.0).abs() < 0.001);
    file
}

/// All that a writer writes of the media of all chunks.
fn write(mut writer: RecordWriter<'_>, media: &[u8]) -> Vec<u8> {
    let (mut rest, mut file) = (&media[writer.media_first() as usize..], Vec::new());
    while let Some(needed) = writer.needed() {
        let (next, after) = rest.split_at(needed as usize);
        writer.take(next, &mut file).unwrap();
        rest = after;
    }
    file
}

/// What must hold in every file; the fields of its metadata.
fn check(file: &[u8]) -> Value {
    let tags: Vec<Tag<'_>> = Reader::new(file).unwrap().map(Result::unwrap).collect();
    let mut end = 13;
    for tag in &tags {
        assert_eq!(tag.offset, end);
        end += tag.body.len() as u64 + 15;
        let size = &file[end as usize - 4..end as usize];
        assert_eq!(size, (tag.body.len() as u32 + 11).to_be_bytes());
    }
    assert_eq!(end, file.len() as u64);
    let of_stream = |tag: &&Tag<'_>| script::name(tag.body) == Some(script::ON_META_DATA);
    assert!(of_stream(&&tags[0]) && tags.iter().filter(of_stream).count() == 1);
    for kind in [TagKind::Video, TagKind::Audio] {
        let times = tags.iter().filter(|tag| tag.kind == kind).map(|tag| tag.timestamp_ms);
        assert!(times.clone().is_sorted());
        let has = file[4] & if kind == TagKind::Video { 1 } else { 4 } != 0;
        assert_eq!(has, times.count() > 0);
    }
    assert_eq!(tags.iter().skip(1).map(|tag| tag.timestamp_ms).min(), Some(0));
    // Whatever a tag is of, it is not before the one in front of it.
    let back = tags.windows(2).find(|pair| pair[1].timestamp_ms < pair[0].timestamp_ms);
    assert!(back.is_none(), "{back:?}");
    let is_header =
        |tag: &Tag<'_>| matches!(TagClass::of(tag.kind, tag.body), TagClass::SequenceHeader { .. });
    let headers: Vec<_> = tags.iter().enumerate().filter(|(_, tag)| is_header(tag)).collect();
    let fields = Value::decode(&mut &tags[0].body[13..]).unwrap();
    let number = |name: &str| fields.get(name).unwrap().as_number().unwrap();
    assert_eq!(number("filesize"), file.len() as f64);
    let list = |name| match fields.get("keyframes").and_then(|index| index.get(name)) {
        Some(Value::StrictArray(list)) => list.iter().map(|value| value.as_number().unwrap()).collect(),
        _ => Vec::new(),
    };
    let (times, positions) = (list("times"), list("filepositions"));
    assert_eq!(times.len(), positions.len());
    for (time, position) in times.iter().zip(&positions) {
        let at = tags.binary_search_by_key(&(*position as u64), |tag| tag.offset).unwrap();
        assert_eq!(f64::from(tags[at].timestamp_ms), (time * 1_000.0).round());
        // A keyframe, or the headers before it.
        let key = at + tags[at..].iter().take_while(|tag| is_header(tag)).count();
        assert_eq!(TagClass::of(tags[key].kind, tags[key].body), TagClass::KeyFrame);
        for kind in [TagKind::Video, TagKind::Audio] {
            // Whatever a player has read before, it decodes as one that comes from the begin.
            let headers = headers.iter().filter(|(_, tag)| tag.kind == kind);
            let from_begin = headers.clone().rfind(|(at, _)| *at < key);
            let jumped = headers
                .clone()
                .rfind(|(number, _)| (at..key).contains(number))
                .or(headers.clone().next_back());
            if let Some((_, expected)) = from_begin {
                assert_eq!(jumped.unwrap().1.body, expected.body, "{kind:?} at {time} s");
            }
        }
    }
    let keys = tags.iter().filter(|tag| TagClass::of(tag.kind, tag.body) == TagClass::KeyFrame).count();
    // FFmpeg warns of an index of one.
    let indexed = if keys > 1 { keys } else { 0 };
    assert!(times.len() == indexed || keys > 16_384 && times.len() > 8_192);
    fields
}

/// Coded messages of the tracks that are recorded, with their times from the first on.
fn coded(file: &[u8]) -> Vec<(TagKind, u32, Vec<u8>)> {
    let tags = Reader::new(file).unwrap().map(Result::unwrap);
    let is_coded = |tag: &Tag<'_>| TagClass::of(tag.kind, tag.body).is_frame();
    tags.filter(is_coded).map(|tag| (tag.kind, tag.timestamp_ms, tag.body.to_vec())).collect()
}

#[test]
fn an_ordinary_push_comes_back_message_by_message() {
    for name in ["h264_aac", "h264_slices", "mp3", "he_aac", "he_aac_v2", "sample"] {
        let (_, pushed) = FILES.iter().find(|(known, _)| *known == name).unwrap();
        let file = record(&session(&[pushed], Follows::Directly));
        let (mut expected, mut found) = (coded(pushed), coded(&file));
        let begin = expected.iter().map(|(_, time, _)| *time).min().unwrap();
        expected.iter_mut().for_each(|(_, time, _)| *time -= begin);
        // Parameter sets go before the first picture.
        for list in [&mut expected, &mut found] {
            if let Some((.., body)) = list.iter_mut().find(|(kind, ..)| *kind == TagKind::Video) {
                body.truncate(5);
            }
            list.sort_by_key(|(kind, time, _)| (kind.wire(), *time));
        }
        assert!(expected == found, "{name}");
        // Headers come once, and are what was pushed.
        let headers = |file: &[u8]| {
            let tags = Reader::new(file).unwrap().map(Result::unwrap);
            let is_header =
                |tag: &Tag<'_>| matches!(TagClass::of(tag.kind, tag.body), TagClass::SequenceHeader { .. });
            tags.filter(is_header).map(|tag| tag.body.to_vec()).collect::<Vec<_>>()
        };
        let (mut expected, mut found) = (headers(pushed), headers(&file));
        expected.sort();
        found.sort();
        assert!(expected == found, "{name}");
    }
}

#[test]
fn a_file_of_a_file_is_the_same_file() {
    for (name, pushed) in FILES {
        let second = later(pushed, 40_000);
        let chunks = session(&[pushed, &second], Follows::Directly);
        let file = record(&chunks);
        let again = record(&session(&[&file], Follows::Directly));
        let (one, other) = (coded(&file), coded(&again));
        assert!(one == other, "{name}: {} and {} messages", one.len(), other.len());
    }
}

#[test]
fn enhanced_tags_stay_enhanced() {
    let (_, pushed) = FILES.iter().find(|(known, _)| *known == "hevc_enhanced").unwrap();
    let file = record(&session(&[pushed], Follows::Directly));
    let firsts = coded(&file).into_iter().map(|(_, _, body)| body[..5].to_vec()).collect::<Vec<_>>();
    assert_eq!(firsts, [b"\x91hvc1", b"\x91mp4a", b"\xa1hvc1"]);
    let id = |name: &str| check(&file).get(name).unwrap().as_number().unwrap();
    assert_eq!(
        (id("videocodecid"), id("audiocodecid")),
        (f64::from(0x6876_6331_u32), f64::from(0x6d70_3461_u32))
    );
}

#[test]
fn a_file_begins_at_zero_wherever_the_clock_was() {
    let (_, pushed) = FILES[0];
    let file = |by_ms| {
        let moved = later(pushed, by_ms);
        record(&session(&[&moved, &later(&moved, 1_200)], Follows::Directly))
    };
    let expected = file(0);
    // Before the ends of 24 bits, of 31 and of 32.
    for by_ms in [16_777_000, (1 << 31) - 500, u32::MAX - 500] {
        assert!(file(by_ms) == expected, "{by_ms}");
    }
}

#[test]
fn times_beyond_their_bits_are_extended_and_wrap() {
    let (_, pushed) = FILES[0];
    let mut chunks = session(&[pushed], Follows::Directly);
    for days in [1, 24, 20, 10] {
        let gap_90khz = days * 86_400 * 90_000;
        chunks.extend(session(&[pushed], Follows::AfterGap { gap_90khz }));
    }
    let tables: Vec<_> = chunks.iter().map(|(table, ..)| SampleTable::parse(table).unwrap()).collect();
    let plan = RecordPlan::new(tables.iter().zip(chunks.iter().map(|(.., follows)| *follows)));
    let media: Vec<u8> = chunks.iter().flat_map(|(_, media, _)| media).copied().collect();
    let mut file = Vec::new();
    write_header(&mut file, true, true);
    file.extend(write(plan.lay_out().unwrap().writer(0).0, &media));
    let tags = Reader::new(&file).unwrap().map(Result::unwrap);
    let keys = tags.filter(|tag| TagClass::of(tag.kind, tag.body) == TagClass::KeyFrame);
    let days: Vec<u32> = keys.map(|tag| tag.timestamp_ms / 86_400_000).collect();
    // 55 days are five and some hours past the wrap.
    assert_eq!(days, [0, 1, 25, 45, 5]);
}

#[test]
fn breaks_are_left_out_or_kept() {
    let (_, pushed) = FILES[7];
    let of = |gap_90khz| {
        let mut chunks = session(&[pushed], Follows::Directly);
        chunks.extend(session(&[pushed], Follows::AfterGap { gap_90khz }));
        record(&chunks)
    };
    let (left_out, kept) = (of(0), of(60 * 90_000));
    let duration = |file| check(file).get("duration").unwrap().as_number().unwrap();
    assert!((duration(&kept) - duration(&left_out) - 60.0).abs() < 0.002);
    let once = record(&session(&[pushed], Follows::Directly));
    assert!((duration(&left_out) - 2.0 * duration(&once)).abs() < 0.1);
}

#[test]
fn what_the_push_said_is_kept_and_what_the_file_says_is_true() {
    let metadata = |fields: &[(&str, Value)]| {
        let mut body = Vec::new();
        Value::String("onMetaData".into()).encode(&mut body);
        let fields = fields.iter().map(|(name, value)| ((*name).into(), value.clone()));
        Value::EcmaArray(fields.collect()).encode(&mut body);
        body
    };
    let number = Value::Number;
    let pushed_metadata = metadata(&[
        ("encoder", Value::String("an encoder".into())),
        ("duration", number(0.0)),
        ("videocodecid", number(2.0)),
        ("framerate", number(25.0)),
        ("filesize", number(0.0)),
    ]);
    let text = b"\x02\0\x0aonTextData\x08\0\0\0\0\0\0\x09";
    let mut pushed = Vec::new();
    write_header(&mut pushed, true, true);
    write_tag(&mut pushed, TagKind::Script, 0, &pushed_metadata).unwrap();
    for tag in Reader::new(FILES[7].1).unwrap().map(Result::unwrap).filter(|tag| tag.kind != TagKind::Script)
    {
        write_tag(&mut pushed, tag.kind, tag.timestamp_ms, tag.body).unwrap();
        if tag.timestamp_ms == 1_000 && tag.kind == TagKind::Video {
            write_tag(&mut pushed, TagKind::Script, 1_000, text).unwrap();
            write_tag(&mut pushed, TagKind::Script, 1_000, &pushed_metadata).unwrap();
        }
    }
    let file = record(&session(&[&pushed], Follows::Directly));
    let fields = check(&file);
    let said = |name: &str| fields.get(name).and_then(Value::as_number);
    assert_eq!(fields.get("encoder").and_then(Value::as_str), Some("an encoder"));
    assert_eq!((said("framerate"), said("videocodecid")), (Some(25.0), Some(7.0)));
    assert!(said("duration").unwrap() > 1.0);
    let tags: Vec<_> = Reader::new(&file).unwrap().map(Result::unwrap).collect();
    let scripts: Vec<_> = tags.iter().skip(1).filter(|tag| tag.kind == TagKind::Script).collect();
    assert_eq!(scripts.len(), 1);
    assert_eq!((scripts[0].timestamp_ms, scripts[0].body), (1_000, &text[..]));
}

#[test]
fn headers_come_before_each_keyframe_of_a_file_in_which_they_change() {
    let (_, small) = FILES[1];
    let (_, large) = FILES[0];
    let mut chunks = session(&[small], Follows::Directly);
    for other in [large, large, small] {
        chunks.extend(session(&[other], GAP));
    }
    let file = record(&chunks);
    let tags = || Reader::new(&file).unwrap().map(Result::unwrap);
    let headers = tags().filter(|tag| tag.kind == TagKind::Video).filter_map(|tag| {
        let header = VideoTagHeader::parse(tag.body).unwrap();
        header.is_sequence_header().then(|| header.payload[1])
    });
    let mut headers: Vec<_> = headers.collect();
    let keys = tags().filter(|tag| TagClass::of(tag.kind, tag.body) == TagClass::KeyFrame);
    assert_eq!(headers.len(), keys.count());
    headers.dedup();
    assert_eq!(headers, [0x42, 0x64, 0x42]);
}

#[test]
fn a_sample_that_no_tag_can_hold_is_left_out() {
    let limit = (1 << 24) - 1 - 5;
    let mut writer = sample_table::TableWriter::new();
    writer.begin_run(media::TrackKind::Video, 0);
    for (n, size) in [1, limit, limit + 1, 2].into_iter().enumerate() {
        let dts_90khz = n as i64 * 3_600;
        writer.sample(sample_table::Sample { dts_90khz, composition_offset_90khz: 0, size, is_sync: true });
    }
    let entry = sample_table::VideoEntry { codec: media::VideoCodec::H264, width: 0, height: 0, record: &[] };
    let entries = vec![sample_table::SampleEntry::Video(entry)];
    let table = writer.finish(&sample_table::Head { entries, ..sample_table::Head::default() });
    let parsed = SampleTable::parse(&table).unwrap();
    let head = RecordPlan::new([(&parsed, Follows::Directly)]).lay_out().unwrap().head;
    assert_eq!((head.samples, head.left_out), (3, 1));
    let file = record(&[(table, vec![7; 2 * limit as usize + 4], Follows::Directly)]);
    let sizes = coded(&file).iter().map(|(.., body)| body.len() - 5).collect::<Vec<_>>();
    assert_eq!(sizes, [1, limit as usize, 2]);
}

#[test]
fn an_index_of_many_keyframes_is_thinned() {
    let mut writer = sample_table::TableWriter::new();
    writer.begin_run(media::TrackKind::Video, 0);
    for n in 0..40_000 {
        writer.sample(sample_table::Sample {
            dts_90khz: n * 3_600,
            composition_offset_90khz: 0,
            size: 1,
            is_sync: true,
        });
    }
    let entry =
        sample_table::VideoEntry { codec: media::VideoCodec::Mpeg4, width: 0, height: 0, record: &[] };
    let entries = vec![sample_table::SampleEntry::Video(entry)];
    let table = writer.finish(&sample_table::Head { entries, ..sample_table::Head::default() });
    let file = record(&[(table, vec![7; 40_000], Follows::Directly)]);
    let fields = check(&file);
    let Some(Value::StrictArray(times)) = fields.get("keyframes").and_then(|index| index.get("times")) else {
        panic!()
    };
    let times: Vec<f64> = times.iter().map(|time| time.as_number().unwrap()).collect();
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.16).abs() < 0.001), "{:?}", &times[..5]);
}

#[test]
fn media_that_is_cut_is_refused() {
    let (table, media, follows) = session(&[FILES[0].1], Follows::Directly).remove(0);
    let table = SampleTable::parse(&table).unwrap();
    let (needed, available) = (media.len() as u64, media.len() as u64 - 1);
    let layout = RecordPlan::new([(&table, follows)]).lay_out().unwrap();
    let mut writer = layout.writer(0).0;
    let outcome = writer.take(&media[1..], &mut Vec::new());
    assert_eq!(outcome, Err(Error::MediaTruncated { needed, available }));
}

/// Files whose bytes are kept. With `UPDATE_GOLDEN=1` they are written anew.
#[test]
fn golden_bytes() {
    let kept: [(&str, &[u8]); 2] = [
        ("h264_aac", include_bytes!("../../../tests/corpus/golden/h264_aac.recorded.flv")),
        ("hevc_enhanced", include_bytes!("../../../tests/corpus/golden/hevc_enhanced.recorded.flv")),
    ];
    for (name, kept) in kept {
        let (_, pushed) = FILES.iter().find(|(known, _)| *known == name).unwrap();
        let second = later(pushed, 1_200);
        let file = record(&session(&[pushed, &second], Follows::Directly));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus/golden");
            std::fs::write(format!("{directory}/{name}.recorded.flv"), &file).unwrap();
        } else {
            assert!(file == kept, "{name}");
        }
    }
}
