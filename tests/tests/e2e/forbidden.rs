//! Streams that may not be pushed.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harness::process::binary;
use harness::server::{Server, push};
use harness::{api, bucket, ffmpeg, nal, sample};
use serde_json::{Value, json};

const DOMAIN: &str = "forbidden.example.com";

/// A live push ends within this time of ForbidLiveStream.
const AT_MOST: Duration = Duration::from_secs(2);

/// How long a push may take to be known, a session to begin.
const PATIENCE: Duration = Duration::from_secs(10);

fn call(server: &Server, action: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let stream =
        [("DomainName", DOMAIN), ("AppName", "live"), ("StreamName", "x"), ("LiveStreamType", "publisher")];
    api::call(server, action, &[&stream[..], more].concat()).unwrap()
}

fn wait_until_online(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    while call(server, "DescribeLiveStreamState", &[]).1["StreamState"] != "online" {
        assert!(Instant::now() < deadline, "the push is not known");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A publisher of the sample, of which standard error can be read.
fn publisher(server: &Server, domain: &str, more: &[&str]) -> Child {
    let mut push = Command::new(binary());
    push.arg("push").arg(sample()).arg(server.rtmp_url(domain, "live", "x")).args(more);
    push.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a publisher was told that was sent away.
fn refusal(publisher: Child) -> String {
    let output = publisher.wait_with_output().unwrap();
    assert!(!output.status.success(), "it is not sent away");
    String::from_utf8(output.stderr).unwrap()
}

/// Pushes at the pace of the media until the push is ended; answers within which time it was, and what the publisher was
/// told.
fn pushed_until(server: &Server, end: impl FnOnce()) -> (Duration, String) {
    let publisher = publisher(server, DOMAIN, &[]);
    wait_until_online(server);
    // So that there is something to record.
    thread::sleep(Duration::from_secs(3));
    let since = Instant::now();
    end();
    let told = refusal(publisher);
    (since.elapsed(), told)
}

#[test]
fn a_forbidden_push_ends_within_two_seconds_and_the_stream_is_refused_until_it_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    api::add_rule(&server, DOMAIN, "live", "5", "15").unwrap();
    let url = server.rtmp_url(DOMAIN, "live", "x");

    let (took, told) = pushed_until(&server, || {
        assert_eq!(call(&server, "ForbidLiveStream", &[("ResumeTime", "2100-01-01T00:00:00Z")]).0, 200);
    });
    assert!(took < AT_MOST, "{took:?}");
    let reason = "forbidden.example.com/live/x is forbidden until 2100-01-01T00:00:00Z";
    assert!(told.contains("NetStream.Publish.Denied") && told.contains(reason), "{told}");
    let blocked = call(&server, "DescribeLiveStreamsBlockList", &[]).1;
    assert_eq!(blocked["StreamUrls"], json!({ "StreamUrl": ["forbidden.example.com/live/x"] }));

    let told = refusal(publisher(&server, DOMAIN, &["--fast"]));
    assert!(told.contains("NetStream.Publish.Denied") && told.contains(reason), "{told}");
    // Other streams may be pushed.
    push(&sample(), &server.rtmp_url(DOMAIN, "live", "y"), true).unwrap();

    // What was pushed before is recorded, from its first frame on.
    let files = bucket::wait_for_recordings(
        &server,
        "recordings",
        "record/live/x/",
        1,
        Duration::from_secs(15) + PATIENCE,
    )
    .unwrap();
    let (all, kept) = (ffmpeg::h264(&sample()).unwrap(), ffmpeg::h264(&files[0].file).unwrap());
    let (all, kept) = (nal::slices(&all), nal::slices(&kept));
    assert!((50..all.len()).contains(&kept.len()), "{} of {}", kept.len(), all.len());
    assert!(kept[..] == all[..kept.len()]);

    assert_eq!(call(&server, "ResumeLiveStream", &[]).0, 200);
    let (took, told) = pushed_until(&server, || {
        assert_eq!(call(&server, "ForbidLiveStream", &[("Oneshot", "yes")]).0, 200);
    });
    assert!(took < AT_MOST && told.contains("was disconnected by an operator"), "{took:?} {told}");
    push(&sample(), &url, true).unwrap();
}

#[test]
fn domains_that_may_not_be_pushed_to_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server =
        Server::start_with(folder.path(), &[("PUSH_DOMAINS", "a.example.com,b.example.com")]).unwrap();
    push(&sample(), &server.rtmp_url("B.example.com", "live", "x"), true).unwrap();
    let told = refusal(publisher(&server, DOMAIN, &["--fast"]));
    assert!(told.contains("domain forbidden.example.com may not be pushed to"), "{told}");
}
