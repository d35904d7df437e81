//! Where a slice begins and ends in media time.

use media::{AudioCodec, Media, TICKS_PER_MS};

use crate::SessionState;

/// Tracks that end, or a track that ends and another that goes on, at most this far apart do so together: frames of
/// sound and pictures never end at the same time. Unit: 1/90 000 s.
const MAX_SEAM_90KHZ: i64 = 45 * TICKS_PER_MS;

/// How long a slice's last picture lasts beside sound, at most. Unit: 1/90 000 s.
///
/// The end of a picture is an estimate, the end of sound is not.
const MAX_LAST_PICTURE_90KHZ: i64 = 90_000;

/// Begin and length of a slice. Unit: 1/90 000 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) start_90khz: u64,
    pub(crate) duration_90khz: u64,
}

/// The extent of a chunk's media; moves `state` past it.
///
/// A session's first slice begins with its earliest access unit. Every other one begins where video goes on, or
/// audio where video does not, so that the difference of two begins is exactly what plays between them, also when one
/// track arrives seconds after the other; after a gap in both tracks it begins with the earliest access unit again.
/// A slice ends where its last track ends, and with its last picture where that is no matter of a frame.
pub(crate) fn extent(media: &Media<'_>, state: &mut SessionState<'_>) -> Extent {
    let shift = i64::from(state.decoding_shift_90khz);
    let video = media.video.units.first().map(|unit| unit.dts_90khz + shift);
    let audio = media.audio.units.first().map(|unit| unit.dts_90khz);
    let begins = [video, audio];
    let Some(earliest) = begins.into_iter().flatten().min() else { return Extent::default() };
    let start = match state.end_90khz {
        None => earliest,
        Some(end) => {
            let continues = |begin: &i64| *begin <= end + MAX_SEAM_90KHZ;
            let start = begins.into_iter().flatten().find(continues).unwrap_or(earliest);
            start.max(state.start_90khz + 1)
        }
    };
    let end = match (video_end(media, state), audio_end(media, state)) {
        (Some(video), Some(audio)) if audio <= video + MAX_SEAM_90KHZ => video,
        (video, audio) => video.max(audio).unwrap_or(start),
    };
    let end = end.max(start + 1);
    state.start_90khz = start;
    state.end_90khz = Some(state.end_90khz.map_or(end, |before| before.max(end)));
    Extent {
        start_90khz: u64::try_from(start).unwrap_or(0),
        duration_90khz: u64::try_from(end - start).unwrap_or(0),
    }
}

fn video_end(media: &Media<'_>, state: &SessionState<'_>) -> Option<i64> {
    let last = media.video.units.last()?;
    Some(last.dts_90khz + i64::from(state.decoding_shift_90khz) + last_picture(media, state))
}

fn audio_end(media: &Media<'_>, state: &SessionState<'_>) -> Option<i64> {
    let last = media.audio.units.last()?;
    Some(last.dts_90khz + last_message(media, state))
}

/// How long the last picture lasts, in all likelihood. Unit: 1/90 000 s.
pub(crate) fn last_picture(media: &Media<'_>, state: &SessionState<'_>) -> i64 {
    let frame = state.timeline.video.map_or(0, |clock| clock.pace.frame_90khz());
    if media.audio.units.is_empty() { frame } else { frame.min(MAX_LAST_PICTURE_90KHZ) }
}

/// How long the last audio message lasts: it holds one frame, of MP3 maybe several, as many as the messages before it
/// were apart. Unit: 1/90 000 s.
pub(crate) fn last_message(media: &Media<'_>, state: &SessionState<'_>) -> i64 {
    let Some(last) = media.audio.units.last() else { return 0 };
    let config = &media.audio.configs[last.config as usize];
    let frame = i64::from(config.frame_duration_90khz);
    match config.codec {
        AudioCodec::Aac => frame,
        AudioCodec::Mp3 => state.timeline.audio.map_or(frame, |clock| clock.pace.frame_90khz().max(frame)),
    }
}
