//! A chunk's samples beside its transport stream: the same coded data, at the same times.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use flv::TagKind;
use media::TrackKind;
use mpeg2ts::{
    pes::{PesPacketReader, ReadPesPacket},
    ts::TsPacketReader,
};
use recorder_remux::{Policy, remux, remux_with_samples};
use sample_table::{Sample, SampleEntry, SampleTable};

const FILES: &[(&str, &[u8])] = &[
    ("h264_aac", include_bytes!("../../../tests/corpus/golden/h264_aac.flv")),
    ("h264_slices", include_bytes!("../../../tests/corpus/golden/h264_slices.flv")),
    ("he_aac", include_bytes!("../../../tests/corpus/golden/he_aac.flv")),
    ("he_aac_v2", include_bytes!("../../../tests/corpus/golden/he_aac_v2.flv")),
    ("hevc_enhanced", include_bytes!("../../../tests/corpus/golden/hevc_enhanced.flv")),
    ("mpeg4_lengths", include_bytes!("../../../tests/corpus/golden/mpeg4_lengths.flv")),
    ("mp3", include_bytes!("../../../tests/corpus/golden/mp3.flv")),
    ("sample", include_bytes!("../../../tests/assets/sample.flv")),
];

struct Remuxed {
    stream: Vec<u8>,
    table: Vec<u8>,
    media: Vec<u8>,
    state: Vec<u8>,
}

fn record(chunk: &[u8], state: &[u8], buffer_size: usize) -> Remuxed {
    let (slice, mut muxer, mut samples) = remux_with_samples(chunk, state, &Policy::default()).unwrap();
    let mut stream = Vec::with_capacity(slice.size as usize);
    muxer.write(&mut stream);
    let mut media = Vec::new();
    loop {
        let mut buffer = Vec::with_capacity(buffer_size);
        let room = buffer.capacity();
        samples.write(&muxer, &mut buffer);
        assert!(buffer.len() <= room && buffer.capacity() == room);
        if buffer.is_empty() {
            break;
        }
        media.extend_from_slice(&buffer);
    }
    assert_eq!(media.len() as u64, samples.size());
    Remuxed { stream, table: samples.table().to_vec(), media, state: slice.state }
}

/// The samples of a track with their bytes.
fn samples<'m>(table: &SampleTable<'_>, media: &'m [u8], track: TrackKind) -> Vec<(Sample, &'m [u8])> {
    let mut found = Vec::new();
    for run in table.runs().filter(|run| run.track == track) {
        let mut offset = run.offset as usize;
        for sample in run.samples() {
            let end = offset + sample.size as usize;
            found.push((sample, &media[offset..end]));
            offset = end;
        }
        assert_eq!(offset as u64, run.offset + run.size);
    }
    found
}

/// Decoding and presentation times of a stream's PES packets, by stream id.
fn times(stream: &[u8]) -> HashMap<u8, Vec<(u64, u64)>> {
    let mut reader = PesPacketReader::new(TsPacketReader::new(stream));
    let mut times: HashMap<u8, Vec<_>> = HashMap::new();
    while let Some(packet) = reader.read_pes_packet().unwrap() {
        let pts = packet.header.pts.unwrap().as_u64();
        let dts = packet.header.dts.map_or(pts, |dts| dts.as_u64());
        times.entry(packet.header.stream_id.as_u8()).or_default().push((dts, pts));
    }
    times
}

#[test]
fn samples_change_nothing_of_the_stream_and_share_its_times() {
    for (name, chunk) in FILES {
        let remuxed = record(chunk, &[], 1 << 16);
        let (slice, mut muxer) = remux(*chunk, &[], &Policy::default()).unwrap();
        let mut stream = Vec::with_capacity(slice.size as usize);
        muxer.write(&mut stream);
        assert!(remuxed.stream == stream && remuxed.state == slice.state, "{name}");

        let table = SampleTable::parse(&remuxed.table).unwrap();
        assert_eq!(table.media_size(), remuxed.media.len() as u64);
        let times = times(&stream);
        let time = |sample: &Sample| {
            let dts = sample.dts_90khz + mpegts::PTS_BASE_90KHZ;
            (dts as u64, dts as u64 + u64::from(sample.composition_offset_90khz))
        };
        let video = samples(&table, &remuxed.media, TrackKind::Video);
        let expected = times.get(&0xe0).map_or(&[][..], Vec::as_slice);
        assert_eq!(video.iter().map(|(sample, _)| time(sample)).collect::<Vec<_>>(), expected, "{name}");
        // A PES packet may hold several frames of sound.
        let audio = samples(&table, &remuxed.media, TrackKind::Audio);
        let audio: Vec<_> = audio.iter().map(|(sample, _)| time(sample)).collect();
        let expected = times.get(&0xc0).map_or(&[][..], Vec::as_slice);
        assert!(expected.iter().all(|time| audio.contains(time)), "{name}");
        assert!(!video.is_empty() || !audio.is_empty());
    }
}

