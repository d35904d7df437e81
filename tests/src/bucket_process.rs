//! The bucket server as a process of its own: `serve-buckets`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::{Process, start_listening};
use crate::root;

/// Its access key: id and secret.
pub const KEY: (&str, &str) = ("an-id", "a-secret");

/// The variables by which the functions have that key.
pub const VARIABLES: [(&str, &str); 2] =
    [("BUCKET_ACCESS_KEY_ID", KEY.0), ("BUCKET_ACCESS_KEY_SECRET", KEY.1)];

/// A running server with the buckets `recordings` and `work`. Dropping it kills it.
pub struct BucketProcess {
    process: Process,
    /// `host:port` of it.
    pub address: String,
    /// Base URL of it.
    pub url: String,
}

impl BucketProcess {
    /// Starts a server of a folder at an address; port 0 takes a free one.
    ///
    /// # Errors
    /// When it does not listen.
    pub fn start(folder: &Path, address: &str) -> Result<Self> {
        let mut server = Command::new(root().join("target/native/serve-buckets"));
        let (process, address) = start_listening(server.arg(folder).args([address, "recordings", "work"]))?;
        Ok(Self { process, url: format!("http://{address}"), address })
    }

    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it with SIGKILL.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }
}
