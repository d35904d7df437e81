//! MP4 and FLV record files of every case hold what its slices hold, and play by themselves.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use harness::site::Site;
use harness::{bucket, ffmpeg};
use mp4::verify::{Movie, check};

use crate::judge::{frames, hashes};
use crate::stage::{self, APP, Recorded};

/// How long after its playlist a file may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// A case's record files of a kind, in order.
fn files(recorded: &Recorded, extension: &str) -> Vec<PathBuf> {
    let server = stage::server();
    let prefix = format!("record/{APP}/{}/", recorded.name);
    let objects = bucket::objects(server, "recordings", &prefix).unwrap();
    let mut files: Vec<(u32, PathBuf)> = objects
        .iter()
        .filter(|object| object.ends_with(extension))
        .map(|object| {
            let name = object.rsplit('/').next().unwrap();
            let number = name.split('_').next().unwrap().parse().unwrap();
            (number, server.bucket_folder("recordings").join(object))
        })
        .collect();
    files.sort();
    files.into_iter().map(|(_, file)| file).collect()
}

/// The hashes of a track's frames over files.
fn hashes_of(files: &[PathBuf], track: &str) -> Vec<String> {
    files.iter().flat_map(|file| frames(file, track)).map(|frame| frame.hash).collect()
}

/// What is wrong with a case's files of a kind, if anything.
fn judge(recorded: &Recorded, extension: &str) -> Result<(), String> {
    let begun = Instant::now();
    while files(recorded, extension).is_empty() {
        if begun.elapsed() > PATIENCE {
            return Err(format!("no {extension} file"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let files = files(recorded, extension);
    for file in &files {
        let decode = ["-xerror", "-i", file.to_str().unwrap(), "-f", "null", "-"];
        ffmpeg::quiet(&decode).map_err(|error| error.to_string())?;
        if extension == ".mp4" {
            let bytes = std::fs::read(file).unwrap();
            Movie::read(&bytes).and_then(|movie| check(&movie, bytes.len() as u64))?;
        }
    }
    for track in ["v", "a"] {
        let (expected, found) = (hashes(recorded, track), hashes_of(&files, track));
        if expected != found {
            let at = expected.iter().zip(&found).position(|(one, other)| one != other);
            return Err(format!(
                "{track}: {} frames of {}, in {} files; the first that differs is {at:?}",
                found.len(),
                expected.len(),
                files.len()
            ));
        }
    }
    Ok(())
}

#[test]
fn every_case_is_the_same_in_mp4_and_flv() {
    let mut wrong = Vec::new();
    for recorded in stage::all_recorded() {
        for extension in [".mp4", ".flv"] {
            if let Err(reason) = judge(recorded, extension) {
                wrong.push(format!("{} {extension}: {reason}", recorded.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
