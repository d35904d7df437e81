//! The gateway in a process of its own: this program once more, which is told to be that.

use std::{
    env, fs,
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use gateway::{Config, Control, SecondPublisher, Settings};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use tokio_util::sync::CancellationToken;

use crate::{fake::TOKEN, println_all};

/// What the gateway may spool: far less than what cannot be delivered has.
const SPOOL_BYTES: u64 = 24 << 20;

/// By these a program is told to be the gateway: the URL of its functions, and its spool.
const FUNCTIONS: &str = "TORTURE_GATEWAY_FUNCTIONS";
const SPOOL: &str = "TORTURE_GATEWAY_SPOOL";

/// What it says before its address.
const AT: &str = "gateway at ";

/// A gateway's process.
pub(crate) struct Process {
    child: Child,
    pub(crate) id: u32,
    pub(crate) address: SocketAddr,
}

/// What a process uses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Use {
    pub(crate) rss_bytes: usize,
    pub(crate) files: usize,
}

impl Process {
    /// Starts one; `test`: the test that calls [`is_gateway`].
    pub(crate) async fn start(test: &str, functions: &str, spool: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FUNCTIONS, functions)
            .env(SPOOL, spool)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("the gateway should start");
            if let Some((_, address)) = line.split_once(AT) {
                break address.parse().unwrap();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { id: child.id().unwrap(), child, address }
    }

    /// Has it end as it should.
    pub(crate) async fn stop(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().await.unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Use {
    pub(crate) fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: usize = rss.trim().trim_end_matches(" kB").parse().unwrap();
        let files = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
        Self { rss_bytes: kib << 10, files }
    }

    pub(crate) fn raise(&mut self, now: Self) {
        self.rss_bytes = self.rss_bytes.max(now.rss_bytes);
        self.files = self.files.max(now.files);
    }
}

/// Is the gateway until whoever started it wants no more, where this process is to be that.
pub(crate) async fn is_gateway() -> bool {
    let (Ok(functions), Some(spool)) = (env::var(FUNCTIONS), env::var_os(SPOOL)) else { return false };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println_all(&format!("{AT}{}", listener.local_addr().unwrap()));
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    thread::spawn(move || {
        // It is closed also where who started it has died.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stop.cancel();
    });
    gateway::serve(config(functions, spool.into()), listener, shutdown).await.unwrap();
    true
}

fn config(functions: String, spool: PathBuf) -> Config {
    let settings = Settings { ingest_token: TOKEN.into(), ..Settings::default() };
    Config {
        functions: vec![functions],
        ca_file: None,
        name: None,
        spool,
        spool_limit_bytes: Some(SPOOL_BYTES),
        max_connections: None,
        max_connections_per_address: None,
        default_domain: None,
        second_publisher: SecondPublisher::Refuse,
        first_media: Duration::from_secs(2),
        call_max: Duration::from_secs(1),
        control: Control::new(settings).unwrap(),
        tick: true,
    }
}
