//! The operator's commands against a gateway that runs as a process, and its logs.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use push_auth::sign;

const TOKEN: &str = "hidden-token";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_live-recorder"));
    command.args(arguments);
    command
}

/// A gateway whose functions nobody runs; killed when dropped.
struct Gateway {
    child: Child,
    admin: String,
    rtmp: String,
}

impl Gateway {
    fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    fn start_with(data: &Path, options: &[&str]) -> Self {
        let log = File::create(data.join("log")).unwrap();
        let mut gateway = command(&["gateway", "--functions", "http://127.0.0.1:1", "--ingest-token", "t"]);
        gateway.args(["--rtmp", "127.0.0.1:0", "--rtmp", "127.0.0.2:0", "--admin", "127.0.0.1:0"]);
        gateway.args(options).args(["--log-format", "json", "--data"]).arg(data);
        gateway.env("LIVE_RECORDER_ADMIN_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(log);
        let mut child = gateway.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let found = |name: &str| -> Vec<String> {
            line.split_whitespace().filter_map(|word| word.strip_prefix(name)).map(str::to_owned).collect()
        };
        let (rtmp, admin) = (found("rtmp=rtmp://"), found("admin=http://"));
        assert_eq!((rtmp.len(), admin.len()), (2, 1), "{line}");
        Self { child, admin: admin[0].clone(), rtmp: rtmp[1].clone() }
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        let mut asking = command(arguments);
        asking.args(["--admin", &self.admin]).env("LIVE_RECORDER_ADMIN_TOKEN", TOKEN).output().unwrap()
    }

    /// What a command prints that succeeds.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn an_operator_asks_a_gateway_and_has_it_end() {
    let data = tempfile::tempdir().unwrap();
    let mut gateway = Gateway::start(data.path());
    assert_eq!(gateway.said(&["log-level"]), "info\n");
    assert_eq!(gateway.said(&["log-level", "warn,gateway=debug"]), "warn,gateway=debug\n");
    let wrong = gateway.ask(&["log-level", "gateway=loud"]);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("no filter"));
    assert_eq!(gateway.said(&["publishers"]).lines().last(), Some("0 publishers"));
    assert_eq!(gateway.said(&["publishers", "--json"]).trim(), "[]");
    let nobody = gateway.ask(&["kick", "d/live/x"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("nobody publishes"));
    let stranger = command(&["publishers", "--admin", &gateway.admin]).output().unwrap();
    assert!(!stranger.status.success());
    assert!(gateway.said(&["drain", "--wait", "1"]).ends_with("the gateway has ended\n"));
    assert!(gateway.child.wait().unwrap().success());
}

#[test]
fn what_is_left_after_a_drain_is_an_error_and_each_line_of_the_log_is_json() {
    let data = tempfile::tempdir().unwrap();
    let mut gateway = Gateway::start(data.path());
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/assets/sample.flv");
    let url = format!("rtmp://{}/live/x?key=hidden-argument", gateway.rtmp);
    assert!(command(&["push", "--fast", sample, &url]).status().unwrap().success());
    gateway.said(&["drain", "--wait", "0", "--upload", "1"]);
    assert_eq!(gateway.child.wait().unwrap().code(), Some(1));
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(log.contains("published by") && !log.contains("hidden"), "{log}");
    assert!(log.contains("left in the spool"), "{log}");
    // With what a program says last when it fails the log is over.
    let lines: Vec<_> = log.lines().take_while(|line| !line.starts_with("Error: ")).collect();
    for line in &lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(line["level"].is_string() && line["message"].is_string() && line["timestamp"].is_string());
    }
    assert!(lines.len() > 3, "{log}");
}

#[test]
fn settings_are_read_anew_by_sighup_and_by_a_command() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("settings.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("push_keys = [\"*=hidden-old\"]\n");
    let gateway = Gateway::start_with(data.path(), &["--settings", file.to_str().unwrap()]);
    let may_push = |key: &str| {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/assets/sample.flv");
        let url = format!("rtmp://{}/live/x?auth_key={}", gateway.rtmp, sign("/live/x", 1 << 40, key));
        command(&["push", "--fast", sample, &url]).output().unwrap().status.success()
    };
    assert!(may_push("hidden-old") && !may_push("hidden-new"));
    write("push_keys = [\"*=hidden-new\"]\n");
    let hangup = Command::new("kill").args(["-HUP", &gateway.child.id().to_string()]).status();
    assert!(hangup.unwrap().success());
    let due = Instant::now() + Duration::from_secs(30);
    while !may_push("hidden-new") {
        assert!(Instant::now() < due, "SIGHUP changes no key");
    }
    assert!(!may_push("hidden-old"));

    write("push_keys = [\"*=hidden-next\"]\nmax_connections = 7\nnothing = 1\n");
    let refused = gateway.ask(&["reload"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("line 3") && said.contains("`nothing`"), "{said}");
    assert!(may_push("hidden-new"));
    write("push_keys = [\"*=hidden-next\"]\nmax_connections = 7\n");
    let said = gateway.said(&["reload"]);
    assert_eq!(said, "changed: push_keys; holds from the next start on: max_connections\n");
    assert!(may_push("hidden-next") && !may_push("hidden-new"));
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(log.contains("settings are read anew") && log.contains("settings are not changed"), "{log}");
    assert!(!log.contains("hidden"), "{log}");
}

#[test]
fn an_operators_address_that_others_reach_needs_a_token() {
    let data = tempfile::tempdir().unwrap();
    let mut gateway = command(&["gateway", "--functions", "http://127.0.0.1:1", "--ingest-token", "t"]);
    gateway.args(["--rtmp", "127.0.0.1:0", "--admin", "0.0.0.0:0", "--data"]).arg(data.path());
    // What is set to nothing sets none.
    gateway.env("LIVE_RECORDER_LOG", "").env("LIVE_RECORDER_LOG_FORMAT", "");
    let output = gateway.env("LIVE_RECORDER_ADMIN_TOKEN", "").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("--admin-token"), "{stderr}");
}
