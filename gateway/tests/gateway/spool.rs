//! A spool that is full: who gives up what, and who is held back.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use flv::TagKind;
use gateway::Config;
use protocol::LossReason;

use crate::{
    Gateway,
    fake::{Act, Call, Fake, Kind, Log, Session, fail},
    media::{AUDIO_HEADER, SHAPE, Shape, Tag, VIDEO_HEADER, frames, write_flv},
    operation::Operator,
    publisher::Publisher,
};

const LIMIT_BYTES: u64 = 1 << 20;

/// Longer than any push here takes that is not held back for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Functions that take no chunk of the streams whose names begin with `dead` until they are opened.
async fn functions() -> (Fake, Arc<AtomicBool>) {
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk | Kind::Lost if call.stream.contains("/dead") && !open.load(Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    (functions, is_open)
}

/// A file of so many chunks of 60 kB, and its media.
fn write(file: &Path, chunks: u32) -> Vec<Tag> {
    let (frames, seed) = (chunks * 10, chunks << 20);
    write_flv(file, Shape { frames, gop: 10, frame_ms: 500, frame_bytes: 6_000, seed, ..SHAPE })
}

/// Adds media to what a publisher sends.
fn add(publisher: &mut Publisher, tags: &[Tag]) {
    publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
    publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    for tag in tags {
        let kind = if tag.kind == 9 { TagKind::Video } else { TagKind::Audio };
        publisher.tag(kind, tag.timestamp_ms, &tag.body);
    }
}

/// What of a push arrived is its beginning and its end, and all between was told as given up.
fn check_shed(session: &Session, pushed: &[Tag]) {
    assert!(session.lost.iter().all(|(_, lost)| lost.lost == LossReason::Shed));
    let given_up: Vec<_> = session.lost.iter().map(|(seq, _)| *seq).collect();
    let (first, last) = (given_up[0], given_up[given_up.len() - 1]);
    assert_eq!(given_up, (first..=last).collect::<Vec<_>>(), "without a break");
    let before = frames(&session.chunks[..first as usize]);
    let after = frames(&session.chunks[first as usize..]);
    assert!(before[..] == pushed[..before.len()]);
    assert!(after[..] == pushed[pushed.len() - after.len()..]);
    for pair in session.lost.windows(2) {
        assert!(pair[0].1.to_ms <= pair[1].1.from_ms, "{pair:?}");
    }
}

fn bytes(session: &Session) -> u64 {
    session.chunks.iter().map(|(_, body)| body.len() as u64).sum()
}

#[tokio::test]
async fn a_stream_of_which_nothing_can_be_delivered_goes_on_recording() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    // 24 times what the spool holds.
    let pushed = write(&file, 400);
    let (functions, is_open) = functions().await;
    let gateway = Gateway::with_limit(&functions.url(), &folder.path().join("spool"), LIMIT_BYTES).await;
    tokio::time::timeout(PATIENCE, gateway.push(&file, "dead")).await.unwrap().unwrap();
    is_open.store(true, Relaxed);
    let session = functions.ended(1).await.remove(0);
    check_shed(&session, &pushed);
    let left = bytes(&session);
    assert!((LIMIT_BYTES / 2..2 * LIMIT_BYTES).contains(&left), "{left} bytes are left");
    gateway.stop().await;
}

