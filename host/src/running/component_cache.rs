//! Compiled components on disk, so that a start compiles nothing that an earlier one has compiled.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::running::engine::compile;

/// A folder of compiled components.
///
/// The name of a file follows from the component's bytes and from all that decides how the engine
/// compiles; beside it lies the digest of the file, so that a damaged one is never run.
#[derive(Clone, Debug)]
pub struct ComponentCache {
    directory: PathBuf,
}

impl ComponentCache {
    /// A cache in `directory`, which is created when something is stored.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The compiled form of the component `bytes`: from the cache if it is there, compiled otherwise.
    ///
    /// # Errors
    ///
    /// When `bytes` is not a component that the engine can compile.
    pub fn load(&self, engine: &Engine, bytes: &[u8]) -> Result<Component> {
        let path = self.directory.join(format!("{}-{:016x}.cwasm", digest(bytes), compatibility(engine)));
        if let Some(component) = open(engine, &path) {
            return Ok(component);
        }
        let component = compile(engine, bytes)?;
        if let Err(error) = store(&component, &path) {
            tracing::warn!(path = %path.display(), "a compiled component could not be kept: {error:#}");
            return Ok(component);
        }
        // Of a file that is mapped the system holds what is run, and of what was compiled here all.
        Ok(open(engine, &path).unwrap_or(component))
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string should not fail");
        hex
    })
}

fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn open(engine: &Engine, path: &Path) -> Option<Component> {
    let bytes = fs::read(path).ok()?;
    let expected = fs::read_to_string(digest_path(path)).ok()?;
    if digest(&bytes) != expected {
        tracing::warn!(path = %path.display(), "a compiled component is damaged, it is compiled anew");
        return None;
    }
    // SAFETY: the file is what `store` wrote, by its digest: the serialized form of a component that this
    // program compiled. The data folder belongs to the user who runs it.
    match unsafe { Component::deserialize_file(engine, path) } {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::warn!(path = %path.display(), "a compiled component is compiled anew: {error:#}");
            None
        }
    }
}

fn store(component: &Component, path: &Path) -> Result<()> {
    let bytes = component.serialize()?;
    write_whole(&digest_path(path), digest(&bytes).as_bytes())?;
    write_whole(path, &bytes)
}

fn digest_path(path: &Path) -> PathBuf {
    path.with_extension("sha256")
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(directory)?;
    let temporary = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    Ok(())
}
