//! A real Redis server of a test's own: Debian's `redis-server`, which `cargo xtask test` installs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The program, as Debian's package names it.
const PROGRAM: &str = "redis-server";

/// How long it may take to accept connections.
const READY_TIME: Duration = Duration::from_secs(20);

/// Settings by which it loses nothing that it has acknowledged.
pub const SAFE: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

/// Whether the program is there; says that the test does not run when not.
#[must_use]
pub fn is_installed() -> bool {
    let mut probe = Command::new(PROGRAM);
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        return true;
    }
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Written directly: of a test that passes, libtest shows nothing that `println!` prints.
    _ = std::io::stdout().write_all(format!("skipped: {test}, for want of {PROGRAM}\n").as_bytes());
    false
}

/// A running server. Dropping it kills it.
pub struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    /// Starts a server on a free port with its data in `folder`, which is created.
    ///
    /// # Errors
    /// When it does not accept connections.
    pub fn start(folder: &Path, settings: &[&str]) -> Result<Self> {
        // Another process may take the port between its choice and the server's start.
        for _ in 0..3 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            if let Some(redis) = Self::start_at(port, folder, settings)? {
                return Ok(redis);
            }
        }
        bail!("{PROGRAM} ends as soon as it is started")
    }

    /// Starts a server on a port.
    ///
    /// # Errors
    /// When it does not accept connections.
    pub fn start_on(port: u16, folder: &Path, settings: &[&str]) -> Result<Self> {
        Self::start_at(port, folder, settings)?
            .with_context(|| format!("{PROGRAM} ends at once on port {port}"))
    }

    /// Kills it with SIGKILL.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its port on the loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A runtime configuration that names it.
    #[must_use]
    pub fn runtime_config(&self) -> String {
        format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n", self.url())
    }

    /// Sends commands, each in a line, and answers the bytes of the replies up to the one that ends with `last`.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn ask(&self, commands: &str, last: &str) -> Result<String> {
        ask(self.port, commands, last)
    }

    /// `None`: it ended at once.
    fn start_at(port: u16, folder: &Path, settings: &[&str]) -> Result<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let mut server = Command::new(PROGRAM);
        server.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"]).arg(folder);
        let server = server.args(settings).stdin(Stdio::null()).stdout(Stdio::null());
        let child = server.spawn().with_context(|| format!("cannot start {PROGRAM}"))?;
        let mut redis = Self { child, port };
        let begun = Instant::now();
        loop {
            if ask(port, "PING\r\n", "+PONG\r\n").is_ok() {
                return Ok(Some(redis));
            }
            if redis.child.try_wait()?.is_some() {
                return Ok(None);
            }
            if begun.elapsed() > READY_TIME {
                bail!("{PROGRAM} does not get ready");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn ask(port: u16, commands: &str, last: &str) -> Result<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(READY_TIME))?;
    connection.write_all(commands.as_bytes())?;
    let (mut replies, mut buffer) = (String::new(), [0; 4_096]);
    while !replies.ends_with(last) {
        match connection.read(&mut buffer)? {
            0 => bail!("the connection was closed after {replies:?}"),
            read => replies.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
        // While it loads its data, it answers so.
        if replies.starts_with("-LOADING") {
            bail!("{replies}");
        }
    }
    Ok(replies)
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
