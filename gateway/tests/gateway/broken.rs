//! Files of the spool that cannot be renamed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Gateway,
    full_disk::{send, start},
    functions,
    media::{SHAPE, Shape, frames, write_flv},
};

/// The folder of the only push.
fn push_folder(spool: &Path) -> PathBuf {
    fs::read_dir(spool.join("pushes")).unwrap().next().unwrap().unwrap().path()
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
