//! Recordings played in headless Chromium, as a viewer's page plays them: playlists by hls.js, FLV files by mpegts.js, MP4
//! files by the browser itself, which reads ranges of them from the bucket server.
//!
//! The page and all else that it plays come from one small server of the test, which takes every object from the bucket
//! server by HTTP; the page posts what happened when all players have ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// The browser, as Debian's package names it.
const BROWSER: &str = "chromium";

/// Whether the programs are there that play something; says so when not.
pub(crate) fn is_installed() -> bool {
    are_installed(&[BROWSER, "npm"])
}

/// Whether programs are there; says so when not.
pub(crate) fn are_installed(tools: &[&str]) -> bool {
    let runs = |tool: &&str| {
        let mut probe = Command::new(tool);
        probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    };
    let Some(missing) = tools.iter().find(|tool| !runs(tool)) else { return true };
    let test = thread::current().name().unwrap_or("a test").to_owned();
    // Written directly: of a test that passes, libtest shows nothing that `println!` prints.
    std::io::stdout().write_all(format!("skipped: {test}, for want of {missing}\n").as_bytes()).unwrap();
    false
}

/// How long the browser may take for all playlists.
const PATIENCE: Duration = Duration::from_secs(150);

/// What became of a playlist in the player.
#[derive(Clone, Debug)]
pub(crate) struct Playback {
    pub(crate) playlist: String,
    /// The player came to the end by itself.
    pub(crate) ended: bool,
    /// Where it stood last, and how long it took the recording to be, in seconds.
    pub(crate) position_s: f64,
    pub(crate) duration_s: f64,
    /// The ranges that it showed.
    pub(crate) played: Vec<(f64, f64)>,
    /// How often the position was moved, by the player, over what it could not play.
    pub(crate) seeks: u64,
    /// Pictures that were decoded, and those of them that were broken.
    pub(crate) frames: u64,
    pub(crate) corrupted: u64,
    /// Bytes of sound that were decoded.
    pub(crate) audio_bytes: u64,
    pub(crate) errors: Vec<String>,
}

/// Plays playlists of a bucket, named by their objects.
pub(crate) fn play(bucket_url: &str, playlists: &[String]) -> Vec<Playback> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let page = format!("http://{}/", listener.local_addr().unwrap());
    let (reports, reported) = channel();
    let site = Arc::new(Site {
        players: install().join("node_modules"),
        bucket_url: bucket_url.to_owned(),
        playlists: Value::from(playlists).to_string(),
    });
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let (site, reports) = (site.clone(), reports.clone());
            thread::spawn(move || site.answer(connection, &reports));
        }
    });

    let profile = tempfile::tempdir().unwrap();
    let mut browser = start(&page, profile.path());
    let report = reported.recv_timeout(PATIENCE);
    let _ = browser.kill();
    let _ = browser.wait();
    let report: Value = report.unwrap_or_else(|_| panic!("the browser did not report within {PATIENCE:?}"));
    report.as_array().unwrap().iter().map(Playback::read).collect()
}

impl Playback {
    fn read(report: &Value) -> Self {
        let seconds = |value: &Value| value.as_f64().unwrap();
        let whole = |name: &str| report[name].as_u64().unwrap_or_default();
        let list = |name: &str| report[name].as_array().unwrap().iter();
        Self {
            playlist: report["playlist"].as_str().unwrap().to_owned(),
            ended: report["ended"].as_bool().unwrap(),
            position_s: seconds(&report["position"]),
            duration_s: seconds(&report["duration"]),
            played: list("played").map(|range| (seconds(&range[0]), seconds(&range[1]))).collect(),
            seeks: whole("seeks"),
            frames: whole("frames"),
            corrupted: whole("corrupted"),
            audio_bytes: whole("audio_bytes"),
            errors: list("errors").map(|error| error.as_str().unwrap().to_owned()).collect(),
        }
    }
}

/// The pinned players, installed by npm; answers the folder.
pub(crate) fn install() -> PathBuf {
    static ONCE: LazyLock<PathBuf> = LazyLock::new(install_once);
    ONCE.clone()
}

fn install_once() -> PathBuf {
    let source = harness::root().join("tests/players");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("players");
    std::fs::create_dir_all(&folder).unwrap();
    let wanted = std::fs::read(source.join("package-lock.json")).unwrap();
    let installed = folder.join("installed");
    if std::fs::read(&installed).is_ok_and(|stamp| stamp == wanted) {
        return folder;
    }
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    let output = npm.current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci ended with {} and said:\n{said}", output.status);
    std::fs::write(installed, wanted).unwrap();
    folder
}

fn start(page: &str, profile: &Path) -> Child {
    let mut browser = Command::new(BROWSER);
    // No window, no permission to ask for, and nothing that reaches the network by itself.
    browser.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    browser.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    browser.args(["--autoplay-policy=no-user-gesture-required", "--disable-background-timer-throttling"]);
    browser.arg(format!("--user-data-dir={}", profile.display())).arg(page);
    browser.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What the browser is served.
struct Site {
    /// The folder that npm installed them into.
    players: PathBuf,
    bucket_url: String,
    playlists: String,
}

impl Site {
    /// Answers one request and closes.
    fn answer(&self, connection: TcpStream, reports: &Sender<Value>) {
        let mut reader = BufReader::new(&connection);
        let mut line = String::new();
        let mut length = 0;
        if reader.read_line(&mut line).is_err() {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).is_err() || header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        let file = |path: &Path| std::fs::read(path).unwrap();
        let players = harness::root().join("tests/players");
        let (kind, body) = match path.as_str() {
            "/" => ("text/html", file(&players.join("page.html"))),
            "/play.js" => ("text/javascript", file(&players.join("play.js"))),
            "/hls.js" => ("text/javascript", file(&self.players.join("hls.js/dist/hls.min.js"))),
            "/mpegts.js" => ("text/javascript", file(&self.players.join("mpegts.js/dist/mpegts.js"))),
            "/bucket" => ("text/plain", self.bucket_url.clone().into_bytes()),
            "/playlists" => ("application/json", self.playlists.clone().into_bytes()),
            "/report" => {
                let mut report = vec![0; length];
                if reader.read_exact(&mut report).is_ok() {
                    let _ = reports.send(serde_json::from_slice(&report).unwrap());
                }
                ("text/plain", Vec::new())
            }
            // Recordings have their paths in the bucket server's own URLs.
            _ => match ureq::get(format!("{}{path}", self.bucket_url)).call() {
                Ok(mut object) => ("application/octet-stream", object.body_mut().read_to_vec().unwrap()),
                Err(_) => return refuse(&connection),
            },
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
        let _ = (&connection).write_all(&[head.as_bytes(), b"connection: close\r\n\r\n", &body].concat());
    }
}

fn refuse(mut connection: &TcpStream) {
    let _ = connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}
