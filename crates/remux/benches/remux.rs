//! FLV → TS in MB/s of FLV: the core as native code, beside memcpy and `ffmpeg -c copy` on the same file.
//!
//! `cargo bench -p recorder-remux [-- FILE.flv]`; without a file one is made with ffmpeg. The file is cut as the
//! gateway cuts it and the chunks go through one session, each measured from its first byte read to its last
//! byte written.
#![expect(clippy::unwrap_used, reason = "the chunks of the tests are cut by a test's code")]

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use recorder_remux::{Policy, remux};

#[path = "../tests/media/chunks.rs"]
mod chunks;

/// Rounds of each measurement, the fastest of which counts.
const ROUNDS: usize = 10;

/// The block that the component writes at a time.
const BLOCK_SIZE: usize = 188 * 1394;

fn main() {
    let file = std::env::args_os().skip(1).find(|argument| argument.to_string_lossy().ends_with(".flv"));
    let path = file.map_or_else(make_sample, PathBuf::from);
    let bytes = std::fs::read(&path).expect("the sample should be readable");
    let chunks = chunks::cut(&bytes, 5_000);
    let longest = chunks.iter().map(Vec::len).max().unwrap_or(0);
    println!(
        "{}: {:.1} MB, {} chunks of at most {:.1} MB",
        path.display(),
        mega(bytes.len()),
        chunks.len(),
        mega(longest)
    );

    let copied = fastest(|| copy(&chunks));
    let remuxed = fastest(|| record(&chunks, BLOCK_SIZE));
    let ffmpeg = ffmpeg_copy(&path);
    println!("{:<24} {:>9} {:>13} {:>13}", "", "MB/s", "of memcpy", "of ffmpeg");
    for (name, time) in
        [("memcpy", Some(copied)), ("remux, native", Some(remuxed)), ("ffmpeg -c copy", ffmpeg)]
    {
        let Some(time) = time else {
            println!("{name:<24} not installed");
            continue;
        };
        let speed = mega(bytes.len()) / time.as_secs_f64();
        let of_ffmpeg =
            ffmpeg.map_or("".into(), |ffmpeg| format!("{:.2}", ffmpeg.as_secs_f64() / time.as_secs_f64()));
        println!(
            "{name:<24} {speed:>9.0} {:>13.2} {of_ffmpeg:>13}",
            copied.as_secs_f64() / time.as_secs_f64()
        );
    }
}

fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn fastest(mut run: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

/// What memcpy needs to move the chunks, block by block, as a muxer that did nothing would.
fn copy(chunks: &[Vec<u8>]) {
    let mut block = vec![0; BLOCK_SIZE];
    for chunk in chunks {
        for piece in chunk.chunks(BLOCK_SIZE) {
            block[..piece.len()].copy_from_slice(piece);
            black_box(&block);
        }
    }
}

fn record(chunks: &[Vec<u8>], block_size: usize) {
    let mut block = Vec::with_capacity(block_size);
    let mut state = Vec::new();
    let policy = Policy { max_bytes: u64::MAX, ..Policy::default() };
    for chunk in chunks {
        let (slice, mut muxer) = remux(chunk, &state, &policy).expect("the sample should be recordable");
        loop {
            block.clear();
            muxer.write(&mut block);
            if block.is_empty() {
                break;
            }
            black_box(&block);
        }
        state = slice.state;
    }
}

/// The user and system time of ffmpeg on the whole file, its start aside.
fn ffmpeg_copy(path: &Path) -> Option<Duration> {
    let run = |input: &Path, duration: &[&str]| {
        let start = Instant::now();
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y", "-i"])
            .arg(input)
            .args(duration)
            .args(["-c", "copy", "-f", "mpegts", "/dev/null"])
            .status()
            .ok()?;
        status.success().then(|| start.elapsed())
    };
    let fastest = |duration: &[&str]| (0..5).filter_map(|_| run(path, duration)).min();
    Some(fastest(&[])?.saturating_sub(fastest(&["-t", "0.01"])?))
}

/// Half a minute of 720p at 8 Mb/s, ten times over: 300 MB.
fn make_sample() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (part, sample) = (directory.join("bench-half-minute.flv"), directory.join("bench.flv"));
    let ffmpeg = |arguments: &[&str], output: &Path| {
        let done = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(arguments)
            .arg(output)
            .status();
        assert!(done.expect("ffmpeg should be installed to make the sample").success());
    };
    if !sample.exists() {
        let encode = "-f lavfi -i testsrc2=s=1280x720:r=25:d=30,noise=alls=20:allf=t -f lavfi -i sine=440:r=48000:d=30 \
                      -c:v libx264 -preset ultrafast -g 50 -b:v 8M -maxrate 8M -bufsize 8M -c:a aac -b:a 128k";
        ffmpeg(&encode.split_whitespace().collect::<Vec<_>>(), &part);
        let part = part.to_str().expect("the target folder should have a plain name");
        ffmpeg(&["-stream_loop", "9", "-i", part, "-c", "copy"], &sample);
    }
    sample
}
