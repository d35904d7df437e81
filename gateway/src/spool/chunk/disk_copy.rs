//! What of a chunk is on disk.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// A file that has the first bytes of a chunk; there is none before the first of them.
#[derive(Debug)]
pub(super) struct DiskCopy {
    pub(super) path: PathBuf,
    /// The path that it is to have, where the disk refuses to rename it.
    pub(super) due: Option<PathBuf>,
    pub(super) file: Option<File>,
    pub(super) bytes: u64,
}

impl DiskCopy {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, due: None, file: None, bytes: 0 }
    }

    /// Appends what it lacks of `pieces`, which are the chunk from a byte on that it has reached.
    pub(super) fn write<'a>(&mut self, from: u64, pieces: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        let mut end = from;
        for piece in pieces {
            end += piece.len() as u64;
            self.write_end(piece, end)?;
        }
        Ok(())
    }

    /// Appends what it lacks of `piece`, which ends at `end`.
    fn write_end(&mut self, piece: &[u8], end: u64) -> io::Result<()> {
        if end <= self.bytes {
            return Ok(());
        }
        let lacking = &piece[piece.len() - (end - self.bytes) as usize..];
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(open(&self.path, self.bytes == 0)?),
        };
        // A disk that was full has perhaps taken a part.
        file.write_all_at(lacking, self.bytes)?;
        self.bytes = end;
        Ok(())
    }

    /// The bytes before `end`.
    pub(super) fn read(&self, end: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; end as usize];
        if end > 0 {
            File::open(&self.path)?.read_exact(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Leaves a file without bytes, if the disk has one for it: no other bytes are found there later.
    pub(super) fn empty(&mut self) -> io::Result<()> {
        self.file = None;
        match open(&self.path, true) {
            Err(error) if self.bytes > 0 => return Err(error),
            _ => {}
        }
        self.bytes = 0;
        Ok(())
    }

    /// Deletes what is there.
    pub(super) fn abandon(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!("{} cannot be deleted: {error}", self.path.display());
        }
        self.disown();
    }

    /// None of what is there is the chunk's: it is written anew.
    pub(super) fn disown(&mut self) {
        self.file = None;
        self.bytes = 0;
    }

    pub(super) fn truncate(&mut self, at: u64) -> io::Result<()> {
        if let Some(file) = self.file.as_mut().filter(|_| self.bytes > at) {
            file.set_len(at)?;
            self.bytes = at;
        }
        Ok(())
    }

    /// Renames it, now or as soon as the disk lets it: until then it is found where it is.
    pub(super) fn rename(&mut self, path: PathBuf) {
        self.due = Some(path);
        if let Err(error) = self.rename_due() {
            tracing::error!("{} cannot be renamed: {error}", self.path.display());
        }
    }

    pub(super) fn rename_due(&mut self) -> io::Result<()> {
        let Some(path) = &self.due else { return Ok(()) };
        if (self.bytes > 0 || self.file.is_some()) && *path != self.path {
            fs::rename(&self.path, path)?;
        }
        self.path = self.due.take().expect("it was just looked at");
        Ok(())
    }

    pub(super) fn delete(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if self.bytes > 0 || error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Opens a chunk's file, also where its folder could not be made before.
fn open(path: &Path, is_new: bool) -> io::Result<File> {
    let open = || File::options().write(true).create(true).truncate(is_new).open(path);
    match (open(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            open()
        }
        (opened, _) => opened,
    }
}
