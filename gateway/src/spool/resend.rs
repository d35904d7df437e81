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
    found.chunk_by(follows).map(|run| resend_run(spool, run)).collect()
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
