//! SIGKILL in the middle of a push.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::server::Server;
use harness::{api, bucket, ffmpeg, nal, sample};

/// Under `up`, host and gateway are one process: both die at once, and the publisher loses its connection.
#[test]
fn what_was_pushed_before_a_kill_is_recorded_and_the_next_push_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path()).unwrap();
    api::add_rule_of_all_formats(&server, "live.example.com", "live", "5", "15").unwrap();
    let url = server.rtmp_url("live.example.com", "live", "x");

    let mut encoder = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "quiet", "-re", "-i"])
        .arg(sample())
        .args(["-c", "copy", "-f", "flv", &url])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(14));
    let before = bucket::objects(&server, "recordings", "record/live/x/").unwrap();
    assert!(!before.is_empty(), "the first slices should be there after 14 s");
    server.kill().unwrap();
    let _ = encoder.kill();
    encoder.wait().unwrap();

    let server = server.start_again().unwrap();
    harness::server::push(&sample(), &url, true).unwrap();
    let patience = Duration::from_secs(40);
    let found = bucket::wait_for_recordings(&server, "recordings", "record/live/x/", 1, patience).unwrap();

    let pushed = ffmpeg::h264(&sample()).unwrap();
    let pushed = nal::slices(&pushed);
    let mut recorded = Vec::new();
    for recording in &found {
        recorded.extend(recording.transport_stream().unwrap());
        for slice in &before {
            let file = server.bucket_folder("recordings").join(slice);
            assert!(
                found.iter().any(|found| found.slices().contains(&file)),
                "{slice} is in {}",
                recording.object
            );
        }
    }
    let whole = folder.path().join("whole.ts");
    std::fs::write(&whole, &recorded).unwrap();
    let recorded = ffmpeg::h264(&whole).unwrap();
    let recorded = nal::slices(&recorded);
    // First the media pushed before the kill, but for the last moment that was not on disk yet; then the whole
    // second push.
    let first = recorded.len() - pushed.len();
    assert!(first >= 12 * 25, "{first} pictures of 14 s are recorded");
    assert_eq!(recorded[..first], pushed[..first]);
    assert_eq!(recorded[first..], pushed[..]);

    // Each format has as many files, and they hold the same.
    let all = files_of(&server, found.len());
    for extension in [".mp4", ".flv"] {
        let streams: Vec<Vec<u8>> = all[extension].iter().map(|file| ffmpeg::h264(file).unwrap()).collect();
        let slices: Vec<&[u8]> = streams.iter().flat_map(|stream| nal::slices(stream)).collect();
        assert!(slices == recorded, "{extension}: {} pictures of {}", slices.len(), recorded.len());
    }
}

/// The MP4 and FLV files in their order, once there are so many of each.
fn files_of(server: &Server, count: usize) -> BTreeMap<&'static str, Vec<PathBuf>> {
    let begun = Instant::now();
    loop {
        let objects = bucket::objects(server, "recordings", "record/live/x/").unwrap();
        let of = |extension: &'static str| {
            let mut files: Vec<&String> =
                objects.iter().filter(|object| object.ends_with(extension)).collect();
            // Times stand behind the number, which two recordings may have in common.
            files.sort_by_key(|object| {
                object.rsplit('/').next().unwrap().split_once('_').unwrap().1.to_owned()
            });
            let folder = server.bucket_folder("recordings");
            (extension, files.into_iter().map(|object| folder.join(object)).collect::<Vec<_>>())
        };
        let all = BTreeMap::from([".mp4", ".flv"].map(of));
        if all.values().all(|files| files.len() == count) {
            return all;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "there are {objects:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
