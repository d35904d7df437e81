use super::*;
use crate::chunk::{AudioCodec, VideoCodec};
use crate::tests::world;

const BOTH: Tracks =
    Tracks { video: Some(VideoCodec::H264), audio: Some(AudioCodec::Aac), width: 640, height: 360 };
const VIDEO: Tracks = Tracks { audio: None, ..BOTH };
const AUDIO: Tracks = Tracks { video: None, width: 0, height: 0, ..BOTH };

/// A chunk of 5 s: its tracks, whether it can be entered, whether it is parted from the one before.
#[derive(Clone, Copy)]
struct Piece(Tracks, bool, bool);

/// Feeds chunks of 5 s and compares the files: first chunk, last chunk, gaps.
fn check(container: Container, cycle_seconds: u32, pieces: &[Option<Piece>], expected: &[(u64, u64, u32)]) {
    let mut account = Account::new(container);
    let mut files = Vec::new();
    for (seq, piece) in pieces.iter().enumerate() {
        let Some(Piece(tracks, is_enterable, parted)) = *piece else {
            account = account.after_gap();
            continue;
        };
        let slice = Slice {
            anchor_ms: 1_000,
            start_90khz: seq as u64 * 450_000,
            duration_90khz: 450_000,
            size: 188,
            is_enterable,
            is_discontinuous: false,
            names_taken: 0,
            tracks,
        };
        let at = Place { session: "a".into(), seq: seq as u64 };
        let next = pieces.get(seq + 1).copied().flatten();
        let is_followed_by_entry = next.is_none_or(|next| next.1);
        let brought = Brought { at: &at, slice: &slice, is_moved: false, is_followed_by_entry };
        let (after, ended) = account.after(brought, cycle_seconds, parted);
        files.extend(ended);
        account = after;
    }
    files.extend(account.file);
    let found: Vec<_> = files.iter().map(|file| (file.first.seq, file.last.seq, file.gaps)).collect();
    assert_eq!(found, expected);
    for (number, file) in files.iter().enumerate() {
        assert_eq!(file.number as usize, number);
        assert_eq!(file.start_ms, 1_000 + file.first.seq * 5_000);
        assert_eq!(file.end_ms, 1_000 + (file.last.seq + 1) * 5_000);
        assert_eq!(file.duration_90khz, u64::from(file.slices) * 450_000);
    }
}

fn entry(tracks: Tracks) -> Option<Piece> {
    Some(Piece(tracks, true, false))
}

fn middle(tracks: Tracks) -> Option<Piece> {
    Some(Piece(tracks, false, false))
}

fn parted(tracks: Tracks) -> Option<Piece> {
    Some(Piece(tracks, true, true))
}

#[test]
fn a_cycle_ends_at_the_first_entry_at_or_past_it() {
    for container in [Container::M3u8, Container::Mp4, Container::Flv] {
        check(container, 10, &[entry(BOTH); 6], &[(0, 1, 0), (2, 3, 0), (4, 5, 0)]);
        check(container, 11, &[entry(BOTH); 5], &[(0, 2, 0), (3, 4, 0)]);
        let long_gop = [entry(BOTH), middle(BOTH), middle(BOTH), entry(BOTH)];
        check(container, 5, &long_gop, &[(0, 2, 0), (3, 3, 0)]);
    }
}

#[test]
fn orders_part_files_of_every_format() {
    for container in [Container::M3u8, Container::Mp4, Container::Flv] {
        check(container, 900, &[entry(BOTH), parted(BOTH), entry(BOTH)], &[(0, 0, 0), (1, 2, 0)]);
    }
}

#[test]
fn a_new_track_ends_a_playlist_and_another_codec_any_file() {
    let hevc = Tracks { video: Some(VideoCodec::Hevc), ..BOTH };
    let late_sound = [entry(VIDEO), entry(BOTH), entry(VIDEO), entry(BOTH)];
    check(Container::M3u8, 900, &late_sound, &[(0, 0, 0), (1, 3, 0)]);
    check(Container::Mp4, 900, &late_sound, &[(0, 3, 0)]);
    check(Container::M3u8, 900, &[entry(AUDIO), entry(BOTH)], &[(0, 0, 0), (1, 1, 0)]);
    check(Container::M3u8, 900, &[entry(BOTH), entry(hevc), entry(hevc)], &[(0, 0, 0), (1, 2, 0)]);
    let mp3 = Tracks { audio: Some(AudioCodec::Mp3), ..BOTH };
    for container in [Container::M3u8, Container::Mp4, Container::Flv] {
        check(container, 900, &[entry(BOTH), entry(hevc)], &[(0, 0, 0), (1, 1, 0)]);
        check(container, 900, &[entry(BOTH), entry(mp3)], &[(0, 0, 0), (1, 1, 0)]);
    }
    check(Container::Flv, 900, &[entry(AUDIO), entry(BOTH), entry(VIDEO), entry(BOTH)], &[(0, 3, 0)]);
}

#[test]
fn gaps_count_in_the_file_that_goes_on_over_them() {
    let pieces = [None, entry(BOTH), None, None, entry(BOTH), None, parted(BOTH)];
    check(Container::M3u8, 900, &pieces, &[(1, 4, 2), (6, 6, 0)]);
}

#[test]
fn numbers_that_may_have_been_used_are_left_out() {
    let slice = Slice {
        anchor_ms: 1_000,
        start_90khz: 0,
        duration_90khz: 450_000,
        size: 188,
        is_enterable: true,
        is_discontinuous: false,
        names_taken: 0,
        tracks: BOTH,
    };
    let mut account = Account::new(Container::M3u8).from(7);
    let mut numbers = Vec::new();
    for (seq, least) in [(0, 0), (1, 0), (2, 30), (3, 9)] {
        let at = Place { session: "a".into(), seq };
        let brought = Brought { at: &at, slice: &slice, is_moved: false, is_followed_by_entry: true };
        account = account.from(least).after(brought, 900, true).0;
        numbers.push(account.file.as_ref().unwrap().number);
    }
    assert_eq!(numbers, [7, 8, 30, 31]);
}

#[test]
fn a_file_has_the_first_picture_size_that_is_known() {
    let mut account = Account::new(Container::Mp4);
    let mut sizes = Vec::new();
    for (seq, (width, height)) in (0..).zip([(0, 0), (1280, 720), (640, 360), (0, 0)]) {
        let tracks = Tracks { width, height, ..BOTH };
        let (at, slice) = (Place { session: "a".into(), seq }, Slice { tracks, ..world::slice(seq) });
        let brought = Brought { at: &at, slice: &slice, is_moved: false, is_followed_by_entry: true };
        account = account.after(brought, 900, false).0;
        let tracks = account.file.as_ref().unwrap().tracks;
        sizes.push((tracks.width, tracks.height));
    }
    assert_eq!(sizes, [(0, 0), (1280, 720), (1280, 720), (1280, 720)]);
}
