//! No bytes make the reader panic, allocate much, or give out what it has not checked.

use media::{AudioCodec, TrackKind, VideoCodec};
use recorder_sample_table::{
    AudioEntry, Error, Head, Sample, SampleEntry, SampleTable, Script, TableWriter, TrackHead, VideoEntry,
};

fn head() -> Head<'static> {
    let video = |codec, record| SampleEntry::Video(VideoEntry { codec, width: 1_920, height: 1_080, record });
    let audio = |codec, in_adts, record| {
        let (sample_rate_hz, channels, frame_samples) = (44_100, 2, 1_024);
        SampleEntry::Audio(AudioEntry { codec, sample_rate_hz, channels, frame_samples, in_adts, record })
    };
    Head {
        video: TrackHead { last_duration_90khz: 3_600, is_enhanced: true },
        audio: TrackHead { last_duration_90khz: 2_090, is_enhanced: false },
        entries: vec![
            video(VideoCodec::H264, &[1, 2, 3][..]),
            audio(AudioCodec::Aac, false, &[0x12, 0x10][..]),
            video(VideoCodec::Hevc, &[]),
            video(VideoCodec::Mpeg4, &[9; 200]),
            audio(AudioCodec::Mp3, false, &[]),
            audio(AudioCodec::Aac, true, &[7]),
        ],
        scripts: vec![Script { time_90khz: -90, body: b"\x02\0\x0aonTextData\x08" }],
    }
}

/// Runs as a track, a sample entry, and samples.
type RunsOf = Vec<(TrackKind, u32, Vec<Sample>)>;

fn runs() -> RunsOf {
    let sample = |dts_90khz, composition_offset_90khz, size, is_sync| Sample {
        dts_90khz,
        composition_offset_90khz,
        size,
        is_sync,
    };
    let pictures = vec![
        sample(-3_600, 7_200, 70_000, true),
        sample(0, 18_000, 900, false),
        sample(3_690, 0, 0, false),
        sample(7_290, 3_600, 1, false),
    ];
    let sound = |begin: i64| (0..9).map(|n| sample(begin + n * 2_090, 0, 371 + n as u32, true)).collect();
    let late = vec![sample(1 << 47, u32::MAX, (1 << 30) - 1, true)];
    vec![
        (TrackKind::Video, 0, pictures),
        (TrackKind::Audio, 1, sound(100)),
        (TrackKind::Audio, 4, sound(100_000)),
        (TrackKind::Video, 2, late),
    ]
}

fn write(head: &Head<'_>, runs: &RunsOf) -> Vec<u8> {
    let mut writer = TableWriter::new();
    for (track, entry, samples) in runs {
        writer.begin_run(*track, *entry);
        samples.iter().for_each(|&sample| writer.sample(sample));
    }
    writer.finish(head)
}

fn read(bytes: &[u8]) -> Result<(Head<'_>, RunsOf), Error> {
    let table = SampleTable::parse(bytes)?;
    let runs: RunsOf =
        table.runs().map(|run| (run.track, run.entry, run.samples().collect::<Vec<_>>())).collect();
    // What is given out is what was checked.
    let (mut offset, mut counts) = (0, [0, 0]);
    for (run, (track, _, samples)) in table.runs().zip(&runs) {
        let size: u64 = samples.iter().map(|sample| u64::from(sample.size)).sum();
        assert_eq!((run.offset, run.size, run.count as usize), (offset, size, samples.len()));
        offset += size;
        counts[*track as usize] += run.count;
    }
    assert_eq!(table.media_size(), offset);
    assert_eq!([TrackKind::Video, TrackKind::Audio].map(|track| table.count(track)), counts);
    for track in [TrackKind::Video, TrackKind::Audio] {
        let times = runs.iter().filter(|(of, ..)| *of == track).flat_map(|(.., samples)| samples);
        assert!(times.map(|sample| sample.dts_90khz).is_sorted_by(|one, other| one < other));
    }
    Ok((table.head().clone(), runs))
}

#[test]
fn reading_gives_back_what_was_written() {
    for runs in [runs(), Vec::new()] {
        assert_eq!(read(&write(&head(), &runs)), Ok((head(), runs)));
    }
    assert_eq!(read(&write(&Head::default(), &Vec::new())), Ok((Head::default(), Vec::new())));
    for (video, audio) in [(false, false), (false, true), (true, true)] {
        let track = |is_enhanced| TrackHead { last_duration_90khz: 9, is_enhanced };
        let head = Head { video: track(video), audio: track(audio), ..head() };
        assert_eq!(read(&write(&head, &runs())), Ok((head, runs())));
    }
}

