//! What a restart finds in the spool.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use anyhow::Context;
use flv::{FILE_HEADER_SIZE, TAG_HEADER_SIZE, TagClass, TagHeader};
use protocol::{Generation, LossReason, LostChunk, StreamPath};
use tokio::time::Instant;

use super::{
    charge::Account,
    chunk::Chunk,
    folder::Spool,
    gap::Gap,
    record::{ChunkName, End, Record, is_kept, parse_split_path},
    waiting::Waiting,
};

/// Bytes of a tag's body that tell what it is.
const BODY_START: usize = 64;

/// A push that an earlier gateway did not complete.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) path: StreamPath,
    pub(crate) folder: PathBuf,
    pub(crate) record: Record,
    pub(crate) account: Arc<Account>,
    /// Chunks, and the places of those that will not come, in order.
    pub(crate) waiting: Vec<Waiting>,
}

impl Recovered {
    /// Whether chunks were to be resent, and are not here any more.
    pub(super) fn is_nothing(&self) -> bool {
        self.record.is_resent && self.waiting.is_empty() && self.record.session.is_none()
    }

    /// Deletes its folder.
    pub(super) fn delete(&self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| format!("while deleting {}", self.folder.display()))
    }
}

/// The pushes in the spool, in the order in which they came.
///
/// Each one is over: its end is the time of the last write if it is not known, and written down. A folder that cannot be
/// understood is left alone and logged.
pub(crate) fn recover(spool: &Arc<Spool>) -> anyhow::Result<Vec<Recovered>> {
    let pushes = spool.pushes();
    let mut folders = Vec::new();
    for entry in fs::read_dir(&pushes).with_context(|| format!("while listing {}", pushes.display()))? {
        folders.push(entry?.path());
    }
    folders.sort();
    let mut recovered = Vec::new();
    for folder in folders {
        match recover_push(spool, &folder) {
            // A crash came before a chunk was moved there.
            Ok(push) if push.is_nothing() => push.delete()?,
            Ok(push) => recovered.push(push),
            Err(error) => tracing::error!("push in {} cannot be recovered: {error:#}", folder.display()),
        }
    }
    Ok(recovered)
}

pub(super) fn recover_push(spool: &Arc<Spool>, folder: &Path) -> anyhow::Result<Recovered> {
    let mut record = Record::load(folder)?;
    let path = record.stream_path()?;
    let account = spool.account(&path);
    let mut last_write_ms = modified_ms(folder)?;
    let (mut files, mut splits, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(name) = ChunkName::parse(&path) {
            files.push((name, path));
        } else if let Some((whole, at)) = parse_split_path(&path) {
            splits.push((path, whole, at));
        } else if let Some(gap) = Gap::parse(&path) {
            waiting.push(Waiting::Lost(gap));
        } else if is_kept(&path) {
            last_write_ms = last_write_ms.max(modified_ms(&path)?);
            fs::remove_file(&path)?;
        }
    }
    for (path, whole, at) in splits {
        let Some(name) = ChunkName::parse(&whole) else { continue };
        let before = files.iter().find(|(before, _)| before.index + 1 == name.index);
        let is_moved = before.map_or(Ok(true), |(_, before)| is_at_most(before, at))?;
        if is_moved {
            fs::rename(path, &whole)?;
            files.push((name, whole));
        } else {
            fs::remove_file(path)?;
        }
    }
    for (_, path) in &files {
        last_write_ms = last_write_ms.max(modified_ms(path)?);
    }
    files.sort();
    let last_index = files.last().map_or(0, |(name, _)| name.index);
    let session = record.session.as_ref();
    let (first_index, known_to) = session.map_or((0, 0), |session| (session.first_index, session.known_to));
    for (name, path) in files {
        let is_lost = waiting.iter().any(|gap| gap.index() == name.index);
        let bytes = trim(&path).with_context(|| format!("while trimming {}", path.display()))?;
        // What was not wanted, or is told lost: a crash came before its file was deleted.
        if bytes > 0 && !is_lost && name.index >= first_index {
            waiting.push(Waiting::Chunk(Chunk::found(&account, path, name, bytes)));
            continue;
        }
        // One without a byte may have been sent from memory, where the disk had refused it; and the functions wait for
        // each one that the end counts.
        let is_counted = record.end.is_some_and(|end| name.index < end.next_index);
        let may_be_known = name.index < last_index || is_counted || is_at_most(&path, 0)?;
        if bytes == 0 && !is_lost && name.index >= first_index && may_be_known {
            let ChunkName { index, offset_ms, generation, .. } = name;
            waiting.push(damaged(folder, index, offset_ms, offset_ms, generation)?);
        }
        fs::remove_file(&path)?;
    }
    waiting.sort_by_key(Waiting::index);
    let began_at_ms = record.began_at_ms;
    let next_index = waiting.last().map_or(first_index.max(known_to), |last| last.index() + 1);
    let duration_ms = last_write_ms.saturating_sub(began_at_ms);
    let end = record.end.get_or_insert(End { duration_ms, next_index });
    if record.is_resent && record.session.is_none() {
        // A crash may have come before all of it was moved here. Once it has a session, all of it was.
        end.next_index = next_index;
    }
    // A crash may have come between a chunk and the end that counts it.
    end.next_index = end.next_index.max(next_index);
    let end = *end;
    let waiting = with_gaps(folder, waiting, first_index.max(known_to), &end)?;
    if let Err(error) = record.save(folder) {
        // It is found out again.
        tracing::error!("{} cannot be written: {error}", folder.display());
    }
    Ok(Recovered { path, folder: folder.to_owned(), record, account, waiting })
}

