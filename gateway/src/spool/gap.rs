//! The place of a chunk that will not come.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use exposition::Label;
use protocol::{Generation, LossReason, LostChunk};
use tokio::time::Instant;

/// A chunk that was lost, until the functions know it. Its file is empty: the name says all.
#[derive(Debug)]
pub(crate) struct Gap {
    /// The chunk's place in the push.
    pub(crate) index: u64,
    pub(crate) lost: LostChunk,
    /// When the chunk was last tried.
    pub(crate) tried: Option<Instant>,
    path: PathBuf,
}

impl Gap {
    /// A chunk that is lost; nothing is written down yet.
    pub(crate) fn new(folder: &Path, index: u64, lost: LostChunk, tried: Option<Instant>) -> Self {
        let LostChunk { lost: reason, from_ms, to_ms, generation } = lost;
        let reason = reason.as_str();
        let path = folder.join(format!("{index:010}+{from_ms}-{to_ms}+{generation}+{reason}.lost"));
        Self { index, lost, tried, path }
    }

    /// Writes it down.
    pub(crate) fn save(&self) -> io::Result<()> {
        File::create(&self.path).map(drop)
    }

    /// Reads the name of a gap's file; `None` if it is another's. The chunk may have been tried until just now.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".lost")?;
        let mut parts = name.split('+');
        let (index, times, generation, reason) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (from_ms, to_ms) = times.split_once('-')?;
        let generation: Generation = generation.parse().ok()?;
        let lost = *LossReason::ALL.iter().find(|known| known.as_str() == reason)?;
        let lost = LostChunk { lost, from_ms: from_ms.parse().ok()?, to_ms: to_ms.parse().ok()?, generation };
        Some(Self { index: index.parse().ok()?, lost, tried: Some(Instant::now()), path: path.to_owned() })
    }

    /// Deletes its file. The disk may have refused it.
    pub(crate) fn delete(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        for &reason in LossReason::ALL {
            let generation = Generation { orders: 3, files: 1 };
            let lost = LostChunk { lost: reason, from_ms: 5, to_ms: 70, generation };
            let gap = Gap::new(folder.path(), 9, lost, None);
            gap.save().unwrap();
            let found = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
            let parsed = Gap::parse(&found).unwrap();
            assert_eq!((parsed.index, parsed.lost), (9, lost));
            gap.delete().unwrap();
        }
        assert!(Gap::parse(Path::new("p/0000000009+5+3.1.flv")).is_none());
    }
}
