use super::*;
use crate::spool::record::{Push, Session, split_path};

const NAME: ChunkName =
    ChunkName { index: 0, offset_ms: 0, generation: Generation { orders: 0, files: 0 }, continues: false };

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
fn a_push_of_many_tracks_is_found_as_it_was_left() {
    let (_root, spool, folder) = spooled(None);
    let track = |id: u8| [&[id, 0, 0, 205][..], &[0; 5], &[7; 200]].concat();
    let picture = [b"\x96\x11avc1", &track(0)[..], &track(1)].concat();
    let mut bytes = Vec::new();
    flv::write_header(&mut bytes, false, true);
    for at in 0..100 {
        flv::write_tag(&mut bytes, flv::TagKind::Video, at * 40, &picture).unwrap();
    }
    fs::write(NAME.path(&folder), &bytes).unwrap();
    let found = recover(&spool).unwrap().remove(0);
    let [Waiting::Chunk(chunk)] = &found.waiting[..] else { panic!("{:?}", found.waiting) };
    assert!(fs::read(chunk.path()).unwrap() == bytes);
    assert_eq!(found.record.end.map(|end| end.next_index), Some(1));
}

#[test]
fn a_chunk_that_cannot_be_read_keeps_no_other_from_being_found() {
    let (_root, spool, folder) = spooled(None);
    let mut whole = Vec::new();
    flv::write_header(&mut whole, true, false);
    flv::write_tag(&mut whole, flv::TagKind::Audio, 40, &[0xaf, 1, 7]).unwrap();
    let name = |index| ChunkName { index, ..NAME };
    for index in [3, 5, 6] {
        fs::write(name(index).path(&folder), &whole).unwrap();
    }
    // No file can be read or written where a folder is.
    fs::create_dir(name(4).path(&folder)).unwrap();
    fs::create_dir(name(9).kept_path(&folder)).unwrap();
    // Nothing can be said of one that cannot even be looked at, and it is not deleted in doubt.
    let hidden = name(7).path(&folder);
    std::os::unix::fs::symlink(&hidden, &hidden).unwrap();
    let found = recover(&spool).unwrap().remove(0);
    let chunks = found.waiting.iter().filter(|waiting| matches!(waiting, Waiting::Chunk(_)));
    assert_eq!(chunks.map(Waiting::index).collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
    assert!(fs::symlink_metadata(&hidden).is_ok());
}
