//! Tracks that are not recorded.

use std::time::Duration;

use flv::TagKind;
use protocol::{ChunkPolicy, Order};

use super::{Sent, check_configured, check_frames, picture, push, push_after, starts_ms};
use crate::media::{AUDIO_HEADER, VIDEO_HEADER, coded};

/// A message of one track of HEVC (E-RTMP v2).
fn picture_of(track: u8, is_key: bool, number: u32) -> Vec<u8> {
    let first = if is_key { 0x96 } else { 0xa6 };
    [&[first, 1][..], b"hvc1", &[track, 0, 0, 0], &number.to_be_bytes()].concat()
}

/// A message of several tracks of HEVC.
fn picture_of_many(tracks: &[u8], is_key: bool, number: u32) -> Vec<u8> {
    let part = |track: &u8| [&[*track, 0, 0, 7, 0, 0, 0][..], &number.to_be_bytes()].concat();
    let first: u8 = if is_key { 0x96 } else { 0xa6 };
    [vec![first, 0x11], b"hvc1".to_vec(), tracks.iter().flat_map(part).collect()].concat()
}

/// A configuration of a track that is not recorded, of a codec that is not read.
fn configuration_of(track: u8, size: usize) -> Vec<u8> {
    let mut body = [&[0x96, 0][..], b"av01", &[track]].concat();
    body.resize(size, 1);
    body
}

#[tokio::test]
async fn keyframes_of_tracks_that_are_not_recorded_cut_nothing() {
    // A keyframe each eight seconds in the recorded track, each second in the others.
    let mut sent = vec![(TagKind::Video, 0, VIDEO_HEADER.to_vec())];
    for number in 0..120 {
        let at_ms = number * 200;
        let is_key = number % 5 == 0;
        sent.push((TagKind::Video, at_ms, picture(number % 40 == 0, number, 0)));
        sent.push((TagKind::Video, at_ms, picture_of(1, is_key, number)));
        sent.push((TagKind::Video, at_ms, picture_of_many(&[2, 1], is_key, number)));
    }
    // What comes before the first frame of the recorded track is in no chunk.
    let early = [(TagKind::Video, 0, picture_of(1, true, 999))];
    let session = push(&[&early[..], &sent].concat(), ChunkPolicy::default()).await;
    check_frames(&session, &sent);
    assert_eq!(starts_ms(&session), [0, 8_000, 16_000]);
    assert_eq!(session.begin.video_codec.as_deref(), Some("h264"));
    for (_, chunk) in &session.chunks {
        assert_eq!(coded(chunk)[0].body[..2], [0x17, 1]);
    }
}

#[tokio::test]
async fn messages_of_several_tracks_count_by_the_recorded_one() {
    // Those without it have keyframes each second.
    let mut sent = vec![(TagKind::Video, 0, [&b"\x90hvc1"[..], &[1; 23], &[0]].concat())];
    for number in 0..120 {
        sent.push((TagKind::Video, number * 200, picture_of_many(&[1, 0], number % 40 == 0, number)));
        sent.push((TagKind::Video, number * 200, picture_of_many(&[1, 2], number % 5 == 0, number)));
    }
    let session = push(&sent, ChunkPolicy::default()).await;
    check_frames(&session, &sent);
    assert_eq!(starts_ms(&session), [0, 8_000, 16_000]);
    assert_eq!(session.begin.video_codec.as_deref(), Some("hevc"));
}

#[tokio::test]
async fn an_order_takes_effect_at_a_keyframe_of_the_recorded_track() {
    let mut sent = vec![(TagKind::Video, 0, VIDEO_HEADER.to_vec())];
    for number in 0..10 {
        sent.push((TagKind::Video, number * 200, picture(number % 5 == 0, number, 0)));
        sent.push((TagKind::Video, number * 200, picture_of(1, true, number)));
    }
    // Due before the second picture comes, and not when the functions answer.
    let generation = "2.1".parse().unwrap();
    let restart = Order { generation, record: true, age_ms: None, in_ms: Some(500) };
    let session = push_after(Duration::from_secs(1), &sent, ChunkPolicy::default(), vec![restart]).await;
    check_frames(&session, &sent);
    assert_eq!(starts_ms(&session), [0, 1_000]);
    let generations: Vec<_> = session.told.iter().map(|told| told.generation.to_string()).collect();
    assert_eq!(generations, ["0.0", "2.1"]);
}

#[tokio::test]
async fn headers_of_other_tracks_are_not_repeated_and_take_no_place() {
    // As long as any that is held, and more than there are of sensible pushes.
    let mut sent: Vec<Sent> =
        (1..=20).map(|track| (TagKind::Video, 0, configuration_of(track, 255 << 10))).collect();
    sent.push((TagKind::Video, 0, VIDEO_HEADER.to_vec()));
    sent.push((TagKind::Audio, 0, AUDIO_HEADER.to_vec()));
    for number in 0..120 {
        sent.push((TagKind::Video, number * 200, picture(number % 10 == 0, number, 0)));
        sent.push((TagKind::Audio, number * 200, vec![0xaf, 1, number as u8]));
    }
    let session = push(&sent, ChunkPolicy::default()).await;
    check_configured(&session, &sent);
    assert_eq!(starts_ms(&session), [0, 6_000, 12_000, 18_000]);
    let recorded_bytes: usize = session.chunks.iter().map(|(_, chunk)| chunk.len()).sum();
    assert!(recorded_bytes < 20_000, "{recorded_bytes}");
}
