//! `live-recorder up` and `functions` as processes: what they print, refuse, keep over a kill, and how they end.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

#[path = "../../host/tests/all/guests.rs"]
mod guests;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::guests::GUESTS;

const FREE_PORT: &str = "127.0.0.1:0";

const MANIFEST: &str = r#"
    spin_manifest_version = 2
    application = { name = "test" }
    trigger.http = [{ route = "/...", component = "guest" }]
    component.guest = { source = "GUEST", key_value_stores = ["default"] }
"#;

fn command(data: &Path, listen: &str, rtmp: &str) -> Command {
    let mut command = subcommand("up", data, listen);
    command.args(["--rtmp", rtmp, "--bucket", FREE_PORT]);
    command
}

/// Functions alone, with a runtime configuration.
fn functions(data: &Path, runtime_config: &str) -> Command {
    let file = data.join("runtime-config.toml");
    std::fs::write(&file, runtime_config).unwrap();
    let mut command = subcommand("functions", data, FREE_PORT);
    command.arg("--runtime-config").arg(file);
    command
}

fn subcommand(name: &str, data: &Path, listen: &str) -> Command {
    let manifest = data.join("spin.toml");
    std::fs::write(&manifest, MANIFEST.replace("GUEST", GUESTS.join("probe.wasm").to_str().unwrap()))
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_live-recorder"));
    command.args([name, "--listen", listen]);
    command.arg("--manifest").arg(manifest).arg("--data").arg(data.join("data"));
    command
}

/// A running recorder; killed when dropped.
struct Running {
    child: Child,
    /// What the line `ready` said, by name.
    addresses: BTreeMap<String, String>,
}

impl Running {
    fn start(data: &Path) -> Self {
        Self::start_as(command(data, FREE_PORT, FREE_PORT))
    }

