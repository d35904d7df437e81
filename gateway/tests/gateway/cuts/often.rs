//! Pushes that would have their chunks ended all the time.

use flv::TagKind;
use protocol::ChunkPolicy;

use super::{Sent, check_configured, check_frames, picture, push};
use crate::{fake::Session, media::VIDEO_HEADER};

/// At most as many chunks as a push may have for changes, whatever their size, as many as its bytes make, and a few for a
/// machine that is slow enough for a chunk to take its time.
#[track_caller]
fn check_count(session: &Session, sent: &[Sent]) {
    check_small(session, sent, 16);
}

/// The same, of so many small chunks.
#[track_caller]
fn check_small(session: &Session, sent: &[Sent], most: usize) {
    let sent_bytes: usize = sent.iter().map(|(.., body)| body.len() + 15).sum();
    let recorded_bytes: usize = session.chunks.iter().map(|(_, chunk)| chunk.len()).sum();
    let count = session.chunks.len();
    assert!(count <= most + 6 + sent_bytes / 4_096, "{count} chunks of {sent_bytes} bytes");
    assert!(recorded_bytes <= 2 * sent_bytes + 512 * most, "{recorded_bytes} bytes of {sent_bytes}");
}

const VIDEO_HEADERS: [[u8; 45]; 2] = [VIDEO_HEADER, {
    let mut other = VIDEO_HEADER;
    other[44] = 0x1e;
    other
}];

const AUDIO_HEADERS: [[u8; 4]; 2] = [[0xaf, 0, 0x11, 0x90], [0xaf, 0, 0x12, 0x10]];

#[tokio::test]
async fn configurations_that_flap_make_no_file_each() {
    let mut sent = Vec::new();
    for number in 0..1_000_u32 {
        let at = number as usize % 2;
        sent.push((TagKind::Audio, number * 20, AUDIO_HEADERS[at].to_vec()));
        sent.push((TagKind::Audio, number * 20, [&[0xaf, 1][..], &number.to_be_bytes()].concat()));
    }
    let session = push(&sent, ChunkPolicy::default()).await;
    check_configured(&session, &sent);
    check_count(&session, &sent);

    let mut sent = Vec::new();
    for number in 0..1_000_u32 {
        sent.push((TagKind::Video, number * 40, VIDEO_HEADERS[number as usize % 2].to_vec()));
        sent.push((TagKind::Video, number * 40, picture(number % 10 == 0, number, 0)));
    }
    let session = push(&sent, ChunkPolicy::default()).await;
    check_configured(&session, &sent);
    check_count(&session, &sent);
}

#[tokio::test]
async fn codecs_and_sizes_that_flap_make_no_file_each() {
    // MP3 and AAC by turns, of which only the latter is configured once.
    let mut sent = vec![(TagKind::Audio, 0, AUDIO_HEADERS[0].to_vec())];
    for number in 0..1_000_u32 {
        let header: &[u8] = if number % 2 == 0 { &[0xaf, 1] } else { &[0x2f, 1] };
        sent.push((TagKind::Audio, number * 20, [header, &number.to_be_bytes()].concat()));
    }
    let session = push(&sent, ChunkPolicy::default()).await;
    check_frames(&session, &sent);
    check_count(&session, &sent);

    // Keyframes of 1920 x 1080 pictures and of 320 x 180 ones by turns.
    let small: &[u8] =
        b"\x67\x64\0\x0c\xac\xd9\x41\x41\x9f\x9f\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xf1\x42\x99\x60";
    let mut sent = vec![(TagKind::Video, 0, VIDEO_HEADER.to_vec())];
    for number in 0..1_000_u32 {
        let sps = if number % 2 == 0 { &VIDEO_HEADER[13..38] } else { small };
        let slice = [&[0x65, 0x88, 0x80][..], &number.to_be_bytes()].concat();
        let mut body = vec![0x17, 1, 0, 0, 0];
        for unit in [sps, &slice] {
            body.extend((unit.len() as u32).to_be_bytes());
            body.extend_from_slice(unit);
        }
        sent.push((TagKind::Video, number * 40, body));
    }
    let session = push(&sent, ChunkPolicy::default()).await;
    check_frames(&session, &sent);
    check_count(&session, &sent);
}

#[tokio::test]
async fn timestamps_that_race_make_no_file_each() {
    let mut sent = vec![(TagKind::Video, 0, VIDEO_HEADER.to_vec())];
    sent.extend((0..6_000).map(|number| (TagKind::Video, number * 2_000, picture(true, number, 0))));
    let session = push(&sent, ChunkPolicy::default()).await;
    check_frames(&session, &sent);
    check_small(&session, &sent, 1_024);
    // What is pushed unpaced is cut where the functions want it, up to there.
    assert!(session.chunks.len() > 1_024);
}

#[tokio::test]
async fn long_headers_are_not_repeated_more_than_media_comes() {
    // Metadata as long as any that is repeated, and chunks that no slow machine makes worth it by the time that they take.
    let policy = ChunkPolicy { target_ms: 60_000, max_ms: 240_000, ..ChunkPolicy::DEFAULT };
    let mut metadata = b"\x02\0\x0aonMetaData\x08\0\0\0\0\0\0\x09".to_vec();
    metadata.resize(255 << 10, 0);
    let mut sent = vec![(TagKind::Script, 0, metadata)];
    for number in 0..200_u32 {
        let at = number as usize % 2;
        sent.push((TagKind::Audio, number * 20, AUDIO_HEADERS[at].to_vec()));
        sent.push((TagKind::Audio, number * 20, [&[0xaf, 1][..], &number.to_be_bytes()].concat()));
    }
    let session = push(&sent, policy).await;
    check_configured(&session, &sent);
    assert_eq!(session.chunks.len(), 1);
}

#[tokio::test]
async fn sound_that_comes_late_parts_no_pictures_from_their_configuration() {
    // The configuration of pictures changes too often for a chunk each time, at last between a keyframe and late sound.
    let mut sent = Vec::new();
    for number in 0..41_u32 {
        sent.push((TagKind::Video, number * 40, VIDEO_HEADERS[number as usize % 2].to_vec()));
        sent.push((TagKind::Video, number * 40, picture(number % 2 == 0, number, 0)));
    }
    sent.extend((41..44).map(|number| (TagKind::Video, number * 40, picture(number == 42, number, 0))));
    sent.push((TagKind::Video, 1_760, VIDEO_HEADERS[1].to_vec()));
    sent.push((TagKind::Video, 1_760, picture(false, 44, 0)));
    sent.push((TagKind::Audio, 9_000, AUDIO_HEADERS[0].to_vec()));
    sent.push((TagKind::Audio, 9_000, vec![0xaf, 1, 1]));
    sent.push((TagKind::Video, 1_800, picture(false, 45, 0)));
    let session = push(&sent, ChunkPolicy::default()).await;
    check_configured(&session, &sent);
}
