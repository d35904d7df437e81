//! Rules that ask a user's server whether a push is to be recorded.

use std::time::Duration;

use harness::receiver::{Received, Receiver, Reply};
use harness::server::{Server, push};
use harness::{api, bucket, ffmpeg, sample};

const DOMAIN: &str = "ask.example.com";

/// How long a record file may take to appear after its stream has been away for `DelayTime`.
const SLACK: Duration = Duration::from_secs(10);

fn answer(body: &str) -> Reply {
    Reply::Answer(200, &[], body.into())
}

/// What the server says, by the stream that it is asked about.
fn script(request: &Received) -> Reply {
    let yes = r#"{"ApiVersion":"1.0","NeedRecord":true}"#;
    let stream = request.target.split("&stream=").nth(1).and_then(|rest| rest.split('&').next());
    match stream {
        Some("yes") => answer(yes),
        Some("no") => answer(r#"{"ApiVersion":"1.0","NeedRecord":false}"#),
        Some("slow") => Reply::After(
            Duration::from_secs(3),
            r#"{"NeedRecord":true,"Interval":{"M3U8":10},"Format":["M3U8"]}"#.into(),
        ),
        Some("head-first") => Reply::HeadFirst(Duration::from_secs(3), yes.into()),
        Some("other-format") => answer(r#"{"NeedRecord":true,"Format":["flv"]}"#),
        Some("wrong") => answer("<html>yes</html>"),
        Some("too-long") => answer(&format!("{}{yes}", " ".repeat(2_048))),
        Some("redirecting") => Reply::Answer(302, &[("location", "/elsewhere")], yes.into()),
        Some("closing") => Reply::Close,
        _ => answer(yes),
    }
}

fn configure(server: &Server, domain: &str, on_demand_url: Option<&str>) {
    let rule = [
        ("DomainName", domain),
        ("AppName", "live"),
        ("OssBucket", "recordings"),
        ("OssEndpoint", &server.bucket),
        ("DelayTime", "15"),
        ("OnDemand", "1"),
        ("RecordFormat.1.Format", "m3u8"),
        ("RecordFormat.1.SliceDuration", "5"),
    ];
    assert_eq!(api::call(server, "AddLiveAppRecordConfig", &rule).unwrap().0, 200);
    if let Some(url) = on_demand_url {
        let config = [("DomainName", domain), ("OnDemandUrl", url)];
        let (status, answer) = api::call(server, "AddLiveRecordNotifyConfig", &config).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
}

#[test]
fn a_push_is_recorded_as_the_users_server_says() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    let receiver = Receiver::start(script).unwrap();
    configure(&server, DOMAIN, Some(&format!("http://{}/ask?token=1", receiver.address)));
    configure(&server, "absent.example.com", None);
    let unrecorded = ["no", "other-format", "wrong", "too-long", "redirecting", "closing"];
    std::thread::scope(|scope| {
        for stream in unrecorded.into_iter().chain(["yes", "slow", "head-first"]) {
            let url = server.rtmp_url(DOMAIN, "live", stream);
            scope.spawn(move || push(&sample(), &url, true).unwrap());
        }
        let url = server.rtmp_url("absent.example.com", "live", "nobody");
        scope.spawn(move || push(&sample(), &url, true).unwrap());
    });

    // Both hold every frame of the push from the first one on, however long the answer was waited for.
    let patience = Duration::from_secs(15) + SLACK;
    let found = |stream: &str, count| {
        let prefix = format!("record/live/{stream}/");
        bucket::wait_for_recordings(&server, "recordings", &prefix, count, patience).unwrap()
    };
    let expected = ffmpeg::frame_hashes(&sample(), "v").unwrap();
    for stream in ["yes", "head-first"] {
        assert_eq!(ffmpeg::frame_hashes(&found(stream, 1)[0].file, "v").unwrap(), expected, "{stream}");
    }
    // The cycle of the answer: 30 s in files of 10 s.
    let slow = found("slow", 3);
    let hashes: Vec<_> =
        slow.iter().flat_map(|file| ffmpeg::frame_hashes(&file.file, "v").unwrap()).collect();
    assert_eq!((slow.len(), hashes), (3, expected));

    // What fails is asked again, what is answered is not.
    let asked = |stream: &str, count| {
        let stream = format!("&stream={stream}&");
        let asked = receiver.wait_for(count, SLACK, |request| request.target.contains(&stream)).unwrap();
        assert_eq!(asked.len(), count, "{stream}");
        asked
    };
    for (stream, count) in [
        ("redirecting", 5),
        ("closing", 5),
        ("wrong", 1),
        ("too-long", 1),
        ("no", 1),
        ("slow", 1),
        ("head-first", 1),
    ] {
        asked(stream, count);
    }
    let question = &asked("yes", 1)[0];
    let expected = "/ask?token=1&app=live&domain=ask.example.com&stream=yes&vbitrate=";
    assert!(
        question.target.starts_with(expected) && question.target.ends_with("&codec=h264"),
        "{question:?}"
    );
    assert_eq!((question.method.as_str(), question.body.as_str()), ("GET", ""));
    assert!(!receiver.received().iter().any(|request| request.target.contains("elsewhere")));
    for stream in unrecorded.into_iter().chain(["nobody"]) {
        let objects = bucket::objects(&server, "recordings", &format!("record/live/{stream}/")).unwrap();
        assert_eq!(objects, Vec::<String>::new(), "{stream}");
    }
}

#[test]
fn receivers_on_private_addresses_are_refused_unless_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &[("PRIVATE_CALLBACKS", "false")]).unwrap();
    for url in ["http://127.0.0.1:1/", "http://localhost:1/", "http://[64:ff9b::7f00:1]/"] {
        let config = [("DomainName", DOMAIN), ("OnDemandUrl", url)];
        let (status, answer) = api::call(&server, "AddLiveRecordNotifyConfig", &config).unwrap();
        assert_eq!((status, answer["Code"].as_str()), (400, Some("InvalidOnDemandUrl.Unsafe")), "{url}");
    }
}
