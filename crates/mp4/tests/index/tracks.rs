//! What a track says of its samples beside their times: its entries, its edits, how long the last sample lasts.

use media::TrackKind;
use recorder_mp4::{Follows, Policy, verify::Edit};
use sample_table::{Head, Sample, TableWriter, TrackHead};

use crate::{
    common::{index, movie},
    timing::{FRAME, SECOND, audio_entry, pictures, plays_ms, sound, table, table_with, track, video_entry},
};

#[test]
fn a_track_that_is_first_pushed_after_a_gap_has_its_place() {
    // Another session begins anew, at a time of its own, with pictures.
    let first = table(&[sound(0, 2 * SECOND)]);
    let second = table(&[pictures(60 * SECOND, 61 * SECOND, 0), sound(60 * SECOND, 61 * SECOND)]);
    let after = Follows::AfterGap { gap_90khz: 3 * SECOND as u64 };
    let movie = movie(index(&[(&first, Follows::Directly), (&second, after)], Policy::default()));
    let (pictures, sound) = (plays_ms(track(&movie, b"vide")), plays_ms(track(&movie, b"soun")));
    assert_eq!((sound.len(), sound[93] - pictures[0]), (93 + 46, 0));
    assert!(pictures[0].abs_diff(5_000) < 30, "{}", pictures[0]);
}

#[test]
fn a_track_that_plays_from_the_begin_has_one_edit_at_most() {
    // Pictures are shown in another order than they are decoded, the first one `delay` frames later.
    let edits = |delay| {
        let chunk = table(&[pictures(SECOND, 2 * SECOND, delay)]);
        movie(index(&[(&chunk, Follows::Directly)], Policy::default())).tracks.remove(0).edits
    };
    assert_eq!(edits(0), []);
    assert_eq!(edits(2), [Edit { duration: 90_000, media_time: 2 * FRAME }]);
    // Reordering may be five seconds deep.
    assert_eq!(edits(125)[0].media_time, 125 * FRAME);
}

#[test]
fn a_picture_has_the_size_that_its_first_entry_says() {
    let chunk = table(&[pictures(0, SECOND, 0), sound(0, SECOND)]);
    let movie = movie(index(&[(&chunk, Follows::Directly)], Policy::default()));
    assert_eq!((track(&movie, b"vide").size, track(&movie, b"soun").size), ((640, 360), (0, 0)));
}

#[test]
fn a_thousand_sample_entries_are_kept_and_later_ones_share_the_last() {
    let records: Vec<[u8; 2]> = (0..1_002_u16).map(u16::to_be_bytes).collect();
    let chunk = |(n, record): (usize, &[u8; 2])| {
        let begin = n as i64 * FRAME;
        table_with(&[video_entry(record)], &[pictures(begin, begin + FRAME, 0)])
    };
    let chunks: Vec<_> = records.iter().enumerate().map(chunk).collect();
    let chunks: Vec<_> = chunks.iter().map(|table| (table.as_slice(), Follows::Directly)).collect();
    let movie = movie(index(&chunks, Policy::default()));
    let track = &movie.tracks[0];
    assert_eq!(track.entries.len(), 1_000);
    let entries: Vec<u32> = track.samples.iter().map(|sample| sample.entry).collect();
    assert_eq!(entries, (1..=1_000).chain([1_000, 1_000]).collect::<Vec<_>>());
}

#[test]
fn the_last_sound_lasts_a_frame_or_all_the_frames_of_its_message() {
    let last_duration = |ms: u32| {
        let mut writer = TableWriter::new();
        writer.begin_run(TrackKind::Audio, 0);
        writer.sample(Sample { dts_90khz: 0, composition_offset_90khz: 0, size: 9, is_sync: true });
        let audio = TrackHead { last_duration_90khz: ms * 90, is_enhanced: false };
        let chunk = writer.finish(&Head { audio, entries: vec![audio_entry(48_000)], ..Head::default() });
        movie(index(&[(&chunk, Follows::Directly)], Policy::default())).tracks[0].samples[0].duration
    };
    // A frame is 1,024 samples, 21 1/3 ms: stamps of whole milliseconds are off by as much as two.
    assert_eq!([20, 21, 22, 23].map(last_duration), [1_024; 4]);
    // Two frames, and three.
    assert_eq!([43, 64].map(last_duration), [43 * 48, 64 * 48]);
}