#[test]
fn samples_hold_the_bytes_that_were_pushed() {
    for (name, chunk) in FILES {
        let remuxed = record(chunk, &[], 1 << 16);
        let table = SampleTable::parse(&remuxed.table).unwrap();
        let all = |track| {
            let samples = samples(&table, &remuxed.media, track);
            samples.iter().flat_map(|(_, bytes)| *bytes).copied().collect::<Vec<u8>>()
        };
        let (video, audio) = (all(TrackKind::Video), all(TrackKind::Audio));
        let (mut pushed_video, mut pushed_audio) = (Vec::new(), Vec::new());
        for tag in flv::Reader::new(chunk).unwrap().map(Result::unwrap) {
            if !flv::TagClass::of(tag.kind, tag.body).is_frame() {
                continue;
            }
            match tag.kind {
                TagKind::Video => {
                    let message = flv::VideoTagHeader::parse(tag.body).unwrap();
                    let is_whole = codec::nal::NalUnits::new(message.payload, 4).all(|unit| unit.is_ok());
                    // One file has a message that is cut.
                    if is_whole || message.codec == flv::VideoCodec::Mpeg4 {
                        pushed_video.extend(message.payload);
                    }
                }
                TagKind::Audio => {
                    let message = flv::AudioTagHeader::parse(tag.body).unwrap();
                    if matches!(message.codec, flv::AudioCodec::Aac | flv::AudioCodec::Mp3) {
                        pushed_audio.extend(message.payload);
                    }
                }
                TagKind::Script => {}
            }
        }
        assert!(audio == pushed_audio, "{name}");
        match table.head().entries.first() {
            Some(SampleEntry::Video(entry)) if entry.codec != media::VideoCodec::Mpeg4 => {
                // Parameter sets stand before the first picture, and nothing else is new.
                let added = video.len() - pushed_video.len();
                assert!(added == 0 || added > 8 && added < 100, "{name}: {added}");
                assert!(video.ends_with(&pushed_video) || added > 0, "{name}");
                let nal_units = |bytes: &[u8]| {
                    let units = codec::nal::NalUnits::new(bytes, 4).map(|unit| unit.unwrap().to_vec());
                    units.collect::<Vec<_>>()
                };
                let (mut found, pushed) = (nal_units(&video), nal_units(&pushed_video));
                let sets = found.len() - pushed.len();
                let begin = usize::from(found[0][0] & 0x1f == 9);
                found.drain(begin..begin + sets);
                assert!(found == pushed, "{name}");
            }
            _ => assert_eq!(video.is_empty(), *name != "mpeg4_lengths", "{name}"),
        }
    }
}

#[test]
fn samples_are_written_alike_into_any_buffers() {
    for (name, chunk) in &FILES[..7] {
        let whole = record(chunk, &[], 1 << 20);
        for size in [1, 3, 4, 5, 187] {
            assert!(record(chunk, &[], size).media == whole.media, "{name} by {size} bytes");
        }
    }
}

#[test]
fn runs_are_at_most_a_second_and_alternate() {
    let (_, chunk) = FILES[7];
    let remuxed = record(chunk, &[], 1 << 16);
    let table = SampleTable::parse(&remuxed.table).unwrap();
    let runs: Vec<_> = table.runs().collect();
    assert!(runs.len() > 4);
    // At the end sound goes on for less than a second.
    assert!(runs[..runs.len() - 1].windows(2).all(|pair| pair[0].track != pair[1].track));
    for run in runs {
        let times: Vec<i64> = run.samples().map(|sample| sample.dts_90khz).collect();
        assert!(times[times.len() - 1] - times[0] < 90_000);
    }
}

