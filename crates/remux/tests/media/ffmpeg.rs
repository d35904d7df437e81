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
    let output = Command::new("ffmpeg")
        .args(["-v", "warning", "-xerror", "-nostdin", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    // Said of the source too: FFmpeg has no name for the channels of a program config element.
    let messages: Vec<&str> = messages
        .lines()
        .filter(|line| !line.starts_with("Guessed Channel Layout") && !line.is_empty())
        .collect();
    assert!(output.status.success() && messages.is_empty(), "{}: {messages:?}", path.display());
}

/// Hashes of the decoded frames of a stream; `None` where the file has no such stream.
pub(crate) fn frame_hashes(path: &Path, stream: &str) -> Option<Vec<String>> {
    // An edit list would cut off the encoder's delay, which neither FLV nor a transport stream can say.
    let is_mp4 = path.extension().is_some_and(|extension| extension == "mp4");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(if is_mp4 { &["-ignore_editlist", "1"][..] } else { &[] })
        .arg("-i")
        .arg(path)
        .args(["-map", &format!("0:{stream}"), "-fps_mode", "passthrough", "-f", "framemd5", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let hashes: Vec<String> =
        lines.filter_map(|line| Some(line.rsplit(',').next()?.trim().to_owned())).collect();
    (!hashes.is_empty()).then_some(hashes)
}
