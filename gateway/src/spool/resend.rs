//! Refused chunks that are brought to the functions again: each run of them is a push of its own.

use std::{fs, io, path::Path, sync::Arc};

use anyhow::Context;

use super::{
    folder::Spool,
    record::{ChunkName, End, Push, Record},
    recover::{Recovered, recover_push},
    refused::{ChunkId, Refused, refused_path},
};

/// Makes pushes of refused chunks, and gives each away once it is made; those that follow one another in one push stay
/// together. Chunks that are not here any more are left out. A run that cannot be made a push keeps none of the others
/// back; the answer is the first error.
///
/// A crash or an error in between leaves each chunk in one place: what is not moved yet is moved when the request is
/// followed again.
pub(crate) fn resend(
    spool: &Arc<Spool>,
    chunks: &[ChunkId],
    mut made: impl FnMut(Recovered),
) -> anyhow::Result<()> {
    let mut chunks = chunks.to_vec();
    chunks.sort();
    chunks.dedup();
    let mut found = Vec::new();
    for id in chunks {
        let flv = refused_path(spool.refused(), &id);
        match Refused::load(&flv) {
            Ok(refused) if flv.exists() => found.push((id, refused)),
            Ok(_) => drop(fs::remove_file(flv.with_extension("json"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!("refused chunk {id} cannot be resent: {error}"),
        }
    }
    let follows = |before: &(ChunkId, Refused), next: &(ChunkId, Refused)| {
        before.0.push == next.0.push && before.0.chunk + 1 == next.0.chunk
    };
    let mut done = Ok(());
    for run in found.chunk_by(follows) {
        match resend_run(spool, run) {
            Ok(push) => push.into_iter().for_each(&mut made),
            Err(error) => done = done.and(Err(error)),
        }
    }
    done
}

/// Whether the loss of a refused chunk is not told yet: until then its number may still be that of its media.
pub(crate) fn is_loss_untold(spool: &Spool, id: &ChunkId) -> io::Result<bool> {
    let entries = match fs::read_dir(spool.pushes().join(&id.push)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let begin = format!("{:010}+", id.chunk);
    for entry in entries {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(&begin) && name.ends_with(".lost")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a push of chunks that follow one another; `None` if somebody has dropped all of them meanwhile.
fn resend_run(spool: &Arc<Spool>, run: &[(ChunkId, Refused)]) -> anyhow::Result<Option<Recovered>> {
    let [(_, first), ..] = run else { anyhow::bail!("there is nothing to resend") };
    let last_end_ms = run.last().map_or(0, |(_, last)| last.end_ms);
    let id = spool.new_push_id();
    let mut record = Record::new(Push { id: id.clone(), ..first.record.push.clone() });
    record.codecs = first.record.codecs.clone();
    record.began_at_ms = first.record.began_at_ms;
    record.end = Some(End { duration_ms: last_end_ms, next_index: run.len() as u64 });
    record.is_resent = true;
    record.resends = first.resends();
    let folder = spool.pushes().join(id);
    let made = fs::create_dir(&folder).and_then(|()| record.save_durably(&folder));
    let moved = made.and_then(|()| move_run(spool, run, &folder));
    if let Err(error) = moved {
        // As many as could be moved are a push; the others are moved when the request is followed again.
        if !has_chunks(&folder) {
            let _ = fs::remove_dir_all(&folder);
            return Err(error).with_context(|| format!("while resending chunk {}", run[0].0));
        }
        tracing::error!("chunks of {} cannot be moved yet: {error}", folder.display());
    }
    let push = recover_push(spool, &folder)?;
    if push.is_nothing() {
        push.delete()?;
        return Ok(None);
    }
    Ok(Some(push))
}

fn move_run(spool: &Spool, run: &[(ChunkId, Refused)], folder: &Path) -> io::Result<()> {
    for (at, (id, refused)) in run.iter().enumerate() {
        // Nothing comes after the last one.
        let continues = refused.name.continues && at + 1 < run.len();
        let name = ChunkName { index: at as u64, continues, ..refused.name };
        take(&refused_path(spool.refused(), id), &name.path(folder))?;
        spool.forget_refused(id);
    }
    Ok(())
}

fn has_chunks(folder: &Path) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.into_iter().any(|file| ChunkName::parse(&file.path()).is_some())
}

/// Moves a chunk; who drops it meanwhile has it.
fn take(flv: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(flv, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let json = flv.with_extension("json");
    match fs::remove_file(&json) {
        // The chunk is moved.
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::error!("{} cannot be deleted: {error}", json.display());
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use protocol::{Generation, Resends};

    use super::*;
    use crate::spool::{Session, Waiting, recover};

    /// Refuses chunks of a push, whose session began with the chunk 2.
    fn refuse(spool: &Spool, chunks: &[u64]) -> Vec<ChunkId> {
        let mut whole = Vec::new();
        flv::write_header(&mut whole, true, false);
        flv::write_tag(&mut whole, flv::TagKind::Audio, 40, &[0xaf, 1, 7]).unwrap();
        let push = Push { id: "p".into(), domain: "d".into(), app: "a".into(), ..Push::default() };
        let mut record = Record::new(Push { stream: "s".into(), ..push });
        record.session = Some(Session { id: "s".into(), first_index: 2, known_to: 9, is_end_told: true });
        let refuse = |index| {
            let (offset_ms, generation) = (index * 10, Generation { orders: 1, files: 0 });
            let name = ChunkName { index, offset_ms, generation, continues: true };
            let (record, reason) = (record.clone(), "r".to_owned());
            let refused = Refused { record, name, end_ms: offset_ms + 9, reason, refused_at_ms: 0 };
            let file = spool.refused().join("chunk");
            fs::write(&file, &whole).unwrap();
            refused.keep(spool.refused(), &file).unwrap()
        };
        chunks.iter().map(|index| refuse(*index)).collect()
    }

    fn resent(spool: &Arc<Spool>, chunks: &[ChunkId]) -> Vec<Recovered> {
        let mut pushes = Vec::new();
        resend(spool, chunks, |push| pushes.push(push)).unwrap();
        pushes
    }

    /// Of each push, what it resends, how many chunks it has, and how many it says that it has.
    fn told(pushes: &[Recovered]) -> Vec<(Option<u64>, usize, u64)> {
        let seq = |push: &Recovered| push.record.resends.as_ref().map(|Resends { seq, .. }| *seq);
        let count = |push: &Recovered| push.record.end.unwrap().next_index;
        pushes.iter().map(|push| (seq(push), push.waiting.len(), count(push))).collect()
    }

    #[test]
    fn chunks_that_follow_one_another_stay_together() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
        let mut chunks = refuse(&spool, &[3, 4, 5, 8]);
        chunks.reverse();
        let pushes = resent(&spool, &chunks);
        assert_eq!(told(&pushes), [(Some(1), 3, 3), (Some(6), 1, 1)]);
        let names = |push: &Recovered| -> Vec<_> {
            let name = |waiting: &Waiting| match waiting {
                Waiting::Chunk(chunk) => (chunk.name.index, chunk.name.offset_ms, chunk.name.continues),
                Waiting::Lost(gap) => panic!("{gap:?}"),
            };
            push.waiting.iter().map(name).collect()
        };
        assert_eq!(names(&pushes[0]), [(0, 30, true), (1, 40, true), (2, 50, false)]);
        assert_eq!(fs::read_dir(spool.refused()).unwrap().count(), 0);
        assert!(resent(&spool, &chunks).is_empty(), "they are not there any more");
    }

    #[test]
    fn a_run_that_fails_keeps_none_of_the_others_back_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
        let chunks = refuse(&spool, &[3, 5, 6]);
        let (pushes, away) = (spool.pushes(), root.path().join("away"));
        let mut made = Vec::new();
        // The disk refuses from then on.
        let refusing = |push| {
            made.push(push);
            fs::rename(&pushes, &away).unwrap();
            fs::write(&pushes, b"").unwrap();
        };
        let error = format!("{:#}", resend(&spool, &chunks, refusing).unwrap_err());
        assert!(error.starts_with("while resending chunk p/5: "), "{error}");
        assert_eq!(told(&made), [(Some(1), 1, 1)]);
        fs::remove_file(&pushes).unwrap();
        fs::rename(&away, &pushes).unwrap();
        assert_eq!(fs::read_dir(&pushes).unwrap().count(), 1);
        assert_eq!(told(&resent(&spool, &chunks)), [(Some(3), 2, 2)]);
        assert_eq!(fs::read_dir(&pushes).unwrap().count(), 2);
    }

    #[test]
    fn a_crash_in_the_middle_leaves_each_chunk_in_one_place() {
        for moved in 0..3 {
            let root = tempfile::tempdir().unwrap();
            let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
            let chunks = refuse(&spool, &[3, 4, 5]);
            let push = resent(&spool, &chunks).remove(0);
            // As it was before the last ones were moved.
            for waiting in &push.waiting[moved..] {
                let Waiting::Chunk(chunk) = waiting else { panic!("{waiting:?}") };
                fs::remove_file(chunk.path()).unwrap();
            }
            refuse(&spool, &[3, 4, 5][moved..]);
            let mut found = recover(&spool).unwrap();
            assert_eq!(found.len(), usize::from(moved > 0));
            found.extend(resent(&spool, &chunks));
            let (first, rest) = (moved as u64, 3 - moved as u64);
            let mut expected = vec![(Some(1), moved, first), (Some(1 + first), 3 - moved, rest)];
            expected.retain(|(_, count, _)| *count > 0);
            assert_eq!(told(&found), expected);
        }
    }
}
