//! The bundle as a user runs it: `live-recorder up`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::root;

/// How long the bundle may take to be ready; a first start compiles every component.
const READY_TIME: Duration = Duration::from_secs(120);

/// The ingest token of every server that the tests start.
pub const INGEST_TOKEN: &str = "e2e-ingest-token";

/// The native binary, built by `cargo xtask build`.
#[must_use]
pub fn binary() -> PathBuf {
    root().join("target/native/live-recorder")
}

/// A running bundle. Dropping it kills it.
pub struct Server {
    child: Child,
    data: PathBuf,
    /// Base URL of the functions.
    pub functions: String,
    /// `host:port` of the RTMP gateway.
    pub rtmp: String,
    /// Base URL of the bucket server.
    pub bucket: String,
}

impl Server {
    /// Starts the bundle on free ports, with its state below `data`.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_at(data, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0")
    }

    /// Starts the bundle again on the state of this one, which must have ended.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start_again(&self) -> Result<Self> {
        let host = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        Self::start_at(&self.data, &host(&self.functions), &self.rtmp, &host(&self.bucket))
    }

    fn start_at(data: &Path, listen: &str, rtmp: &str, bucket: &str) -> Result<Self> {
        let mut child = Command::new(binary())
            .args(["up", "--listen", listen, "--rtmp", rtmp, "--bucket", bucket, "--data"])
            .arg(data)
            // One for all tests: to compile every component takes seconds.
            .args(["--component-cache", "target/native/components"])
            .current_dir(root())
            .env("SPIN_VARIABLE_INGEST_TOKEN", INGEST_TOKEN)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}; `cargo xtask build` builds it", binary().display()))?;
        let output = BufReader::new(child.stdout.take().expect("the output should be piped"));
        let (lines, ready) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if line.starts_with("ready ") {
                    let _ = lines.send(line);
                }
            }
        });
        let Ok(line) = ready.recv_timeout(READY_TIME) else {
            let _ = child.kill();
            let ended = child.wait()?;
            bail!("live-recorder up did not get ready ({ended})");
        };
        let part = |name: &str| {
            let found = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned).ok_or_else(|| anyhow!("the line {line:?} says no {name}"))
        };
        Ok(Self {
            functions: part("functions")?,
            rtmp: part("rtmp")?.trim_start_matches("rtmp://").to_owned(),
            bucket: part("bucket")?,
            data: data.to_path_buf(),
            child,
        })
    }

    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The folder of a bucket.
    #[must_use]
    pub fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.data.join("buckets").join(bucket)
    }

    /// The URL to push a stream to; `vhost` is the streaming domain.
    #[must_use]
    pub fn rtmp_url(&self, vhost: &str, app: &str, stream: &str) -> String {
        format!("rtmp://{}/{app}/{stream}?vhost={vhost}", self.rtmp)
    }

    /// Kills the bundle with SIGKILL.
    ///
    /// # Errors
    /// When the process cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// When the exit status is not 0.
    pub fn stop(&mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { bail!("live-recorder up ended with {status}") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Publishes a file in real time, or as fast as it is taken.
///
/// # Errors
/// When the publisher's exit status is not 0.
pub fn push(file: &Path, url: &str, fast: bool) -> Result<()> {
    let mut push = Command::new(binary());
    push.arg("push").arg(file).arg(url).stdout(Stdio::null());
    if fast {
        push.arg("--fast");
    }
    let status = push.status()?;
    if status.success() { Ok(()) } else { bail!("live-recorder push ended with {status}") }
}