/// Baseline pictures of two sizes, and headers that say so.
const SMALL: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x0a\xff\xe1\0\x16\x67\x42\xc0\x0a\xda\x10\x9b\x01\x10\0\0\x03\0\x10\0\0\x03\0\xa0\xf1\x22\x6a\x01\0\x04\x68\xce\x0f\xc8";
const LARGE: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x28\xfd\xe1\0\x19\x67\x42\xc0\x28\xda\x01\xe0\x08\x9f\x97\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xf1\x83\x2a\x01\0\x04\x68\xce\x0f\xc8";
const AAC: &[u8] = b"\xaf\0\x12\x10";

fn chunk(tags: &[(TagKind, u32, &[u8])]) -> Vec<u8> {
    let mut chunk = Vec::new();
    flv::write_header(&mut chunk, true, true);
    for (kind, timestamp_ms, body) in tags {
        flv::write_tag(&mut chunk, *kind, *timestamp_ms, body).unwrap();
    }
    chunk
}

#[test]
fn headers_that_change_are_entries_of_their_own_and_stand_before_their_first_picture() {
    use TagKind::Video;
    let chunk = chunk(&[
        (Video, 0, SMALL),
        (Video, 0, b"\x17\x01\0\0\0\0\0\0\x02\x09\xf0\0\0\0\x03\x65\x88\x80"),
        (Video, 40, b"\x27\x01\0\0\0\0\0\0\x03\x41\x9a\x01"),
        // Lengths of two bytes.
        (Video, 80, LARGE),
        (Video, 80, b"\x17\x01\0\0\0\0\x03\x65\x88\x81"),
        (Video, 120, b"\x27\x01\0\0\0\0\x03\x41\x9a\x02\0\0"),
        (Video, 160, SMALL),
        (Video, 160, b"\x17\x01\0\0\0\0\0\0\x03\x65\x88\x82"),
    ]);
    let remuxed = record(&chunk, &[], 1 << 16);
    let table = SampleTable::parse(&remuxed.table).unwrap();
    let entries = table.head().entries.iter().map(|entry| match entry {
        SampleEntry::Video(video) => (video.width, video.record[3], video.record[4]),
        SampleEntry::Audio(_) => panic!(),
    });
    assert_eq!(entries.collect::<Vec<_>>(), [(64, 0x0a, 0xff), (1_920, 0x28, 0xff)]);
    assert_eq!(table.runs().map(|run| (run.entry, run.count)).collect::<Vec<_>>(), [(0, 2), (1, 2), (0, 1)]);
    let samples = samples(&table, &remuxed.media, TrackKind::Video);
    let roles = samples.iter().map(|(sample, bytes)| {
        let units = codec::nal::NalUnits::new(bytes, 4).map(|unit| unit.unwrap()[0] & 0x1f);
        (sample.is_sync, units.collect::<Vec<_>>())
    });
    let expected = [
        (true, vec![9, 7, 8, 5]),
        (false, vec![1]),
        (true, vec![7, 8, 5]),
        (false, vec![1]),
        (true, vec![7, 8, 5]),
    ];
    assert_eq!(roles.collect::<Vec<_>>(), expected);
    // A chunk that begins without any header goes on as the one before, its headers before its first picture.
    let next = self::chunk(&[(Video, 200, b"\x27\x01\0\0\0\0\0\0\x03\x41\x9a\x03")]);
    let remuxed = record(&next, &remuxed.state, 1 << 16);
    let table = SampleTable::parse(&remuxed.table).unwrap();
    assert_eq!((table.head().entries.len(), remuxed.media.len()), (1, 7 + 26 + 8));
}

#[test]
fn frames_of_mpeg4_stay_as_they_are_with_headers_before_the_first() {
    let headers = b"\0\0\x01\x20\0\xc4\x8d\x88\0\xcd\x0a\x04\x1e\x14\x63";
    let sequence_header = [b"\x19\0\0\0\0", &headers[..]].concat();
    let frames = [&b"\0\0\x01\xb6\x10\x61"[..], b"\0\0\x01\xb6\x50\x62"];
    let first = [b"\x19\x01\0\0\0", frames[0]].concat();
    let second = [b"\x29\x01\0\0\0", frames[1]].concat();
    let chunk = chunk(&[
        (TagKind::Video, 0, &sequence_header),
        (TagKind::Video, 0, &first),
        (TagKind::Video, 40, &second),
    ]);
    let remuxed = record(&chunk, &[], 1 << 16);
    assert_eq!(remuxed.media, [&headers[..], frames[0], frames[1]].concat());
    let table = SampleTable::parse(&remuxed.table).unwrap();
    let SampleEntry::Video(entry) = table.head().entries[0] else { panic!() };
    assert_eq!((entry.width, entry.height, entry.record), (320, 240, &headers[..]));
}

