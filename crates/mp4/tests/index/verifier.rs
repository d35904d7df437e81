//! The rules for every file find what they are for.

use recorder_mp4::{
    Follows, Policy,
    verify::{Edit, Movie, check},
};

use crate::{
    common::{index, movie},
    timing::{SECOND, pictures, sound, table},
};

/// Says what is wrong with a good file that was changed so.
fn fault(more_bytes: u64, change: impl FnOnce(&mut Movie)) -> String {
    let table = table(&[pictures(0, SECOND, 2), sound(900, SECOND)]);
    let index = index(&[(&table, Follows::Directly)], Policy::default());
    let size = index.file_size() + more_bytes;
    let whole = index.file_size();
    let mut movie = movie(index);
    assert_eq!(check(&movie, whole), Ok(()));
    change(&mut movie);
    check(&movie, size).unwrap_err()
}

#[track_caller]
fn finds(expected: &str, change: impl FnOnce(&mut Movie)) {
    let fault = fault(0, change);
    assert!(fault.contains(expected), "{fault}");
}

#[test]
fn every_rule_finds_what_breaks_it() {
    finds("boxes", |movie| movie.boxes.swap(1, 2));
    finds("media of", |movie| movie.media.1 += 1);
    finds("mvhd says", |movie| movie.duration += 1);
    finds("durations add up", |movie| movie.tracks[0].samples[3].duration += 1);
    finds("durations add up", |movie| movie.tracks[1].duration += 1);
    finds("tkhd says", |movie| movie.tracks[0].edits[0].duration += 10);
    finds("the file begins", |movie| {
        for track in &mut movie.tracks {
            let shown = track.duration * 90_000 / u64::from(track.timescale);
            let media = track.edits.last().map_or(Edit { duration: shown, media_time: 0 }, |edit| *edit);
            let empty = track.edits.iter().find(|edit| edit.media_time == -1).map_or(0, |edit| edit.duration);
            track.edits = vec![Edit { duration: empty + 900, media_time: -1 }, media];
            track.movie_duration = empty + 900 + media.duration;
        }
        movie.duration = movie.tracks.iter().map(|track| track.movie_duration).max().unwrap_or(0);
    });
    finds("edits", |movie| movie.tracks[0].edits.last_mut().unwrap().media_time += 1);
    finds("last decoded at", |movie| movie.tracks[0].samples[5].composition_offset = 1 << 32);
    finds("an empty chunk", |movie| movie.tracks[0].chunks.push(0));
    finds("without a sample entry", |movie| movie.tracks[0].samples[5].entry = 2);
    finds("shown before decoded", |movie| movie.tracks[0].samples[24].composition_offset = -1);
    finds("a sample at", |movie| movie.tracks[0].samples[5].offset += 1);
    finds("a sample at", |movie| movie.tracks[0].samples[5].offset = u64::from(u32::MAX) << 4);
    finds("a sample at", |movie| movie.tracks[1].samples.last_mut().unwrap().size += 1);
    // The last picture is shown for no time.
    finds("edits", |movie| {
        let video = &mut movie.tracks[0];
        video.edits[1].duration = 24 * 3_600;
        video.movie_duration = video.edits[0].duration + 24 * 3_600;
        movie.duration = movie.tracks.iter().map(|track| track.movie_duration).max().unwrap();
    });
    let apart = fault(5 << 20, |movie| {
        movie.media.1 += 5 << 20;
        movie.tracks[1].samples.iter_mut().for_each(|sample| sample.offset += 5 << 20);
    });
    assert!(apart.contains("bytes apart"), "{apart}");
}

#[test]
fn what_plays_at_other_times_may_lie_anywhere() {
    let table = table(&[sound(0, SECOND), pictures(2 * SECOND, 3 * SECOND, 0)]);
    let index = index(&[(&table, Follows::Directly)], Policy::default());
    let (size, apart) = (index.file_size(), 5 << 20);
    let mut movie = movie(index);
    movie.media.1 += apart;
    movie.tracks[1].samples.iter_mut().for_each(|sample| sample.offset += apart);
    assert_eq!((movie.tracks[1].handler, check(&movie, size + apart)), (*b"vide", Ok(())));
}

#[test]
fn bytes_that_are_no_file_are_refused() {
    let table = table(&[pictures(0, SECOND, 2), sound(0, SECOND)]);
    let index = index(&[(&table, Follows::Directly)], Policy::default());
    let bytes: Vec<u8> = index.pieces().flatten().copied().collect();
    let end = bytes.len() - 16;
    let is_refused = |bytes: &[u8]| Movie::read(bytes).is_err() || Movie::read(bytes).unwrap().media.1 == 0;
    assert!((1..end + 15).all(|cut| is_refused(&bytes[..cut])));
}

#[test]
fn what_plays_at_one_time_lies_within_four_mebibytes() {
    // Sound is there before the pictures, the last of which plays with the last sound.
    for begin in [0, 2 * SECOND] {
        let table = table(&[sound(0, begin + SECOND), pictures(begin, begin + SECOND, 0)]);
        let index = index(&[(&table, Follows::Directly)], Policy::default());
        let size = index.file_size();
        let movie = movie(index);
        let last = |track: usize| movie.tracks[track].samples.last().unwrap().offset;
        let most = (4 << 20) - (last(1) - last(0));
        for more in [0, 1] {
            let (mut movie, apart) = (movie.clone(), most + more);
            movie.media.1 += apart;
            movie.tracks[1].samples.iter_mut().for_each(|sample| sample.offset += apart);
            assert_eq!(check(&movie, size + apart).is_ok(), more == 0, "from {begin}: {apart}");
        }
    }
}

#[test]
fn boxes_that_contradict_each_other_are_no_file() {
    let table = table(&[pictures(0, SECOND, 2)]);
    let index = index(&[(&table, Follows::Directly)], Policy::default());
    let bytes: Vec<u8> = index.pieces().flatten().copied().collect();
    // The version of a box, and the first run of its entries.
    let changed = |kind: &[u8; 4], version: u8, [count, value]: [u32; 2]| {
        let mut bytes = bytes.clone();
        let at = bytes.windows(4).position(|four| four == kind).unwrap() + 4;
        bytes[at] = version;
        bytes[at + 8..at + 16].copy_from_slice(&[count.to_be_bytes(), value.to_be_bytes()].concat());
        Movie::read(&bytes)
    };
    for kind in [b"stts", b"ctts"] {
        let error = changed(kind, 0, [90, 1]).unwrap_err();
        assert!(error.starts_with("25 sizes, "), "{error}");
    }
    let other = bytes.windows(4).position(|four| four == b"mvhd").unwrap();
    let unknown = [&bytes[..other], b"udta", &bytes[other + 4..]].concat();
    assert_eq!(Movie::read(&unknown).unwrap_err(), "moov has udta");
    // Offsets are signed where the version is not 0.
    for (version, expected) in [(0, 0xffff_ffff), (1, -1)] {
        let movie = changed(b"ctts", version, [1, u32::MAX]).unwrap();
        assert_eq!(movie.tracks[0].samples[0].composition_offset, expected);
    }
}
