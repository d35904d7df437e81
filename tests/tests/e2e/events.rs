//! Events: users' servers are told of record files.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use harness::receiver::{Received, Receiver, Reply};
use harness::server::{Server, push};
use harness::{api, bucket, sample};
use md5::{Digest, Md5};
use serde_json::{Value, json};

const DOMAIN: &str = "events.example.com";

const KEY: &str = "0123456789abcdefXYZ";

/// The application whose server asks for statuses.
const STATUS: &str = "status";

/// How long a record file may take to appear and to be told of after its stream has been away for `DelayTime`.
const PATIENCE: Duration = Duration::from_secs(35);

fn taken(_: &Received) -> Reply {
    Reply::Answer(200, &[], String::new())
}

fn configure(server: &Server, app: &str, receiver: SocketAddr) {
    let rule = [
        ("DomainName", DOMAIN),
        ("AppName", app),
        ("OssBucket", "recordings"),
        ("OssEndpoint", &server.bucket),
        ("DelayTime", "15"),
        ("RecordFormat.1.Format", "m3u8"),
        ("RecordFormat.1.SliceDuration", "5"),
        ("RecordFormat.1.CycleDuration", "10"),
    ];
    assert_eq!(api::call(server, "AddLiveAppRecordConfig", &rule).unwrap().0, 200);
    let url = format!("http://{receiver}/told?token=1");
    let config = [
        ("DomainName", DOMAIN),
        ("NotifyUrl", url.as_str()),
        ("NotifyReqAuth", "true"),
        ("NotifyAuthKey", KEY),
        ("NeedStatusNotify", if app == STATUS { "true" } else { "false" }),
    ];
    let (status, answer) = api::call(server, "AddLiveRecordNotifyConfig", &config).unwrap();
    assert_eq!(status, 200, "{answer}");
}

fn uri(event: &Received) -> String {
    let body: Value = serde_json::from_str(&event.body).unwrap();
    body["uri"].as_str().unwrap().to_owned()
}

/// Checks a signature by code of its own.
fn check_signature(event: &Received) {
    let timestamp = event.header("ali-live-timestamp").unwrap();
    let signed: String = Md5::digest(format!("127.0.0.1|{timestamp}|{KEY}"))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(event.header("ali-live-signature"), Some(signed.as_str()));
}

/// The receiver says that it has taken an event before it has dealt with it: its status counts, however its body comes.
#[test]
fn each_record_file_is_told_of_signed_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    let receiver = Receiver::start(|_| Reply::HeadFirst(Duration::from_secs(8), "ok".into())).unwrap();
    configure(&server, "live", receiver.address);
    let url = format!("{}&callback_args1=value1&secret=x", server.rtmp_url(DOMAIN, "live", "x"));
    push(&sample(), &url, true).unwrap();

    let events = receiver.wait_for(3, PATIENCE, |_| true).unwrap();
    let files = bucket::recordings(&server, "recordings", "record/live/x/").unwrap();
    let mut names: Vec<(u32, &bucket::Recording)> =
        files.iter().map(|file| (number(&file.object), file)).collect();
    names.sort_by_key(|(number, _)| *number);
    let expected: Vec<&str> = names.iter().map(|(_, file)| file.object.as_str()).collect();
    assert_eq!(events.iter().map(uri).collect::<Vec<_>>(), expected);
    for (event, (_, file)) in events.iter().zip(&names) {
        check_signature(event);
        assert_eq!((event.method.as_str(), event.target.as_str()), ("POST", "/told?token=1"));
        assert_eq!(event.header("content-type"), Some("application/json"));
        assert_eq!(event.header("x-recorder-attempt"), Some("1"));
        let body: Value = serde_json::from_str(&event.body).unwrap();
        let begin = file.playlist.segments[0].program_date_time.unwrap().timestamp();
        let duration = body["duration"].as_f64().unwrap();
        assert!((duration - file.duration_s()).abs() < 0.01, "{duration} s, not {} s", file.duration_s());
        let stop = body["stop_time"].as_i64().unwrap();
        assert!((stop - begin - duration as i64).abs() <= 1, "{body}");
        let expected = json!({
            "domain": DOMAIN, "app": "live", "stream": "x", "uri": file.object, "duration": duration,
            "start_time": begin, "stop_time": stop, "push_args": { "callback_args1": "value1" },
        });
        assert_eq!(body, expected);
    }
}

/// The number that a record file's name begins with.
fn number(object: &str) -> u32 {
    let name = object.rsplit('/').next().unwrap();
    name.split('_').next().unwrap().parse().unwrap()
}

