//! MP4 files that are closed by parts which the store copies of the work bucket, also by a host that is killed in the middle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use harness::server::{Server, push};
use harness::{api, bucket, ffmpeg, nal};
use mp4::verify::{Movie, check};
use tokio::runtime::Runtime;

use crate::bucket_keys::serve;
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

/// A bundle whose buckets lie behind a guard.
struct Stage {
    server: Server,
    guard: Guard,
    buckets: PathBuf,
    variables: Vec<(&'static str, String)>,
    _runtime: Runtime,
}

impl Stage {
    fn begin(folder: &Path, judge: impl FnMut(&str) -> Verdict + Send + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let buckets = folder.join("buckets");
        let store = serve(&runtime, &buckets, ("testid", "testsecret"), &["recordings", "work"]);
        let guard = Guard::before(store, judge);
        let variables = vec![
            ("BUCKET_HOSTS", format!("http://{}", guard.address)),
            ("WORK_BUCKET", format!("http://{}/work", guard.address)),
        ];
        let server = Server::start_with(&folder.join("data"), &borrowed(&variables)).unwrap();
        let endpoint = format!("http://{}", guard.address);
        let rule = [
            ("DomainName", "copied.example.com"),
            ("AppName", "live"),
            ("OssBucket", "recordings"),
            ("OssEndpoint", &endpoint),
            ("DelayTime", "15"),
            ("RecordFormat.1.Format", "mp4"),
            ("RecordFormat.2.Format", "flv"),
        ];
        let (status, answer) = api::call(&server, "AddLiveAppRecordConfig", &rule).unwrap();
        assert_eq!(status, 200, "{answer}");
        Self { server, guard, buckets, variables, _runtime: runtime }
    }

    fn push(&self) {
        push(clip(), &self.server.rtmp_url("copied.example.com", "live", "s"), true).unwrap();
    }

    /// Kills host and gateway, and starts them again.
    fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server = self.server.start_again_with(&borrowed(&self.variables)).unwrap();
    }

    /// The record files, once one of each format is there. Each holds what was pushed.
    fn files(&self) -> Vec<PathBuf> {
        let folder = self.buckets.join("recordings");
        let begun = Instant::now();
        let files = loop {
            let objects = bucket::objects_in(&folder).unwrap();
            if objects.len() >= 2 {
                break objects;
            }
            assert!(begun.elapsed() < PATIENCE, "there are {objects:?}");
            std::thread::sleep(Duration::from_millis(200));
        };
        let kinds: BTreeSet<&str> = files.iter().map(|name| name.rsplit('.').next().unwrap()).collect();
        assert!(files.len() == 2 && kinds == BTreeSet::from(["flv", "mp4"]), "{files:?}");
        let files: Vec<PathBuf> = files.iter().map(|name| folder.join(name)).collect();
        for file in &files {
            holds_what_was_pushed(file);
        }
        files
    }
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, &**value)).collect()
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

fn is_copy(head: &str) -> bool {
    head.to_ascii_lowercase().contains("\nx-amz-copy-source:")
}

#[test]
fn the_store_copies_what_was_gathered() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::begin(folder.path(), |_| Verdict::Pass);
    stage.push();
    stage.files();
    let asked = stage.guard.take();
    let is_part = |head: &&String| head.starts_with("PUT /recordings/") && head.contains(".mp4?partNumber=");
    // A gateway that is pushed to as fast as this may cut chunks that are large enough by themselves.
    let is_of_work = |head: &&String| head.contains("/work/blocks/") || head.contains("/work/media/");
    let (copied, sent): (Vec<_>, Vec<_>) = asked.iter().filter(is_part).partition(|head| is_copy(head));
    assert!(!copied.is_empty() && copied.iter().all(is_of_work), "{copied:?}");
    // The index with the first media, and what came last.
    assert!(sent.len() <= 2, "{} parts were sent", sent.len());
}

#[test]
fn a_host_that_is_killed_while_a_file_is_closed_closes_it_later() {
    let folder = tempfile::tempdir().unwrap();
    let copies = Arc::new(AtomicUsize::new(0));
    let count = copies.clone();
    let mut stage = Stage::begin(folder.path(), move |head| match is_copy(head) {
        // The first one never comes back: whoever asked is killed meanwhile.
        true if count.fetch_add(1, Ordering::SeqCst) == 0 => Verdict::LoseAnswer,
        _ => Verdict::Pass,
    });
    stage.push();
    let begun = Instant::now();
    while copies.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < PATIENCE, "nothing was copied");
        std::thread::sleep(Duration::from_millis(10));
    }
    stage.kill();
    stage.files();
}
