//! MP4 files that are closed by parts which the store copies of the work bucket, also where hosts and the store are killed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use harness::bucket_process::{BucketProcess, VARIABLES};
use harness::functions::Functions;
use harness::gateway::Gateway;
use harness::server::push;
use harness::site::Site;
use harness::{api, bucket, ffmpeg, nal};
use mp4::verify::{Movie, check};

use crate::bad_input::bearer;
use crate::guard::{Guard, Verdict};

/// How long after the push a file may take: its break, and the time that a call which has died had the file for itself.
const PATIENCE: Duration = Duration::from_secs(240);

/// Eighty seconds of 8 Mb/s: too much to be created at once.
fn clip() -> &'static Path {
    static CLIP: LazyLock<PathBuf> = LazyLock::new(make_clip);
    &CLIP
}

fn make_clip() -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("eight-megabits.flv");
    if !file.exists() {
        let making = file.with_extension("part");
        let pictures = "testsrc2=s=640x360:r=25:d=80,noise=alls=60:allf=t";
        let encode = "-c:v libx264 -preset ultrafast -g 50 -b:v 8M -minrate 8M -maxrate 8M -bufsize 8M -c:a aac -f flv -y";
        let inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", "sine=440:r=48000:d=80"];
        let encode: Vec<&str> = encode.split(' ').chain([making.to_str().unwrap()]).collect();
        ffmpeg::quiet(&[&inputs[..], &encode].concat()).unwrap();
        std::fs::rename(making, &file).unwrap();
    }
    file
}

/// A host and a gateway, whose buckets lie behind a guard.
pub(crate) struct Stage {
    functions: Functions,
    gateway: Gateway,
    pub(crate) guard: Guard,
    store: BucketProcess,
    buckets: PathBuf,
    bucket: String,
}

impl Site for Stage {
    fn functions(&self) -> &str {
        &self.functions.url
    }

    fn bucket(&self) -> &str {
        &self.bucket
    }

    fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.buckets.join(bucket)
    }
}

impl Stage {
    /// `options`: those of the users' bucket. The rule asks for these formats.
    pub(crate) fn begin(
        folder: &Path,
        options: &str,
        formats: &[&str],
        judge: impl FnMut(&str) -> Verdict + Send + 'static,
    ) -> Self {
        let buckets = folder.join("buckets");
        let store = BucketProcess::start(&buckets, "127.0.0.1:0").unwrap();
        let guard = Guard::before(store.address.parse().unwrap(), judge);
        let bucket = format!("http://{}", guard.address);
        let options = format!("{}/recordings={options}", guard.address);
        let mut variables = VARIABLES.to_vec();
        if !options.ends_with('=') {
            variables.push(("BUCKET_OPTIONS", &options));
        }
        let functions = Functions::start_alone(&folder.join("functions"), &bucket, &variables).unwrap();
        let gateway = Gateway::start(&functions.url, &folder.join("gateway")).unwrap();
        let stage = Self { functions, gateway, guard, store, buckets, bucket };
        let names = ["RecordFormat.1.Format", "RecordFormat.2.Format", "RecordFormat.3.Format"];
        let to = [
            ("DomainName", "copied.example.com"),
            ("AppName", "live"),
            ("OssBucket", "recordings"),
            ("OssEndpoint", &*stage.bucket),
            ("DelayTime", "15"),
        ];
        let rule: Vec<(&str, &str)> =
            to.into_iter().chain(names.into_iter().zip(formats.iter().copied())).collect();
        let (status, answer) = api::call(&stage, "AddLiveAppRecordConfig", &rule).unwrap();
        assert_eq!(status, 200, "{answer}");
        stage
    }

    pub(crate) fn push(&self, stream: &str) {
        let url = format!("rtmp://{}/live/{stream}?vhost=copied.example.com", self.gateway.rtmp);
        push(clip(), &url, true).unwrap();
    }

    /// Kills the host and starts it again.
    fn kill_host(&mut self) {
        self.functions.kill().unwrap();
        self.functions.start_again().unwrap();
    }

    /// Kills the object store and starts it again.
    fn kill_store(&mut self) {
        self.store.kill().unwrap();
        self.store = BucketProcess::start(&self.buckets, &self.store.address).unwrap();
    }

    /// The record file of each of some formats of a stream, once they are there. Each holds what was pushed.
    pub(crate) fn files(&self, stream: &str, formats: &[&str]) -> Vec<PathBuf> {
        let (folder, prefix) = (self.bucket_folder("recordings"), format!("record/live/{stream}/"));
        let begun = Instant::now();
        let files = loop {
            let mut objects = bucket::objects(self, "recordings", &prefix).unwrap();
            objects.retain(|name| !name.ends_with(".ts"));
            if objects.len() >= formats.len() {
                break objects;
            }
            assert!(begun.elapsed() < PATIENCE, "there are {objects:?}");
            std::thread::sleep(Duration::from_millis(200));
        };
        let kinds: BTreeSet<&str> = files.iter().map(|name| name.rsplit('.').next().unwrap()).collect();
        let expected: BTreeSet<&str> = formats.iter().copied().collect();
        assert!(files.len() == formats.len() && kinds == expected, "{files:?}");
        let files: Vec<PathBuf> = files.iter().map(|name| folder.join(name)).collect();
        for file in &files {
            holds_what_was_pushed(file);
        }
        files
    }

