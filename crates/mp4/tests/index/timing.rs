//! Times of files from tables that no small push can make: breaks, late tracks, clocks of days, files of gigabytes.

use media::{AudioCodec, TrackKind, VideoCodec};
use recorder_mp4::{
    Error, Follows, IndexBuilder, Policy,
    verify::{Edit, Movie, Track},
};
use sample_table::{AudioEntry, Head, Sample, SampleEntry, SampleTable, TableWriter, TrackHead, VideoEntry};

use crate::common::{index, movie};

pub(crate) const SECOND: i64 = 90_000;
pub(crate) const FRAME: i64 = 3_600;

pub(crate) fn video_entry(record: &[u8]) -> SampleEntry<'_> {
    SampleEntry::Video(VideoEntry { codec: VideoCodec::H264, width: 640, height: 360, record })
}

pub(crate) fn audio_entry(sample_rate_hz: u32) -> SampleEntry<'static> {
    SampleEntry::Audio(AudioEntry {
        codec: AudioCodec::Aac,
        sample_rate_hz,
        channels: 2,
        frame_samples: 1_024,
        in_adts: false,
        record: &[0x12, 0x10],
    })
}

/// Pictures at 25 a second from one time until before another, shown `delay` frames after they are decoded.
pub(crate) fn pictures(from: i64, to: i64, delay: i64) -> (TrackKind, Vec<Sample>) {
    let reorder = |n: i64| if delay == 0 { 0 } else { [delay, delay + 1, delay - 1][n as usize % 3] };
    let count = (to - from) / FRAME;
    let samples = (0..count).map(|n| Sample {
        dts_90khz: from + n * FRAME,
        composition_offset_90khz: (reorder(n) * FRAME) as u32,
        size: 1_000 + n as u32,
        is_sync: n == 0,
    });
    (TrackKind::Video, samples.collect())
}

/// Sound at 48 kHz, stamped in whole milliseconds.
pub(crate) fn sound(from: i64, to: i64) -> (TrackKind, Vec<Sample>) {
    let count = (to - from) / 1_920;
    let samples = (0..count).map(|n| Sample {
        dts_90khz: (from + n * 1_920) / 90 * 90,
        composition_offset_90khz: 0,
        size: 200,
        is_sync: true,
    });
    (TrackKind::Audio, samples.collect())
}

pub(crate) fn table(runs: &[(TrackKind, Vec<Sample>)]) -> Vec<u8> {
    table_with(&[video_entry(&[1, 2, 3]), audio_entry(48_000)], runs)
}

pub(crate) fn table_with(entries: &[SampleEntry<'_>], runs: &[(TrackKind, Vec<Sample>)]) -> Vec<u8> {
    let mut writer = TableWriter::new();
    for (track, samples) in runs {
        writer.begin_run(*track, u32::from(*track == TrackKind::Audio && entries.len() > 1));
        samples.iter().for_each(|sample| writer.sample(*sample));
    }
    let track = |last_duration_90khz| TrackHead { last_duration_90khz, is_enhanced: false };
    writer.finish(&Head {
        video: track(3_600),
        audio: track(1_920),
        entries: entries.to_vec(),
        scripts: Vec::new(),
    })
}

pub(crate) fn track<'m>(movie: &'m Movie, handler: &[u8; 4]) -> &'m Track {
    movie.tracks.iter().find(|track| track.handler == *handler).unwrap()
}

/// When each sample plays, in milliseconds, with edits honoured.
pub(crate) fn plays_ms(track: &Track) -> Vec<i64> {
    let empty = track.edits.iter().find(|edit| edit.media_time == -1).map_or(0, |edit| edit.duration);
    let from = track.edits.last().map_or(0, |edit| edit.media_time);
    let shown =
        track.samples.iter().map(|sample| sample.dts.cast_signed() + sample.composition_offset - from);
    shown.map(|time| empty.cast_signed() / 90 + time * 1_000 / i64::from(track.timescale)).collect()
}