#[tokio::test]
async fn streams_that_cannot_be_delivered_share_the_spool_and_cost_another_one_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, limit) = (folder.path().join("spool"), 2 * LIMIT_BYTES);
    let (functions, is_open) = functions().await;
    let gateway = Gateway::with_limit(&functions.url(), &spool, limit).await;
    let mut files = Vec::new();
    for (name, chunks) in [("dead1", 60), ("dead2", 61), ("x", 62)] {
        let file = folder.path().join(name);
        let pushed = write(&file, chunks);
        tokio::time::timeout(PATIENCE, gateway.push(&file, name)).await.unwrap().unwrap();
        files.push((name, pushed));
    }
    functions
        .until("all of the third stream", |log| {
            log.sessions.iter().any(|session| session.stream.ends_with("/x") && session.is_complete())
        })
        .await;
    is_open.store(true, Relaxed);
    let sessions = functions.ended(3).await;
    for (name, pushed) in files {
        let session = sessions.iter().find(|session| session.stream.ends_with(name)).unwrap();
        if name == "x" {
            assert!(session.lost.is_empty() && frames(&session.chunks) == pushed);
        } else {
            check_shed(session, &pushed);
            let left = bytes(session);
            assert!((limit / 4..3 * limit / 4).contains(&left), "{left} bytes are left of {name}");
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn streams_that_cannot_be_delivered_keep_no_other_from_being_published_while_functions_take_media() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write(&file, 75);
    let taken = Arc::new(Mutex::new("none"));
    let takes = Arc::clone(&taken);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk | Kind::Lost
            if call.stream.contains("/dead") && !call.stream.contains(*takes.lock().unwrap()) =>
        {
            fail(503)
        }
        _ => Act::Succeed,
    })
    .await;
    let limit = 16 * LIMIT_BYTES;
    let gateway = Gateway::with_limit(&functions.url(), &folder.path().join("spool"), limit).await;
    // So many that the spool stays nearly full when one of them is delivered.
    let names: Vec<String> = (0..12).map(|number| format!("dead{number:02}")).collect();
    let sending = names.iter().map(async |name| {
        let mut publisher = Publisher::start_from([127, 0, 0, 1], &gateway, name).await.unwrap();
        add(&mut publisher, &pushed);
        publisher.flush().await;
        publisher.finish().await;
    });
    tokio::time::timeout(PATIENCE, futures_util::future::join_all(sending)).await.unwrap();
    // One that has much more than its share by now makes room for another: until each has about as much.
    let mut pushes = names.len();
    let error = loop {
        assert!(pushes < 24, "one more finds room again and again");
        match gateway.push(&file, &format!("dead{pushes}")).await {
            Ok(_) => pushes += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("the recorder's spool is full"), "{error}");
    *taken.lock().unwrap() = "/dead00";
    let is_brought = |name: &'static str| {
        move |log: &Log| {
            log.sessions.iter().any(|session| session.stream.ends_with(name) && session.is_complete())
        }
    };
    functions.until("all of one stream", is_brought("/dead00")).await;
    tokio::time::timeout(PATIENCE, gateway.push(&file, "x")).await.unwrap().unwrap();
    functions.until("all of the new one", is_brought("/x")).await;
    let whole =
        functions.log().sessions.iter().find(|session| session.stream.ends_with("/x")).cloned().unwrap();
    assert!(whole.lost.is_empty() && frames(&whole.chunks) == pushed);
    *taken.lock().unwrap() = "/dead";
    functions.ended(pushes + 1).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_publish_is_refused_while_the_spool_is_full_and_nobody_has_more_than_its_share() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    // All six together have much more than the spool holds.
    let pushed = write(&file, 75);
    let (functions, is_open) = functions().await;
    let limit = 16 * LIMIT_BYTES;
    let operator = Operator::start(None).await;
    let control = operator.control.clone();
    let change = |config| Config { control, spool_limit_bytes: Some(limit), ..config };
    let gateway = Gateway::configured(&functions.url(), &folder.path().join("spool"), change).await;
    let names = ["dead1", "dead2", "dead3", "dead4", "dead5", "dead6"];
    let mut publishers = Vec::new();
    for name in names {
        publishers.push(Publisher::start_from([127, 0, 0, 1], &gateway, name).await.unwrap());
    }
    let sending = publishers.into_iter().map(|mut publisher| {
        add(&mut publisher, &pushed);
        async move {
            publisher.flush().await;
            publisher.finish().await;
        }
    });
    tokio::time::timeout(PATIENCE, futures_util::future::join_all(sending)).await.unwrap();
    let error = gateway.push(&file, "x").await.unwrap_err().to_string();
    assert!(error.contains("NetStream.Publish.BadName: the recorder's spool is full"), "{error}");
    // Nobody is to be sent where one is refused.
    let used_up = operator.sample("live_recorder_spool_bytes").await / limit as f64;
    for path in ["/readyz", "/healthz"] {
        let (status, body) = operator.ask("GET", path, None).await;
        assert!(status == 503 && body.contains("spool_full"), "{used_up} of the spool is used: {body}");
    }
    assert_eq!(operator.sample("live_recorder_spool_streams").await, names.len() as f64);
    assert!(operator.sample("live_recorder_publishes_refused_total{reason=\"spool_full\"}").await >= 1.0);
    // One that has its place goes on.
    let mut again = Publisher::start_from([127, 0, 0, 1], &gateway, names[0]).await.unwrap();
    add(&mut again, &pushed[..100]);
    again.flush().await;
    again.finish().await;
    is_open.store(true, Relaxed);
    functions.ended(names.len() + 1).await;
    operator.until_health("/readyz", 200, None).await;
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(names.len() + 2).await.pop().unwrap();
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn a_publisher_that_leaves_while_it_is_held_back_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape { frames: 800, gop: 10, frame_ms: 500, ..SHAPE };
    let pushed = write_flv(&folder.path().join("x.flv"), shape);
    // A chunk is taken now and then: what waits is not given up, and there is no room for all for long.
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let slow = move |call: &Call| match call.kind {
        Kind::Chunk if !open.load(Relaxed) => Act::Delay(Duration::from_secs(3)),
        _ => Act::Succeed,
    };
    let functions = Fake::start(slow).await;
    let gateway = Gateway::with_limit(&functions.url(), &folder.path().join("spool"), LIMIT_BYTES).await;
    let mut publisher = Publisher::start_from([127, 0, 0, 1], &gateway, "x").await.unwrap();
    add(&mut publisher, &pushed);
    publisher.flush().await;
    publisher.leave().await;
    tokio::time::timeout(PATIENCE, publisher.ended()).await.expect("the gateway should end the connection");
    assert!(functions.log().sessions[0].chunks.len() < 20, "not since all was read");
    is_open.store(true, Relaxed);
    let session = functions.ended(1).await.remove(0);
    let recorded = frames(&session.chunks);
    assert!(recorded[..] == pushed[..recorded.len()] && recorded.len() < pushed.len());
    // What was read and found no room is told; it may be that all that was read found room.
    assert!(session.lost.len() <= 1, "{:?}", session.lost);
    for (seq, lost) in session.lost {
        assert_eq!((seq, lost.lost), (session.chunks.len() as u64, LossReason::Shed), "the last place");
        assert!(lost.from_ms <= lost.to_ms, "{lost:?}");
    }
    gateway.crash().await;
}

