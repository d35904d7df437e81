//! Real pushes, one after the other, each of which is looked at as a whole.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use flv::TagKind;
use tokio::time::{sleep, timeout};

use crate::{
    Gateway,
    fake::{Fake, Log},
    media::{AUDIO_HEADER, SHAPE, Shape, Tag, VIDEO_HEADER, frames, write_flv},
    publisher::Publisher,
};

/// Frames of a push: seven seconds.
const FRAMES: u32 = 175;

/// The media of so many pushes of a stream is kept: a reply that was lost has chunks sent again.
const KEPT: usize = 8;

/// How long an answer is waited for.
const ANSWERED: Duration = Duration::from_secs(10);

/// How long a push may take to be brought when it is over.
const BROUGHT: Duration = Duration::from_secs(60);

/// Pushes a stream again and again; answers how often.
pub(crate) async fn push_until(end: Instant, gateway: Gateway, functions: Arc<Fake>, number: u32) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("real{number}");
    let mut pushes = 0;
    while pushes == 0 || Instant::now() < end {
        let seed = (number << 20) | (pushes as u32 * FRAMES);
        let shape = Shape { frames: FRAMES, frame_bytes: 1_200, seed, ..SHAPE };
        let pushed = write_flv(&folder.path().join("x.flv"), shape);
        let mut publisher = start(&gateway, &name).await;
        publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
        publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
        send(&mut publisher, &pushed).await;
        publisher.finish().await;
        check(&functions, &name, pushes, &pushed).await;
        if let Some(before) = pushes.checked_sub(KEPT) {
            forget(&functions, &name, before);
        }
        pushes += 1;
    }
    pushes
}

/// Forgets the media of a push that no call can be about any more.
fn forget(functions: &Fake, name: &str, nth: usize) {
    let suffix = format!("/{name}");
    let mut log = functions.log();
    if let Some(session) =
        log.sessions.iter_mut().filter(|session| session.stream.ends_with(&suffix)).nth(nth)
    {
        session.chunks.iter_mut().for_each(|(_, body)| *body = bytes::Bytes::new());
    }
}

/// Publishes. Where a flood of connections fills the queue of the system, it tries again, as encoders do.
async fn start(gateway: &Gateway, name: &str) -> Publisher {
    loop {
        let publisher = Publisher::start_from([127, 0, 0, 1], gateway, name);
        if let Ok(publisher) = timeout(ANSWERED, publisher).await {
            return publisher.expect("no real publisher should be refused");
        }
    }
}

/// Sends tags at the pace of their timestamps.
async fn send(publisher: &mut Publisher, tags: &[Tag]) {
    let began = Instant::now();
    for tag in tags {
        let due = began + Duration::from_millis(tag.timestamp_ms.into());
        if due > Instant::now() {
            publisher.flush().await;
            sleep(due.saturating_duration_since(Instant::now())).await;
        }
        let kind = if tag.kind == 9 { TagKind::Video } else { TagKind::Audio };
        publisher.tag(kind, tag.timestamp_ms, &tag.body);
    }
    publisher.flush().await;
}

/// Waits until the stream's push of this number is brought, and looks whether all of it is.
async fn check(functions: &Fake, name: &str, nth: usize, pushed: &[Tag]) {
    let suffix = format!("/{name}");
    let find = |log: &mut Log| {
        let mut sessions = log.sessions.iter_mut().filter(|session| session.stream.ends_with(&suffix));
        let session = sessions.nth(nth).filter(|session| session.is_complete())?;
        Some((frames(&session.chunks), session.lost.clone()))
    };
    let over = Instant::now();
    loop {
        let found = find(&mut functions.log());
        if let Some((recorded, lost)) = found {
            assert!(lost.is_empty() && recorded == pushed, "{name}, push {nth}: {lost:?}");
            return;
        }
        assert!(over.elapsed() < BROUGHT, "{name}, push {nth}, is not brought");
        sleep(Duration::from_millis(100)).await;
    }
}