#[test]
fn script_data_forms_and_last_durations_are_told() {
    let metadata = b"\x02\0\x0aonMetaData\x08\0\0\0\0\0\0\x09";
    let text = b"\x02\0\x0aonTextData\x08\0\0\0\0\0\0\x09";
    let chunk = chunk(&[
        (TagKind::Script, 70_000, metadata),
        (TagKind::Audio, 70_000, AAC),
        (TagKind::Video, 70_000, b"\x90avc1\x01\x42\xc0\x0a\xff\xe1\0\x16\x67\x42\xc0\x0a\xda\x10\x9b\x01\x10\0\0\x03\0\x10\0\0\x03\0\xa0\xf1\x22\x6a\x01\0\x04\x68\xce\x0f\xc8"),
        (TagKind::Video, 70_000, b"\x91avc1\0\0\0\0\0\0\x03\x65\x88\x80"),
        (TagKind::Audio, 70_000, b"\xaf\x01\x21\x10"),
        (TagKind::Video, 70_040, b"\xa3avc1\0\0\0\x03\x41\x9a\x01"),
        (TagKind::Script, 70_041, text),
        (TagKind::Video, 70_080, b"\xa3avc1\0\0\0\x03\x41\x9a\x02"),
    ]);
    let remuxed = record(&chunk, &[], 1 << 16);
    let table = SampleTable::parse(&remuxed.table).unwrap();
    let head = table.head();
    assert_eq!((head.video.is_enhanced, head.audio.is_enhanced), (true, false));
    assert_eq!((head.video.last_duration_90khz, head.audio.last_duration_90khz), (3_600, 2_090));
    let scripts: Vec<_> = head.scripts.iter().map(|script| (script.time_90khz, script.body)).collect();
    assert_eq!(scripts, [(0, &metadata[..]), (3_600, &text[..])]);
    let SampleEntry::Audio(aac) = head.entries[1] else { panic!() };
    assert_eq!((aac.sample_rate_hz, aac.channels, aac.frame_samples), (44_100, 2, 1_024));
    assert_eq!(aac.record, [0x12, 0x10]);
}

#[test]
fn script_data_that_is_too_long_together_is_in_no_file() {
    let script = |size: usize| [b"\x02\0\x0aonTextData\x05".to_vec(), vec![0; size]].concat();
    let sizes = [8_000, 15 << 20, 8_000, 4_000, 100];
    let scripts = sizes.map(script);
    let tags = scripts.iter().map(|body| (TagKind::Script, 0, &body[..]));
    let chunk = chunk(&[(TagKind::Audio, 0, AAC)].into_iter().chain(tags).collect::<Vec<_>>());
    let remuxed = record(&chunk, &[], 1 << 16);
    let table = SampleTable::parse(&remuxed.table).unwrap();
    let kept: Vec<_> = table.head().scripts.iter().map(|script| script.body.len() - 14).collect();
    assert_eq!(kept, [8_000, 8_000, 100]);
}

#[test]
fn a_configuration_from_an_adts_header_has_a_record() {
    let adts = |raw_frames: u8| {
        [&[0xaf, 1, 0xff, 0xf1, 0x50, 0x80, 0x01, 0x3f, 0xfb + raw_frames][..], &[0x21, 0x10]].concat()
    };
    let (one, two) = (adts(1), adts(2));
    let chunk = chunk(&[(TagKind::Audio, 0, &one), (TagKind::Audio, 23, &two)]);
    let remuxed = record(&chunk, &[], 1 << 16);
    let table = SampleTable::parse(&remuxed.table).unwrap();
    let audio = table.head().entries.iter().map(|entry| match entry {
        SampleEntry::Audio(audio) => (audio.in_adts, audio.frame_samples, audio.record.to_vec()),
        SampleEntry::Video(_) => panic!(),
    });
    let expected = [(false, 1_024, vec![0x12, 0x10]), (true, 2_048, vec![0x12, 0x10])];
    assert_eq!(audio.collect::<Vec<_>>(), expected);
    assert_eq!(remuxed.media.len(), 2 + 9);
}
