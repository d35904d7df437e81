//! The binary as processes: each says when it is ready, and where.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::root;

/// How long the bundle may take to be ready; a first start compiles every component.
const READY_TIME: Duration = Duration::from_secs(120);

/// The option that says where compiled components are kept: in one folder for all tests.
pub(crate) const COMPONENT_CACHE: &str = "--component-cache";

/// The ingest token of every server that the tests start.
pub const INGEST_TOKEN: &str = "e2e-ingest-token";

/// The native binary, built by `cargo xtask build`.
#[must_use]
pub fn binary() -> PathBuf {
    binary_of(&root())
}

/// The native binary of a checkout.
pub(crate) fn binary_of(checkout: &Path) -> PathBuf {
    checkout.join("target/native/live-recorder")
}

/// The line by which a part says that it accepts, and where.
pub(crate) struct Ready(String);

impl Ready {
    /// Where a part listens.
    pub(crate) fn part(&self, name: &str) -> Result<String> {
        let found = self.0.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned).ok_or_else(|| anyhow!("the line {:?} says no {name}", self.0))
    }
}

/// Starts the binary of a checkout there, and waits until it is ready.
///
/// The first one that runs components compiles them, and others wait for it: each would compile all of them as well.
pub(crate) fn start_in(checkout: &Path, command: Command) -> Result<(Child, Ready)> {
    static ARE_COMPILED: Mutex<bool> = Mutex::new(false);
    if !command.get_args().any(|argument| argument == COMPONENT_CACHE) {
        return start(checkout, command);
    }
    let mut are_compiled = ARE_COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if *are_compiled {
        drop(are_compiled);
        return start(checkout, command);
    }
    let started = start(checkout, command);
    *are_compiled = started.is_ok();
    started
}

fn start(checkout: &Path, mut command: Command) -> Result<(Child, Ready)> {
    let mut child = command
        .current_dir(checkout)
        .env("SPIN_VARIABLE_INGEST_TOKEN", INGEST_TOKEN)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| {
            format!("cannot start {}; `cargo xtask build` builds it", binary_of(checkout).display())
        })?;
    let output = BufReader::new(child.stdout.take().expect("the output should be piped"));
    let (lines, ready) = mpsc::channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if line.starts_with("ready ") {
                let _ = lines.send(line);
            }
        }
    });
    match ready.recv_timeout(READY_TIME) {
        Ok(line) => Ok((child, Ready(line))),
        Err(_) => {
            let _ = child.kill();
            let ended = child.wait()?;
            bail!("{command:?} did not get ready ({ended})")
        }
    }
}

/// A process that is killed in the end.
pub struct Process(Child);

impl Process {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it with SIGKILL.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Starts a program that says on its first line where it listens.
///
/// # Errors
/// When it cannot be started, or says nothing.
pub fn start_listening(command: &mut Command) -> Result<(Process, String)> {
    let shown = format!("{command:?}");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot start {shown}"))?;
    let output = child.stdout.take().context("the output is piped")?;
    let process = Process(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let address = line.trim().to_owned();
    ensure!(!address.is_empty(), "{shown} says no address");
    Ok((process, address))
}

/// Sends SIGTERM and waits for the end.
///
/// # Errors
/// When the exit status is not 0.
pub(crate) fn terminate(child: &mut Child) -> Result<()> {
    Command::new("kill").arg(child.id().to_string()).status()?;
    let status = child.wait()?;
    if status.success() { Ok(()) } else { bail!("live-recorder ended with {status}") }
}
