//! ffmpeg pushes a stream again and again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use store::memory::Random;

use crate::{APP, DELAY_S, DOMAIN};

/// Length of a source, in seconds.
pub(crate) const SOURCE_S: u64 = 60;

/// Pictures of a source in a second.
pub(crate) const RATE: u64 = 25;

/// What all pushers know.
pub(crate) struct Shared {
    begun: Instant,
    until: Instant,
    is_given_up: AtomicBool,
}

impl Shared {
    pub(crate) fn new(until: Instant) -> Self {
        Self { begun: Instant::now(), until, is_given_up: AtomicBool::new(false) }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until || self.is_given_up.load(Ordering::Relaxed)
    }

    /// Lets the pushers end where there is nothing more to be shown.
    pub(crate) fn give_up_if(&self, has_failed: bool) {
        self.is_given_up.fetch_or(has_failed, Ordering::Relaxed);
    }
}

/// One push.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Push {
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    /// Whether ffmpeg sent all of it.
    pub(crate) is_whole: bool,
}

/// Who pushes a stream.
pub(crate) struct Pusher {
    pub(crate) number: usize,
    pub(crate) rtmp: String,
    pub(crate) source: PathBuf,
    pub(crate) seed: u64,
}

impl Pusher {
    /// Pushes the source, waits for a while, around the time after which a recording ends, and so on.
    pub(crate) fn run(&self, shared: &Shared) -> Result<Vec<Push>> {
        let mut random = Random::new(self.seed.wrapping_add(self.number as u64 + 1).wrapping_mul(77));
        let url = format!("rtmp://{}/{APP}/{}?vhost={DOMAIN}", self.rtmp, stream(self.number));
        let mut pushes = Vec::new();
        while !shared.is_over() {
            let began = Instant::now();
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-nostdin", "-v", "quiet", "-re", "-i"]).arg(&self.source);
            ffmpeg.args(["-c", "copy", "-f", "flv", &url]).stdin(Stdio::null());
            let status = ffmpeg.status().context("cannot start ffmpeg; `cargo xtask test` installs it")?;
            pushes.push(Push { began, ended: Instant::now(), is_whole: status.success() });
            let pause_ms = match random.below(3) {
                0 => random.below(1_000) as u64,
                1 => random.below(5_000) as u64,
                _ => DELAY_S * 1_000 - 2_000 + random.below(8_000) as u64,
            };
            thread::sleep(Duration::from_millis(pause_ms));
        }
        Ok(pushes)
    }
}

/// The name of a stream.
pub(crate) fn stream(number: usize) -> String {
    format!("s{number}")
}

/// A source for each stream, none like the other: H.264 with B-frames, and AAC.
pub(crate) fn sources(folder: &Path, count: usize) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let source = |number: usize| -> Result<PathBuf> {
        let file = folder.join(format!("{number}.flv"));
        let picture = format!("testsrc2=size=320x180:rate={RATE},hue=h={}", number * 30);
        let sound = format!("sine=frequency={}:sample_rate=48000", 300 + number * 50);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound]);
        ffmpeg.args(["-t", &SOURCE_S.to_string(), "-c:v", "libx264", "-preset", "veryfast", "-g", "50"]);
        ffmpeg.args(["-pix_fmt", "yuv420p", "-b:v", "300k", "-c:a", "aac", "-b:a", "64k"]).arg(&file);
        let status = ffmpeg.status().context("cannot start ffmpeg; `cargo xtask test` installs it")?;
        ensure!(status.success(), "ffmpeg makes no {}", file.display());
        Ok(file)
    };
    (0..count).map(source).collect()
}
