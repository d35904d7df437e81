//! Recordings in buckets of a store that we did not write: moto, in path style and with a region of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use harness::bucket;
use harness::server::{self, Server};
use harness::site::Site;
use harness::{api, ffmpeg, sample};

use crate::judge;

/// Not the region that is taken where none is known.
const REGION: &str = "eu-north-7";

/// How long the store may take to be ready, and to answer that all of its objects are copied.
const READY_TIME: Duration = Duration::from_secs(60);

/// How long a record file may take after its stream has ended: the shortest break that a rule can say, and some more.
const PATIENCE: Duration = Duration::from_secs(45);

/// Whether Python can make a virtual environment; says so when not.
fn is_installed() -> bool {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import venv, ensurepip"]).stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        return true;
    }
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Written directly: of a test that passes, libtest shows nothing that `println!` prints.
    std::io::stdout().write_all(format!("skipped: {test}, for want of python3-venv\n").as_bytes()).unwrap();
    false
}

/// Installs the pinned store, once for each version; answers the interpreter.
fn install() -> PathBuf {
    let wanted = harness::root().join("tests/stores/requirements.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stores");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed"));
    if std::fs::read(&stamp).ok() == std::fs::read(&wanted).ok() {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(&wanted));
    std::fs::copy(&wanted, &stamp).unwrap();
    python
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {} and said:\n{said}", output.status);
}

fn program(python: &Path) -> Command {
    let mut program = Command::new(python);
    program.arg(harness::root().join("tests/stores/moto_store.py")).env("NO_PROXY", "127.0.0.1");
    program
}

/// A request that the store has answered.
#[derive(Debug)]
struct Answered {
    method: String,
    path: String,
    status: String,
    region: String,
}

impl Answered {
    fn read(line: &str) -> Self {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_else(|| panic!("moto says {line:?}"));
        Self { method: word(), path: word(), status: word(), region: word() }
    }

    fn is(&self, method: &str, status: &str, ending: &str) -> bool {
        self.method == method && self.status == status && self.path.ends_with(ending)
    }
}

/// A running store. Dropping it kills it.
struct Moto {
    child: Child,
    url: String,
    lines: Receiver<String>,
    /// Where its objects are copied to.
    folder: PathBuf,
}

impl Moto {
    fn start(python: &Path, folder: &Path, buckets: &[&str]) -> Self {
        let mut store = program(python);
        store.args(["serve", REGION]).args(buckets).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = store.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line).ok())
        });
        let mut store = Self { child, url: String::new(), lines, folder: folder.into() };
        let begun = Instant::now();
        while store.url.is_empty() {
            let line = store.lines.recv_timeout(READY_TIME.saturating_sub(begun.elapsed()));
            if let Some(url) = line.expect("moto should get ready").strip_prefix("ready ") {
                store.url = url.to_owned();
            }
        }
        store
    }

    fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What it was asked until so many objects were created whose names end so.
    fn until_created(&self, count: usize, ending: &str) -> Vec<Answered> {
        let (begun, mut asked) = (Instant::now(), Vec::<Answered>::new());
        while asked.iter().filter(|one| one.is("PUT", "200", ending)).count() < count {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(line) => asked.push(Answered::read(&line)),
                Err(error) => panic!("fewer {ending} than {count} after {PATIENCE:?}: {error}: {asked:?}"),
            }
        }
        asked
    }

    /// Copies all objects into the folder, by a client that we did not write.
    fn fetch(&self, python: &Path) {
        run(program(python).args(["fetch", &self.url, REGION]).arg(&self.folder));
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Functions that record into a store beside them.
struct Beside<'a> {
    server: &'a Server,
    store: &'a Moto,
}

impl Site for Beside<'_> {
    fn functions(&self) -> &str {
        self.server.functions()
    }

    fn bucket(&self) -> &str {
        &self.store.url
    }

    fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.store.folder.join(bucket)
    }
}

