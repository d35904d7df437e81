//! A disk that refuses what is to be spooled.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use flv::TagKind;
use protocol::LossReason;

use crate::{
    Gateway,
    broken::{files, push_folder, stuck_functions},
    failures::restart,
    fake::{Act, Fake, Kind, fail},
    functions,
    media::{AUDIO_HEADER, SHAPE, Shape, Tag, VIDEO_HEADER, frames, write_flv},
    operation::Operator,
    programs::skip,
    publisher::Publisher,
};

/// Where nothing can be created any more, until it is dropped: a file is where a folder of the spool was.
struct Refusing {
    folder: PathBuf,
}

impl Refusing {
    fn start(spool: &Path, folder: &str) -> Self {
        let folder = spool.join(folder);
        fs::rename(&folder, spool.join("away")).unwrap();
        fs::write(&folder, b"").unwrap();
        Self { folder }
    }
}

impl Drop for Refusing {
    fn drop(&mut self) {
        fs::remove_file(&self.folder).unwrap();
        fs::rename(self.folder.with_file_name("away"), &self.folder).unwrap();
    }
}

pub(crate) async fn send(publisher: &mut Publisher, tags: &[Tag]) {
    for tag in tags {
        let kind = if tag.kind == 9 { TagKind::Video } else { TagKind::Audio };
        publisher.tag(kind, tag.timestamp_ms, &tag.body);
    }
    publisher.flush().await;
}

pub(crate) async fn start(gateway: &Gateway, name: &str) -> Publisher {
    let mut publisher = Publisher::start_from([127, 0, 0, 1], gateway, name).await.unwrap();
    publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
    publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    publisher
}

