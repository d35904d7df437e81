//! ffmpeg as a publisher and as a judge.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Runs ffmpeg and answers its output. A warning is an error, even if ffmpeg succeeds.
///
/// # Errors
/// When ffmpeg cannot be started, warns, or fails.
pub fn quiet(arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-v", "warning"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("cannot start ffmpeg; `cargo xtask test` installs it")?;
    let Output { status, stdout, stderr } = output;
    let said = String::from_utf8_lossy(&stderr);
    ensure!(
        status.success() && said.trim().is_empty(),
        "ffmpeg {arguments:?} ended with {status} and said:\n{said}"
    );
    Ok(stdout)
}

/// The decoded frames of a track, `v` or `a`: a line of size and hash for each.
///
/// The lines have no timestamps, because containers count time from different zeros; [`frame_times_ms`] gives them.
///
/// # Errors
/// When ffmpeg warns or fails.
pub fn frame_hashes(input: &Path, track: &str) -> Result<Vec<String>> {
    Ok(frames(input, track, &[])?.into_iter().map(|(_, hash)| hash).collect())
}

/// When a track's frames are shown, in milliseconds since its first.
///
/// # Errors
/// When ffmpeg warns or fails.
pub fn frame_times_ms(input: &Path, track: &str) -> Result<Vec<i64>> {
    let frames = frames(input, track, &["-copyts"])?;
    let first = frames.first().map_or(0, |(time, _)| *time);
    Ok(frames.into_iter().map(|(time, _)| time - first).collect())
}

fn frames(input: &Path, track: &str, options: &[&str]) -> Result<Vec<(i64, String)>> {
    let input = input.to_str().context("a path is not UTF-8")?;
    let map = format!("0:{track}:0");
    let judge =
        ["-xerror", "-i", input, "-map", &map, "-fps_mode", "passthrough", "-enc_time_base", "1:1000"];
    let output = quiet(&[options, &judge, &["-f", "framemd5", "-"]].concat())?;
    let mut frames = Vec::new();
    for line in String::from_utf8(output)?.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [_, _, pts, _, size, hash] = fields[..] else { bail!("framemd5 prints {line:?}") };
        frames.push((pts.parse()?, format!("{size} {hash}")));
    }
    Ok(frames)
}

/// The elementary stream of the H.264 track, in Annex B format.
///
/// # Errors
/// When ffmpeg warns or fails.
pub fn h264(input: &Path) -> Result<Vec<u8>> {
    let input = input.to_str().context("a path is not UTF-8")?;
    quiet(&["-i", input, "-map", "0:v:0", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "-"])
}

/// The AAC track as ADTS.
///
/// # Errors
/// When ffmpeg warns or fails.
pub fn adts(input: &Path) -> Result<Vec<u8>> {
    let input = input.to_str().context("a path is not UTF-8")?;
    quiet(&["-i", input, "-map", "0:a:0", "-c", "copy", "-f", "adts", "-"])
}