#[test]
fn a_file_of_one_frame_of_one_track() {
    for runs in [pictures(0, FRAME, 0), pictures(1 << 40, (1 << 40) + FRAME, 2), sound(77, 77 + 1_920)] {
        let is_sound = runs.0 == TrackKind::Audio;
        let movie = movie(index(&[(&table(&[runs]), Follows::Directly)], Policy::default()));
        assert_eq!((movie.tracks.len(), movie.tracks[0].samples.len()), (1, 1));
        assert_eq!(
            (movie.duration, plays_ms(&movie.tracks[0])),
            (if is_sound { 1_920 } else { 3_600 }, vec![0])
        );
    }
}

#[test]
fn a_file_begins_with_what_is_shown_or_heard_first() {
    // Sound begins with decoding, pictures are shown two frames later.
    let begin = 7 * SECOND;
    let runs = [pictures(begin, begin + SECOND, 2), sound(begin, begin + SECOND)];
    let movie_of = |runs: &[_]| movie(index(&[(&table(runs), Follows::Directly)], Policy::default()));
    let found = movie_of(&runs);
    assert_eq!(plays_ms(track(&found, b"soun"))[..2], [0, 21]);
    assert_eq!(plays_ms(track(&found, b"vide"))[..4], [40 + 40, 160, 120, 200]);
    // The third picture is shown first of all.
    assert_eq!(track(&found, b"vide").edits[1].media_time, 2 * FRAME);
    // Pictures alone begin at once.
    assert_eq!(plays_ms(&movie_of(&runs[..1]).tracks[0])[..3], [0, 80, 40]);
    // Sound that begins 12.5 s later is heard then.
    let late = [pictures(0, 20 * SECOND, 0), sound(12 * SECOND + 45_000, 20 * SECOND)];
    let found = movie_of(&late);
    let edits = &track(&found, b"soun").edits;
    assert_eq!(edits[0], Edit { duration: 1_125_000, media_time: -1 });
    assert_eq!((plays_ms(track(&found, b"soun"))[0], edits.len()), (12_500, 2));
    assert!(track(&found, b"vide").edits.is_empty());
}

#[test]
fn gaps_in_both_tracks_are_left_out_or_kept() {
    // Another session, whose clock begins anew.
    let first = table(&[pictures(SECOND, 3 * SECOND, 1), sound(SECOND, 3 * SECOND)]);
    for delay in [1, 0, 4] {
        let second = table(&[pictures(0, SECOND, delay), sound(0, SECOND)]);
        let of = |gap_90khz| {
            let follows = Follows::AfterGap { gap_90khz };
            let chunks = [(first.as_slice(), Follows::Directly), (second.as_slice(), follows)];
            movie(index(&chunks, Policy::default()))
        };
        let (left_out, kept) = (of(0), of(60 * 90_000));
        assert!((kept.duration - left_out.duration).abs_diff(60 * 90_000) < 2);
        for movie in [&left_out, &kept] {
            let (pictures, sound) = (plays_ms(track(movie, b"vide")), plays_ms(track(movie, b"soun")));
            let gap = if movie.duration > 60 * 90_000 { 60_000 } else { 0 };
            let first_picture = *pictures[50..].iter().min().unwrap();
            let lead = first_picture - sound[93];
            assert!((0..=200).contains(&lead) && first_picture >= 2_000 + gap, "{lead} {first_picture}");
            assert!((2_000..2_130).contains(&(sound[93] - gap)), "{}", sound[93]);
        }
    }
}

#[test]
fn a_kept_gap_of_any_length_has_durations_that_players_read() {
    let chunk = table(&[pictures(0, 3 * SECOND, 1), sound(0, 3 * SECOND)]);
    // More than the samples before and after it can last at 90 kHz.
    let gap_90khz = 20 * 3_600 * 90_000;
    let chunks = [(&*chunk, Follows::Directly), (&*chunk, Follows::AfterGap { gap_90khz })];
    let movie = movie(index(&chunks, Policy::default()));
    assert!(movie.duration.abs_diff(gap_90khz + 6 * 90_000) < 10_000, "{}", movie.duration);
    for (handler, before) in [(b"vide", 75), (b"soun", 140)] {
        let track = track(&movie, handler);
        let longest = track.samples.iter().map(|sample| sample.duration).max();
        assert_eq!(longest, Some(i32::MAX as u32));
        // A few samples later all is in its place again.
        let at = plays_ms(track);
        assert!((at[before + 10] - 20 * 3_600_000 - at[10] - 3_000).abs() < 200, "{at:?}");
    }
}

