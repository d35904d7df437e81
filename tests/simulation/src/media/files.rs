//! What MP4 and FLV files hold.

use flv::TagKind;
use mp4::verify::{self, Movie, Sample};

use super::codecs::Codec;
use super::frame::{Frame, frames};
use super::held::{CLOCK_ENDS, Held, Timed, check_coded, check_parameters, check_sound, nothing};
use super::shape::Shape;
use super::slots::Track;

/// The frames of an MP4 file, as its index says where they lie and when they come.
///
/// # Errors
/// What of it cannot be read or is not as it was pushed, in words.
pub fn read_mp4(file: &[u8]) -> Result<Held, String> {
    let movie = Movie::read(file)?;
    verify::check(&movie, file.len() as u64)?;
    let mut held = nothing();
    for track in &movie.tracks {
        let of = match &track.handler {
            b"vide" => Track::Video,
            b"soun" => Track::Audio,
            other => return Err(format!("a track is of {}", other.escape_ascii())),
        };
        let into = held.entry(of).or_default();
        if !into.is_empty() {
            return Err(format!("it has two tracks of {of:?}"));
        }
        let edit = Edit::of(&movie, track)?;
        for sample in &track.samples {
            let begin = sample.offset as usize;
            let bytes = file.get(begin..begin + sample.size as usize).ok_or("a sample lies outside")?;
            let frame = one_frame(bytes)?;
            let entry = track.entries.get((sample.entry as usize).wrapping_sub(1));
            let (_, entry) = entry.ok_or_else(|| format!("{sample:?} has no sample entry"))?;
            match of {
                Track::Video => {
                    check_coded(frame, of, sample.is_sync, unit(frame, bytes)?)?;
                    check_parameters(frame, entry)?;
                }
                Track::Audio => {
                    check_coded(frame, of, sample.is_sync, bytes)?;
                    check_sound(frame, entry)?;
                }
            }
            into.push(edit.timed(frame, sample));
        }
    }
    Ok(held)
}

/// When the samples of a track come, by its edits (14496-12 §8.6.6).
struct Edit {
    /// Unit: 1/90 000 s.
    empty: i64,
    /// In units of the track.
    begin: i64,
    timescale: i64,
}

impl Edit {
    fn of(movie: &Movie, track: &verify::Track) -> Result<Self, String> {
        if movie.timescale == 0 || track.timescale == 0 {
            return Err("a timescale is 0".into());
        }
        let mut edit = Self { empty: 0, begin: 0, timescale: track.timescale.into() };
        for verify::Edit { duration, media_time } in &track.edits {
            match media_time {
                -1 => edit.empty += duration.cast_signed() * 90_000 / i64::from(movie.timescale),
                media_time => edit.begin = *media_time,
            }
        }
        Ok(edit)
    }

    fn timed(&self, frame: Frame, sample: &Sample) -> Timed {
        let decoded = sample.dts.cast_signed() - self.begin;
        let at = |time: i64| clock(time * 90_000 / self.timescale + self.empty);
        Timed { frame, decoded: at(decoded), presented: at(decoded + sample.composition_offset) }
    }
}

/// The frames of an FLV file.
///
/// # Errors
/// What of it cannot be read or is not as it was pushed, in words.
pub fn read_flv(file: &[u8]) -> Result<Held, String> {
    let (mut held, mut last_ms, mut header, mut sound) = (nothing(), 0, &[][..], &[][..]);
    for tag in flv::Reader::new(file).map_err(|error| error.to_string())? {
        let tag = tag.map_err(|error| error.to_string())?;
        let before_ms = std::mem::replace(&mut last_ms, tag.timestamp_ms);
        if last_ms < before_ms {
            return Err(format!("a tag at {last_ms} ms stands behind one at {before_ms} ms"));
        }
        let (track, composition_ms, coded) = match (tag.kind, tag.body) {
            // Coded frames of AVC and MPEG-4, and those of Enhanced RTMP that have a composition time.
            (TagKind::Video, [0x17 | 0x27 | 0x19 | 0x29, 1, a, b, c, coded @ ..])
            | (TagKind::Video, [0x91 | 0xa1, _, _, _, _, a, b, c, coded @ ..]) => {
                (Track::Video, i32::from_be_bytes([*a, *b, *c, 0]) >> 8, coded)
            }
            (TagKind::Audio, [0xaf, 1, coded @ ..] | [0xe2, coded @ ..]) => (Track::Audio, 0, coded),
            // Sequence headers.
            (TagKind::Video, [0x17 | 0x19, 0, ..] | [0x90, ..]) => {
                header = tag.body;
                continue;
            }
            (TagKind::Audio, [0xaf, 0, ..]) => {
                sound = tag.body;
                continue;
            }
            (TagKind::Script, _) => continue,
            (kind, body) => return Err(format!("it has a tag of {kind:?} with {body:02x?}")),
        };
        let frame = one_frame(coded)?;
        match track {
            Track::Video => {
                check_coded(frame, track, tag.body[0] & 0x30 == 0x10, unit(frame, coded)?)?;
                check_parameters(frame, header)?;
            }
            Track::Audio => {
                check_coded(frame, track, true, coded)?;
                check_sound(frame, sound)?;
            }
        }
        let at_ms = i64::from(tag.timestamp_ms);
        let presented = clock(90 * (at_ms + i64::from(composition_ms)));
        held.entry(track).or_default().push(Timed { frame, decoded: clock(90 * at_ms), presented });
    }
    Ok(held)
}

/// The last NAL unit of a picture, or its VOP. What lies before it are parameter sets, which then have to be those that hold.
fn unit(frame: Frame, mut bytes: &[u8]) -> Result<&[u8], String> {
    let whole = bytes;
    if Shape::of(frame.0).codec(frame.1) == Codec::Mpeg4 {
        let begin = memchr::memmem::rfind(bytes, &[0, 0, 1]).ok_or("a picture has no start code")?;
        if begin > 0 {
            check_parameters(frame, &bytes[..begin])?;
        }
        return Ok(&bytes[begin + 3..]);
    }
    loop {
        let (length, rest) = bytes.split_first_chunk().ok_or("a length ends early")?;
        let (unit, behind) =
            rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or("a NAL unit ends early")?;
        if behind.is_empty() {
            let before = &whole[..whole.len() - bytes.len()];
            if !before.is_empty() {
                check_parameters(frame, before)?;
            }
            return Ok(unit);
        }
        bytes = behind;
    }
}

fn one_frame(bytes: &[u8]) -> Result<Frame, String> {
    match frames(bytes)[..] {
        [frame] => Ok(frame),
        ref others => Err(format!("a sample holds {others:?}")),
    }
}

fn clock(time: i64) -> u64 {
    time.rem_euclid(CLOCK_ENDS.cast_signed()).cast_unsigned()
}
