//! Pushes made by hand whose stamps err on purpose.

use flv::TagKind;
use media::{ChunkArrival, TrackKind};

/// 1920 × 1080, as x264 writes it, and AAC of 44.1 kHz, in configuration records.
const AVC: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x28\xff\xe1\0\x1a\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\xc0\x44\x00\x00\x03\x00\x04\x00\x00\x03\x00\xc8\x3c\x60\xc9\x20\x01\0\x04\x68\xcb\x83\xcb";
const AAC: &[u8] = b"\xaf\0\x12\x10";

/// A coded frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) track: TrackKind,
    pub(crate) is_key: bool,
    /// When it really was, in 1/90 000 s since the push began.
    pub(crate) true_90khz: i64,
    /// What its stamp should say, and what it says, in milliseconds.
    pub(crate) true_ms: i64,
    pub(crate) stamp_ms: i64,
    /// How much later than its true time it belongs because of pauses.
    pub(crate) pause_ms: i64,
}

/// An even push of so many seconds, with a keyframe each two, its tracks in the order of time.
pub(crate) fn even(seconds: i64, pictures_a_second: i64) -> Vec<Frame> {
    let pictures =
        (0..seconds * pictures_a_second).map(|n| (TrackKind::Video, n, n * 90_000 / pictures_a_second));
    let sounds = (0..seconds * 44_100 / 1_024).map(|n| (TrackKind::Audio, n, n * 1_024 * 90_000 / 44_100));
    let mut frames: Vec<Frame> = pictures
        .chain(sounds)
        .map(|(track, n, true_90khz)| Frame {
            track,
            is_key: track == TrackKind::Video && n % (2 * pictures_a_second) == 0,
            true_90khz,
            true_ms: true_90khz / 90,
            stamp_ms: true_90khz / 90,
            pause_ms: 0,
        })
        .collect();
    frames.sort_by_key(|frame| (frame.true_90khz, frame.track));
    frames
}

/// The places where a chunk begins: at a keyframe each `seconds`.
pub(crate) fn cuts(frames: &[Frame], seconds: i64) -> Vec<usize> {
    let is_cut = |frame: &Frame| frame.is_key && frame.true_90khz % (seconds * 90_000) == 0;
    (1..frames.len()).filter(|&index| is_cut(&frames[index])).collect()
}

/// A message of one picture whose slice header differs from those of the pictures beside it (14496-10 §7.4.1.2.4).
fn picture(number: usize, is_key: bool) -> [u8; 13] {
    let mut message = *b"\x17\x01\0\0\0\0\0\0\x04\x65\x88\x84\x80";
    if is_key {
        // idr_pic_id 0 and 1 by turns.
        message[11] = if number.is_multiple_of(2) { 0x84 } else { 0x82 };
    } else {
        let frame_num = (number % 16) as u8;
        message[0] = 0x27;
        message[9..].copy_from_slice(&[0x41, 0x9a | frame_num >> 3, frame_num << 5 | 0x11, 0x80]);
    }
    message
}

/// Frames as a chunk whose clock begins at `origin_ms`.
pub(crate) fn chunk(frames: &[Frame], origin_ms: u32) -> Vec<u8> {
    let mut chunk = Vec::with_capacity(frames.len() * 32);
    flv::write_header(&mut chunk, true, true);
    flv::write_tag(&mut chunk, TagKind::Video, 0, AVC).unwrap();
    flv::write_tag(&mut chunk, TagKind::Audio, 0, AAC).unwrap();
    for (n, frame) in frames.iter().enumerate() {
        let timestamp_ms = origin_ms.wrapping_add(frame.stamp_ms as u32);
        match frame.track {
            TrackKind::Video => {
                flv::write_tag(&mut chunk, TagKind::Video, timestamp_ms, &picture(n, frame.is_key)).unwrap();
            }
            TrackKind::Audio => {
                flv::write_tag(&mut chunk, TagKind::Audio, timestamp_ms, b"\xaf\x01\x21\x10\x04").unwrap();
            }
        }
    }
    chunk
}

/// Decoding times of a push that comes in these chunks, in the order of the frames of each track.
pub(crate) fn record(frames: &[Frame], cuts: &[usize], origin_ms: u32) -> (Vec<i64>, Vec<i64>) {
    record_times(frames, cuts, origin_ms, |_| ChunkArrival::Unknown)
}

/// The same, of chunks that arrive when their first frame was captured.
pub(crate) fn record_arriving(frames: &[Frame], cuts: &[usize], origin_ms: u32) -> (Vec<i64>, Vec<i64>) {
    record_times(frames, cuts, origin_ms, |first| ChunkArrival::At(first.true_ms.cast_unsigned()))
}

fn record_times(
    frames: &[Frame],
    cuts: &[usize],
    origin_ms: u32,
    arrival: impl Fn(&Frame) -> ChunkArrival,
) -> (Vec<i64>, Vec<i64>) {
    let (mut video, mut audio) = (Vec::new(), Vec::new());
    record_with(frames, cuts, origin_ms, arrival, |media| {
        video.extend(media.video.units.iter().map(|unit| unit.dts_90khz));
        audio.extend(media.audio.units.iter().map(|unit| unit.dts_90khz));
    });
    (video, audio)
}

/// Decoding and presentation times of its pictures.
pub(crate) fn record_pictures(frames: &[Frame], cuts: &[usize], origin_ms: u32) -> Vec<(i64, i64)> {
    let mut pictures = Vec::new();
    record_with(
        frames,
        cuts,
        origin_ms,
        |_| ChunkArrival::Unknown,
        |media| {
            pictures.extend(media.video.units.iter().map(|unit| (unit.dts_90khz, unit.pts_90khz)));
        },
    );
    pictures
}

fn record_with(
    frames: &[Frame],
    cuts: &[usize],
    origin_ms: u32,
    arrival: impl Fn(&Frame) -> ChunkArrival,
    mut take: impl FnMut(&media::Media<'_>),
) {
    let (mut state, mut first) = (Vec::new(), 0);
    for &end in cuts.iter().chain(&[frames.len()]) {
        let chunk = chunk(&frames[first..end], origin_ms);
        let mut session = recorder_remux::SessionState::decode(&state).unwrap();
        let arrival = arrival(&frames[first]);
        let chunk = recorder_remux::Chunk { bytes: &chunk, arrival };
        take(&recorder_remux::demux(chunk, &mut session).unwrap().media);
        let next = session.encode();
        assert!(next.len() <= 4_096, "a state of {} bytes", next.len());
        (state, first) = (next, end);
    }
}
