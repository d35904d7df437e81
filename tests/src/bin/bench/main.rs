//! `cargo xtask bench [catalog [stream-days]|compose [whole]|deliver|live|media|path]`. Media is FLV to TS in the sandboxed component, beside the core as native code,
//! `ffmpeg -c copy` and memcpy, on the same file in the same run.
#![expect(clippy::print_stdout, reason = "a command-line program speaks to its user")]

mod catalog_costs;
#[path = "../../../../crates/remux/tests/media/chunks.rs"]
#[expect(clippy::unwrap_used, reason = "the file is made by ffmpeg")]
mod chunks;
mod component;
mod compose;
mod deliver;
mod live;
mod path;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use component::{Component, Sink};
use remux::{Policy, remux};

/// Rounds of each measurement, the fastest of which counts.
const ROUNDS: usize = 10;

/// The block that the component writes at a time.
const BLOCK_SIZE: usize = 188 * 1394;

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => catalog_costs::run_all()
            .and_then(|()| media())
            .and_then(|()| compose::run(&sample()?, &slow_sample()?, false))
            .and_then(|()| deliver::run(&first_chunk()?))
            .and_then(|()| live::run(&sample()?, &[]))
            .and_then(|()| path::run(&chunks_of(&sample()?)?)),
        Some("catalog") => match std::env::args().nth(2) {
            Some(stream_days) => catalog_costs::run_days(&stream_days),
            None => catalog_costs::run_all(),
        },
        Some("compose") => {
            let is_whole = std::env::args().nth(2).as_deref() == Some("whole");
            compose::run(&sample()?, &slow_sample()?, is_whole)
        }
        Some("deliver") => deliver::run(&first_chunk()?),
        Some("live") => live::run(&sample()?, &std::env::args().skip(2).collect::<Vec<_>>()),
        Some("media") => media(),
        Some("path") => path::run(&chunks_of(&sample()?)?),
        Some(path::PROXY) => {
            path::serve_proxy(&std::env::args().nth(2).context("where is it to forward to?")?)
        }
        Some(unknown) => {
            bail!(
                "there is no benchmark {unknown:?}; there are: catalog, compose, deliver, live, media, path"
            )
        }
    }
}

/// A chunk that is as short as one of five seconds can be.
fn first_chunk() -> Result<Vec<u8>> {
    let chunks = chunks_of(&harness::root().join("tests/assets/sample.flv"))?;
    chunks.into_iter().next().context("the sample has a chunk")
}

fn media() -> Result<()> {
    let path = sample()?;
    let chunks = chunks_of(&path)?;
    let megabytes = std::fs::metadata(&path)?.len() as f64 / 1e6;
    let longest = chunks.iter().map(Vec::len).max().unwrap_or(0) as f64 / 1e6;
    println!("{}: {megabytes:.1} MB, {} chunks of at most {longest:.1} MB", path.display(), chunks.len());

    let mut component = Component::load(&harness::root())?;
    let memcpy = fastest(|| copy(&chunks))?;
    let native = fastest(|| record(&chunks))?;
    let bodies: Vec<Bytes> = chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk)).collect();
    let sandboxed = fastest(|| component.record(&bodies, Sink::Null))?;
    let copied_on = fastest(|| component.record(&bodies, Sink::Copy))?;
    let ffmpeg = ffmpeg_copy(&path)?;
    println!("{:<28} {:>8} {:>11} {:>11}", "", "MB/s", "of memcpy", "of ffmpeg");
    for (name, time) in [
        ("memcpy", memcpy),
        ("core, native", native),
        ("component, sandboxed", sandboxed),
        ("component, output copied on", copied_on),
        ("ffmpeg -c copy", ffmpeg),
    ] {
        let ratio = |reference: Duration| reference.as_secs_f64() / time.as_secs_f64();
        let speed = megabytes / time.as_secs_f64();
        println!("{name:<28} {speed:>8.0} {:>11.2} {:>11.2}", ratio(memcpy), ratio(ffmpeg));
    }
    Ok(())
}

/// A file in chunks of 5 s, as the gateway cuts it.
fn chunks_of(path: &Path) -> Result<Vec<Vec<u8>>> {
    Ok(chunks::cut(&std::fs::read(path)?, 5_000))
}

fn fastest(mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        run()?;
        fastest = fastest.min(begun.elapsed());
    }
    Ok(fastest)
}

/// Copies the chunks block by block: the time of a muxer that did nothing else.
fn copy(chunks: &[Vec<u8>]) -> Result<()> {
    let mut block = vec![0; BLOCK_SIZE];
    for piece in chunks.iter().flat_map(|chunk| chunk.chunks(BLOCK_SIZE)) {
        block[..piece.len()].copy_from_slice(piece);
        black_box(&block);
    }
    Ok(())
}

/// The core as native code, in one session.
fn record(chunks: &[Vec<u8>]) -> Result<()> {
    let mut block = Vec::with_capacity(BLOCK_SIZE);
    let mut state = Vec::new();
    for chunk in chunks {
        let (slice, mut muxer) = remux(chunk, &state, &Policy::default())?;
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
    Ok(())
}

/// Runs ffmpeg on the whole file, and leaves out the time that it takes to start.
fn ffmpeg_copy(path: &Path) -> Result<Duration> {
    let run = |limit: &[&str]| -> Result<()> {
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y", "-i"])
            .arg(path)
            .args(limit)
            .args(["-c", "copy", "-f", "mpegts", "/dev/null"])
            .status()
            .context("cannot start ffmpeg, the reference")?;
        ensure!(status.success(), "ffmpeg ended with {status}");
        Ok(())
    };
    Ok(fastest(|| run(&[]))?.saturating_sub(fastest(|| run(&["-t", "0.01"]))?))
}

/// Half a minute of 720p at 4 Mb/s, repeated twenty times: 310 MB, made once.
fn sample() -> Result<PathBuf> {
    sample_of("4m", "-b:v 4M -maxrate 4M -bufsize 4M -c:a aac -b:a 128k", "1280x720")
}

/// The same at 500 kb/s.
fn slow_sample() -> Result<PathBuf> {
    sample_of("500k", "-b:v 430k -maxrate 430k -bufsize 430k -c:a aac -b:a 64k", "480x270")
}

fn sample_of(name: &str, rates: &str, size: &str) -> Result<PathBuf> {
    let folder = harness::root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let part = folder.join(format!("half-minute-{name}.flv"));
    let sample = folder.join(format!("sample-{name}.flv"));
    if sample.exists() {
        return Ok(sample);
    }
    println!("making {} with ffmpeg", sample.display());
    let ffmpeg = |arguments: &[&str], output: &Path| -> Result<()> {
        let mut command = Command::new("ffmpeg");
        let status = command.args(["-v", "error", "-nostdin", "-y"]).args(arguments).arg(output).status()?;
        ensure!(status.success(), "ffmpeg ended with {status}");
        Ok(())
    };
    let encode = format!(
        "-f lavfi -i testsrc2=s={size}:r=25:d=30,noise=alls=9:allf=t -f lavfi -i sine=440:r=48000:d=30 \
         -c:v libx264 -preset ultrafast -g 50 {rates}"
    );
    ffmpeg(&encode.split_whitespace().collect::<Vec<_>>(), &part)?;
    let part = part.to_str().context("the project's folder has a name that is not UTF-8")?;
    ffmpeg(&["-stream_loop", "19", "-i", part, "-c", "copy"], &sample)?;
    Ok(sample)
}
