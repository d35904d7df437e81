//! MP4 record files of every case, read by GPAC's MP4Box in its form for JavaScript.

use std::process::Command;

use serde_json::Value;

use crate::judge::frames;
use crate::{browser, media_files, stage};

#[test]
fn mp4box_reads_every_file_and_finds_the_samples_that_ffmpeg_finds() {
    if !browser::are_installed(&["node", "npm"]) {
        return;
    }
    let files: Vec<_> =
        stage::all_recorded().flat_map(|recorded| media_files::files(recorded, ".mp4")).collect();
    let players = browser::install();
    let mut node = Command::new("node");
    node.env("NODE_PATH", players.join("node_modules"));
    let output = node.arg(harness::root().join("tests/players/mp4box.cjs")).args(&files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "it ended with {} and said:\n{said}", output.status);

    let found: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    assert_eq!(found.len(), files.len(), "files that were read");
    for (file, found) in files.iter().zip(&found) {
        let name = file.display();
        assert_eq!(found["errors"], Value::Array(Vec::new()), "{name}");
        assert_eq!(found["progressive"], true, "{name}: the index stands before the media");
        let tracks = found["tracks"].as_array().unwrap();
        assert!(!tracks.is_empty(), "{name}: {found}");
        for track in tracks {
            assert!(track["ordered"] == true && track["within"] == true, "{name}: {track}");
            let is_sound = track["codec"].as_str().unwrap().starts_with("mp4a");
            let expected = frames(file, if is_sound { "a" } else { "v" }).len();
            assert_eq!(track["samples"], expected, "{name}: {track}");
        }
    }
}