#[tokio::test]
async fn pushes_go_on_and_begin_while_the_disk_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let pushed = write_flv(&folder.path().join("x.flv"), Shape { frames: 1_500, ..SHAPE });
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let mut before = start(&gateway, "before").await;
    send(&mut before, &pushed[..700]).await;
    functions.until("two chunks", |log| log.sessions.iter().any(|push| push.chunks.len() == 2)).await;

    let refusing = Refusing::start(&spool, "pushes");
    let mut meanwhile = start(&gateway, "meanwhile").await;
    send(&mut before, &pushed[700..2_000]).await;
    send(&mut meanwhile, &pushed[..1_000]).await;
    functions
        .until("what is in memory alone", |log| {
            let chunks = |name| {
                let session = log.sessions.iter().find(|session| session.stream.ends_with(name));
                session.map_or(0, |session| session.chunks.len())
            };
            chunks("before") >= 5 && chunks("meanwhile") >= 3
        })
        .await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    drop(refusing);
    send(&mut before, &pushed[2_000..]).await;
    send(&mut meanwhile, &pushed[1_000..]).await;
    before.finish().await;
    meanwhile.finish().await;
    for session in functions.ended(2).await {
        assert!(session.lost.is_empty() && frames(&session.chunks) == pushed, "{}", session.stream);
    }
    gateway.stop().await;
    assert_eq!(fs::read_dir(spool.join("pushes")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_refused_chunk_is_kept_once_the_disk_takes_it() {
    for status in [422, 410] {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        let file = folder.path().join("x.flv");
        let pushed = write_flv(&file, SHAPE);
        let functions = Fake::start(move |call| match call.kind {
            Kind::Chunk if call.seq == 1 => fail(status),
            _ => Act::Succeed,
        })
        .await;
        let gateway = Gateway::start(&functions.url(), &spool).await;
        functions.until("the start", |log| !log.heartbeats.is_empty()).await;
        let refusing = Refusing::start(&spool, "refused");
        gateway.push(&file, "x").await.unwrap();
        functions.until("the refusal", |log| log.refused == 1).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(functions.log().refused, 1, "it is not sent again");
        drop(refusing);
        let session = functions.ended(1).await.remove(0);
        let kept = fs::read_dir(spool.join("refused")).unwrap().map(|entry| entry.unwrap().path());
        let kept: Vec<_> = kept.filter(|path| path.extension().is_some_and(|kind| kind == "flv")).collect();
        assert_eq!(kept.len(), 1);
        let mut chunks = session.chunks;
        chunks.insert(1, (1, fs::read(&kept[0]).unwrap().into()));
        assert!(frames(&chunks) == pushed);
        gateway.stop().await;
    }
}

/// A disk of its own.
struct Disk {
    root: PathBuf,
}

impl Disk {
    /// `None` where this process may not mount one.
    fn mount(root: &Path, mebibytes: u32) -> Option<Self> {
        fs::create_dir(root).unwrap();
        let size = format!("size={mebibytes}m,nr_inodes=1000");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(root).output();
        let is_mounted = mount.is_ok_and(|mount| mount.status.success());
        if !is_mounted {
            skip("a full disk", "the right to mount one");
        }
        is_mounted.then(|| Self { root: root.to_owned() })
    }

    fn filler(&self) -> PathBuf {
        self.root.join("filler")
    }

    /// Leaves no room.
    fn fill(&self) {
        let mut filler = fs::File::create(self.filler()).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
    }

    /// Leaves no room, and no place for another file.
    fn fill_up(&self) {
        self.fill();
        let mut places = 0..;
        while fs::File::create(self.root.join(format!("place{}", places.next().unwrap()))).is_ok() {}
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.root).status();
    }
}

#[tokio::test]
async fn nothing_is_lost_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&folder.path().join("spool"), 1) else { return };
    let pushed = write_flv(&folder.path().join("x.flv"), Shape { frames: 1_500, ..SHAPE });
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &disk.root).await;
    let mut publisher = start(&gateway, "x").await;
    send(&mut publisher, &pushed[..500]).await;
    functions.until("a chunk", |log| log.sessions.iter().any(|push| push.chunks.len() == 1)).await;
    disk.fill();
    for tags in pushed[500..].chunks(100) {
        send(&mut publisher, tags).await;
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert!(session.lost.is_empty() && frames(&session.chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn a_number_names_no_other_bytes_after_a_crash_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&folder.path().join("spool"), 1) else { return };
    let pushed = write_flv(&folder.path().join("x.flv"), SHAPE);
    let is_stuck = Arc::new(AtomicBool::new(true));
    let stuck = Arc::clone(&is_stuck);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if call.seq == 1 && stuck.load(Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &disk.root).await;
    let mut publisher = start(&gateway, "x").await;
    send(&mut publisher, &pushed[..450]).await;
    functions.until("a chunk", |log| log.sessions.iter().any(|push| push.chunks.len() == 1)).await;
    // What of the second chunk is on disk then is not all of it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    disk.fill();
    send(&mut publisher, &pushed[450..]).await;
    functions.until("tries of the second chunk", |log| log.refused >= 3).await;
    gateway.crash().await;
    fs::remove_file(disk.filler()).unwrap();
    is_stuck.store(false, Relaxed);
    let gateway = restart(&functions, &disk.root).await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!((session.lost[0].0, session.lost[0].1.lost), (1, LossReason::Damaged));
    let first = frames(&session.chunks[..1]);
    assert!(first[..] == pushed[..first.len()]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_gateway_that_starts_on_a_full_disk_brings_what_is_there() {
    for is_damaged in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let Some(disk) = Disk::mount(&folder.path().join("spool"), 4) else { return };
        let file = folder.path().join("x.flv");
        let pushed = write_flv(&file, SHAPE);
        let (functions, is_stuck) = stuck_functions().await;
        let gateway = Gateway::start(&functions.url(), &disk.root).await;
        gateway.push(&file, "x").await.unwrap();
        functions.until("the end", |log| log.sessions.iter().any(|session| session.ended.is_some())).await;
        gateway.crash().await;
        let chunks = files(&push_folder(&disk.root), "flv");
        assert_eq!(chunks.len(), 4);
        if is_damaged {
            fs::remove_file(&chunks[1]).unwrap();
            fs::File::create(&chunks[2]).unwrap();
        }
        disk.fill_up();
        let before = functions.log().heartbeats.len();
        let gateway = restart(&functions, &disk.root).await;
        is_stuck.store(false, Relaxed);
        let session = functions.ended(1).await.remove(0);
        let lost: Vec<_> = session.lost.iter().map(|(seq, lost)| (*seq, lost.lost)).collect();
        if is_damaged {
            assert_eq!(lost, [(1, LossReason::Damaged), (2, LossReason::Damaged)]);
        } else {
            assert!(lost.is_empty() && frames(&session.chunks) == pushed);
        }
        functions.until("a heartbeat", |log| log.heartbeats.len() > before).await;
        let boots: Vec<_> = functions.log().heartbeats.iter().map(|beat| beat.boot.clone()).collect();
        let (spool, n) = boots[0].rsplit_once('.').unwrap();
        assert_eq!((n, &boots[boots.len() - 1]), ("1", &format!("{spool}.2")));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_disk_that_has_room_again_is_a_place_to_push_to_before_anybody_does() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&folder.path().join("spool"), 32) else { return };
    let pushed = write_flv(&folder.path().join("x.flv"), SHAPE);
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let gateway = operator.gateway(&functions, &disk.root).await;
    operator.until_health("/readyz", 200, None).await;
    disk.fill();
    let mut publisher = start(&gateway, "x").await;
    send(&mut publisher, &pushed).await;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert!(session.lost.is_empty() && frames(&session.chunks) == pushed);
    let failing = "live_recorder_spool_disk_failing";
    operator.until(failing, |is_failing| is_failing == 1.0).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(operator.sample(failing).await, 1.0, "while it is full");
    for path in ["/healthz", "/readyz"] {
        operator.until_health(path, 503, Some("disk_full")).await;
    }
    fs::remove_file(disk.filler()).unwrap();
    for path in ["/healthz", "/readyz"] {
        operator.until_health(path, 200, None).await;
    }
    gateway.stop().await;
    assert!(!disk.root.join("probe").exists());
}