/// Fills the places of chunks whose files a loss of power took, up to the end: the functions wait for all of them. Where
/// none is found, the first that they do not know is `unknown_from`.
fn with_gaps(folder: &Path, found: Vec<Waiting>, unknown_from: u64, end: &End) -> io::Result<Vec<Waiting>> {
    let mut waiting: Vec<Waiting> = Vec::with_capacity(found.len());
    for mut next in found {
        if let Some(before) = waiting.last_mut() {
            if let Waiting::Chunk(chunk) = before {
                chunk.end_ms = next.offset_ms();
            }
            let (from_ms, generation) = match before {
                Waiting::Chunk(chunk) => (chunk.end_ms, chunk.name.generation),
                Waiting::Lost(gap) => (gap.lost.to_ms, gap.lost.generation),
            };
            for index in before.index() + 1..next.index() {
                waiting.push(damaged(folder, index, from_ms, next.offset_ms(), generation)?);
            }
        }
        if let Waiting::Chunk(chunk) = &mut next {
            chunk.end_ms = end.duration_ms.max(chunk.end_ms);
        }
        waiting.push(next);
    }
    let (from, generation) = match waiting.last() {
        Some(Waiting::Chunk(chunk)) => (chunk.name.index + 1, chunk.name.generation),
        Some(Waiting::Lost(gap)) => (gap.index + 1, gap.lost.generation),
        None => (unknown_from, Generation::default()),
    };
    for index in from..end.next_index {
        waiting.push(damaged(folder, index, end.duration_ms, end.duration_ms, generation)?);
    }
    Ok(waiting)
}

/// The place of a chunk whose file was lost; it was perhaps tried until just now.
fn damaged(
    folder: &Path,
    index: u64,
    from_ms: u64,
    to_ms: u64,
    generation: Generation,
) -> io::Result<Waiting> {
    let lost = LostChunk { lost: LossReason::Damaged, from_ms, to_ms, generation };
    let gap = Gap::new(folder, index, lost, Some(Instant::now()));
    gap.save()?;
    Ok(Waiting::Lost(gap))
}

fn is_at_most(path: &Path, bytes: u64) -> io::Result<bool> {
    Ok(fs::metadata(path)?.len() <= bytes)
}

fn modified_ms(path: &Path) -> io::Result<u64> {
    let since = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH);
    Ok(since.map_or(0, |since| since.as_millis() as u64))
}

