//! Tracks that a push interleaves unevenly: one arrives later than the other, by more or less as time goes on.

use flv::{
    Reader, Tag,
    TagKind::{self, Audio, Video},
};
use media::Repairs;

use crate::{
    chunks, compare, corpus::record, entries::sample, ffmpeg, target_decoder, target_decoder::Fullness,
    transport_stream,
};

/// What a decoder has for audio of up to two channels, in bytes (13818-1 §2.4.2).
const AUDIO_BUFFER: u64 = 3_584;

/// Ticks of an AAC frame at 44.1 kHz.
const FRAME_90KHZ: f64 = 1_024.0 * 90_000.0 / 44_100.0;

/// The file with each track's tags in their order, those of `late` sent after the other's by what `lag_ms` says for a
/// timestamp.
fn interleaved(file: &[u8], late: TagKind, lag_ms: impl Fn(u32) -> u32) -> Vec<u8> {
    let mut sent_ms = 0;
    let mut tags: Vec<(u32, Tag<'_>)> = Reader::new(file)
        .unwrap()
        .map(Result::unwrap)
        .map(|tag| {
            if tag.kind != late {
                return (tag.timestamp_ms, tag);
            }
            sent_ms = sent_ms.max(tag.timestamp_ms + lag_ms(tag.timestamp_ms));
            (sent_ms, tag)
        })
        .collect();
    tags.sort_by_key(|(sent_ms, _)| *sent_ms);
    let mut interleaved = Vec::new();
    flv::write_header(&mut interleaved, true, true);
    for (_, tag) in tags {
        flv::write_tag(&mut interleaved, tag.kind, tag.timestamp_ms, tag.body).unwrap();
    }
    interleaved
}

fn without(file: &[u8], is_missing: impl Fn(&Tag<'_>) -> bool) -> Vec<u8> {
    let mut kept = Vec::new();
    flv::write_header(&mut kept, true, true);
    for tag in Reader::new(file).unwrap().map(Result::unwrap).filter(|tag| !is_missing(tag)) {
        flv::write_tag(&mut kept, tag.kind, tag.timestamp_ms, tag.body).unwrap();
    }
    kept
}

/// A push of so many seconds: 25 pictures a second at 500 kbit/s, a keyframe each `group` of them, AAC at 96 kbit/s.
///
/// The second keyframe comes after two seconds at the earliest, for the gateway waits so long for a track to begin.
fn push(seconds: u32, group: u32) -> Vec<u8> {
    let mut tags: Vec<(u32, TagKind, Vec<u8>)> = vec![
        (0, Video, b"\x17\0\0\0\0\x01\x42\xc0\x28\xff\xe1\0\x1a\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\xc0\x44\x00\x00\x03\x00\x04\x00\x00\x03\x00\xc8\x3c\x60\xc9\x20\x01\0\x04\x68\xcb\x83\xcb".to_vec()),
        (0, Audio, b"\xaf\0\x12\x10".to_vec()),
    ];
    for picture in 0..seconds * 25 {
        let is_key = picture == 0 || picture >= 50 && picture % group == 0;
        let size: u32 = if group == 25 && is_key { 14_500 } else { 2_000 };
        let mut body = vec![if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
        body.extend(size.to_be_bytes());
        body.extend(if is_key { [0x65, 0x88] } else { [0x41, 0x9a] });
        body.resize(5 + 4 + size as usize, 0x55);
        tags.push((picture * 40, Video, body));
    }
    for frame in 0..u64::from(seconds) * 44_100 / 1_024 {
        let body = [&[0xaf, 1, 0x21][..], &[0x55; 277]].concat();
        tags.push(((frame * 1_024_000 / 44_100) as u32, Audio, body));
    }
    tags.sort_by_key(|(timestamp_ms, ..)| *timestamp_ms);
    let mut file = Vec::new();
    flv::write_header(&mut file, true, true);
    for (timestamp_ms, kind, body) in tags {
        flv::write_tag(&mut file, kind, timestamp_ms, &body).unwrap();
    }
    file
}

/// Records a push in slices of each length, and plays it.
#[track_caller]
fn check(late: TagKind, lag_ms: impl Fn(u32) -> u32) -> Fullness {
    check_without(late, lag_ms, |_| false)
}

/// The same without the tags that `is_missing` says.
#[track_caller]
fn check_without(
    late: TagKind,
    lag_ms: impl Fn(u32) -> u32,
    is_missing: impl Fn(&Tag<'_>) -> bool,
) -> Fullness {
    let mut fullest = Fullness { video: 0, audio: 0 };
    for (group, target_ms) in [(1, 0), (5, 0), (25, 0), (25, 2_000), (25, 10_000), (25, u32::MAX)] {
        let file = interleaved(&without(&push(30, group), &is_missing), late, &lag_ms);
        let slices = record(&chunks::cut(&file, target_ms));
        for (index, (slice, _)) in slices.iter().enumerate() {
            assert_eq!(slice.repairs, Repairs::default(), "slice {index} of {target_ms} ms by {group}");
        }
        let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
        transport_stream::check_multiplex(&stream, 9_000);
        let fullness = target_decoder::play(&stream, FRAME_90KHZ, compare::adts_sizes);
        fullest.video = fullest.video.max(fullness.video);
        fullest.audio = fullest.audio.max(fullness.audio);
    }
    // A second of video, the keyframe that comes beside it, and headers.
    assert!(fullest.video <= 80_000, "{fullest:?}");
    fullest
}

#[test]
fn audio_that_comes_late_is_there_when_it_is_decoded() {
    for lag_ms in [100, 200, 400, 700] {
        let fullness = check(Audio, |_| lag_ms);
        assert!(fullness.audio <= AUDIO_BUFFER, "{lag_ms} ms late: {fullness:?}");
    }
}

#[test]
fn a_lag_of_audio_that_grows_and_shrinks_is_followed() {
    for lag_ms in [
        // From one slice to the next, and back again.
        |at_ms: u32| if (10_300..20_700).contains(&at_ms) { 400 } else { 0 },
        |at_ms: u32| if (10_300..20_700).contains(&at_ms) { 0 } else { 700 },
        // Bit by bit, without an end.
        |at_ms: u32| (at_ms / 100) * 7 / 3,
        |at_ms: u32| 700 - (at_ms / 100) * 7 / 3,
        // Never the same.
        |at_ms: u32| at_ms.wrapping_mul(2_654_435_761) >> 23,
    ] {
        let fullness = check(Audio, lag_ms);
        assert!(fullness.audio <= AUDIO_BUFFER, "{fullness:?}");
    }
}

#[test]
fn video_that_comes_late_is_there_when_it_is_decoded() {
    for lag_ms in [100, 200, 400, 700] {
        let fullness = check(Video, |_| lag_ms);
        // The audio that came with a slice is in it, and waits for the video of the next: no more than that waits.
        let waiting = u64::from(lag_ms + 125 + 2 * 24) * 285 * 44_100 / 1_024_000;
        assert!(fullness.audio <= waiting.max(AUDIO_BUFFER), "{lag_ms} ms late: {fullness:?}");
    }
    check(Video, |at_ms| if (10_300..20_700).contains(&at_ms) { 400 } else { 0 });
    check(Video, |at_ms| if (10_300..20_700).contains(&at_ms) { 0 } else { 700 });
}

#[test]
fn a_track_that_pauses_comes_back_in_time() {
    for (track, until_ms) in [(Audio, 20_700), (Audio, u32::MAX), (Video, 15_000), (Video, u32::MAX)] {
        for (late, lag_ms) in [(Audio, 400), (Video, 100)] {
            let is_missing =
                |tag: &Tag<'_>| tag.kind == track && (8_300..until_ms).contains(&tag.timestamp_ms);
            let fullness = check_without(late, |_| lag_ms, is_missing);
            assert!(
                fullness.audio <= AUDIO_BUFFER,
                "{track:?} until {until_ms}, {late:?} late: {fullness:?}"
            );
        }
    }
}

#[test]
fn real_media_that_is_sent_unevenly_is_bit_exact_and_in_time() {
    if !ffmpeg::is_installed() {
        return;
    }
    let sample = sample("h264_aac");
    for (late, lag_ms) in [(Video, 400), (Audio, 100), (Audio, 400)] {
        let slices = record(&chunks::cut(&interleaved(&sample.flv, late, |_| lag_ms), 2_000));
        assert!(slices.len() > 2);
        let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
        transport_stream::check_multiplex(&stream, 9_000);
        let (video, audio) = transport_stream::pes_packets(&stream);
        let [video_source, audio_source] =
            [&sample.source.video, &sample.source.audio].map(|it| it.as_ref().unwrap());
        let begin_ms = video_source.packets[0].dts_ms.min(audio_source.packets[0].dts_ms);
        let base = mpegts::PTS_BASE_90KHZ - begin_ms * 90;
        compare::video(video_source, &video, base, 0);
        compare::audio(audio_source, &audio, base, FRAME_90KHZ);
        target_decoder::play(&stream, FRAME_90KHZ, compare::adts_sizes);
    }
}
