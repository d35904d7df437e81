//! The frames of MP4 and FLV files and of slices, and when they are presented.

use std::collections::BTreeMap;

use flv::TagKind;
use mp4::verify::{self, Movie};

use crate::media::{Frame, Timed, Track, check_parameters, frames, read_slice};

/// What two times that are one may be apart: containers round to their clocks. Unit: µs.
const ROUNDED_US: u64 = 1_100;

/// The times of a transport stream have so many bits.
const PTS_BITS: u32 = 33;

/// Frames in decoding order with their presentation times in microseconds, by tracks.
pub(super) type Held = BTreeMap<Track, Vec<(Frame, u64)>>;

/// What an MP4 file holds, as its index says where frames lie and when they come.
pub(super) fn of_mp4(file: &[u8]) -> Result<Held, String> {
    let movie = Movie::read(file)?;
    verify::check(&movie, file.len() as u64)?;
    let mut held = nothing();
    for track in &movie.tracks {
        let of = match &track.handler {
            b"vide" => Track::Video,
            b"soun" => Track::Audio,
            other => return Err(format!("a track is of {}", other.escape_ascii())),
        };
        let frames = track.samples.iter().map(|sample| {
            let begin = sample.offset as usize;
            let bytes = file.get(begin..begin + sample.size as usize).ok_or("a sample lies outside")?;
            let frame = one_frame(bytes)?;
            if of == Track::Video {
                let entry = track.entries.get((sample.entry as usize).wrapping_sub(1));
                let (_, entry) = entry.ok_or_else(|| format!("{sample:?} has no sample entry"))?;
                check_parameters(frame, entry)?;
            }
            Ok((frame, presented_us(&movie, track, sample)?))
        });
        let before = held.insert(of, frames.collect::<Result<_, String>>()?);
        if before.is_some_and(|before| !before.is_empty()) {
            return Err(format!("it has two tracks of {of:?}"));
        }
    }
    Ok(held)
}

/// When a sample is presented, by the edits of its track (14496-12 §8.6.6).
fn presented_us(movie: &Movie, track: &verify::Track, sample: &verify::Sample) -> Result<u64, String> {
    let us = |time: i64, timescale: u32| time * 1_000_000 / i64::from(timescale);
    let (mut empty, mut begin) = (0, 0);
    for edit in &track.edits {
        match edit.media_time {
            -1 => empty += edit.duration.cast_signed(),
            media_time => begin = media_time,
        }
    }
    let time = sample.dts.cast_signed() + sample.composition_offset - begin;
    let presented_us = us(time, track.timescale) + us(empty, movie.timescale);
    u64::try_from(presented_us).map_err(|_| format!("{sample:?} is presented at {presented_us} µs"))
}

/// What an FLV file holds.
pub(super) fn of_flv(file: &[u8]) -> Result<Held, String> {
    let (mut held, mut last_ms, mut header) = (nothing(), 0, &[][..]);
    for tag in flv::Reader::new(file).map_err(|error| error.to_string())? {
        let tag = tag.map_err(|error| error.to_string())?;
        let before_ms = std::mem::replace(&mut last_ms, tag.timestamp_ms);
        if last_ms < before_ms {
            return Err(format!("a tag at {last_ms} ms stands behind one at {before_ms} ms"));
        }
        let (track, composition_time) = match (tag.kind, tag.body) {
            // Coded frames of AVC, and those of Enhanced RTMP that have a composition time.
            (TagKind::Video, &[0x17 | 0x27, 1, high, middle, low, ..])
            | (TagKind::Video, &[0x91 | 0xa1, _, _, _, _, high, middle, low, ..]) => {
                (Track::Video, u32::from_be_bytes([0, high, middle, low]))
            }
            (TagKind::Audio, &[_, 1, ..]) => (Track::Audio, 0),
            // Sequence headers.
            (TagKind::Video, &[0x17, 0, ..] | &[0x90, ..]) => {
                header = tag.body;
                continue;
            }
            _ => continue,
        };
        let frame = one_frame(tag.body)?;
        if track == Track::Video {
            check_parameters(frame, header)?;
        }
        let presented_us = 1_000 * u64::from(tag.timestamp_ms + composition_time);
        held.entry(track).or_default().push((frame, presented_us));
    }
    Ok(held)
}

fn nothing() -> Held {
    Track::ALL.map(|track| (track, Vec::new())).into()
}

fn one_frame(bytes: &[u8]) -> Result<Frame, String> {
    match frames(bytes)[..] {
        [frame] => Ok(frame),
        ref others => Err(format!("a sample holds {others:?}")),
    }
}

/// Takes what a chunk held from the begin of what is left of a file. All frames have to be there, and to come as long after
/// the first picture as they were pushed.
pub(super) fn take(held: &mut Held, sent: impl Fn(Track) -> Vec<Timed>) -> Result<(), String> {
    let first_ms = sent(Track::Video).first().map_or(0, |(_, at_ms)| *at_ms);
    let begin_us = held[&Track::Video].first().map_or(0, |(_, at_us)| *at_us);
    for (track, frames) in held {
        let sent = sent(*track);
        let taken: Vec<_> = frames.drain(..sent.len().min(frames.len())).collect();
        let is_it = |(&(frame, at_us), &(sent, at_ms)): (&(Frame, u64), &Timed)| {
            frame == sent && (at_us + 1_000 * first_ms).abs_diff(begin_us + 1_000 * at_ms) <= ROUNDED_US
        };
        if taken.len() != sent.len() || !taken.iter().zip(&sent).all(is_it) {
            return Err(format!("holds {taken:?}, not {sent:?} (from {begin_us} µs on)"));
        }
    }
    Ok(())
}

/// Checks that a slice holds exactly what was sent, at the times at which it was pushed where the slice says times.
pub(super) fn slice_is(slice: &[u8], sent: impl Fn(Track) -> Vec<Timed>) -> Result<(), String> {
    let held = read_slice(slice)?;
    let first_ms = sent(Track::Video).first().map_or(0, |(_, at_ms)| *at_ms);
    let begin = held[&Track::Video].first().and_then(|(_, pts)| *pts);
    for (track, found) in held {
        let sent = sent(track);
        let is_it = |(&(frame, pts), &(sent, at_ms)): (&(Frame, Option<u64>), &Timed)| {
            let at = |begin: u64| (begin + 90 * at_ms).wrapping_sub(90 * first_ms) % (1 << PTS_BITS);
            frame == sent && begin.zip(pts).is_none_or(|(begin, pts)| pts.abs_diff(at(begin)) <= 90)
        };
        if found.len() != sent.len() || !found.iter().zip(&sent).all(is_it) {
            return Err(format!("holds {found:?}, not {sent:?}"));
        }
    }
    Ok(())
}
