//! One push, recorded.

use std::process::{Command, Stdio};
use std::time::Duration;

use harness::server::Server;
use harness::{api, bucket, ffmpeg, nal, redis, sample};

/// How long a record file may take to appear after its stream has been away for `DelayTime`.
const SLACK: Duration = Duration::from_secs(5);

#[test]
fn a_push_by_ffmpeg_becomes_slices_and_a_playlist_that_are_the_push() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    api::add_rule(&server, "live.example.com", "live", "5", "15").unwrap();

    let url = server.rtmp_url("live.example.com", "live", "x");
    let pushed = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-re", "-i"])
        .arg(sample())
        .args(["-c", "copy", "-f", "flv", &url])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(pushed.success());

    let patience = Duration::from_secs(15) + SLACK;
    let found = bucket::wait_for_recordings(&server, "recordings", "record/live/x/", 1, patience).unwrap();
    let [recording] = &found[..] else { panic!("one record file is expected, not {}", found.len()) };

    let playlist = &recording.playlist;
    assert!(playlist.end_list);
    assert_eq!(playlist.media_sequence, 0);
    assert!(playlist.segments[0].program_date_time.is_some());
    assert!(playlist.segments.iter().all(|segment| !segment.discontinuity));
    assert!(
        playlist.segments.iter().all(|segment| segment.duration.round() as u64 <= playlist.target_duration)
    );
    assert_eq!(playlist.segments.len(), 5);
    assert!((recording.duration_s() - 30.0).abs() < 0.1, "{} s", recording.duration_s());

    let source = sample();
    for track in ["v", "a"] {
        let expected = ffmpeg::frame_hashes(&source, track).unwrap();
        assert_eq!(ffmpeg::frame_hashes(&recording.file, track).unwrap(), expected, "{track}");
    }
    for (ours, theirs) in ffmpeg::frame_times_ms(&recording.file, "v")
        .unwrap()
        .iter()
        .zip(ffmpeg::frame_times_ms(&source, "v").unwrap())
    {
        assert!((ours - theirs).abs() <= 1, "{ours} ms, not {theirs} ms");
    }

    let whole = folder.path().join("whole.ts");
    std::fs::write(&whole, recording.transport_stream().unwrap()).unwrap();
    let (pushed, recorded) = (ffmpeg::h264(&source).unwrap(), ffmpeg::h264(&whole).unwrap());
    assert_eq!(nal::slices(&recorded), nal::slices(&pushed));
    assert_eq!(ffmpeg::adts(&whole).unwrap(), ffmpeg::adts(&source).unwrap());
}

#[test]
fn a_short_break_continues_the_file_and_a_second_push_plays() {
    let folder = tempfile::tempdir().unwrap();
    check_a_short_break(Server::start(folder.path()).unwrap());
}

#[test]
fn two_hosts_on_redis_record_a_short_break_alike() {
    if redis::is_installed() {
        let folder = tempfile::tempdir().unwrap();
        check_a_short_break(Server::start_on_redis(folder.path()).unwrap());
    }
}

fn check_a_short_break(mut server: Server) {
    api::add_rule(&server, "live.example.com", "live", "5", "15").unwrap();
    let url = server.rtmp_url("live.example.com", "live", "x");
    harness::server::push(&sample(), &url, true).unwrap();
    harness::server::push(&sample(), &url, true).unwrap();

    let patience = Duration::from_secs(20) + SLACK;
    let found = bucket::wait_for_recordings(&server, "recordings", "record/live/x/", 1, patience).unwrap();
    let [recording] = &found[..] else { panic!("one record file is expected, not {}", found.len()) };
    assert_eq!(recording.playlist.segments.len(), 10);
    let broken: Vec<usize> = (0..10).filter(|&at| recording.playlist.segments[at].discontinuity).collect();
    assert_eq!(broken, [5]);
    let once = ffmpeg::frame_hashes(&sample(), "v").unwrap();
    assert_eq!(ffmpeg::frame_hashes(&recording.file, "v").unwrap(), [once.clone(), once].concat());
    server.stop().unwrap();
}
