//! Functions that fail, and gateways that crash.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use protocol::{LossReason, Problem};

use crate::{
    Gateway, config,
    fake::{Act, Fake, Kind, Session, fail},
    functions,
    media::{SHAPE, Shape, frames, write_flv},
};

/// Pushes once against scripted functions; the media of all sessions together must be what was pushed.
async fn check(
    script: impl FnMut(&crate::fake::Call) -> Act + Send + 'static,
    sessions: usize,
) -> Vec<Session> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = Fake::start(script).await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    gateway.push(&file, "x").await.unwrap();
    let sessions = functions.ended(sessions).await;
    assert!(frames(sessions.iter().flat_map(|session| &session.chunks)) == pushed);
    gateway.stop().await;
    sessions
}

#[tokio::test]
async fn each_call_is_tried_again_until_it_succeeds() {
    for status in [500, 503, 429, 401] {
        check(move |call| if call.nth == 0 { fail(status) } else { Act::Succeed }, 1).await;
    }
}

#[tokio::test]
async fn a_lost_reply_repeats_the_same_bytes() {
    let sessions = check(|call| if call.nth % 2 == 0 { Act::LoseReply } else { Act::Succeed }, 1).await;
    assert_eq!(sessions[0].chunks.len(), 4);
}

#[tokio::test]
async fn slow_functions_are_waited_for() {
    check(
        |call| if call.kind == Kind::Chunk { Act::Delay(Duration::from_millis(300)) } else { Act::Succeed },
        1,
    )
    .await;
}

#[tokio::test]
async fn what_something_on_the_way_answers_costs_no_media() {
    let script = |call: &crate::fake::Call| match (call.kind, call.nth) {
        (Kind::Begin, 0) => Act::Foreign(422),
        (Kind::Chunk, 0) => Act::Foreign(413),
        (Kind::Chunk, 1) => Act::Foreign(404),
        (Kind::End, 0) => Act::Foreign(410),
        _ => Act::Succeed,
    };
    let sessions = check(script, 1).await;
    assert_eq!(sessions[0].chunks.len(), 4);
}

