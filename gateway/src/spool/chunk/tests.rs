use std::fs::{self, File};

use protocol::StreamPath;

use super::*;
use crate::{block::BLOCK_BYTES, spool::Spool};

const GENERATION: Generation = Generation { orders: 2, files: 1 };
const NAME: ChunkName =
    ChunkName { index: 0, offset_ms: 7, generation: Generation { orders: 0, files: 0 }, continues: false };

fn account(spool: &Arc<Spool>) -> Arc<Account> {
    spool.account(&StreamPath::new("d", "a", "s").unwrap())
}

/// Writes pieces, doing something before each one, and checks the chunk's file.
fn check(name: &str, mut between: impl FnMut(usize, &mut OpenChunk)) -> Chunk {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), Some(1 << 30)).unwrap();
    let pool = Arc::default();
    let mut open = OpenChunk::new(&account(&spool), &pool, folder.path(), NAME);
    let mut expected = Vec::new();
    for at in 0..9 {
        if at == 2 {
            open.number(3, GENERATION);
        }
        between(at, &mut open);
        let piece = vec![at as u8; BLOCK_BYTES / 3 + at];
        open.write(&piece);
        expected.extend_from_slice(&piece);
    }
    assert!(open.read().unwrap() == expected, "{name}");
    let mut chunk = open.close(9, false);
    assert_eq!(
        (chunk.name.index, chunk.name.offset_ms, chunk.bytes),
        (3, 7, expected.len() as u64),
        "{name}"
    );
    if let Some(blocks) = chunk.blocks() {
        assert!(blocks.concat() == expected, "{name}");
    }
    chunk.flush().unwrap();
    assert!(chunk.is_on_disk(), "{name}");
    assert!(fs::read(chunk.path()).unwrap() == expected, "{name}");
    chunk.leave_memory();
    assert!(chunk.blocks().is_none(), "{name}");
    chunk.delete().unwrap();
    assert!(!chunk.path().exists(), "{name}");
    chunk
}

#[test]
fn the_file_is_what_was_written_whenever_it_was_brought_there() {
    check("at the end", |_, _| {});
    check("before each piece", |_, open| open.flush().unwrap());
    check("now and then", |at, open| {
        if at % 3 == 0 {
            open.flush().unwrap()
        }
    });
    for left in 0..9 {
        let chunk = check("out of memory", |at, open| {
            if at == left {
                open.leave_memory()
            }
        });
        assert_eq!(chunk.name.index, 3);
    }
}

#[test]
fn a_chunk_is_split_wherever_its_bytes_are() {
    let piece = |byte: u8| vec![byte; BLOCK_BYTES / 2 + 3];
    let all: Vec<u8> = (0..6).flat_map(piece).collect();
    let places = [1, piece(0).len(), BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, all.len() - 1];
    // When it is brought to disk, when it leaves memory; never: 6.
    for (flushed, left) in [(6, 6), (0, 6), (3, 6), (5, 6), (6, 0), (6, 4)] {
        for at in places {
            let folder = tempfile::tempdir().unwrap();
            let spool = Spool::open(folder.path(), Some(1 << 30)).unwrap();
            let pool = Arc::default();
            let place = |index| {
                let mut open = OpenChunk::new(&account(&spool), &pool, folder.path(), NAME);
                open.number(index, GENERATION);
                open
            };
            let (mut open, mut next) = (place(0), place(1));
            for byte in 0..6 {
                open.write(&piece(byte));
                if usize::from(byte) == flushed {
                    open.flush().unwrap();
                }
                if usize::from(byte) == left {
                    open.leave_memory();
                }
            }
            next.write(b"headers");
            let bytes = open.read().unwrap();
            open.split(at as u64, bytes, &mut next);
            assert_eq!(spool.used_bytes(), open.bytes() + next.bytes());
            let more = piece(9);
            let expected = [[&all[..at], &more].concat(), [b"headers", &all[at..], &more].concat()];
            for (mut open, expected) in [open, next].into_iter().zip(expected) {
                open.write(&more);
                let mut chunk = open.close(9, false);
                if let Some(blocks) = chunk.blocks() {
                    assert!(blocks.concat() == expected, "at {at}, {flushed} {left}");
                }
                chunk.flush().unwrap();
                assert!(fs::read(chunk.path()).unwrap() == expected, "at {at}, {flushed} {left}");
                assert_eq!(chunk.bytes, expected.len() as u64);
                chunk.delete().unwrap();
            }
            assert_eq!(spool.used_bytes(), 0);
        }
    }
}

