use std::{fs, path::Path};

use protocol::{ChunkPolicy, Generation, Order};

use super::*;
use crate::spool::{Chunk, ChunkName, Spool, recover};

/// The queue of a push that has just been let in.
fn queue(spool: &Spool, folder: &Path, tell: &Arc<Tell>) -> (QueueWriter, QueueReader) {
    let (domain, app, stream) = ("d".into(), "a".into(), "s".into());
    let push = Push { id: "p".into(), domain, app, stream, ..Push::default() };
    let account = spool.account(&Record::new(push.clone()).stream_path().unwrap());
    create(push, folder.to_owned(), account, tell).unwrap()
}

/// Chunks of a second each, from the first on.
fn push_chunks(writer: &QueueWriter, folder: &Path, count: u64) {
    let mut whole = Vec::new();
    flv::write_header(&mut whole, true, false);
    flv::write_tag(&mut whole, flv::TagKind::Audio, 40, &[0xaf, 1, 7]).unwrap();
    for offset_ms in (0..count).map(|number| number * 1_000) {
        let (index, generation) = (writer.take_index(), Generation::default());
        let name = ChunkName { index, offset_ms, generation, continues: false };
        fs::write(name.path(folder), &whole).unwrap();
        let path = name.path(folder);
        let mut chunk = Chunk::found(writer.account(), path, name, whole.len() as u64);
        chunk.end_ms = offset_ms + 999;
        writer.push(chunk);
        writer.frame(offset_ms + 999);
    }
}

#[tokio::test]
async fn the_end_counts_no_chunk_that_a_window_leaves_out() {
    // A window from 3 s to 5 s; one that was over before the push; one that is still to come.
    for (from_ms, to_ms, wanted) in [(3_000, 5_000, 2), (0, 0, 0), (20_000, 30_000, 0)] {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
        let folder = spool.pushes().join("p");
        let tell = Arc::new(Tell::default());
        let (writer, reader) = queue(&spool, &folder, &tell);
        let now = Instant::now();
        let began = now.checked_sub(Duration::from_secs(10)).unwrap();
        writer.begin(began);
        push_chunks(&writer, &folder, 8);
        writer.end();

        let order = |generation: &str, record, at_ms: u64| Order {
            generation: generation.parse().unwrap(),
            record,
            age_ms: (at_ms <= 10_000).then(|| 10_000 - at_ms),
            in_ms: (at_ms > 10_000).then(|| at_ms - 10_000),
        };
        let orders = [order("1.1", true, from_ms), order("2.2", false, to_ms)];
        let answered = Answered { sent: now, received: now, began };
        reader.adopt(&spool, "session", ChunkPolicy::default(), &orders, answered).await;
        let told = reader.ended().await.unwrap().chunks;
        assert_eq!(
            (told, reader.record().session.unwrap().first_index),
            (wanted, if wanted > 0 { 3 } else { 8 })
        );

        // So it does after a crash.
        let found = recover(&spool).unwrap().remove(0);
        assert_eq!(found.waiting.len() as u64, wanted, "{:?}", found.waiting);
        let recovered = recovered(found, &tell);
        assert_eq!(recovered.ended().await.unwrap().chunks, wanted);
    }
}

#[tokio::test]
async fn a_name_that_was_refused_is_given_among_chunks_that_have_theirs() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
    let folder = spool.pushes().join("p");
    let (writer, _reader) = queue(&spool, &folder, &Arc::new(Tell::default()));
    writer.begin(Instant::now());
    let index = writer.take_index();
    let name = ChunkName { index, offset_ms: 0, generation: Generation::default(), continues: false };
    let numbered = ChunkName { generation: "1.1".parse().unwrap(), ..name };
    fs::write(name.path(&folder), b"whole").unwrap();
    let mut chunk = Chunk::found(writer.account(), name.path(&folder), name, 5);
    // A folder is where the file is to be.
    fs::create_dir(numbered.path(&folder)).unwrap();
    chunk.number(index, numbered.generation);
    writer.push(chunk);
    push_chunks(&writer, &folder, 2);
    writer.flush().unwrap();
    assert!(name.path(&folder).is_file());
    fs::remove_dir(numbered.path(&folder)).unwrap();
    writer.flush().unwrap();
    assert!(numbered.path(&folder).is_file() && !name.path(&folder).exists());
}
