//! What was refused or waits, and what is done to it by hand.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering::Relaxed},
    },
    time::Duration,
};

use gateway::upkeep::{Action, ChunkId, Entry, State, ask, list};
use protocol::{LossReason, Resends};

use crate::{
    Gateway,
    fake::{Act, Fake, Kind, fail},
    full_disk::{send, start},
    media::{SHAPE, Shape, Tag, frames, write_flv},
};

/// Functions that answer these chunks of the first session with this status.
async fn functions(seqs: std::ops::Range<u64>) -> (Fake, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(422));
    let answered = Arc::clone(&status);
    let functions = Fake::start(move |call| match (call.kind, answered.load(Relaxed)) {
        (Kind::Chunk, 200) => Act::Succeed,
        (Kind::Chunk, status) if call.session == "s0" && seqs.contains(&call.seq) => fail(status),
        _ => Act::Succeed,
    })
    .await;
    (functions, status)
}

fn ids(entries: &[Entry]) -> Vec<ChunkId> {
    entries.iter().map(|entry| entry.id.clone()).collect()
}

/// Waits until a spool is as wanted.
async fn until(spool: &Path, what: &str, is_met: impl Fn(&[Entry]) -> bool) -> Vec<Entry> {
    for _ in 0..600 {
        let entries = list(spool).unwrap();
        if is_met(&entries) {
            return entries;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen: {:#?}", list(spool).unwrap());
}

#[tokio::test]
async fn refused_chunks_are_resent_in_a_session_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let (functions, status) = functions(1..3).await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    gateway.push(&file, "x?key=k").await.unwrap();
    let old = functions.ended(1).await.remove(0);
    let refused = until(&spool, "all is told", |entries| entries.len() == 2).await;
    for (entry, seq) in refused.iter().zip([1, 2]) {
        assert_eq!((entry.stream.as_str(), entry.request), ("127.0.0.1/live/x", None));
        assert_eq!(entry.session, Some(("s0".into(), seq)));
        let State::Refused(reason) = &entry.state else { panic!("{entry:?}") };
        assert_eq!(reason, "422 Unprocessable Entity: Scripted: as the script says");
        let lost = old.lost.iter().find(|(lost, _)| *lost == seq).unwrap().1;
        assert_eq!((entry.from_ms, entry.to_ms), (lost.from_ms, Some(lost.to_ms)));
    }

    status.store(200, Relaxed);
    ask(&spool, Action::Resend, ids(&refused)).unwrap();
    let new = functions.ended(2).await.pop().unwrap();
    assert_eq!(new.begin.resends, Some(Resends { session: "s0".into(), seq: 1 }));
    assert_eq!((new.begin.after, &new.begin.arguments), (None, &old.begin.arguments));
    assert!(new.begin.push != old.begin.push);
    assert_eq!(new.chunks.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(new.told[0].offset_ms, refused[0].from_ms);
    assert_eq!(new.told[0].generation, old.lost[0].1.generation);
    let mut chunks = old.chunks;
    chunks.splice(1..1, new.chunks);
    assert!(frames(&chunks) == pushed);
    assert_eq!(until(&spool, "all is brought", <[_]>::is_empty).await, []);

    // It is no push that one after it could continue.
    gateway.push(&file, "x?key=k").await.unwrap();
    let next = functions.ended(3).await.pop().unwrap();
    assert_eq!(next.begin.after.map(|after| after.session), Some("s0".into()));
    gateway.stop().await;
}

#[tokio::test]
async fn a_push_whose_losses_are_told_is_resent_while_those_of_another_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    write_flv(&file, SHAPE);
    let functions = Fake::start(|call| match call.kind {
        Kind::Chunk if ["s0", "s1"].contains(&call.session.as_str()) && call.seq == 1 => fail(422),
        Kind::Lost if call.stream.ends_with("/first") => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    for name in ["first", "second"] {
        gateway.push(&file, name).await.unwrap();
    }
    let is_refused = |entry: &Entry| matches!(entry.state, State::Refused(_));
    let refused = |entries: &[Entry]| entries.iter().filter(|entry| is_refused(entry)).count();
    let entries = until(&spool, "both refusals", |entries| refused(entries) == 2).await;
    let asked: Vec<_> = entries.into_iter().filter(is_refused).collect();
    ask(&spool, Action::Resend, ids(&asked)).unwrap();
    let is_resent = |session: &crate::fake::Session| {
        session.stream.ends_with("/second") && session.begin.resends.is_some() && session.is_complete()
    };
    functions.until("the second one's resend", |log| log.sessions.iter().any(is_resent)).await;
    assert_eq!(refused(&list(&spool).unwrap()), 1, "the first one's waits");
    gateway.crash().await;
}

#[tokio::test]
async fn a_chunk_that_is_refused_again_is_kept_with_the_session_that_it_was_of() {
    for refusal in [422, 404] {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        let file = folder.path().join("x.flv");
        write_flv(&file, SHAPE);
        let functions = Fake::start(move |call| match (call.kind, call.nth) {
            (Kind::Chunk, 3) => fail(422),
            (Kind::Begin, 1) => fail(refusal),
            _ => Act::Succeed,
        })
        .await;
        let gateway = Gateway::start(&functions.url(), &spool).await;
        gateway.push(&file, "x").await.unwrap();
        functions.ended(1).await;
        let first = until(&spool, "all is told", |entries| entries.len() == 1).await;
        ask(&spool, Action::Resend, ids(&first)).unwrap();
        let is_back = |entries: &[Entry]| {
            entries.len() == 1
                && entries[0].id != first[0].id
                && matches!(entries[0].state, State::Refused(_))
        };
        let again = until(&spool, "the second refusal", is_back).await;
        assert_eq!((&again[0].session, again[0].from_ms), (&first[0].session, first[0].from_ms));
        // A restart finds it there, and it is resent at last.
        gateway.stop().await;
        ask(&spool, Action::Resend, ids(&again)).unwrap();
        assert_eq!(list(&spool).unwrap()[0].request, Some(Action::Resend));
        let gateway = Gateway::start(&functions.url(), &spool).await;
        let new = functions.ended(2).await.pop().unwrap();
        assert_eq!(new.begin.resends, Some(Resends { session: "s0".into(), seq: 3 }));
        assert_eq!(until(&spool, "all is brought", <[_]>::is_empty).await, []);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn what_waits_is_dropped_and_told_lost() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let (functions, status) = functions(0..9).await;
    status.store(503, Relaxed);
    let gateway = Gateway::start(&functions.url(), &spool).await;
    gateway.push(&file, "x").await.unwrap();
    let waiting = until(&spool, "the end", |entries| {
        entries.len() == 4 && entries.iter().all(|entry| entry.state == State::Waiting)
    })
    .await;
    assert!(waiting.windows(2).all(|pair| pair[0].to_ms == Some(pair[1].from_ms)), "{waiting:#?}");
    ask(&spool, Action::Drop, ids(&waiting[1..3])).unwrap();
    until(&spool, "the drop", |entries| {
        let is_lost = |entry: &Entry| entry.state == State::Lost(LossReason::Shed);
        entries.iter().filter(|entry| is_lost(entry)).count() == 2
            && entries.iter().all(|entry| entry.request.is_none())
    })
    .await;
    status.store(200, Relaxed);
    let session = functions.ended(1).await.remove(0);
    let lost: Vec<_> = session.lost.iter().map(|(seq, lost)| (*seq, lost.lost)).collect();
    assert_eq!(lost, [(1, LossReason::Shed), (2, LossReason::Shed)]);
    let (first, last) = (frames(&session.chunks[..1]), frames(&session.chunks[1..]));
    assert!(first[..] == pushed[..first.len()] && last[..] == pushed[pushed.len() - last.len()..]);
    gateway.stop().await;
}

#[tokio::test]
async fn refused_chunks_count_against_the_limit_and_give_way_to_what_can_be_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let limit = 1 << 20;
    // It is held back, for as long as it takes to refuse what it sends or to make room for it.
    let push = async |gateway: &Gateway, name: &str, tags: &[Tag]| {
        let mut publisher = start(gateway, name).await;
        let pushing = async {
            send(&mut publisher, tags).await;
            publisher.finish().await;
        };
        tokio::time::timeout(Duration::from_secs(120), pushing).await.unwrap();
    };
    // 12 times what the spool holds.
    let shape = Shape { frames: 2_000, gop: 10, frame_ms: 500, frame_bytes: 6_000, ..SHAPE };
    let refused = write_flv(&file, shape);
    let functions = Fake::start(|call| match call.kind {
        Kind::Chunk if call.stream.ends_with("/bad") => fail(422),
        _ => Act::Succeed,
    })
    .await;
    let change = |config| gateway::Config {
        spool_limit_bytes: Some(limit),
        call_max: Duration::from_millis(1),
        ..config
    };
    let gateway = Gateway::configured(&functions.url(), &spool, change).await;
    push(&gateway, "bad", &refused).await;
    let session = functions.ended(1).await.remove(0);
    assert!(
        session.lost.len() == 200 && session.lost.iter().all(|(_, lost)| lost.lost == LossReason::Refused)
    );
    let kept = list(&spool).unwrap();
    let bytes: u64 = kept.iter().map(|entry| entry.bytes).sum();
    assert!((limit / 2..2 * limit).contains(&bytes), "{bytes} bytes of {} chunks", kept.len());
    assert_eq!(kept.last().and_then(|entry| entry.session.clone()), Some(("s0".into(), 199)), "the newest");
    // A restart counts them as well, and another stream finds room.
    gateway.stop().await;
    let gateway = Gateway::configured(&functions.url(), &spool, change).await;
    let pushed = write_flv(&file, Shape { seed: 1 << 20, ..shape });
    push(&gateway, "x", &pushed).await;
    let session = functions.ended(2).await.pop().unwrap();
    assert!(session.lost.is_empty() && frames(&session.chunks) == pushed);
    let refused = || {
        let entries = list(&spool).unwrap().into_iter();
        entries.filter(|entry| matches!(entry.state, State::Refused(_))).collect::<Vec<_>>()
    };
    ask(&spool, Action::Drop, ids(&refused())).unwrap();
    assert_eq!(refused(), [], "at once");
    gateway.stop().await;
}

#[test]
fn a_gateway_that_ends_has_no_hand_on_its_spool_any_more() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        let functions = crate::functions().await;
        let gateway = Gateway::start(&functions.url(), &spool).await;
        // The one thread that waits for disks is busy, and what is asked for by hand waits for it.
        let (free, busy) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || busy.recv());
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let stopping = tokio::spawn(gateway.stop());
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!stopping.is_finished(), "requests in the spool may be followed still");
        free.send(()).unwrap();
        busy.await.unwrap().unwrap();
        stopping.await.unwrap();
        Gateway::start(&functions.url(), &spool).await.stop().await;
    });
}