#[tokio::test]
async fn a_refused_chunk_is_kept_aside_and_told_lost_when_no_try_can_have_an_effect_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let problem = Problem { code: "NotFlv".into(), message: "tag type 99 at byte 13".into(), expected: None };
    let refused_at = Arc::new(Mutex::new(None));
    let (seen, told_after) = (Arc::clone(&refused_at), Arc::new(Mutex::new(None)));
    let told = Arc::clone(&told_after);
    let functions = Fake::start(move |call| match (call.kind, call.nth) {
        (Kind::Chunk, 1) => {
            *seen.lock().unwrap() = Some(Instant::now());
            Act::Fail(422, problem.clone())
        }
        (Kind::Lost, _) => {
            *told.lock().unwrap() = seen.lock().unwrap().map(|at| at.elapsed());
            Act::Succeed
        }
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    assert_eq!(session.chunks.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [0, 2, 3]);
    let (seq, lost) = session.lost[0];
    assert_eq!((seq, lost.lost), (1, LossReason::Refused));
    assert_eq!(lost.from_ms..=lost.to_ms, lost.from_ms..=session.told[1].offset_ms);
    let waited = told_after.lock().unwrap().unwrap();
    assert!(waited >= Duration::from_secs(1), "{waited:?}");

    let mut kept: Vec<_> =
        std::fs::read_dir(spool.join("refused")).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    let refused = std::fs::read(&kept[0]).unwrap().into();
    let reason = std::fs::read_to_string(&kept[1]).unwrap();
    assert!(reason.contains("NotFlv: tag type 99 at byte 13"), "{reason}");
    let mut chunks = session.chunks;
    chunks.insert(1, (1, refused));
    assert!(frames(&chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn a_push_that_is_refused_is_sent_away_and_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = Fake::start(|call| match call.kind {
        Kind::Begin if call.stream.ends_with("/x") => fail(422),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let options = gateway::push::Options { file: file.clone(), url: gateway.url("x"), fast: false };
    gateway::push::push(options).await.unwrap_err();
    gateway.push(&file, "y").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
    assert_eq!(walk(&spool.join("pushes")), 0);
    let mut kept: Vec<_> =
        std::fs::read_dir(spool.join("refused")).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    let recorded = frames(&[(0, std::fs::read(&kept[0]).unwrap().into())]);
    assert!(!recorded.is_empty() && recorded[..] == pushed[..recorded.len()]);
}

#[tokio::test]
async fn chunks_that_a_lost_store_held_are_told_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if call.seq == 3 && !open.load(Ordering::Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    gateway.push(&file, "x").await.unwrap();
    functions.until("three chunks", |log| log.sessions.iter().any(|session| session.chunks.len() == 3)).await;
    let kept = functions.log().sessions[0].chunks.split_off(1);
    functions.log().sessions[0].told.truncate(1);
    is_open.store(true, Ordering::Relaxed);
    let session = functions.ended(1).await.remove(0);
    let lost: Vec<_> = session.lost.iter().map(|(seq, lost)| (*seq, lost.lost)).collect();
    assert_eq!(lost, [(1, LossReason::Acknowledged), (2, LossReason::Acknowledged)]);
    let mut chunks = session.chunks;
    chunks.splice(1..1, kept);
    assert!(frames(&chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn the_end_is_told_at_once_while_chunks_wait() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if !open.load(Ordering::Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    gateway.push(&file, "x").await.unwrap();
    functions.until("the end", |log| log.sessions.iter().any(|session| session.ended.is_some())).await;
    let ended = functions.log().sessions[0].clone();
    assert_eq!((ended.chunks.len(), ended.ended.unwrap().chunks), (0, 4));
    is_open.store(true, Ordering::Relaxed);
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn functions_that_start_late_get_everything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let address = functions().await.address;
    let gateway = Gateway::start(&format!("http://{address}"), &folder.path().join("spool")).await;
    gateway.push(&file, "x").await.unwrap();
    let functions = Fake::start_at(address, |_| Act::Succeed).await;
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn sessions_of_one_stream_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let functions = Fake::start(|call| {
        if call.kind == Kind::Chunk { Act::Delay(Duration::from_millis(50)) } else { Act::Succeed }
    });
    let functions = functions.await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut pushed = Vec::new();
    for at in 0..3 {
        let file = folder.path().join(format!("{at}.flv"));
        pushed.push(write_flv(&file, Shape { seed: at << 20, ..SHAPE }));
        gateway.push(&file, "x").await.unwrap();
    }
    let sessions = functions.ended(3).await;
    for (session, pushed) in sessions.iter().zip(&pushed) {
        assert!(frames(&session.chunks) == *pushed);
    }
    assert!(sessions[0].begin.after.is_none());
    for pair in sessions.windows(2) {
        let after = pair[1].begin.after.as_ref().unwrap();
        assert_eq!(after.session, pair[0].name);
        assert!(after.gap_ms < 5_000, "{after:?}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_crashed_gateway_completes_its_pushes_when_it_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let is_stuck = Arc::new(AtomicBool::new(true));
    let stuck = Arc::clone(&is_stuck);
    // One chunk is taken, its acknowledgement is lost, and then nothing works.
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if stuck.load(Ordering::Relaxed) && call.nth == 0 => Act::LoseReply,
        Kind::Chunk | Kind::End if stuck.load(Ordering::Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    gateway.push(&file, "x").await.unwrap();
    functions
        .until("the first chunk", |log| log.sessions.first().is_some_and(|session| session.chunks.len() == 1))
        .await;
    gateway.crash().await;

    is_stuck.store(false, Ordering::Relaxed);
    let gateway = restart(&functions, &spool).await;
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed, "once each, over both lives");
    gateway.push(&file, "x").await.unwrap();
    let sessions = functions.ended(2).await;
    assert!(frames(&sessions[1].chunks) == pushed, "the next push records normally");
    gateway.stop().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_push_loses_at_most_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, Shape { frames: 100, ..SHAPE });
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let pushing = tokio::spawn(gateway::push::push(gateway::push::Options {
        file: file.clone(),
        url: gateway.url("x"),
        fast: false,
    }));
    functions.until("a heartbeat or two", |log| log.heartbeats.len() >= 3).await;
    gateway.crash().await;
    assert!(pushing.await.unwrap().is_err());

    let gateway = restart(&functions, &spool).await;
    let session = functions.ended(1).await.remove(0);
    let recorded = frames(&session.chunks);
    assert!(recorded.len() >= 2 * 25, "{} tags of about two seconds", recorded.len());
    assert!(recorded[..] == pushed[..recorded.len()]);
    let lived = session.ended.unwrap().duration_ms;
    assert!((1_000..10_000).contains(&lived), "{lived}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_push_uploads_and_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let url = gateway.url("x");
    let options = gateway::push::Options { file: file.clone(), url, fast: false };
    let pushing = tokio::spawn(gateway::push::push(options));
    functions.until("a tick or two", |log| log.ticks >= 2 && log.sessions.len() == 1).await;
    gateway.stop().await;
    pushing.await.unwrap().unwrap_err();
    let session = functions.log().sessions.remove(0);
    assert!(session.ended.is_some());
    let recorded = frames(&session.chunks);
    assert!(!recorded.is_empty());
    assert!(recorded[..] == pushed[..recorded.len()]);
    assert_eq!(walk(&spool.join("pushes")), 0);
}

/// The tasks of a crashed gateway take a moment to let the spool go.
pub(crate) async fn restart(functions: &Fake, spool: &Path) -> Gateway {
    let began = Instant::now();
    loop {
        match Gateway::open(([127, 0, 0, 1], 0).into(), config(&functions.url(), spool)).await {
            Ok(gateway) => return gateway,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(20), "{error:#}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_full_spool_holds_the_publisher_back() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    // 24 MB, more than sockets keep, against a spool of 1 MB.
    let pushed = write_flv(&file, Shape { frames: 800, frame_bytes: 30_000, ..SHAPE });
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if !open.load(Ordering::Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::with_limit(&functions.url(), &spool, 1 << 20).await;
    let pushing = tokio::spawn(gateway::push::push(gateway::push::Options {
        file: file.clone(),
        url: gateway.url("x"),
        fast: true,
    }));
    // After five seconds what cannot be delivered is given up.
    functions.until("two heartbeats", |log| log.heartbeats.len() >= 2).await;
    assert!(!pushing.is_finished());
    let spooled: u64 = walk(&spool.join("pushes"));
    assert!((1 << 20..3 << 20).contains(&spooled), "{spooled} bytes in the spool");
    is_open.store(true, Ordering::Relaxed);
    pushing.await.unwrap().unwrap();
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

fn walk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(
            |entry| if entry.path().is_dir() { walk(&entry.path()) } else { entry.metadata().unwrap().len() },
        )
        .sum()
}

#[tokio::test]
async fn a_name_is_taken_once_and_a_bad_name_never() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    write_flv(&file, SHAPE);
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let live = tokio::spawn(gateway::push::push(gateway::push::Options {
        file: file.clone(),
        url: gateway.url("x"),
        fast: false,
    }));
    functions.until("the first session", |log| log.sessions.len() == 1).await;
    let error = gateway.push(&file, "x?key=other").await.unwrap_err();
    let expected = "server refused: NetStream.Publish.BadName: 127.0.0.1/live/x is being published already";
    assert_eq!(error.to_string(), expected);
    let error = gateway.push(&file, "..").await.unwrap_err().to_string();
    assert!(error.starts_with("server refused: NetStream.Publish.BadName: stream name is \"..\""), "{error}");
    live.abort();
    functions.ended(1).await;
    gateway.push(&file, "x").await.unwrap();
    functions.ended(2).await;
    gateway.stop().await;
}