#[test]
fn a_gap_of_one_track_stretches_what_comes_before_it() {
    // Sound is away for 4 s, and for a whole chunk, and comes back at its time.
    let chunks = [
        table(&[pictures(0, 2 * SECOND, 0), sound(0, 2 * SECOND)]),
        table(&[pictures(2 * SECOND, 6 * SECOND, 0)]),
        table(&[pictures(6 * SECOND, 8 * SECOND, 0), sound(6 * SECOND, 8 * SECOND)]),
    ];
    let chunks: Vec<_> = chunks.iter().map(|table| (table.as_slice(), Follows::Directly)).collect();
    let movie = movie(index(&chunks, Policy::default()));
    let sound = track(&movie, b"soun");
    let at = plays_ms(sound);
    assert_eq!((at[92], at[93], sound.samples.len()), (1_962, 6_000, 186));
    assert_eq!(movie.duration, 8 * 90_000);
}

#[test]
fn sound_that_drifts_or_jitters_keeps_its_stamps_to_two_milliseconds() {
    let mut drift = sound(0, 60 * SECOND).1;
    drift.iter_mut().for_each(|sample| sample.dts_90khz += sample.dts_90khz / 1_000);
    let movie =
        movie(index(&[(&table(&[(TrackKind::Audio, drift.clone())]), Follows::Directly)], Policy::default()));
    for (sample, pushed) in movie.tracks[0].samples.iter().zip(&drift) {
        let at = sample.dts as i64 * 90_000 / 48_000;
        assert!((at - pushed.dts_90khz).abs() <= 182, "{at} {pushed:?}");
    }
}

#[test]
fn clocks_of_any_size_give_the_same_file() {
    let file = |begin: i64| {
        let table = table(&[pictures(begin, begin + SECOND, 2), sound(begin + 900, begin + SECOND)]);
        index(&[(&table, Follows::Directly)], Policy::default())
            .pieces()
            .flatten()
            .copied()
            .collect::<Vec<u8>>()
    };
    let expected = file(0);
    // Where FLV's 24-bit and its 32-bit times end, 13 h 14 min, and MPEG's 33 bits.
    for begin in
        [16_777_000 * 90, ((1 << 32) - 1_000) * 90, (1 << 32) / 90 * 90, (1 << 33) / 90 * 90, (1 << 31) * 90]
    {
        assert!(file(begin) == expected, "{begin}");
    }
}

#[test]
fn a_file_of_fourteen_hours_has_times_of_64_bits() {
    // A frame of sound a second would not be AAC; pictures may come as seldom.
    let seldom = (0..14 * 3_600).map(|n| Sample {
        dts_90khz: n * SECOND,
        composition_offset_90khz: 90,
        size: 10,
        is_sync: true,
    });
    let movie = movie(index(
        &[(&table(&[(TrackKind::Video, seldom.collect())]), Follows::Directly)],
        Policy { created_unix_s: Some(1 << 33) },
    ));
    let expected = (14 * 3_600 - 1) * 90_000 + 3_600;
    assert!(expected > 1_u64 << 32);
    assert_eq!((movie.duration, movie.created), (expected, (1 << 33) + 2_082_844_800));
}

#[test]
fn files_of_more_than_four_gibibytes() {
    // The last run begins at 2^32 - 4 in the media, which lies behind the index.
    let size = (1 << 30) - 1;
    let big = |n: i64| Sample { dts_90khz: n * FRAME, composition_offset_90khz: 0, size, is_sync: true };
    let table = table(&(0..5).map(|n| (TrackKind::Video, vec![big(n)])).collect::<Vec<_>>());
    let index = index(&[(&table, Follows::Directly)], Policy::default());
    let begin = index.media_offset();
    let movie = movie(index);
    let last = movie.tracks[0].samples.last().unwrap();
    assert_eq!(last.offset, begin + (1 << 32) - 4);
    assert!(last.offset > u32::MAX.into() && movie.media.1 == 5 * u64::from(size));
}