#[test]
fn what_a_receiver_does_not_take_comes_again_also_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path()).unwrap();
    // It closes connections, which is all that a caller sees of a server that is down.
    let receiver = Receiver::start(|_| Reply::Close).unwrap();
    configure(&server, "live", receiver.address);
    push(&sample(), &server.rtmp_url(DOMAIN, "live", "x"), true).unwrap();
    let first = receiver.wait_for(1, PATIENCE, |_| true).unwrap().remove(0);
    bucket::wait_for_recordings(&server, "recordings", "record/live/x/", 3, PATIENCE).unwrap();
    let before = between_tries(&receiver);
    server.kill().unwrap();
    let server = server.start_again().unwrap();
    receiver.set_script(taken);

    let is_later = |event: &Received| event.header("x-recorder-attempt").is_some();
    let all = receiver.wait_for(before + 3, PATIENCE * 3, is_later).unwrap();
    let told = &all[before..];
    let mut expected: Vec<String> = bucket::recordings(&server, "recordings", "record/live/x/")
        .unwrap()
        .into_iter()
        .map(|file| file.object)
        .collect();
    expected.sort_by_key(|object| number(object));
    assert_eq!(told.iter().map(uri).collect::<Vec<_>>(), expected, "in order, and each once");
    let id = |event: &Received| event.header("x-recorder-event-id").unwrap().to_owned();
    assert!(all[..before].iter().all(|event| id(event) == id(&first)), "none passes the one that waits");
    assert_eq!(id(&told[0]), id(&first));
    told.iter().for_each(check_signature);
}

#[test]
fn a_receiver_that_is_down_for_two_minutes_is_told_everything_once() {
    const DOWN: Duration = Duration::from_secs(120);
    // Nothing else listens or connects from there, so the port stays free.
    let address = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    configure(&server, STATUS, address);
    let begun = Instant::now();
    for (stream, after) in [("early", Duration::ZERO), ("late", DOWN / 2)] {
        std::thread::sleep(after.saturating_sub(begun.elapsed()));
        push(&sample(), &server.rtmp_url(DOMAIN, STATUS, stream), true).unwrap();
    }
    std::thread::sleep(DOWN.saturating_sub(begun.elapsed()));
    let receiver = Receiver::start_at(address, taken).unwrap();

    // Of each recording three files, its begin and its end. The waits between tries double.
    receiver.wait_for(10, DOWN, |_| true).unwrap();
    between_tries(&receiver);
    let told = receiver.received();
    let mut by_kind: BTreeMap<(String, bool), Vec<String>> = BTreeMap::new();
    for event in &told {
        let body: Value = serde_json::from_str(&event.body).unwrap();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let status = text("event");
        let kind = (text("stream").unwrap(), status.is_some());
        by_kind.entry(kind).or_default().push(status.or(text("uri")).unwrap());
    }
    for stream in ["early", "late"] {
        let mut files =
            bucket::recordings(&server, "recordings", &format!("record/{STATUS}/{stream}/")).unwrap();
        files.sort_by_key(|file| number(&file.object));
        let files: Vec<String> = files.into_iter().map(|file| file.object).collect();
        assert_eq!(by_kind[&(stream.to_owned(), false)], files);
        assert_eq!(by_kind[&(stream.to_owned(), true)], ["record_started", "record_paused"]);
    }
    let ids: BTreeSet<_> = told.iter().map(|event| event.header("x-recorder-event-id")).collect();
    assert_eq!((ids.len(), ids.contains(&None)), (told.len(), false), "each comes once: {told:?}");
}

/// Waits until the host has nothing in hand, and counts what has come: what a killed host had in hand is told some minutes
/// later. Tries are five seconds apart and more.
fn between_tries(receiver: &Receiver) -> usize {
    loop {
        let before = receiver.received().len();
        std::thread::sleep(Duration::from_secs(2));
        if receiver.received().len() == before {
            return before;
        }
    }
}

#[test]
fn a_break_is_told_as_a_pause_and_all_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    let receiver = Receiver::start(taken).unwrap();
    configure(&server, STATUS, receiver.address);
    let url = server.rtmp_url(DOMAIN, STATUS, "x");
    let status = |event: &Received| {
        let body: Value = serde_json::from_str(&event.body).unwrap();
        body["event"].as_str().map(str::to_owned)
    };
    let is_status = |event: &Received| status(event).is_some();
    push(&sample(), &url, true).unwrap();
    receiver.wait_for(2, PATIENCE, is_status).unwrap();
    push(&sample(), &url, true).unwrap();
    let told = receiver.wait_for(4, PATIENCE, is_status).unwrap();
    let expected = ["record_started", "record_paused", "record_resumed", "record_paused"];
    assert_eq!(told.iter().filter_map(status).collect::<Vec<_>>(), expected);
    let body: Value = serde_json::from_str(&told[0].body).unwrap();
    let fields = json!({"domain": DOMAIN, "app": STATUS, "stream": "x", "event": "record_started"});
    assert_eq!(body, fields);
    told.iter().for_each(check_signature);

    let files = receiver.wait_for(1, PATIENCE, |event| !is_status(event)).unwrap();
    assert!(!files.is_empty());
    let range = [
        ("DomainName", DOMAIN),
        ("StartTime", "2020-01-01T00:00:00Z"),
        ("EndTime", "2100-01-01T00:00:00Z"),
        ("PageNumber", "1"),
        ("PageSize", "100"),
    ];
    let (status, listed) = api::call(&server, "DescribeLiveRecordNotifyRecords", &range).unwrap();
    assert_eq!(status, 200, "{listed}");
    let records = listed["CallbackList"].as_array().unwrap();
    let count = |kind: &str| records.iter().filter(|record| record["NotifyType"] == kind).count();
    assert_eq!(
        (count("record_started"), count("record_paused"), count("record_resumed")),
        (1, 2, 1),
        "{listed}"
    );
    assert!(count("file_created") > 0, "{listed}");
    assert!(records.iter().all(|record| record["NotifyResult"] == "success"), "{listed}");
}
