//! The close of an MP4 or FLV file, by the functions and the embedded bucket server: how long it takes from the chunk that fills
//! its cycle to the finished object, how long of that the functions wait for the store, and what goes through them then
//! and before.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use harness::bucket::objects;
use harness::bucket_process::{BucketProcess, VARIABLES};
use harness::functions::Functions;
use harness::site::Site;

use crate::path::proxy::{Counted, spawn};
use crate::path::{Stage, ask, begin, cpu, record};

/// How long a push is: ten minutes.
const PUSH_S: usize = 600;

/// How long a file may take to be there.
const PATIENCE: Duration = Duration::from_secs(600);

/// A stream whose file is closed.
pub(crate) struct Stream<'a> {
    pub(crate) name: &'static str,
    /// `mp4` or `flv`.
    pub(crate) format: &'static str,
    /// A push of ten minutes.
    pub(crate) chunks: &'a [Vec<u8>],
    /// How often it is pushed, one time after the other.
    pub(crate) times: usize,
    /// How long ffmpeg takes for the same.
    pub(crate) reference: Duration,
}

/// What a close took.
struct Closed {
    media_bytes: u64,
    wall: Duration,
    cpu: Duration,
    memory_bytes: u64,
    before: Counted,
    close: Counted,
}

/// Prints a line for each stream.
pub(crate) fn run(streams: &[Stream<'_>]) -> Result<()> {
    println!(
        "{:<22} {:>9} {:>8} {:>9} {:>7} {:>10} {:>9} {:>9} {:>10} {:>10}",
        "close",
        "media MB",
        "wall ms",
        "store ms",
        "CPU ms",
        "memory MB",
        "requests",
        "MB read",
        "MB sent",
        "of ffmpeg"
    );
    for stream in streams {
        let closed = close(stream)?;
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        println!(
            "{:<22} {:>9.0} {:>8.0} {:>9.0} {:>7.0} {:>10.1} {:>9} {:>9.2} {:>10.2} {:>10.3}",
            stream.name,
            megabytes(closed.media_bytes),
            closed.wall.as_secs_f64() * 1e3,
            closed.close.waited.as_secs_f64() * 1e3,
            closed.cpu.as_secs_f64() * 1e3,
            megabytes(closed.memory_bytes),
            closed.close.requests,
            megabytes(closed.close.read),
            megabytes(closed.close.sent),
            closed.wall.as_secs_f64() / stream.reference.as_secs_f64(),
        );
        let of_media = |counted: Counted| (counted.read + counted.sent) as f64 / closed.media_bytes as f64;
        println!(
            "{:<22} through the functions, for each byte of media: {:.2} while it ran, {:.4} at the close",
            "",
            of_media(closed.before),
            of_media(closed.close)
        );
    }
    Ok(())
}

fn close(stream: &Stream<'_>) -> Result<Closed> {
    let folder = tempfile::tempdir_in(harness::root().join("target/bench"))?;
    let buckets = folder.path().join("buckets");
    let store = BucketProcess::start(&buckets, "127.0.0.1:0")?;
    let (proxy, counts) = spawn(&store.address)?;
    let bucket_server = format!("http://{proxy}");
    let agent = harness::http_agent();
    let functions = Functions::start_alone(&folder.path().join("functions"), &bucket_server, &VARIABLES)?;
    let stage = Stage { functions: functions.url.clone(), bucket_server, buckets };
    let lane = |path| ask(&agent, &stage.functions, "POST", path, b"").map(drop);
    // The last chunk, of six seconds, fills the cycle.
    let cycle_s = PUSH_S * stream.times - 3;
    add_rule(&stage, stream.format, &cycle_s.to_string())?;
    lane("/tick")?;
    let chunks = begin(&agent, &stage, 0)?;
    let all = std::iter::repeat_n(stream.chunks, stream.times).flatten();
    let last = (stream.chunks.len() * stream.times) as u64;
    let mut seq: u64 = 0;
    for chunk in all {
        record(&agent, &stage, &chunks, seq, chunk)?;
        seq += 1;
        // As often as a gateway calls it, or so.
        if seq.is_multiple_of(12) && seq < last {
            lane("/compose")?;
        }
    }
    let before = counts.take();
    let (cpu_before, memory_before) = (cpu(functions.id())?, resident(functions.id(), "VmRSS:")?);
    std::fs::write(Path::new("/proc").join(functions.id().to_string()).join("clear_refs"), "5")?;
    let begun = Instant::now();
    let file = loop {
        lane("/tick")?;
        lane("/compose")?;
        match &objects(&stage, "recordings", "record/")?[..] {
            [file] => break stage.bucket_folder("recordings").join(file),
            [] if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(100)),
            found => bail!("after {:?} there are {found:?}", begun.elapsed()),
        }
    };
    let wall = begun.elapsed();
    ensure!(is_of(&file, stream.format)?, "{} is no {} file", file.display(), stream.format);
    Ok(Closed {
        media_bytes: std::fs::metadata(&file)?.len(),
        wall,
        cpu: cpu(functions.id())? - cpu_before,
        memory_bytes: resident(functions.id(), "VmHWM:")?.saturating_sub(memory_before),
        before,
        close: counts.take(),
    })
}

/// Whether a file begins as those of its format do.
fn is_of(file: &PathBuf, format: &str) -> Result<bool> {
    let mut head = [0; 8];
    std::io::Read::read_exact(&mut std::fs::File::open(file)?, &mut head)?;
    Ok(if format == "flv" { head.starts_with(b"FLV\x01") } else { head.ends_with(b"ftyp") })
}

fn add_rule(stage: &Stage, format: &str, cycle_s: &str) -> Result<()> {
    let parameters = [
        ("DomainName", "d.example"),
        ("AppName", "live"),
        ("OssBucket", "recordings"),
        ("OssEndpoint", stage.bucket()),
        ("DelayTime", "15"),
        ("RecordFormat.1.Format", format),
        ("RecordFormat.1.CycleDuration", cycle_s),
    ];
    let (status, body) = harness::api::call(stage, "AddLiveAppRecordConfig", &parameters)?;
    ensure!(status == 200, "AddLiveAppRecordConfig answers {status}: {body}");
    Ok(())
}

/// A line of what Linux tells of a process's memory. Unit: bytes.
fn resident(process: u32, line: &str) -> Result<u64> {
    super::resident_of(&process.to_string(), line)
}
