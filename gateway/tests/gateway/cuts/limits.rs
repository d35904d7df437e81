//! What is no frame, where chunks are full.

use flv::TagKind;
use protocol::ChunkPolicy;

use super::{Sent, check_frames, chunks, picture, push, starts_ms};
use crate::{fake::Session, media::VIDEO_HEADER};

fn text(size: usize, fill: u8) -> Vec<u8> {
    let mut body = b"\x02\0\x0aonTextData\x05".to_vec();
    body.resize(body.len().max(size), fill);
    body
}

/// No chunk is larger than the functions take.
#[track_caller]
fn check_sizes(session: &Session, policy: ChunkPolicy) {
    let sizes: Vec<_> = session.chunks.iter().map(|(_, chunk)| chunk.len() as u64).collect();
    assert!(sizes.iter().all(|size| *size <= policy.max_bytes), "{sizes:?}");
}

#[tokio::test]
async fn what_is_no_frame_fills_no_chunk_beyond_its_limit() {
    let mut sent = vec![(TagKind::Video, 0, VIDEO_HEADER.to_vec())];
    sent.extend((0..10).map(|number| (TagKind::Video, number * 400, picture(number == 0, number, 0))));
    sent.extend((1..=3).map(|fill| (TagKind::Script, 4_000, text(12 << 20, fill))));
    sent.push((TagKind::Video, 4_400, picture(false, 10, 0)));
    sent.push((TagKind::Video, 6_000, picture(true, 11, 0)));
    let session = push(&sent, ChunkPolicy::default()).await;
    check_frames(&session, &sent);
    check_sizes(&session, ChunkPolicy::default());
    assert_eq!(starts_ms(&session), [0, 6_000]);
}

/// Pictures that nearly fill a chunk of 1 MiB.
fn nearly_full() -> Vec<Sent> {
    let mut sent = vec![(TagKind::Video, 0, VIDEO_HEADER.to_vec())];
    sent.extend((0..10).map(|number| (TagKind::Video, number * 40, picture(number == 0, number, 100_000))));
    sent
}

const SMALL: ChunkPolicy = ChunkPolicy { max_bytes: 1 << 20, ..ChunkPolicy::DEFAULT };

#[tokio::test]
async fn script_data_without_room_waits_for_the_next_chunk() {
    let mut sent = nearly_full();
    let texts = [text(60_000, 1), text(20, 2)];
    sent.extend(texts.iter().map(|body| (TagKind::Script, 400, body.clone())));
    sent.extend((10..12).map(|number| (TagKind::Video, number * 40, picture(false, number, 0))));
    let session = push(&sent, SMALL).await;
    check_frames(&session, &sent);
    check_sizes(&session, SMALL);
    assert_eq!(starts_ms(&session), [0, 400]);
    assert!(session.told[0].continues);
    let second: Vec<_> = chunks(&session).remove(1).into_iter().map(|tag| tag.body).collect();
    assert_eq!(second[1..3], texts);
}

#[tokio::test]
async fn a_message_larger_than_a_chunk_is_left_out() {
    let (mut sent, large) = (nearly_full(), (TagKind::Script, 0, text(2 << 20, 1)));
    for at in [11, 6, 1] {
        sent.insert(at, large.clone());
    }
    sent.push((TagKind::Video, 400, picture(false, 10, 0)));
    let session = push(&sent, SMALL).await;
    check_frames(&session, &sent);
    check_sizes(&session, SMALL);
    assert_eq!(starts_ms(&session), [0]);
    assert!(chunks(&session).concat().iter().all(|tag| tag.kind != 18));
}

#[tokio::test]
async fn a_configuration_without_room_begins_the_next_chunk() {
    let mut sent = nearly_full();
    let mut header = vec![0xaf, 0, 0x12, 0x10];
    header.resize(60_000, 0);
    sent.push((TagKind::Audio, 400, header.clone()));
    sent.extend((0..2).map(|number| (TagKind::Audio, 400 + number * 20, vec![0xaf, 1, number as u8])));
    let session = push(&sent, SMALL).await;
    check_frames(&session, &sent);
    check_sizes(&session, SMALL);
    assert_eq!(starts_ms(&session), [0, 400]);
    assert_eq!(chunks(&session)[1][1].body, header);
}

#[tokio::test]
async fn late_sound_takes_no_more_pictures_along_than_there_is_room_for() {
    // The chunk is full from its second keyframe on, and another one would begin with the sound's header as well.
    let mut sent = vec![(TagKind::Video, 0, VIDEO_HEADER.to_vec())];
    for number in 0..12 {
        let size = if number < 2 { 0 } else { 90_000 };
        sent.push((TagKind::Video, number * 220, picture(number < 2, number, size)));
    }
    let mut header = vec![0xaf, 0, 0x12, 0x10];
    header.resize(100_000, 0);
    sent.push((TagKind::Audio, 2_500, header));
    sent.extend((0..2).map(|number| (TagKind::Audio, 2_500 + number * 20, vec![0xaf, 1, number as u8])));
    let session = push(&sent, SMALL).await;
    check_frames(&session, &sent);
    check_sizes(&session, SMALL);
    assert_eq!(starts_ms(&session), [0, 2_500]);
}