#[tokio::test]
async fn a_stream_that_fills_the_spool_keeps_no_other_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    write_flv(&file, SHAPE);
    let is_dead = |call: &Call| call.stream.ends_with("/dead");
    let functions =
        Fake::start(
            move |call| if call.kind == Kind::Begin && is_dead(call) { fail(503) } else { Act::Succeed },
        )
        .await;
    let operator = Operator::start(None).await;
    let control = operator.control.clone();
    let change = |config| Config { control, spool_limit_bytes: Some(2_000), ..config };
    let gateway = Gateway::configured(&functions.url(), &folder.path().join("spool"), change).await;
    let pushing = tokio::spawn({
        let (file, url) = (file.clone(), gateway.url("dead"));
        gateway::push::push(gateway::push::Options { file, url, fast: true })
    });
    operator.until_health("/healthz", 503, Some("spool_full")).await;
    assert!(operator.sample("live_recorder_spool_bytes").await >= 2_000.0);
    operator.until_health("/readyz", 200, None).await;
    crate::operation::publish(&gateway, "y").await.finish().await;
    pushing.abort();
    gateway.crash().await;
}

#[tokio::test]
async fn what_was_refused_and_makes_room_later_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    write(&file, 40);
    let functions = Fake::start(|call| if call.kind == Kind::Chunk { fail(413) } else { Act::Succeed }).await;
    let operator = Operator::start(None).await;
    let control = operator.control.clone();
    // A loss is told at once.
    let call_max = Duration::ZERO;
    let change = |config| Config { control, call_max, spool_limit_bytes: Some(LIMIT_BYTES), ..config };
    let gateway = Gateway::configured(&functions.url(), &folder.path().join("spool"), change).await;
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    let chunks = |outcome: &str| format!("live_recorder_chunks_total{{outcome=\"{outcome}\"}}");
    let refused = operator.sample(&chunks("refused")).await;
    let kept = operator.sample("live_recorder_spool_refused_chunks").await;
    assert_eq!(refused, session.lost.len() as f64);
    assert!(kept > 0.0 && kept < refused, "{kept} of {refused} are kept");
    assert!(operator.sample("live_recorder_spool_refused_bytes").await > kept * 1_000.0);
    assert_eq!(operator.sample(&chunks("given_up")).await, 0.0);
    gateway.stop().await;
}
