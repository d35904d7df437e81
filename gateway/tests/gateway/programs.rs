//! Programs that tests need beside Rust.

use std::{
    io::Write,
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use tokio::{
    net::{TcpListener, TcpStream},
    time::{Duration, Instant, sleep},
};

/// Says that something is not tested, for want of a program or a right.
pub(crate) fn skip(what: &str, missing: &str) {
    // Written directly: of a test that passes, libtest shows nothing that `println!` prints.
    std::io::stdout().write_all(format!("skipped: {what}, for want of {missing}\n").as_bytes()).unwrap();
}

/// Whether a program is there, as the first of these words that the others make succeed; if not, says what is not tested.
pub(crate) fn is_there(what: &str, package: &str, probe: &[&str]) -> bool {
    let mut command = Command::new(probe[0]);
    command.args(&probe[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_there = command.status().is_ok_and(|status| status.success());
    if !is_there {
        skip(what, package);
    }
    is_there
}

/// Runs a program to its end, which has to be a good one.
pub(crate) async fn run(program: &str, arguments: &[&str]) {
    let mut command = tokio::process::Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&said));
}

/// A server that runs; killed when dropped.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Server {
    /// Returns once it accepts connections there.
    pub(crate) async fn start(command: &mut Command, address: SocketAddr) -> Self {
        let mut server = Self(command.stdin(Stdio::null()).spawn().unwrap());
        let due = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < due, "{command:?} does not accept at {address}");
            assert!(server.0.try_wait().unwrap().is_none(), "{command:?} has ended");
            sleep(Duration::from_millis(20)).await;
        }
        server
    }
}

/// A port that is free at an address of this machine which no other test takes one of.
pub(crate) async fn free_port(last: u8) -> SocketAddr {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, last], 0))).await.unwrap().local_addr().unwrap()
}