    fn start_as(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let fields = line.strip_prefix("ready ").unwrap_or_else(|| panic!("{line:?}")).split_whitespace();
        let addresses = fields
            .filter_map(|field| field.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        Self { child, addresses }
    }

    /// The answer of the functions to GET, `None` where the connection breaks.
    fn get(&self, target: &str) -> Option<String> {
        self.get_of("functions", target)
    }

    /// Likewise of a part of the recorder.
    fn get_of(&self, part: &str, target: &str) -> Option<String> {
        let address: SocketAddr = self.addresses[part].strip_prefix("http://").unwrap().parse().unwrap();
        let mut stream = TcpStream::connect(address).ok()?;
        // By HTTP/1.0 the answer is not in pieces and the connection ends with it.
        write!(stream, "GET {target} HTTP/1.0\r\nhost: x\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }

    fn terminate(&mut self) -> std::process::ExitStatus {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn refused(mut command: Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(!status.success());
    String::from_utf8_lossy(&stderr).into_owned()
}

#[test]
fn up_says_ready_when_all_three_accept_and_ends_cleanly() {
    let data = tempfile::tempdir().unwrap();
    let mut running = Running::start(data.path());
    assert_eq!(
        running.addresses.keys().map(String::as_str).collect::<Vec<_>>(),
        ["bucket", "functions", "rtmp"]
    );
    for address in running.addresses.values() {
        TcpStream::connect(address.split_once("://").unwrap().1).unwrap();
    }
    for bucket in ["recordings", "work"] {
        assert!(data.path().join("data/buckets").join(bucket).is_dir(), "{bucket}");
    }
    assert_eq!(running.terminate().code(), Some(0));
}

/// Increments the counter and answers its new value, `None` where the connection breaks.
fn increment(running: &Running) -> Option<u64> {
    running.get("/increment?count")?.parse().ok()
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    const WRITERS: u64 = 8;
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..3 {
        let mut running = Running::start(data.path());
        let first = increment(&running).unwrap();
        assert!(first > acknowledged, "round {round}: {first} after {acknowledged} was acknowledged");
        let (acknowledge, acknowledgements) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                let (running, acknowledge) = (&running, acknowledge.clone());
                scope.spawn(move || {
                    while let Some(count) = increment(running) {
                        acknowledge.send(count).unwrap();
                    }
                });
            }
            drop(acknowledge);
            let mut counts = acknowledgements.iter();
            let before: Vec<u64> = counts.by_ref().take(100).collect();
            let killed = Command::new("kill").args(["-9", &running.child.id().to_string()]).status().unwrap();
            assert!(killed.success());
            acknowledged = before.into_iter().chain(counts).max().unwrap();
        });
        running.child.wait().unwrap();
    }
}

#[test]
fn functions_alone_keep_what_they_were_told_where_the_runtime_configuration_says() {
    let data = tempfile::tempdir().unwrap();
    let config = "[key_value_store.default]\ntype = \"spin\"\npath = \"elsewhere/kv.redb\"";
    let mut running = Running::start_as(functions(data.path(), config));
    assert_eq!(running.addresses.keys().map(String::as_str).collect::<Vec<_>>(), ["functions"]);
    assert_eq!(increment(&running), Some(1));
    assert_eq!(running.terminate().code(), Some(0));
    assert!(data.path().join("elsewhere/kv.redb").is_file());
    let running = Running::start_as(functions(data.path(), config));
    assert_eq!(increment(&running), Some(2));
}

#[test]
fn a_store_that_is_not_supported_is_refused_with_those_that_are() {
    let data = tempfile::tempdir().unwrap();
    let config = "[key_value_store.default]\ntype = \"azure_cosmos\"";
    let mut up = command(data.path(), FREE_PORT, FREE_PORT);
    up.arg("--runtime-config").arg(data.path().join("runtime-config.toml"));
    for command in [functions(data.path(), config), up] {
        let stderr = refused(command);
        for said in ["azure_cosmos", "runtime-config.toml", "\"spin\"", "\"redis\""] {
            assert!(stderr.contains(said), "{said}: {stderr}");
        }
    }
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://:hidden@{away}\"");
    let stderr = refused(functions(data.path(), &config));
    assert!(stderr.contains(&away.to_string()) && stderr.contains("runtime-config.toml"), "{stderr}");
    assert!(!stderr.contains("hidden"), "{stderr}");
}

#[test]
fn a_disk_without_the_room_that_is_kept_free_is_told_from_the_start() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log");
    let mut up = command(data.path(), FREE_PORT, FREE_PORT);
    up.args(["--admin", FREE_PORT, "--keep-free", "1000000TiB"]).env_remove("LIVE_RECORDER_LOG");
    up.stderr(std::fs::File::create(&log).unwrap());
    let mut running = Running::start_as(up);
    assert!(running.get_of("admin", "/healthz").unwrap().contains("buckets_full"));
    assert!(!running.get_of("admin", "/readyz").unwrap().contains("buckets_full"));
    assert!(running.get_of("admin", "/metrics").unwrap().contains("\nlive_recorder_buckets_full 1\n"));
    assert_eq!(running.terminate().code(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("objects are refused until there is room").count(), 1, "{log}");
    assert!(log.contains("--keep-free"), "{log}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let stderr = refused(command(data.path(), FREE_PORT, &address));
    assert!(
        stderr.contains(&address) && stderr.contains("already in use") && stderr.contains("--rtmp"),
        "{stderr}"
    );
}

#[test]
fn listening_for_others_needs_own_secrets() {
    let data = tempfile::tempdir().unwrap();
    let stderr = refused(command(data.path(), "0.0.0.0:0", FREE_PORT));
    assert!(stderr.contains("SPIN_VARIABLE_ACCESS_KEYS"), "{stderr}");
}

#[test]
fn a_damaged_compiled_component_is_compiled_anew() {
    let data = tempfile::tempdir().unwrap();
    Running::start(data.path()).terminate();
    let mut damaged = 0;
    for entry in std::fs::read_dir(data.path().join("data/components")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "cwasm") {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
    }
    assert_eq!(damaged, 1);
    let running = Running::start(data.path());
    assert!(running.get("/random").is_some());
}
