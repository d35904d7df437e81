//! What must hold in every file.

use super::{Movie, Track};

/// Bytes between chunks of both tracks that play at one time, at most: more, and a player over a network has to jump.
const MAX_DISTANCE: u64 = 4 << 20;

/// Checks a file by the rules that other recorders were reported to break.
///
/// `file_size` is that of the whole file, of which `movie` may have been read from the begin.
///
/// # Errors
/// A sentence that says which rule is broken, and by what.
pub fn check(movie: &Movie, file_size: u64) -> Result<(), String> {
    let kinds: Vec<String> = movie.boxes.iter().map(|(kind, ..)| kind.escape_ascii().to_string()).collect();
    if !matches!(
        kinds.iter().map(String::as_str).collect::<Vec<_>>()[..],
        ["ftyp", "moov", "mdat"] | ["ftyp", "moov", "free", "mdat"]
    ) {
        return Err(format!("boxes {kinds:?}"));
    }
    let (begin, size) = movie.media;
    if begin + size != file_size {
        return Err(format!("media of {size} bytes at {begin} in a file of {file_size}"));
    }
    let longest = movie.tracks.iter().map(|track| track.movie_duration).max().unwrap_or(0);
    if movie.duration != longest {
        return Err(format!("mvhd says {}, the longest track is {longest}", movie.duration));
    }
    movie.tracks.iter().try_for_each(|track| check_track(movie, track))?;
    let first = movie.tracks.iter().map(|track| begins_at(movie, track)).fold(f64::INFINITY, f64::min);
    // Sound counts in other units.
    if first.abs() > 2.0 / 90_000.0 {
        return Err(format!("the file begins at {first} s"));
    }
    check_media(movie)
}

fn check_track(movie: &Movie, track: &Track) -> Result<(), String> {
    let name = track.handler.escape_ascii();
    let sum: u64 = track.samples.iter().map(|sample| u64::from(sample.duration)).sum();
    if sum != track.duration {
        return Err(format!("{name}: durations add up to {sum}, mdhd says {}", track.duration));
    }
    let seconds = |units: u64, scale: u32| units as f64 / f64::from(scale);
    let said = seconds(track.movie_duration, movie.timescale);
    let edited: u64 = track.edits.iter().map(|edit| edit.duration).sum();
    let expected = match track.edits[..] {
        [] => seconds(track.duration, track.timescale),
        _ => seconds(edited, movie.timescale),
    };
    if (said - expected).abs() > 1.0 / 90_000.0 {
        return Err(format!("{name}: tkhd says {said} s, edits or media {expected} s"));
    }
    let shown = track.samples.iter().map(|sample| sample.dts.cast_signed() + sample.composition_offset);
    let latest = shown.clone().max().unwrap_or(0);
    let last = track.samples.last().map_or(0, |sample| sample.dts.cast_signed());
    if latest < last || latest - last > 10 * i64::from(track.timescale) {
        return Err(format!("{name}: last decoded at {last}, last shown at {latest}"));
    }
    // All that there is is played: from the first picture to the end of the last.
    if let Some(edit) = track.edits.last() {
        let end = seconds(edit.media_time.cast_unsigned(), track.timescale)
            + seconds(edit.duration, movie.timescale);
        let is_shown =
            edit.media_time <= shown.min().unwrap_or(0) && end > latest as f64 / f64::from(track.timescale);
        let empty = track.edits.iter().filter(|edit| edit.media_time == -1).count();
        if !is_shown || track.edits.len() != empty + 1 || empty > 1 {
            return Err(format!("{name}: edits {:?}", track.edits));
        }
    }
    if track.chunks.contains(&0) {
        return Err(format!("{name}: an empty chunk"));
    }
    if track.samples.iter().any(|sample| sample.entry == 0 || sample.entry as usize > track.entries.len()) {
        return Err(format!("{name}: a sample without a sample entry"));
    }
    let negative = track.samples.iter().find(|sample| sample.composition_offset < 0);
    negative.map_or(Ok(()), |sample| Err(format!("{name}: shown before decoded: {sample:?}")))
}

/// When a track's first picture or sound plays, in seconds.
fn begins_at(movie: &Movie, track: &Track) -> f64 {
    let shown = track.samples.iter().map(|sample| sample.dts.cast_signed() + sample.composition_offset);
    let first = shown.min().unwrap_or(0) as f64 / f64::from(track.timescale);
    let empty: u64 = track.edits.iter().filter(|edit| edit.media_time == -1).map(|edit| edit.duration).sum();
    let from = track.edits.last().map_or(0, |edit| edit.media_time) as f64 / f64::from(track.timescale);
    first - from + empty as f64 / f64::from(movie.timescale)
}

/// Samples lie within the media, none over another, and what plays at one time lies together.
fn check_media(movie: &Movie) -> Result<(), String> {
    let mut all: Vec<(u64, u64, usize, f64)> = Vec::new();
    for (number, track) in movie.tracks.iter().enumerate() {
        let delay = begins_at(movie, track);
        let time = |dts: u64| dts as f64 / f64::from(track.timescale) + delay;
        let samples = track.samples.iter();
        all.extend(samples.map(|sample| (sample.offset, sample.size.into(), number, time(sample.dts))));
    }
    all.sort_by_key(|&(offset, ..)| offset);
    let (mut end, media_end) = (movie.media.0, movie.media.0 + movie.media.1);
    for &(offset, size, ..) in &all {
        if offset < end || offset + size > media_end {
            return Err(format!(
                "a sample at {offset} of {size} bytes, after {end} or in media up to {media_end}"
            ));
        }
        end = offset + size;
    }
    // Each sample's nearest in time of the other track before it in the file.
    let mut last: [Option<(u64, f64)>; 2] = [None; 2];
    for &(offset, _, number, time) in &all {
        last[number.min(1)] = Some((offset, time));
        if let Some((other, at)) = last[1 - number.min(1)]
            && (at - time).abs() < 0.1
            && offset - other > MAX_DISTANCE
        {
            return Err(format!("what plays at {time} s lies {} bytes apart", offset - other));
        }
    }
    Ok(())
}
