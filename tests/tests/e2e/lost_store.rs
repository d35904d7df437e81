//! The key-value store is lost in the middle of a push.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::process::{INGEST_TOKEN, binary};
use harness::server::Server;
use harness::{api, bucket, sample};

/// Runs `catalog rebuild` to its end; answers what it printed.
fn rebuild(server: &Server, options: &[&str]) -> String {
    let mut rebuild = Command::new(binary());
    rebuild.args(["catalog", "rebuild", "--ingest-token", INGEST_TOKEN, "--functions", &server.functions]);
    let output = rebuild.args(options).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

/// Status and body of a tick.
fn tick(server: &Server) -> (u16, String) {
    let agent = harness::http_agent();
    let request = agent.post(format!("{}/tick", server.functions));
    let mut response =
        request.header("authorization", format!("Bearer {INGEST_TOKEN}")).send_empty().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn rules(server: &Server) -> usize {
    let (status, body) =
        api::call(server, "DescribeLiveRecordConfig", &[("DomainName", "live.example.com")]).unwrap();
    assert_eq!(status, 200, "{body}");
    body["LiveAppRecordList"]["LiveAppRecord"].as_array().map_or(0, Vec::len)
}

/// Under `up` the gateway dies with the functions, and its spool stays.
#[test]
fn a_store_that_is_lost_in_mid_push_is_filled_anew_and_recording_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path()).unwrap();
    // A fresh start needs nothing.
    api::add_rule(&server, "live.example.com", "live", "5", "15").unwrap();
    api::add_rule(&server, "live.example.com", "other", "5", "15").unwrap();
    let parameters = [("DomainName", "live.example.com"), ("AppName", "other")];
    assert_eq!(api::call(&server, "DeleteLiveAppRecordConfig", &parameters).unwrap().0, 200);
    let url = server.rtmp_url("live.example.com", "live", "x");
    let mut encoder = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "quiet", "-re", "-i"])
        .arg(sample())
        .args(["-c", "copy", "-f", "flv", &url])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while bucket::objects(&server, "recordings", "record/live/x/").unwrap().is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the first slice should be there after some seconds"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    server.kill().unwrap();
    let _ = encoder.kill();
    encoder.wait().unwrap();
    server.lose_store().unwrap();

    let server = server.start_again().unwrap();
    let (status, body) = tick(&server);
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("catalog rebuild"), "{body}");
    assert_eq!(rules(&server), 0);
    let printed = rebuild(&server, &["--dry-run"]);
    assert!(
        printed.contains("1 rules, 0 parts") && printed.contains("1 sessions of which 0 put back"),
        "{printed}"
    );
    assert_eq!(tick(&server).0, 503);
    let objects = bucket::objects(&server, "recordings", "record/live/x/").unwrap();
    let printed = rebuild(&server, &[]);
    assert!(printed.contains("1 sessions of which 1 put back"), "{printed}");
    // What was recorded lies in a bucket that may be listed: it is there again.
    let slices: usize = printed
        .lines()
        .filter_map(|line| {
            line.split(" slices from users' buckets").next()?.rsplit(", ").next()?.parse().ok()
        })
        .next_back()
        .unwrap();
    assert_eq!(slices, objects.iter().filter(|name| name.ends_with(".ts")).count(), "{printed}");
    assert_eq!(rules(&server), 1);
    assert_eq!(tick(&server).0, 200);
    // Once more is nothing to do.
    rebuild(&server, &[]);

    let url = server.rtmp_url("live.example.com", "live", "y");
    harness::server::push(&sample(), &url, true).unwrap();
    let patience = Duration::from_secs(40);
    let found = bucket::wait_for_recordings(&server, "recordings", "record/live/y/", 1, patience).unwrap();
    assert_eq!(found.len(), 1);
}
