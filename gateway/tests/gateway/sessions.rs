//! What is told of a session besides its chunks: admission, adoption, boot, what is held, what is given up.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use protocol::{LossReason, Problem};

use crate::{
    Gateway,
    fake::{Act, Fake, Kind, fail},
    functions,
    media::{SHAPE, Shape, frames, write_flv},
};

/// The record of the only push in a spool.
fn record(spool: &Path) -> String {
    let folder = std::fs::read_dir(spool.join("pushes")).unwrap().next().unwrap().unwrap().path();
    std::fs::read_to_string(folder.join("push.json")).unwrap()
}

/// A push at its own pace.
fn push(gateway: &Gateway, file: PathBuf, name: &str) -> tokio::task::JoinHandle<anyhow::Result<()>> {
    let options = gateway::push::Options { file, url: gateway.url(name), fast: false };
    tokio::spawn(async move { gateway::push::push(options).await.map(|_| ()) })
}

#[tokio::test]
async fn a_session_is_written_down_before_its_first_chunk_and_told_until_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    write_flv(&file, SHAPE);
    let written = Arc::new(Mutex::new(None));
    let (seen, looked) = (Arc::clone(&written), spool.clone());
    let functions = Fake::start(move |call| match (call.kind, call.nth) {
        (Kind::Chunk, 0) => {
            *seen.lock().unwrap() = Some(record(&looked));
            Act::Succeed
        }
        // Two that tell it get no answer.
        (Kind::Heartbeat, ..6) => Act::LoseReply,
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let pushing = push(&gateway, file, "x");
    functions.until("ten heartbeats", |log| log.heartbeats.len() >= 10).await;
    let heartbeats = functions.log().heartbeats.clone();
    let told: Vec<_> = heartbeats.iter().map(|heartbeat| heartbeat.adopted.as_slice()).collect();
    let first = told.iter().position(|adopted| !adopted.is_empty()).unwrap();
    let last = told.iter().rposition(|adopted| !adopted.is_empty()).unwrap();
    assert!(first < last && last == 6, "told from {first} to the first that is answered: {told:?}");
    assert!(told[first..=last].iter().all(|adopted| *adopted == ["s0"]), "{told:?}");
    assert!(heartbeats[first..=last].iter().all(|heartbeat| heartbeat.told_ms > 0));
    assert_eq!(heartbeats[last + 1].told_ms, 0);
    pushing.await.unwrap().unwrap();
    functions.ended(1).await;
    let written = written.lock().unwrap().take().unwrap();
    assert!(
        written.contains(r#""session":{"id":"s0","first_index":0,"known_to":0,"is_end_told":false}"#),
        "{written}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn boots_count_and_a_new_one_holds_what_has_not_ended() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    write_flv(&file, Shape { frames: 250, ..SHAPE });
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::End if !open.load(Ordering::Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let pushing = push(&gateway, file.clone(), "x");
    functions.until("the session", |log| log.sessions.len() == 1).await;
    functions.until("its adoption", |log| log.heartbeats.iter().any(|beat| !beat.adopted.is_empty())).await;
    gateway.crash().await;
    pushing.await.unwrap().unwrap_err();
    let before = functions.log().heartbeats.len();

    let gateway = crate::failures::restart(&functions, &spool).await;
    functions.until("three heartbeats", |log| log.heartbeats.len() >= before + 3).await;
    let heartbeats = functions.log().heartbeats.clone();
    let boot = |at: usize| heartbeats[at].boot.rsplit_once('.').map(|(id, n)| (id.to_owned(), n.to_owned()));
    let (first, second) = (boot(0).unwrap(), boot(before).unwrap());
    assert_eq!(first.0, second.0, "the spool is the same");
    assert!(first.1.parse::<u64>().unwrap() < second.1.parse::<u64>().unwrap());
    assert!(heartbeats[..before].iter().all(|beat| beat.holds.is_empty()));
    assert!(heartbeats[before..].iter().all(|beat| beat.holds == ["s0"]));
    is_open.store(true, Ordering::Relaxed);
    functions.ended(1).await;
    functions
        .until("nothing held", |log| log.heartbeats.last().is_some_and(|beat| beat.holds.is_empty()))
        .await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_publisher_that_is_not_admitted_is_told_why_and_one_of_whom_nothing_is_said_may_push() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = Fake::start(|call| match (call.kind, call.stream.as_str()) {
        (Kind::Admission, "127.0.0.1/live/no") => {
            let message = "the key is wrong".into();
            Act::Fail(403, Problem { code: "NotAdmitted".into(), message, expected: None })
        }
        (Kind::Admission, "127.0.0.1/live/slow") => Act::Delay(Duration::from_secs(30)),
        (Kind::Admission, "127.0.0.1/live/proxy") => Act::Foreign(403),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let error = gateway.push(&file, "no?key=1").await.unwrap_err().to_string();
    assert_eq!(error, "server refused: NetStream.Publish.Denied: the key is wrong");
    let began = Instant::now();
    gateway.push(&file, "slow").await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(2));
    gateway.push(&file, "proxy").await.unwrap();
    gateway.push(&file, "yes?key=2").await.unwrap();
    let sessions = functions.ended(3).await;
    assert!(sessions.iter().all(|session| frames(&session.chunks) == pushed));
    let asked = functions.log().asked.pop().unwrap();
    assert_eq!((asked.arguments["key"].as_str(), asked.gateway.is_empty()), ("2", false));
    gateway.stop().await;
}

#[tokio::test]
async fn of_a_push_that_is_not_wanted_nothing_is_left_but_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    write_flv(&file, SHAPE);
    let functions = functions().await;
    functions.log().record = false;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    assert_eq!((session.chunks.len(), session.ended.unwrap().chunks), (0, 0));
    gateway.stop().await;
    assert_eq!(std::fs::read_dir(spool.join("pushes")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_chunk_says_where_the_next_one_begins_with_no_keyframe() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    // One keyframe in 44 s, cut every 20 s.
    let pushed = write_flv(&file, Shape { gop: 0, frames: 1_100, ..SHAPE });
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    gateway.push(&file, "long").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    let continues: Vec<_> = session.told.iter().map(|told| told.continues).collect();
    assert_eq!(continues, [true, true, false]);
    assert!(frames(&session.chunks) == pushed);
    write_flv(&file, SHAPE);
    gateway.push(&file, "short").await.unwrap();
    let session = functions.ended(2).await.pop().unwrap();
    assert!(session.told.iter().all(|told| !told.continues));
    gateway.stop().await;
}

#[tokio::test]
async fn what_comes_after_its_retention_is_kept_aside_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    write_flv(&file, SHAPE);
    let functions = Fake::start(|call| match call.kind {
        Kind::Chunk | Kind::End if call.stream.ends_with("/old") => fail(410),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    gateway.push(&file, "old").await.unwrap();
    let emptied = async {
        while std::fs::read_dir(spool.join("pushes")).unwrap().count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), emptied).await.unwrap();
    assert_eq!(std::fs::read_dir(spool.join("refused")).unwrap().count(), 2 * 4);
    assert!(functions.log().sessions[0].lost.is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn a_stream_that_cannot_be_delivered_gives_up_its_own_oldest_and_holds_back_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let (stuck_file, file) = (folder.path().join("stuck.flv"), folder.path().join("x.flv"));
    // 6 MB against a spool of 4 MB, then 2 MB.
    let stuck_pushed = write_flv(&stuck_file, Shape { frames: 1_000, frame_bytes: 6_000, ..SHAPE });
    let pushed = write_flv(&file, Shape { frames: 500, frame_bytes: 4_000, seed: 1 << 20, ..SHAPE });
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk | Kind::Lost if call.stream.ends_with("/stuck") && !open.load(Ordering::Relaxed) => {
            // As with 424, which is tried again each minute.
            fail(503)
        }
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::with_limit(&functions.url(), &spool, 4 << 20).await;
    let began = Instant::now();
    gateway.push(&stuck_file, "stuck").await.unwrap();
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(4), "it was held back first: {took:?}");
    gateway.push(&file, "x").await.unwrap();
    functions
        .until("all of the other stream", |log| {
            log.sessions.iter().any(|session| session.stream.ends_with("/x") && session.is_complete())
        })
        .await;
    is_open.store(true, Ordering::Relaxed);
    let sessions = functions.ended(2).await;
    let other = sessions.iter().find(|session| session.stream.ends_with("/x")).unwrap();
    assert!(other.lost.is_empty() && frames(&other.chunks) == pushed);
    let stuck = sessions.iter().find(|session| session.stream.ends_with("/stuck")).unwrap();
    let lost: Vec<_> = stuck.lost.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(
        lost,
        (1..=lost.len() as u64).collect::<Vec<_>>(),
        "the oldest but the first, which was tried"
    );
    assert!((1..8).contains(&lost.len()), "{lost:?}");
    assert!(stuck.lost.iter().all(|(_, lost)| lost.lost == LossReason::Shed));
    let (first, left) = (frames(&stuck.chunks[..1]), frames(&stuck.chunks[1..]));
    assert!(first[..] == stuck_pushed[..first.len()]);
    assert!(left[..] == stuck_pushed[stuck_pushed.len() - left.len()..]);
    gateway.stop().await;
}