#[test]
fn pushes_are_recorded_on_moto_in_path_style_and_in_its_region() {
    if !is_installed() {
        return;
    }
    let (python, folder) = (install(), tempfile::tempdir().unwrap());
    let buckets = ["recordings", "replacing", "work"];
    let start = |name: &str| Moto::start(&python, &folder.path().join(name), &buckets);
    // Of one the region is set, and it holds the work bucket as well. The other has to say its own.
    let (set, learned) = (start("set"), start("learned"));
    let variables = [
        ("BUCKET_HOSTS", "http://127.0.0.1:*"),
        ("BUCKET_ENDPOINTS", &format!("{}={REGION}/path", set.host())),
        ("BUCKET_OPTIONS", &format!("{}/*=x-amz-storage-class=STANDARD_IA", set.host())),
        ("WORK_BUCKET", &format!("{}/work", set.url)),
    ];
    let mut server = Server::start_with(&folder.path().join("data"), &variables).unwrap();
    for (app, store) in [("set", &set), ("learned", &learned)] {
        api::add_rule(&Beside { server: &server, store }, "d.example", app, "5", "15").unwrap();
        server::push(&sample(), &server.rtmp_url("d.example", app, "s"), true).unwrap();
    }
    for (app, store) in [("set", &set), ("learned", &learned)] {
        let asked = store.until_created(1, ".m3u8");
        store.fetch(&python);
        let found = bucket::recordings(&Beside { server: &server, store }, "recordings", "").unwrap();
        let [recording] = &found[..] else { panic!("{app}: one record file, not {}", found.len()) };
        assert_eq!(recording.playlist.segments.len(), 5, "{app}");
        judge::follows_the_rules(recording);
        for track in ["v", "a"] {
            let pushed = ffmpeg::frame_hashes(&sample(), track).unwrap();
            assert_eq!(ffmpeg::frame_hashes(&recording.file, track).unwrap(), pushed, "{app}: {track}");
        }
        // Nothing is lost, nothing is there twice, and nothing was asked for that an answer had told.
        let objects = bucket::objects_in(&store.folder.join("recordings")).unwrap();
        assert_eq!(objects.len(), 5 + 1, "{app}: {objects:?}");
        assert!(asked.iter().all(|one| !one.is("HEAD", "200", ".ts")), "{app}: {asked:?}");
        assert_eq!(asked.iter().filter(|one| one.is("PUT", "200", ".ts")).count(), 5, "{app}: {asked:?}");
        assert!(asked.iter().all(|one| {
            one.path.starts_with("/recordings/") || one.path == "/recordings" || one.path.starts_with("/work")
        }));
        let refused = asked.iter().filter(|one| one.region != REGION).count();
        match app {
            "set" => assert_eq!(refused, 0, "{asked:?}"),
            // Each instance of a function learns it by itself.
            _ => assert!((1..10).contains(&refused), "{refused} refused: {asked:?}"),
        }
    }
    slices_are_looked_up_once_a_playlist_was_replaced(&server, &learned);
    let decided = bucket::objects_in(&set.folder.join("work")).unwrap();
    assert!(decided.iter().any(|name| name.starts_with("probe/")), "{decided:?}");
    server.stop().unwrap();
}

/// The bucket `replacing` replaces objects whatever a create asks for. The first playlist shows it, and the slices of
/// the next push are created after a look.
fn slices_are_looked_up_once_a_playlist_was_replaced(server: &Server, store: &Moto) {
    let rule = [
        ("DomainName", "d.example"),
        ("AppName", "replacing"),
        ("OssBucket", "replacing"),
        ("OssEndpoint", &store.url),
        ("DelayTime", "15"),
        ("RecordFormat.1.Format", "m3u8"),
        ("RecordFormat.1.SliceDuration", "5"),
    ];
    assert_eq!(api::call(server, "AddLiveAppRecordConfig", &rule).unwrap().0, 200);
    let push = || server::push(&sample(), &server.rtmp_url("d.example", "replacing", "s"), true).unwrap();
    push();
    let looks = |asked: &[Answered]| asked.iter().filter(|one| one.is("HEAD", "404", ".ts")).count();
    // The playlist is created twice.
    let first = store.until_created(2, ".m3u8");
    assert_eq!(looks(&first), 0, "{first:?}");
    push();
    let next = store.until_created(5, ".ts");
    assert_eq!(looks(&next), 5, "{next:?}");
}