#[test]
fn changed_parameters_are_sample_entries_of_their_own() {
    let table = |record, from| table_with(&[video_entry(record)], &[pictures(from, from + SECOND, 0)]);
    let (one, two, three) = (table(&[1], 0), table(&[2], SECOND), table(&[1], 2 * SECOND));
    let chunks = [&one, &two, &three].map(|table| (table.as_slice(), Follows::Directly));
    let movie = movie(index(&chunks, Policy::default()));
    let video = &movie.tracks[0];
    assert_eq!(video.entries.len(), 2);
    let entries: Vec<u32> = video.samples.iter().map(|sample| sample.entry).collect();
    assert_eq!(entries, [[1; 25], [2; 25], [1; 25]].concat());
}

#[test]
fn a_rate_that_changes_keeps_the_times() {
    let table = |rate, from: i64| {
        let samples = (0..40).map(|n| Sample {
            dts_90khz: from + n * 1_024 * 1_000 / i64::from(rate) * 90,
            composition_offset_90khz: 0,
            size: 9,
            is_sync: true,
        });
        table_with(&[audio_entry(rate)], &[(TrackKind::Audio, samples.collect())])
    };
    let (one, two) = (table(48_000, 0), table(44_100, SECOND));
    let chunks = [&one, &two].map(|table| (table.as_slice(), Follows::Directly));
    let movie = movie(index(&chunks, Policy::default()));
    let at = plays_ms(&movie.tracks[0]);
    assert_eq!((at[40], at[41], movie.tracks[0].entries.len()), (1_000, 1_023, 2));
}

#[test]
fn what_no_file_can_hold_is_left_out() {
    let entry = |in_adts| match audio_entry(48_000) {
        SampleEntry::Audio(entry) => SampleEntry::Audio(AudioEntry { in_adts, ..entry }),
        entry @ SampleEntry::Video(_) => entry,
    };
    let adts = table_with(&[entry(true)], &[sound(0, SECOND)]);
    let raw = table_with(&[entry(false)], &[sound(SECOND, 2 * SECOND)]);
    let found = index(&[(&adts, Follows::Directly), (&raw, Follows::Directly)], Policy::default());
    assert_eq!(found.left_out(), 46);
    let begin = found.media_offset();
    let movie = movie(found);
    assert_eq!((movie.tracks[0].samples.len(), movie.tracks[0].samples[0].offset), (46, begin + 46 * 200));
    let mut builder = IndexBuilder::new(Policy::default());
    assert_eq!(builder.clone().finish().unwrap_err(), Error::Empty);
    builder.add(&SampleTable::parse(&adts).unwrap(), Follows::Directly);
    assert_eq!(builder.finish().unwrap_err(), Error::Empty);
}

#[test]
fn six_hours_have_an_index_as_large_as_stated() {
    let mut builder = IndexBuilder::new(Policy::default());
    for second in 0..6 * 3_600 {
        // 60 pictures a second in milliseconds, no two neighbours alike, reordered.
        let pictures = (0..60).map(|n| Sample {
            dts_90khz: second * SECOND + n * 1_000 / 60 * 90 + n % 2 * 90,
            composition_offset_90khz: n as u32 % 2 * 9_000,
            size: 8_000,
            is_sync: n == 0,
        });
        let table =
            table(&[(TrackKind::Video, pictures.collect()), sound(second * SECOND, (second + 1) * SECOND)]);
        builder.add(&SampleTable::parse(&table).unwrap(), Follows::Directly);
    }
    let index = builder.finish().unwrap();
    assert!((20 << 20..31_000_000).contains(&index.media_offset()), "{}", index.media_offset());
    assert_eq!(index.duration_90khz() / 90_000, 21_600);
}