    /// Waits until so many files of a stream count as written.
    pub(crate) fn wait_until_known(&self, stream: &str, count: usize) {
        let begun = Instant::now();
        loop {
            let known = api::record_files(self, "copied.example.com", "live", stream).unwrap();
            if known.len() == count {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{known:?}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Uploads in parts that are neither completed nor given up.
    fn uploads(&self) -> usize {
        let folder = self.buckets.join(".bucket-server/uploads/recordings");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    /// Has what is due be done beside the calls that are under way.
    fn compose(&self) {
        let request = harness::http_agent().post(format!("{}/compose", self.functions.url));
        let request = request.header("authorization", bearer());
        // Whoever is killed does not answer.
        std::thread::spawn(move || drop(request.send_empty()));
    }
}

fn holds_what_was_pushed(file: &Path) {
    // Coded, as every format holds the same: decoding takes ten times as long.
    let [recorded, pushed] = [file, clip()].map(|file| ffmpeg::h264(file).unwrap());
    assert!(nal::slices(&recorded) == nal::slices(&pushed), "{}: pictures", file.display());
    assert!(ffmpeg::adts(file).unwrap() == ffmpeg::adts(clip()).unwrap(), "{}: sound", file.display());
    if file.extension().is_some_and(|extension| extension == "mp4") {
        let bytes = std::fs::read(file).unwrap();
        Movie::read(&bytes).and_then(|movie| check(&movie, bytes.len() as u64)).unwrap();
    }
}

pub(crate) fn is_copy(head: &str) -> bool {
    head.to_ascii_lowercase().contains("\nx-amz-copy-source:")
}

#[test]
fn the_store_copies_what_was_gathered() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::begin(folder.path(), "", &["mp4", "flv"], |_| Verdict::Pass);
    stage.push("s");
    stage.files("s", &["mp4", "flv"]);
    let asked = stage.guard.take();
    let is_part = |head: &&String| head.starts_with("PUT /recordings/") && head.contains(".mp4?partNumber=");
    // A gateway that is pushed to as fast as this may cut chunks that are large enough by themselves.
    let is_of_work = |head: &&String| head.contains("/work/blocks/") || head.contains("/work/media/");
    let (copied, sent): (Vec<_>, Vec<_>) = asked.iter().filter(is_part).partition(|head| is_copy(head));
    assert!(!copied.is_empty() && copied.iter().all(is_of_work), "{copied:?}");
    // The index with the first media, and what came last.
    assert!(sent.len() <= 2, "{} parts were sent", sent.len());
}

/// What is asked for while a file grows, and while it is closed, by how the request begins and what is in it.
const GROWING: (&str, &str) = ("PUT /work/media/", "");
const CLOSING: [(&str, &str); 3] = [
    ("POST /recordings/", ".mp4?uploads"),
    ("PUT /recordings/", ".mp4?partNumber="),
    ("POST /recordings/", ".mp4?uploadId="),
];

/// Steps whose next answer does not come back.
type Lost = Arc<Mutex<Vec<(&'static str, &'static str)>>>;

fn wait_until_lost(stage: &Stage, lost: &Lost) {
    let begun = Instant::now();
    while !lost.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "nobody comes to {:?}", lost.lock().unwrap());
        std::thread::sleep(Duration::from_millis(200));
        stage.compose();
    }
}

#[test]
fn a_host_and_a_store_that_are_killed_at_any_step_leave_whole_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let lost = Lost::default();
    let steps = lost.clone();
    let mut stage = Stage::begin(folder.path(), "", &["mp4", "flv"], move |head| {
        let mut steps = steps.lock().unwrap();
        let found = steps.iter().position(|(begin, part)| head.starts_with(begin) && head.contains(part));
        match found.map(|found| steps.remove(found)) {
            None => Verdict::Pass,
            // The store dies, not who asked.
            Some(GROWING) => Verdict::LoseAnswer,
            Some(_) => Verdict::HoldAnswer,
        }
    });
    // A stream for each step of a close; while the first one grows, the host and then the store die.
    let streams: Vec<String> = (0..CLOSING.len()).map(|number| format!("s{number}")).collect();
    std::thread::scope(|scope| {
        let url = format!("rtmp://{}/live/{}?vhost=copied.example.com", stage.gateway.rtmp, streams[0]);
        let publisher = scope.spawn(move || push(clip(), &url, true).unwrap());
        for kill in [Stage::kill_host, Stage::kill_store] {
            lost.lock().unwrap().push(GROWING);
            wait_until_lost(&stage, &lost);
            kill(&mut stage);
        }
        publisher.join().unwrap();
    });
    lost.lock().unwrap().extend(CLOSING);
    std::thread::scope(|scope| {
        let stage = &stage;
        streams[1..].iter().for_each(|stream| drop(scope.spawn(move || stage.push(stream))));
    });
    wait_until_lost(&stage, &lost);
    stage.kill_host();
    stage.kill_store();
    for stream in &streams {
        stage.files(stream, &["mp4", "flv"]);
        stage.wait_until_known(stream, 2);
    }
    assert_eq!(stage.uploads(), 0);
}