#[test]
fn the_largest_values_are_read_and_no_larger_ones() {
    let longest = vec![7; (1 << 25) + 1];
    let of_record = |size: usize| {
        let entry = VideoEntry { codec: VideoCodec::H264, width: 16, height: 16, record: &longest[..size] };
        let head = Head { entries: vec![SampleEntry::Video(entry)], ..Head::default() };
        SampleTable::parse(&write(&head, &Vec::new())).err()
    };
    // Behind the version, two counts, flags, two durations, the number of entries, a codec and two sides.
    let refused = Error::Range { field: "record", offset: 10 };
    assert_eq!([1 << 25, (1 << 25) + 1].map(of_record), [None, Some(refused)]);

    // An hour, behind the version, two counts and flags.
    let of_last = |last_duration_90khz| {
        let head =
            Head { video: TrackHead { last_duration_90khz, ..TrackHead::default() }, ..Head::default() };
        SampleTable::parse(&write(&head, &Vec::new())).err()
    };
    let refused = Error::Range { field: "last duration", offset: 4 };
    assert_eq!([324_000_000, 324_000_001].map(of_last), [None, Some(refused)]);

    // Three samples; nothing changes with the last but its size.
    let outcome = |begin: i64, step: i64, size| {
        let sample = |(n, size)| Sample {
            dts_90khz: begin + n * step,
            composition_offset_90khz: 0,
            size,
            is_sync: false,
        };
        let samples = [(0, 1), (1, 1), (2, size)].map(sample).to_vec();
        let runs = vec![(TrackKind::Video, 0, samples)];
        read(&write(&head(), &runs)).map(|read| assert_eq!(read, (head(), runs)))
    };
    let field = |outcome: Result<(), Error>| match outcome {
        Err(Error::Range { field, .. }) => field,
        outcome => panic!("{outcome:?}"),
    };
    let most = 1 << 48;
    assert_eq!([-most, most - 2 * 40].map(|begin| outcome(begin, 40, 1)), [Ok(()); 2]);
    assert_eq!(
        [-most - 1, most - 2 * 40 + 1].map(|begin| field(outcome(begin, 40, 1))),
        ["decoding time"; 2]
    );
    assert_eq!(outcome(0, 40, (1 << 30) - 1), Ok(()));
    assert_eq!(field(outcome(0, 40, 1 << 30)), "sample");
}

#[test]
fn every_cut_is_an_error() {
    let bytes = write(&head(), &runs());
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    // The last is a run without samples.
    for more in [&[0][..], &[0, 1, 0, 1], &[0xff; 12], &[0; 4]] {
        assert!(read(&[&bytes, more].concat()).is_err(), "{more:02x?} at the end");
    }
}

#[test]
fn every_changed_byte_gives_a_table_or_an_error() {
    let bytes = write(&head(), &runs());
    let mut tables = 0;
    for index in 0..bytes.len() {
        for value in 0..=255 {
            let mut changed = bytes.clone();
            changed[index] = value;
            // A table has one encoding, so what is read is written in the same bytes.
            if let Ok((head, runs)) = read(&changed) {
                assert!(write(&head, &runs) == changed, "byte {index} as {value}");
                tables += 1;
            }
        }
    }
    assert!(tables > bytes.len(), "{tables}");
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |change: &dyn Fn(&mut RunsOf)| {
        let mut runs = runs();
        change(&mut runs);
        read(&write(&head(), &runs)).unwrap_err()
    };
    let is_range = |error, name| matches!(error, Error::Range { field, .. } if field == name);
    assert!(is_range(refused(&|runs| runs[0].1 = 1), "sample entry of a run"));
    assert!(is_range(refused(&|runs| runs[1].1 = 6), "sample entry of a run"));
    assert!(is_range(refused(&|runs| runs[0].2[1].dts_90khz = -3_600), "decoding time"));
    assert!(is_range(refused(&|runs| runs[2].2[0].dts_90khz = 50), "decoding time"));
    assert!(is_range(refused(&|runs| runs[3].2[0].dts_90khz = 1 << 49), "decoding time"));
    // An error says where the run begins.
    let begin = write(&head(), &runs()[..1].to_vec()).len();
    let error = refused(&|runs| runs[1].1 = 0);
    assert_eq!(error, Error::Range { field: "sample entry of a run", offset: begin });
    // A run of 2^63 bytes, behind its track and its one sample.
    let none = write(&head(), &Vec::new());
    let endless = [&none[..], &[0, 1], &[0x80; 9], &[1, 0]].concat();
    assert_eq!(read(&endless), Err(Error::Range { field: "size of a run", offset: none.len() + 2 }));
    assert_eq!(SampleTable::parse(&[2]).unwrap_err(), Error::Version { expected: 1, found: Some(2) });
}
