//! `live-recorder gateway` and `up` as processes: whom they let push, and that no log says by what.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use push_auth::sign;

/// Nobody listens there.
const AWAY: &str = "http://127.0.0.1:1";
const KEY: &str = "hidden-key";
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/assets/sample.flv");

fn gateway(data: &Path, rtmp: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_live-recorder"));
    command.args(["gateway", "--functions", AWAY, "--ingest-token", "t", "--rtmp", rtmp]);
    command.arg("--data").arg(data);
    command
}

/// A gateway that runs; killed when dropped.
struct Running {
    child: Child,
    rtmp: String,
    log: PathBuf,
}

impl Running {
    fn start(mut command: Command, log: PathBuf) -> Self {
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let rtmp =
            line.trim().strip_prefix("ready rtmp=rtmp://").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, rtmp, log }
    }

    /// Pushes the sample as fast as it goes; how that ended, and what was said.
    fn push(&self, name: &str) -> (bool, String) {
        let mut push = Command::new(env!("CARGO_BIN_EXE_live-recorder"));
        push.args(["push", "--fast", SAMPLE]).arg(format!("rtmp://{}/live/{name}", self.rtmp));
        let output = push.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Kills it and answers what it logged.
    fn log(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn others_may_push_with_a_key_or_where_that_is_wanted() {
    let data = tempfile::tempdir().unwrap();
    let up = || {
        let mut up = Command::new(env!("CARGO_BIN_EXE_live-recorder"));
        up.args([
            "up",
            "--rtmp",
            "0.0.0.0:0",
            "--listen",
            "127.0.0.1:0",
            "--bucket",
            "127.0.0.1:0",
            "--data",
        ]);
        up.arg(data.path());
        for name in ["ACCESS_KEYS", "INGEST_TOKEN", "BUCKET_ACCESS_KEY_ID", "BUCKET_ACCESS_KEY_SECRET"] {
            up.env(format!("SPIN_VARIABLE_{name}"), "own:own");
        }
        up
    };
    for mut command in [gateway(data.path(), "0.0.0.0:0"), up()] {
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        for said in ["0.0.0.0:0", "--push-key", "LIVE_RECORDER_PUSH_KEYS", "--open"] {
            assert!(stderr.contains(said), "{said}: {stderr}");
        }
    }
    for (option, value) in [("--open", None), ("--push-key", Some("*=k"))] {
        let mut command = gateway(data.path(), "0.0.0.0:0");
        command.arg(option).args(value);
        drop(Running::start(command, data.path().join("log")));
    }
}

#[test]
fn no_log_and_no_file_has_the_key_or_a_signature() {
    let data = tempfile::tempdir().unwrap();
    let mut command = gateway(data.path(), "127.0.0.1:0");
    command.env("LIVE_RECORDER_PUSH_KEYS", format!("*={KEY}")).env("LIVE_RECORDER_LOG", "trace");
    let running = Running::start(command, data.path().join("log"));
    let right = sign("/live/x", 1 << 40, KEY);
    let wrong = sign("/live/x", 1 << 40, "other");
    let expired = sign("/live/x", 1_444_435_200, KEY);
    for (auth_key, may_push) in [(&right, true), (&wrong, false), (&expired, false)] {
        let (has_pushed, said) = running.push(&format!("x?auth_key={auth_key}"));
        assert_eq!(has_pushed, may_push, "{said}");
    }
    // A name that cannot be recorded is logged without its arguments.
    assert!(!running.push(&format!("..?auth_key={right}")).0);

    let spooled = files(&data.path().join("spool"));
    assert!(spooled.iter().any(|file| file.ends_with("push.json")), "{spooled:?}");
    let log = running.log();
    assert!(log.contains("published by") && log.contains("is refused"), "{log}");
    let digests = [&right, &wrong, &expired].map(|auth_key| auth_key.rsplit_once('-').unwrap().1);
    for secret in digests.into_iter().chain([KEY]) {
        assert!(!log.contains(secret), "{log}");
        for file in &spooled {
            let bytes = std::fs::read(file).unwrap();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", file.display());
        }
    }
}
