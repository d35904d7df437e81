//! A gateway alone, as a user runs it: `live-recorder gateway`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process::{binary_of, start_in, terminate};
use crate::root;

/// A running gateway. Dropping it kills it.
pub struct Gateway {
    child: Child,
    functions: String,
    data: PathBuf,
    /// `host:port` of its RTMP.
    pub rtmp: String,
    /// `host:port` of its operator's address.
    admin: String,
}

impl Gateway {
    /// Starts a gateway on a free port that calls functions at a URL, or at several with commas between, with its spool
    /// below `data`.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start(functions: &str, data: &Path) -> Result<Self> {
        Self::start_of(&root(), functions, data)
    }

    /// As [`start`](Self::start), with what an earlier checkout built.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_of(checkout: &Path, functions: &str, data: &Path) -> Result<Self> {
        Self::start_at(checkout, "127.0.0.1:0", functions, data)
    }

    /// Kills the gateway with SIGKILL, and starts it again on its spool and address.
    ///
    /// # Errors
    /// When it cannot be killed, or does not get ready.
    pub fn kill_and_start_again(mut self) -> Result<Self> {
        self.kill()?;
        self.start_again()
    }

    /// Starts a gateway that was killed again, on its spool and address.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_again(&self) -> Result<Self> {
        Self::start_at(&root(), &self.rtmp, &self.functions, &self.data)
    }

    /// Kills the gateway with SIGKILL.
    ///
    /// # Errors
    /// When it cannot be killed.
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
        terminate(&mut self.child)
    }

    /// Has the gateway end as before an upgrade, with so much time for pushes that are live, and waits for the end.
    ///
    /// # Errors
    /// When it does not end in time, or something is left in its spool.
    pub fn drain(&mut self, wait: Duration) -> Result<()> {
        let mut drain = Command::new(binary_of(&root()));
        drain.args(["drain", "--admin", &self.admin, "--wait", &wait.as_secs().to_string()]);
        let output = drain.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "live-recorder drain ended with {}: {said}", output.status);
        let status = self.child.wait()?;
        ensure!(status.success(), "the gateway ended with {status}");
        Ok(())
    }

    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn start_at(checkout: &Path, rtmp: &str, functions: &str, data: &Path) -> Result<Self> {
        let mut gateway = Command::new(binary_of(checkout));
        gateway.args(["gateway", "--functions", functions, "--rtmp", rtmp, "--data"]).arg(data);
        gateway.args(["--admin", "127.0.0.1:0"]);
        let (child, ready) = start_in(checkout, gateway)?;
        let rtmp = ready.part("rtmp")?.trim_start_matches("rtmp://").to_owned();
        let admin = ready.part("admin")?.trim_start_matches("http://").to_owned();
        Ok(Self { child, functions: functions.into(), data: data.into(), rtmp, admin })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
