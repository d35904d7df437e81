//! A player that jumps to a moment of an MP4 or FLV record file shows the picture of that moment.

use std::path::Path;

use harness::ffmpeg;

use crate::judge::{Frame, frames};
use crate::{media_files, stage};

/// Cases with B-frames and keyframes that are near and far. (Of an FLV file's index of keyframes ffmpeg 5.1 reads whole
/// seconds, so that it jumps too far where keyframes are between them, as a picture's that begins late are.)
const CASES: [(&str, &[&str]); 3] =
    [("clean", &[".mp4", ".flv"]), ("long-gop", &[".mp4", ".flv"]), ("picture-late", &[".mp4"])];

/// How many moments of each file are tried.
const POINTS: usize = 10;

/// The first picture that is jumped to: ffmpeg looks for a keyframe 130 ms before it, and none is before the first.
const FIRST: usize = 10;

#[test]
fn ten_points_of_a_file_show_the_pictures_that_were_pushed() {
    for (name, extensions) in CASES {
        for extension in extensions {
            for file in media_files::files(stage::recorded(name), extension) {
                let pictures = frames(&file, "v");
                assert!(pictures.len() > FIRST + POINTS, "{}: {} pictures", file.display(), pictures.len());
                let begin_s = begin_s(&file);
                for point in 0..POINTS {
                    let at = FIRST + point * (pictures.len() - 1 - FIRST) / (POINTS - 1);
                    // Between two pictures, the next one is shown.
                    let time_s = (pictures[at - 1].time_ms + pictures[at].time_ms) / 2_000.0 - begin_s;
                    let shown = shown(&file, time_s);
                    assert_eq!(shown, pictures[at].hash, "{} at {time_s} s", file.display());
                }
            }
        }
    }
}

/// When the first of a file's frames is shown, by its own clock.
fn begin_s(file: &Path) -> f64 {
    let first = |track| frames(file, track).first().map(|Frame { time_ms, .. }| *time_ms);
    let begin_ms = ["v", "a"].into_iter().filter_map(first).fold(f64::INFINITY, f64::min);
    begin_ms / 1_000.0
}

/// The hash of the first picture that ffmpeg shows after it has jumped to a moment of a file.
fn shown(file: &Path, time_s: f64) -> String {
    let (time, input) = (format!("{time_s:.3}"), file.to_str().unwrap());
    // A track may begin late.
    let jump = [
        "-analyzeduration",
        "60M",
        "-probesize",
        "60M",
        "-ss",
        &time,
        "-i",
        input,
        "-map",
        "0:v:0",
        "-frames:v",
        "1",
        "-f",
        "framemd5",
        "-",
    ];
    let listed = String::from_utf8(ffmpeg::quiet(&jump).unwrap()).unwrap();
    let line = listed.lines().find(|line| !line.starts_with('#'));
    line.unwrap_or_else(|| panic!("{input} at {time}: {listed}"))
        .rsplit(',')
        .next()
        .unwrap()
        .trim()
        .to_owned()
}
