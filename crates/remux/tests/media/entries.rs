//! Test media made with ffmpeg, as tests/corpus/corpus.txt lists it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{flv_muxer, packets::Source};

/// One line of the list.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    signalling: String,
    arguments: Vec<String>,
}

/// The list.
pub(crate) fn all() -> Vec<Entry> {
    let list = include_str!("../../../../tests/corpus/corpus.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut fields = line.split('|').map(str::trim);
            let mut field = || fields.next().expect("three fields a line").to_owned();
            let (name, signalling) = (field(), field());
            Entry { name, signalling, arguments: field().split_whitespace().flat_map(argument).collect() }
        })
        .collect()
}

/// Replaces the short forms of the list.
fn argument(word: &str) -> Vec<String> {
    let lavfi = |source: String| ["-f", "lavfi", "-i", &source].map(str::to_owned).to_vec();
    match word.split(':').collect::<Vec<_>>()[..] {
        ["video", rate, seconds] => lavfi(format!("testsrc2=s=320x180:r={rate}:d={seconds}")),
        ["tone", rate, seconds] => lavfi(format!("sine=440:r={rate}:d={seconds}")),
        _ => vec![word.to_owned()],
    }
}

/// A piece of the corpus on disk.
pub(crate) struct Sample {
    pub(crate) entry: Entry,
    /// The FLV that is recorded.
    pub(crate) flv: Vec<u8>,
    /// What ffmpeg encoded, for decoding: the FLV itself, or the file it was made of.
    pub(crate) master: PathBuf,
    /// The coded packets, with the FLV's timing.
    pub(crate) source: Source,
}

/// Makes the piece of the corpus that has this name.
pub(crate) fn sample(name: &str) -> Sample {
    make(all().into_iter().find(|entry| entry.name == name).expect("the list has an entry of that name"))
}

/// Makes a piece of the corpus.
fn make(entry: Entry) -> Sample {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    std::fs::create_dir_all(&directory).unwrap();
    let is_flv = entry.signalling == "ffmpeg";
    // Tests run at once and may ask for the same piece: each has its own.
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let extension = if is_flv { "flv" } else { "mp4" };
    let master = directory.join(format!("{}-{number}.{extension}", entry.name));
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(&entry.arguments)
        .args(["-shortest", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"])
        .arg(&master)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", entry.name, String::from_utf8_lossy(&output.stderr));
    let mut source = Source::read(&master);
    let flv = match entry.signalling.as_str() {
        "ffmpeg" => std::fs::read(&master).unwrap(),
        "ffmpeg-copy" => {
            source.begin_at_zero();
            copy_to_flv(&master)
        }
        signalling => flv_muxer::write(signalling, &mut source),
    };
    Sample { entry, flv, master, source }
}

fn copy_to_flv(master: &Path) -> Vec<u8> {
    let path = master.with_extension("flv");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(master)
        // Without this its headers are lost: FFmpeg writes an empty sequence header.
        .args(["-c", "copy", "-strict", "-1", "-bsf:v", "dump_extra"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(path).unwrap()
}
