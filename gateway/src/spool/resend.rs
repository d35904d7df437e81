//! Refused chunks that are brought to the functions again: each run of them is a push of its own.

use std::{fs, io, path::Path, sync::Arc};

use super::{
    folder::Spool,
    record::{ChunkName, End, Push, Record},
    recover::{Recovered, recover_push},
    refused::{ChunkId, Refused, refused_path},
};

/// Makes pushes of refused chunks; those that follow one another in one push stay together. Chunks that are not here any
/// more are left out.
///
/// A crash in between leaves each chunk in one place: what is not moved yet is moved when the request is followed again.
pub(crate) fn resend(spool: &Arc<Spool>, chunks: &[ChunkId]) -> anyhow::Result<Vec<Recovered>> {
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
    let mut pushes = Vec::new();
    for run in found.chunk_by(follows) {
        let push = resend_run(spool, run)?;
        // Somebody has dropped all of it meanwhile.
        if push.is_nothing() {
            push.delete()?;
        } else {
            pushes.push(push);
        }
    }
    Ok(pushes)
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

fn resend_run(spool: &Arc<Spool>, run: &[(ChunkId, Refused)]) -> anyhow::Result<Recovered> {
    let [(_, first), ..] = run else { anyhow::bail!("there is nothing to resend") };
    let last_end_ms = run.last().map_or(0, |(_, last)| last.end_ms);
    let id = Push::new_id();
    let mut record = Record::new(Push { id: id.clone(), ..first.record.push.clone() });
    record.codecs = first.record.codecs.clone();
    record.began_at_ms = first.record.began_at_ms;
    record.end = Some(End { duration_ms: last_end_ms, next_index: run.len() as u64 });
    record.is_resent = true;
    record.resends = first.resends();
    let folder = spool.pushes().join(id);
    fs::create_dir(&folder)?;
    record.save_durably(&folder)?;
    for (at, (id, refused)) in run.iter().enumerate() {
        // Nothing comes after the last one.
        let continues = refused.name.continues && at + 1 < run.len();
        let name = ChunkName { index: at as u64, continues, ..refused.name };
        take(&refused_path(spool.refused(), id), &name.path(&folder))?;
        spool.forget_refused(id);
    }
    recover_push(spool, &folder)
}

/// Moves a chunk; who drops it meanwhile has it.
fn take(flv: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(flv, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match fs::remove_file(flv.with_extension("json")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
        let pushes = resend(&spool, &chunks).unwrap();
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
        assert!(resend(&spool, &chunks).unwrap().is_empty(), "they are not there any more");
    }

    #[test]
    fn a_crash_in_the_middle_leaves_each_chunk_in_one_place() {
        for moved in 0..3 {
            let root = tempfile::tempdir().unwrap();
            let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
            let chunks = refuse(&spool, &[3, 4, 5]);
            let push = resend(&spool, &chunks).unwrap().remove(0);
            // As it was before the last ones were moved.
            for waiting in &push.waiting[moved..] {
                let Waiting::Chunk(chunk) = waiting else { panic!("{waiting:?}") };
                fs::remove_file(chunk.path()).unwrap();
            }
            refuse(&spool, &[3, 4, 5][moved..]);
            let mut found = recover(&spool).unwrap();
            assert_eq!(found.len(), usize::from(moved > 0));
            found.extend(resend(&spool, &chunks).unwrap());
            let (first, rest) = (moved as u64, 3 - moved as u64);
            let mut expected = vec![(Some(1), moved, first), (Some(1 + first), 3 - moved, rest)];
            expected.retain(|(_, count, _)| *count > 0);
            assert_eq!(told(&found), expected);
        }
    }
}
