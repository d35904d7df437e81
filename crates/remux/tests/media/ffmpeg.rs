//! ffmpeg as the judge of a transport stream.

use std::{io::Write, path::Path, process::Command};

/// Whether the programs that judge media can be run; says so when not.
pub(crate) fn is_installed() -> bool {
    let tools = [("ffmpeg", "-version"), ("ffprobe", "-version"), ("tsreport", "-h")];
    let missing = tools.iter().find(|(tool, argument)| Command::new(tool).arg(argument).output().is_err());
    let Some((tool, _)) = missing else { return true };
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Written directly: of a test that passes, libtest shows nothing that `println!` prints.
    std::io::stdout().write_all(format!("skipped: {test}, for want of {tool}\n").as_bytes()).unwrap();
    false
}

/// Decodes the whole file; every warning is a failure.
pub(crate) fn decodes_without_a_warning(path: &Path) {
    decode_without_a_warning(&[path]);
}

/// Decodes files, each by itself, in one call: most of the time that one takes passes before it reads anything.
pub(crate) fn decode_without_a_warning<P: AsRef<Path>>(paths: &[P]) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "warning", "-xerror", "-nostdin"]);
    for path in paths {
        ffmpeg.arg("-i").arg(path.as_ref());
    }
    for number in 0..paths.len() {
        ffmpeg.args(["-map", &format!("{number}:v?"), "-map", &format!("{number}:a?"), "-f", "null", "-"]);
    }
    let output = ffmpeg.output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    // Said of the source too: FFmpeg has no name for the channels of a program config element.
    let messages: Vec<&str> = messages
        .lines()
        .filter(|line| !line.starts_with("Guessed Channel Layout") && !line.is_empty())
        .collect();
    let first = paths[0].as_ref().display();
    assert!(output.status.success() && messages.is_empty(), "{first} and those behind it: {messages:?}");
}

/// Hashes of the decoded frames of a file's first video and its first audio stream; `None` where it has no such stream.
pub(crate) fn frame_hashes(path: &Path) -> [Option<Vec<String>>; 2] {
    // An edit list would cut off the encoder's delay, which neither FLV nor a transport stream can say.
    let is_mp4 = path.extension().is_some_and(|extension| extension == "mp4");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(if is_mp4 { &["-ignore_editlist", "1"][..] } else { &[] })
        .arg("-i")
        .arg(path)
        .args(["-map", "0:v:0?", "-map", "0:a:0?", "-fps_mode", "passthrough", "-f", "framemd5", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    ["video", "audio"].map(|kind| {
        let of_kind = format!(": {kind}");
        let types = text.lines().filter_map(|line| line.strip_prefix("#media_type "));
        let stream = types.filter_map(|stream| stream.strip_suffix(&of_kind)).next()?;
        let frames = text.lines().filter_map(|line| line.strip_prefix(stream)?.strip_prefix(','));
        let hashes: Vec<String> =
            frames.filter_map(|frame| Some(frame.rsplit(',').next()?.trim().to_owned())).collect();
        (!hashes.is_empty()).then_some(hashes)
    })
}

/// What is decoded of a file is what is decoded of another.
pub(crate) fn same_frames(name: &str, expected: &[Option<Vec<String>>; 2], path: &Path) {
    for (kind, (expected, found)) in ["video", "audio"].iter().zip(expected.iter().zip(frame_hashes(path))) {
        assert!(*expected == found, "{name}: decoded frames of {kind} differ in {}", path.display());
    }
}
