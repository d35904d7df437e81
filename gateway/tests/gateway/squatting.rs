//! Publishers that hold a name and send no media.

use std::{path::Path, time::Duration};

use flv::TagKind;
use gateway::Config;
use tokio::time::timeout;

use crate::{
    Gateway,
    fake::{Fake, Kind},
    functions,
    media::{AUDIO_HEADER, VIDEO_HEADER},
    publisher::Publisher,
};

const SQUATTER: [u8; 4] = [127, 0, 0, 1];
const OTHER: [u8; 4] = [127, 0, 0, 2];

/// A gateway that waits for the first media of a push for a moment only.
async fn impatient(functions: &Fake, spool: &Path) -> Gateway {
    // Longer than a second publisher waits for a name.
    let first_media = Duration::from_secs(1);
    Gateway::configured(&functions.url(), spool, |config| Config { first_media, ..config }).await
}

/// Fails where a name is not lost, in place of waiting for ever.
async fn soon<T>(lost: impl Future<Output = T>) {
    assert!(timeout(Duration::from_secs(20), lost).await.is_ok(), "the name is not lost");
}

/// Sends what is no media, again and again, until the gateway has ended the connection.
async fn send_until_ended(mut publisher: Publisher) {
    loop {
        // Metadata, configurations, an answer to a ping, an empty picture.
        publisher.tag(TagKind::Script, 0, b"\x02\0\x0aonMetaData\x08\0\0\0\0\0\0\x09");
        publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
        publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
        publisher.message(2, 4, 0, 0, &[0, 7, 0, 0, 0, 1]);
        publisher.message(6, 9, 1, 0, &[]);
        if !publisher.try_flush().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_name_without_media_is_lost_whatever_else_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = impatient(&functions, folder.path()).await;
    let silent = Publisher::start_from(SQUATTER, &gateway, "silent").await.unwrap();
    let busy = Publisher::start_from(SQUATTER, &gateway, "busy").await.unwrap();
    let refused = Publisher::start_from(OTHER, &gateway, "busy").await.err().unwrap();
    assert!(refused.contains("is being published already"), "{refused}");
    soon(async { tokio::join!(silent.ended(), send_until_ended(busy)) }).await;

    for name in ["silent", "busy"] {
        let mut next = Publisher::start_from(OTHER, &gateway, name).await.unwrap();
        next.tag(TagKind::Audio, 0, &AUDIO_HEADER);
        next.tag(TagKind::Audio, 0, &[0xaf, 1, 1]);
        next.flush().await;
        next.finish().await;
    }
    // The squatters' pushes were none: nothing of them was told, and nothing of them is left.
    let sessions = functions.ended(2).await;
    assert!(sessions.iter().all(|session| session.begin.client.starts_with("127.0.0.2:")), "{sessions:?}");
    gateway.stop().await;
    assert_eq!([Kind::Begin, Kind::End].map(|kind| functions.log().calls(kind)), [2, 2]);
    assert_eq!(std::fs::read_dir(folder.path().join("pushes")).unwrap().count(), 0);
}

#[tokio::test]
async fn who_sent_media_keeps_the_name_while_it_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = impatient(&functions, folder.path()).await;
    let mut slow = Publisher::start_from(SQUATTER, &gateway, "slow").await.unwrap();
    slow.tag(TagKind::Video, 0, &VIDEO_HEADER);
    slow.tag(TagKind::Video, 0, &[0x17, 1, 0, 0, 0, 1]);
    slow.flush().await;
    let squatter = Publisher::start_from(SQUATTER, &gateway, "x").await.unwrap();
    // By the time that the squatter is gone, the other one has been silent for longer.
    soon(squatter.ended()).await;
    slow.tag(TagKind::Video, 10_000, &[0x17, 1, 0, 0, 0, 2]);
    slow.flush().await;
    slow.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!(session.begin.client.split(':').next(), Some("127.0.0.1"));
    gateway.stop().await;
}