/// Cuts a chunk back to whole tags and returns the bytes left; 0 when it holds no coded frame.
pub(crate) fn trim(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let size = file.metadata()?.len();
    let mut whole = FILE_HEADER_SIZE as u64;
    let mut has_frame = false;
    while let Some((tag_bytes, is_frame)) = read_tag(&mut file, whole, size)? {
        whole += tag_bytes;
        has_frame |= is_frame;
    }
    if !has_frame {
        return Ok(0);
    }
    if whole < size {
        file.set_len(whole)?;
    }
    Ok(whole)
}

/// Bytes of the tag at `offset` and whether it is a coded frame, or `None` if no whole tag is there.
fn read_tag(file: &mut File, offset: u64, size: u64) -> io::Result<Option<(u64, bool)>> {
    let mut start = [0; TAG_HEADER_SIZE + BODY_START];
    let available = size.saturating_sub(offset).min(start.len() as u64) as usize;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut start[..available])?;
    let Some((header, body)) = start[..available].split_first_chunk() else { return Ok(None) };
    // After a loss of power a file may have its length and not its bytes.
    let Some(header) = TagHeader::parse(header) else { return Ok(None) };
    let tag_bytes = u64::from(header.tag_size());
    if offset + tag_bytes > size {
        return Ok(None);
    }
    let mut previous_tag_size = [0; 4];
    file.seek(SeekFrom::Start(offset + tag_bytes - 4))?;
    file.read_exact(&mut previous_tag_size)?;
    if u32::from_be_bytes(previous_tag_size) != header.previous_tag_size() {
        return Ok(None);
    }
    let body = &body[..body.len().min(header.body_size as usize)];
    Ok(Some((tag_bytes, TagClass::of(header.kind, body).is_frame())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::record::{Push, Session, split_path};

    const NAME: ChunkName = ChunkName {
        index: 0,
        offset_ms: 0,
        generation: Generation { orders: 0, files: 0 },
        continues: false,
    };

    /// A spool with the folder of one push, which has nothing but its record.
    fn spooled(session: Option<Session>) -> (tempfile::TempDir, Arc<Spool>, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
        let folder = spool.pushes().join("p");
        fs::create_dir(&folder).unwrap();
        let push = Push { domain: "d".into(), app: "a".into(), stream: "s".into(), ..Push::default() };
        let mut record = Record::new(push);
        record.session = session;
        record.create(&folder).unwrap();
        (root, spool, folder)
    }

    #[test]
    fn a_split_that_a_crash_broke_off_leaves_each_tag_once() {
        let tag = |name: &[u8]| {
            let mut bytes = Vec::new();
            flv::write_tag(&mut bytes, flv::TagKind::Audio, 40, &[&[0xaf, 1], name].concat()).unwrap();
            bytes
        };
        let mut header = Vec::new();
        flv::write_header(&mut header, true, false);
        let [first, second] = [&b"first"[..], b"second"].map(tag);
        let whole = [&header[..], &first, &second].concat();
        let at = (header.len() + first.len()) as u64;
        let moved = [&header[..], &second].concat();
        // The crash came before the first chunk was cut, or after it; or as the moved bytes were written.
        for (before, split, expected) in [
            (&whole[..], &moved[..], vec![whole.clone()]),
            (&whole, &moved[..20], vec![whole.clone()]),
            (&whole[..at as usize], &moved, vec![whole[..at as usize].to_vec(), moved.clone()]),
        ] {
            let (_root, spool, folder) = spooled(None);
            let generation = Generation::default();
            let name = |index, offset_ms| ChunkName { index, offset_ms, generation, continues: false };
            let next = name(4, 2_000).path(&folder);
            fs::write(name(3, 0).path(&folder), before).unwrap();
            fs::write(split_path(&next, at), split).unwrap();
            let found = recover(&spool).unwrap().remove(0);
            let read = |waiting: &Waiting| match waiting {
                Waiting::Chunk(chunk) => fs::read(chunk.path()).unwrap(),
                Waiting::Lost(gap) => panic!("{gap:?}"),
            };
            let chunks: Vec<_> = found.waiting.iter().map(read).collect();
            assert_eq!(chunks, expected);
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 2 + expected.len());
        }
    }

    #[test]
    fn the_places_of_lost_files_are_told_and_what_nobody_wants_is_gone() {
        let session = Session { id: "s".into(), first_index: 2, known_to: 0, is_end_told: false };
        let (_root, spool, folder) = spooled(Some(session));
        let mut whole = Vec::new();
        flv::write_header(&mut whole, true, false);
        flv::write_tag(&mut whole, flv::TagKind::Audio, 40, &[0xaf, 1, 7]).unwrap();
        let generation = Generation { orders: 1, files: 0 };
        let name = |index: u64| ChunkName { index, offset_ms: index * 10, generation, continues: false };
        // Not wanted, torn, whole, missing, whole, given up before its file was deleted, torn as the last one.
        for (index, bytes) in
            [(1, &whole[..]), (2, &whole[..15]), (3, &whole), (5, &whole), (6, &whole), (7, &whole[..9])]
        {
            fs::write(name(index).path(&folder), bytes).unwrap();
        }
        let shed = LostChunk { lost: LossReason::Shed, from_ms: 60, to_ms: 70, generation };
        Gap::new(&folder, 6, shed, None).save().unwrap();
        fs::write(name(9).kept_path(&folder), &whole).unwrap();
        for _ in 0..2 {
            let found = recover(&spool).unwrap().remove(0);
            let places: Vec<_> = found
                .waiting
                .iter()
                .map(|waiting| match waiting {
                    Waiting::Chunk(chunk) => (chunk.name.index, None, chunk.end_ms),
                    Waiting::Lost(gap) => (gap.index, Some(gap.lost.lost), gap.lost.to_ms),
                })
                .collect();
            let (damaged, shed) = (Some(LossReason::Damaged), Some(LossReason::Shed));
            assert_eq!(places[..4], [(2, damaged, 20), (3, None, 50), (4, damaged, 50), (5, None, 60)]);
            assert_eq!(places[4..], [(6, shed, 70)]);
            assert_eq!(found.record.end.map(|end| end.next_index), Some(7));
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 2 + 5);
        }
    }

    #[test]
    fn a_push_is_completed_though_a_loss_of_power_took_how_far_it_was() {
        let session = Session { id: "s".into(), first_index: 2, known_to: 0, is_end_told: false };
        let (_root, spool, folder) = spooled(Some(session));
        let mut whole = Vec::new();
        flv::write_header(&mut whole, true, false);
        flv::write_tag(&mut whole, flv::TagKind::Audio, 40, &[0xaf, 1, 7]).unwrap();
        let name = |index| ChunkName { index, offset_ms: index * 10, ..NAME };
        fs::write(name(4).path(&folder), &whole).unwrap();
        // It has its length, or not even that; and so have the chunks after it.
        for progress in [&[0; 40][..], &[]] {
            fs::write(folder.join("progress.json"), progress).unwrap();
            fs::write(name(5).path(&folder), &progress[..0]).unwrap();
            fs::write(name(6).path(&folder), [0; 70]).unwrap();
            let found = recover(&spool).unwrap().remove(0);
            assert_eq!(found.waiting.iter().map(Waiting::index).collect::<Vec<_>>(), [4, 5]);
            let Some(Waiting::Lost(gap)) = found.waiting.last() else { panic!("{:?}", found.waiting) };
            assert_eq!(gap.lost.lost, LossReason::Damaged);
            assert_eq!(found.record.end.map(|end| end.next_index), Some(6));
            assert_eq!(found.record.session.map(|session| session.id), Some("s".into()));
        }
    }

    #[test]
    fn what_is_missing_at_the_end_is_told_up_to_the_end_that_was_told() {
        let mut whole = Vec::new();
        flv::write_header(&mut whole, true, false);
        flv::write_tag(&mut whole, flv::TagKind::Audio, 40, &[0xaf, 1, 7]).unwrap();
        let generation = Generation { orders: 1, files: 1 };
        let name = |index| ChunkName { index, offset_ms: index * 10, generation, continues: false };
        // Of the chunks 2 to 7: how far the functions know them, the files that are left, and which of them is torn.
        for (known_to, files, torn, first_lost) in [
            (0, &[2, 3, 4, 5, 6, 7][..], 7, 7),
            (3, &[3, 4, 5], 5, 5),
            (3, &[3, 4], 9, 5),
            (5, &[7], 7, 7),
            (6, &[], 9, 6),
            (0, &[], 9, 2),
            (8, &[], 9, 8),
        ] {
            for (is_resent, is_end_told) in [(false, false), (false, true), (true, true)] {
                let session = Session { id: "s".into(), first_index: 2, known_to, is_end_told };
                let (_root, spool, folder) = spooled(Some(session));
                let mut record = Record::load(&folder).unwrap();
                record.is_resent = is_resent;
                record.create(&folder).unwrap();
                record.end = Some(End { duration_ms: 80, next_index: 8 });
                record.save(&folder).unwrap();
                for index in files {
                    let bytes = if *index == torn { &whole[..15] } else { &whole };
                    fs::write(name(*index).path(&folder), bytes).unwrap();
                }
                for _ in 0..2 {
                    let found = recover(&spool).unwrap().remove(0);
                    assert_eq!(found.record.end, Some(End { duration_ms: 80, next_index: 8 }));
                    let first = files.first().copied().unwrap_or(first_lost);
                    let places: Vec<_> = found.waiting.iter().map(Waiting::index).collect();
                    assert_eq!(places, (first..8).collect::<Vec<_>>(), "{known_to} {files:?}");
                    for waiting in &found.waiting {
                        match waiting {
                            Waiting::Chunk(chunk) => assert!(chunk.name.index < first_lost),
                            Waiting::Lost(gap) => {
                                assert!(gap.index >= first_lost);
                                assert_eq!(gap.lost.lost, LossReason::Damaged);
                                assert!(gap.lost.from_ms <= gap.lost.to_ms && gap.lost.to_ms <= 80);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_push_whose_chunks_are_all_known_has_as_many_as_there_were() {
        let session = Session { id: "s".into(), first_index: 2, known_to: 7, is_end_told: false };
        let (_root, spool, _) = spooled(Some(session));
        let found = recover(&spool).unwrap().remove(0);
        assert!(found.waiting.is_empty());
        assert_eq!(found.record.end.map(|end| end.next_index), Some(7));
    }

    #[test]
    fn a_chunk_torn_at_any_byte_keeps_its_whole_tags() {
        let mut bytes = Vec::new();
        flv::write_header(&mut bytes, true, true);
        let mut ends = vec![(bytes.len(), false)];
        let bodies: [(flv::TagKind, &[u8], bool); 5] = [
            (flv::TagKind::Video, &[0x17, 0, 0, 0, 0, 1, 2, 3], false),
            (flv::TagKind::Audio, &[0xaf, 0, 0x12, 0x10], false),
            (flv::TagKind::Video, &[0x17, 1, 0, 0, 0, 9, 9, 9, 9, 9], true),
            (flv::TagKind::Audio, &[0xaf, 1, 7], true),
            (flv::TagKind::Video, &[0x27; 100], true),
        ];
        for (kind, body, has_frame) in bodies {
            flv::write_tag(&mut bytes, kind, 40, body).unwrap();
            ends.push((bytes.len(), has_frame));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0000000000+1+0.0.flv");
        for torn in 0..=bytes.len() {
            fs::write(&path, &bytes[..torn]).unwrap();
            let last = ends.iter().rfind(|(end, _)| *end <= torn);
            let expected = last.filter(|(_, has_frame)| *has_frame).map_or(0, |(end, _)| *end);
            assert_eq!(trim(&path).unwrap(), expected as u64, "torn at {torn}");
            if expected > 0 {
                assert_eq!(fs::read(&path).unwrap(), bytes[..expected], "torn at {torn}");
            }
        }
        // A tail of zeros: the length was written and the bytes were not.
        let lost = [&bytes[..ends[4].0], &[0; 115]].concat();
        fs::write(&path, lost).unwrap();
        assert_eq!(trim(&path).unwrap(), ends[4].0 as u64);
    }
}
