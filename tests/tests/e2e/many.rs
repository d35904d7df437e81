//! Many pushes at once.

use std::time::Duration;

use harness::server::{Server, push};
use harness::{api, bucket, ffmpeg, nal, sample};

#[test]
fn twenty_pushes_at_once_are_all_complete() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    api::add_rule(&server, "live.example.com", "*", "5", "15").unwrap();

    std::thread::scope(|scope| {
        for number in 0..20 {
            let url = server.rtmp_url("live.example.com", "many", &format!("s{number}"));
            scope.spawn(move || push(&sample(), &url, true).unwrap());
        }
    });

    let expected = nal::slices(&ffmpeg::h264(&sample()).unwrap()).concat();
    let patience = Duration::from_secs(40);
    let found = bucket::wait_for_recordings(&server, "recordings", "record/many/", 20, patience).unwrap();
    assert_eq!(found.len(), 20);
    for recording in &found {
        let whole = folder.path().join("whole.ts");
        std::fs::write(&whole, recording.transport_stream().unwrap()).unwrap();
        let recorded = ffmpeg::h264(&whole).unwrap();
        assert_eq!(nal::slices(&recorded).concat(), expected, "{}", recording.object);
    }
}