#[test]
fn a_chunk_is_kept_and_numbered_under_the_name_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), Some(1 << 30)).unwrap();
    let mut open = OpenChunk::new(&account(&spool), &Arc::default(), folder.path(), NAME);
    open.write(b"FLV");
    open.flush().unwrap();
    let kept = NAME.kept_path(folder.path());
    assert_eq!(fs::read(&kept).unwrap(), b"FLV");
    open.number(5, GENERATION);
    let name = ChunkName { index: 5, generation: GENERATION, ..NAME };
    assert!(!kept.exists() && name.path(folder.path()).exists());
    open.write(b" more");
    open.keep(4);
    open.flush().unwrap();
    assert_eq!(fs::read(ChunkName { index: 4, ..NAME }.kept_path(folder.path())).unwrap(), b"FLV more");
    open.number(6, GENERATION);
    let mut chunk = open.close(9, true);
    assert_eq!(chunk.name, ChunkName { index: 6, continues: true, ..name });
    chunk.number(8, GENERATION);
    assert_eq!(fs::read(ChunkName { index: 8, ..chunk.name }.path(folder.path())).unwrap(), b"FLV more");
}

#[test]
fn a_split_that_breaks_off_is_told_by_a_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), Some(1 << 30)).unwrap();
    let pool = Arc::default();
    let [mut open, mut next] = [0, 1].map(|index| {
        let mut open = OpenChunk::new(&account(&spool), &pool, folder.path(), NAME);
        open.number(index, GENERATION);
        open
    });
    let [first, second] =
        [0, 1].map(|index| ChunkName { index, generation: GENERATION, ..NAME }.path(folder.path()));
    // The file cannot have its own name: a folder is there.
    fs::create_dir(&second).unwrap();
    open.write(b"first, second");
    open.flush().unwrap();
    next.write(b"headers, ");
    let bytes = open.read().unwrap();
    open.split(7, bytes, &mut next);
    assert_eq!(fs::read(&first).unwrap(), b"first, ");
    assert_eq!(fs::read(split_path(&second, 7)).unwrap(), b"headers, second");
    // It is written to, and has its own name as soon as it can.
    next.write(b", more");
    next.flush().unwrap();
    assert_eq!(fs::read(split_path(&second, 7)).unwrap(), b"headers, second, more");
    fs::remove_dir(&second).unwrap();
    next.flush().unwrap();
    assert_eq!(fs::read(&second).unwrap(), b"headers, second, more");
}

#[test]
fn a_chunk_whose_file_cannot_be_cut_is_split_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), Some(1 << 30)).unwrap();
    let pool = Arc::default();
    for has_left in [false, true] {
        let [mut open, mut next] = [0, 1].map(|index| {
            let mut open = OpenChunk::new(&account(&spool), &pool, folder.path(), NAME);
            open.number(index, GENERATION);
            open
        });
        open.write(b"first, second");
        open.flush().unwrap();
        if has_left {
            open.leave_memory();
        }
        // One that is open to be read alone cannot be cut.
        open.copy.file = Some(File::open(&open.copy.path).unwrap());
        next.write(b"headers, ");
        let bytes = open.read().unwrap();
        open.split(7, bytes, &mut next);
        assert_eq!(spool.used_bytes(), open.bytes() + next.bytes());
        assert!(!split_path(&next.copy.path, 7).exists() && !next.copy.path.exists());
        for (open, expected) in [(open, &b"first, "[..]), (next, b"headers, second")] {
            let mut chunk = open.close(9, false);
            chunk.prepare().unwrap();
            assert_eq!(fs::read(chunk.path()).unwrap(), expected);
            chunk.delete().unwrap();
        }
        assert_eq!(spool.used_bytes(), 0);
    }
}

#[test]
fn a_name_that_the_disk_refuses_is_remembered_and_given_once_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), Some(1 << 30)).unwrap();
    for is_in_memory in [true, false] {
        let mut open = OpenChunk::new(&account(&spool), &Arc::default(), folder.path(), NAME);
        open.write(b"some");
        open.flush().unwrap();
        if !is_in_memory {
            open.leave_memory();
        }
        let kept = NAME.kept_path(folder.path());
        let name = ChunkName { index: 5, generation: GENERATION, continues: true, ..NAME };
        let refused = [ChunkName { continues: false, ..name }, name].map(|name| name.path(folder.path()));
        refused.iter().for_each(|path| fs::create_dir(path).unwrap());
        open.number(5, GENERATION);
        open.write(b" more");
        let mut chunk = open.close(9, true);
        assert_eq!((chunk.name, chunk.path(), chunk.bytes), (name, &*kept, 9));
        chunk.prepare().unwrap();
        assert_eq!(fs::read(&kept).unwrap(), b"some more");
        refused.iter().for_each(|path| fs::remove_dir(path).unwrap());
        chunk.prepare().unwrap();
        assert!(!kept.exists());
        assert_eq!(fs::read(&refused[1]).unwrap(), b"some more");
        assert_eq!(chunk.path(), refused[1]);
        chunk.delete().unwrap();
    }
}

#[test]
fn a_chunk_that_waits_holds_no_descriptor() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), Some(1 << 30)).unwrap();
    for is_in_memory in [true, false] {
        let mut open = OpenChunk::new(&account(&spool), &Arc::default(), folder.path(), NAME);
        open.number(3, GENERATION);
        open.write(b"all of it");
        open.flush().unwrap();
        if !is_in_memory {
            open.leave_memory();
        }
        let chunk = open.close(9, false);
        assert!(chunk.is_on_disk() && chunk.copy.file.is_none(), "{is_in_memory}");
        chunk.delete().unwrap();
    }
}
