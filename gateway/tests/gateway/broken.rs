//! Files of the spool that a restart misjudged, or that cannot be renamed, read or found.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use flv::TagKind;
use protocol::{ChunkPolicy, LossReason, Order, SessionAnswer};

use crate::{
    Gateway,
    failures::restart,
    fake::{Act, Fake, Kind, fail},
    full_disk::{send, start},
    functions,
    media::{SHAPE, Shape, frames, write_flv},
    publisher::Publisher,
};

/// Functions that take no chunk as long as they are stuck.
pub(crate) async fn stuck_functions() -> (Fake, Arc<AtomicBool>) {
    let is_stuck = Arc::new(AtomicBool::new(true));
    let stuck = Arc::clone(&is_stuck);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if stuck.load(Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    (functions, is_stuck)
}

/// The folder of the only push.
pub(crate) fn push_folder(spool: &Path) -> PathBuf {
    fs::read_dir(spool.join("pushes")).unwrap().next().unwrap().unwrap().path()
}

/// The files of a push of one kind, in order.
pub(crate) fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == kind));
    files.sort();
    files
}

#[tokio::test]
async fn a_push_of_many_tracks_is_brought_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let (functions, is_stuck) = stuck_functions().await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let mut publisher = Publisher::start_from([127, 0, 0, 1], &gateway, "x").await.unwrap();
    let track = |id: u8| [&[id, 0, 0, 205][..], &[0; 5], &[7; 200]].concat();
    let picture = [b"\x96\x11avc1", &track(0)[..], &track(1)].concat();
    for at in 0..100 {
        publisher.tag(TagKind::Video, at * 40, &picture);
    }
    publisher.flush().await;
    functions.until("the session", |log| log.sessions.len() == 1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    gateway.crash().await;
    is_stuck.store(false, Relaxed);
    let gateway = restart(&functions, &spool).await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!((session.chunks.len(), session.lost.len()), (1, 0));
    let tags = flv::Reader::new(&session.chunks[0].1).unwrap().map(Result::unwrap);
    assert_eq!(tags.filter(|tag| tag.body == picture).count(), 100);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chunk_that_cannot_get_its_name_is_brought_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    // One keyframe in 44 s, cut every 20 s.
    let pushed = write_flv(&folder.path().join("x.flv"), Shape { gop: 0, frames: 1_100, ..SHAPE });
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let mut publisher = start(&gateway, "x").await;
    send(&mut publisher, &pushed[..100]).await;
    functions.until("the session", |log| log.sessions.len() == 1).await;
    let first = "0000000000+0+0.0";
    while !push_folder(&spool).join(format!("{first}.flv")).exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // No file can have a folder's name.
    fs::create_dir(push_folder(&spool).join(format!("{first}-continues.flv"))).unwrap();
    send(&mut publisher, &pushed[100..]).await;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert!(session.lost.is_empty() && frames(&session.chunks) == pushed);
    let continues: Vec<_> = session.told.iter().map(|told| told.continues).collect();
    assert_eq!(continues, [true, true, false]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chunk_that_cannot_be_read_is_told_damaged_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, Shape { frames: 950, ..SHAPE });
    let (functions, is_stuck) = stuck_functions().await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    gateway.push(&file, "x").await.unwrap();
    functions.until("the end", |log| log.sessions.iter().any(|session| session.ended.is_some())).await;
    gateway.crash().await;
    let gateway = restart(&functions, &spool).await;
    let chunks = files(&push_folder(&spool), "flv");
    assert_eq!(chunks.len(), 7);
    // One is gone, one cannot be read, one is shorter than it was, one cannot even be opened.
    fs::remove_file(&chunks[1]).unwrap();
    fs::remove_file(&chunks[2]).unwrap();
    fs::create_dir(&chunks[2]).unwrap();
    fs::File::options().write(true).open(&chunks[3]).unwrap().set_len(5_000).unwrap();
    fs::remove_file(&chunks[4]).unwrap();
    symlink(&chunks[4], &chunks[4]).unwrap();
    is_stuck.store(false, Relaxed);
    let session = functions.ended(1).await.remove(0);
    let lost: Vec<_> = session.lost.iter().map(|(seq, lost)| (*seq, lost.lost)).collect();
    assert_eq!(lost, [1, 2, 3, 4].map(|seq| (seq, LossReason::Damaged)));
    let (before, after) = (frames(&session.chunks[..1]), frames(&session.chunks[1..]));
    assert!(before[..] == pushed[..before.len()] && after[..] == pushed[pushed.len() - after.len()..]);
    gateway.stop().await;
    // What is left of the others is kept.
    let kept = ["flv", "json"].map(|kind| files(&spool.join("refused"), kind).len());
    assert_eq!(kept, [3, 3]);
    assert_eq!(fs::read_dir(spool.join("pushes")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_start_whose_kept_media_is_gone_loses_that_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let pushed = write_flv(&folder.path().join("x.flv"), Shape { frames: 750, gop: 25, ..SHAPE });
    let functions = functions().await;
    functions.log().record = false;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let mut publisher = start(&gateway, "x").await;
    send(&mut publisher, &pushed[..50]).await;
    functions.until("the session", |log| log.sessions.len() == 1).await;
    // A second each.
    for tags in pushed[50..200].chunks(50) {
        tokio::time::sleep(Duration::from_millis(400)).await;
        send(&mut publisher, tags).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let kept = files(&push_folder(&spool), "kept");
    assert!(!kept.is_empty());
    kept.iter().for_each(|file| fs::remove_file(file).unwrap());
    // From a second ago on.
    order_start(&functions, 1_000);
    functions.until("the order", |log| !log.sessions[0].confirmed.is_empty()).await;
    send(&mut publisher, &pushed[200..]).await;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert!((1..=kept.len()).contains(&session.lost.len()), "{:?}", session.lost);
    for (at, (seq, lost)) in (0..).zip(&session.lost) {
        assert_eq!((*seq, lost.lost), (at, LossReason::Damaged));
    }
    let recorded = frames(&session.chunks);
    assert!(recorded.len() >= pushed.len() - 200 && recorded[..] == pushed[pushed.len() - recorded.len()..]);
    gateway.stop().await;
}

/// Has what is pushed recorded from so long ago on.
fn order_start(functions: &Fake, age_ms: u64) {
    let mut log = functions.log();
    let session = log.sessions[0].name.clone();
    let start = Order { generation: "1.0".parse().unwrap(), record: true, age_ms: Some(age_ms), in_ms: None };
    let (chunk, orders) = (ChunkPolicy::default(), vec![start]);
    log.changes.push(SessionAnswer { session, chunk, orders, denied: None });
}
