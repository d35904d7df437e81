//! A copy of all state is made in mid-push, and started on.

use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use harness::process::binary;
use harness::server::{Server, push};
use harness::{api, bucket, ffmpeg, sample};

const DOMAIN: &str = "live.example.com";

/// How long a record file may take once its stream has been away for fifteen seconds.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long a gateway has to be silent before its open files are closed, and some more.
const SILENT: Duration = Duration::from_secs(240);

fn back_up(server: &Server, folder: &Path) -> Output {
    let admin = server.admin.trim_start_matches("http://");
    Command::new(binary()).args(["backup", "--admin", admin]).arg(folder).output().unwrap()
}

/// Object names of the record files that the API knows of a stream.
fn known(server: &Server, stream: &str) -> Vec<String> {
    api::record_files(server, DOMAIN, "live", stream).unwrap()
}

#[test]
fn a_copy_that_is_made_in_mid_push_has_all_and_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let mut server = Server::start(&data).unwrap();
    api::add_rule_of_all_formats(&server, DOMAIN, "live", "5", "15").unwrap();
    let before = server.rtmp_url(DOMAIN, "live", "before");
    push(&sample(), &before, true).unwrap();
    let begun = Instant::now();
    while known(&server, "before").len() < 3 {
        assert!(begun.elapsed() < PATIENCE, "there is only {:?}", known(&server, "before"));
        thread::sleep(Duration::from_millis(200));
    }
    let during = server.rtmp_url(DOMAIN, "live", "during");
    let publisher = thread::spawn(move || push(&sample(), &during, false));
    while bucket::objects(&server, "recordings", "record/live/during/").unwrap().len() < 2 {
        assert!(begun.elapsed() < 2 * PATIENCE, "nothing of the push is recorded");
        thread::sleep(Duration::from_millis(100));
    }
    if std::env::var_os("RECORDER_TESTS_STORE").is_some() {
        eprintln!("NOT TESTED: a store in Redis is copied by means of its own");
        return;
    }
    let made = back_up(&server, &copy);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let again = back_up(&server, &copy);
    let refusal = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && refusal.contains("is there already"), "{refusal}");
    let (files, slices) = (known(&server, "before"), bucket::objects(&server, "recordings", "").unwrap());
    server.kill().unwrap();
    // It had somewhere to publish to.
    let _ = publisher.join().unwrap();
    std::fs::remove_dir_all(&data).unwrap();

    let server = server.start_again_on(&copy, &[]).unwrap();
    assert_eq!(known(&server, "before"), files);
    let copied = bucket::objects(&server, "recordings", "").unwrap();
    let is_of_before = |name: &&String| name.contains("/before/");
    assert!(copied.iter().filter(is_of_before).eq(slices.iter().filter(is_of_before)), "{copied:?}");
    let expected = ffmpeg::frame_hashes(&sample(), "v").unwrap();
    let file = |name: &String| server.bucket_folder("recordings").join(name);
    for name in &files {
        assert!(ffmpeg::frame_hashes(&file(name), "v").unwrap() == expected, "{name}");
    }
    // What was recorded of the push that was live is closed once its gateway has been silent for long enough.
    let begun = Instant::now();
    while known(&server, "during").len() < 3 {
        assert!(begun.elapsed() < SILENT, "there is only {:?}", known(&server, "during"));
        thread::sleep(Duration::from_secs(1));
    }
    for name in known(&server, "during") {
        let pictures = ffmpeg::frame_hashes(&file(&name), "v").unwrap();
        assert!(!pictures.is_empty() && expected.starts_with(&pictures), "{name}: {}", pictures.len());
    }
    // The rule is there as well.
    push(&sample(), &server.rtmp_url(DOMAIN, "live", "after"), true).unwrap();
    let begun = Instant::now();
    while known(&server, "after").len() < 3 {
        assert!(begun.elapsed() < PATIENCE, "there is only {:?}", known(&server, "after"));
        thread::sleep(Duration::from_millis(200));
    }
}
