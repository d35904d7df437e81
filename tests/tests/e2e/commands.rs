//! Commands and windows that come in mid-push: which frames they record, in every format.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use harness::receiver::{Received, Receiver, Reply};
use harness::server::Server;
use harness::{api, bucket, ffmpeg};
use serde_json::Value;

use crate::publisher::Publisher;
use crate::source::{LONG, SHORT, clip, clip_file};

const DOMAIN: &str = "commands.example.com";
const APP: &str = "live";

/// Pictures between two keyframes of the clips, and in a second.
const GOP: usize = 50;
const RATE: usize = 25;

/// How far a command may be from its place in the show. It comes in the middle of a GOP of two seconds, so that a test which is
/// less exact than that decides nothing.
const LATE: Duration = Duration::from_millis(800);

/// How long record files may take to appear once the stream has been away for the rule's delay of 15 s.
const PATIENCE: Duration = Duration::from_secs(45);

/// Records a stream in every format; its server is told of statuses.
fn record(server: &Server, stream: &str, more: &[(&str, &str)], receiver: &Receiver) {
    let rule = [
        ("DomainName", DOMAIN),
        ("AppName", APP),
        ("StreamName", stream),
        ("OssBucket", "recordings"),
        ("OssEndpoint", &server.bucket),
        ("DelayTime", "15"),
        ("RecordFormat.1.Format", "m3u8"),
        ("RecordFormat.1.SliceDuration", "5"),
        ("RecordFormat.2.Format", "mp4"),
        ("RecordFormat.3.Format", "flv"),
    ];
    let (status, answer) = api::call(server, "AddLiveAppRecordConfig", &[&rule[..], more].concat()).unwrap();
    assert_eq!(status, 200, "{answer}");
    let url = format!("http://{}/told", receiver.address);
    let config = [("DomainName", DOMAIN), ("NotifyUrl", &url), ("NeedStatusNotify", "true")];
    let (status, answer) = api::call(server, "AddLiveRecordNotifyConfig", &config).unwrap();
    assert_eq!(status, 200, "{answer}");
}

fn publish(server: &Server, stream: &str) -> Publisher {
    Publisher::of_stream(&server.rtmp, DOMAIN, APP, stream).unwrap()
}

/// Gives a command so long after the push began.
fn command(server: &Server, stream: &str, begun: Instant, after: Duration, command: &str) {
    std::thread::sleep(after.saturating_sub(begun.elapsed()));
    let names = [("DomainName", DOMAIN), ("AppName", APP), ("StreamName", stream), ("Command", command)];
    let (status, answer) = api::call(server, "RealTimeRecordCommand", &names).unwrap();
    assert_eq!(status, 200, "{command}: {answer}");
    let late = begun.elapsed().saturating_sub(after);
    assert!(late < LATE, "{command}: this machine is {late:?} late, which decides nothing");
}

/// The pictures of a stream's only record file of each format, which are the same in all.
fn recorded(server: &Server, stream: &str) -> Vec<String> {
    let prefix = format!("record/{APP}/{stream}/");
    let begun = Instant::now();
    let files = loop {
        let mut files = bucket::objects(server, "recordings", &prefix).unwrap();
        files.retain(|object| !object.ends_with(".ts"));
        let has = |extension| files.iter().any(|object| object.ends_with(extension));
        if [".m3u8", ".mp4", ".flv"].into_iter().all(has) {
            break files;
        }
        assert!(begun.elapsed() < PATIENCE, "{stream}: there is only {files:?}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(files.len(), 3, "{files:?}");
    let folder = server.bucket_folder("recordings");
    let pictures = |object: &String| ffmpeg::frame_hashes(&folder.join(object), "v").unwrap();
    let each: Vec<Vec<String>> = files.iter().map(pictures).collect();
    for (file, pictures) in files.iter().zip(&each) {
        assert_eq!(pictures.len(), each[0].len(), "{file}");
        assert!(*pictures == each[0], "{file} has other pictures than {}", files[0]);
    }
    each.into_iter().next().unwrap()
}

/// The statuses of a stream that its server was told of, in order, once there are so many.
fn statuses(receiver: &Receiver, stream: &str, count: usize) -> Vec<String> {
    let body = |event: &Received| -> Value { serde_json::from_str(&event.body).unwrap() };
    let is_status = |event: &Received| body(event)["stream"] == stream && body(event)["event"].is_string();
    let told = receiver.wait_for(count, PATIENCE, is_status).unwrap();
    told.iter().map(|event| body(event)["event"].as_str().unwrap().to_owned()).collect()
}

fn pictures(file: &Path) -> Vec<String> {
    ffmpeg::frame_hashes(file, "v").unwrap()
}

#[test]
fn a_start_holds_from_the_keyframe_before_it_and_a_stop_from_one_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    let receiver = Receiver::start(|_| Reply::Answer(200, &[], String::new())).unwrap();
    record(&server, "manual", &[("OnDemand", "7")], &receiver);
    let clip = clip(LONG);
    let mut publisher = publish(&server, "manual");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| publisher.send_paced(&clip.tags, 1.0).unwrap());
        for (after_s, name) in [(5, "start"), (11, "stop"), (19, "start")] {
            command(&server, "manual", begun, Duration::from_secs(after_s), name);
        }
    });
    publisher.finish("manual").unwrap();
    // A break ends what a command began: of this push nothing is recorded.
    let mut again = publish(&server, "manual");
    again.send_paced(&self::clip(SHORT).tags, 1.0).unwrap();
    again.finish("manual").unwrap();

    let (all, found) = (pictures(&clip_file(LONG)), recorded(&server, "manual"));
    let (first, second) = (4 * RATE, 18 * RATE);
    // Within two seconds the gateway knows of the stop; then the next keyframe ends it.
    let stopped = first + found.len() - (all.len() - second);
    assert!(stopped % GOP == 0 && (12 * RATE..=16 * RATE).contains(&stopped), "stopped at picture {stopped}");
    assert!(found == [&all[first..stopped], &all[second..]].concat(), "other pictures than those");
    // The pause of some seconds is none of what the files play.
    for object in bucket::objects(&server, "recordings", "record/live/manual/").unwrap() {
        if object.ends_with(".mp4") || object.ends_with(".flv") {
            let times =
                ffmpeg::frame_times_ms(&server.bucket_folder("recordings").join(&object), "v").unwrap();
            let plays_ms = times.iter().max().unwrap() - times.iter().min().unwrap();
            let pictures_ms = (found.len() as i64 - 1) * 40;
            assert!((plays_ms - pictures_ms).abs() < 400, "{object} plays {plays_ms} ms, not {pictures_ms}");
        }
    }
    let expected = ["record_started", "record_paused", "record_resumed", "record_paused"];
    assert_eq!(statuses(&receiver, "manual", expected.len()), expected);
}

#[test]
fn a_window_opens_and_closes_in_mid_push() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    let receiver = Receiver::start(|_| Reply::Answer(200, &[], String::new())).unwrap();
    let clip = clip(LONG);
    // Windows are in whole seconds, so the push begins at one.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let begin = Duration::from_secs(now.as_secs() + 6);
    let at = |after_s| {
        let time: DateTime<Utc> = (SystemTime::UNIX_EPOCH + begin + Duration::from_secs(after_s)).into();
        time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    record(&server, "window", &[("StartTime", &at(7)), ("EndTime", &at(15))], &receiver);
    let mut publisher = publish(&server, "window");
    let begin = SystemTime::UNIX_EPOCH + begin;
    std::thread::sleep(begin.duration_since(SystemTime::now()).expect("the rule takes less than 5 s"));
    publisher.send_paced(&clip.tags, 1.0).unwrap();
    publisher.finish("window").unwrap();
    // The window was the only one.
    let mut again = publish(&server, "window");
    again.send_paced(&self::clip(SHORT).tags, 1.0).unwrap();
    again.finish("window").unwrap();

    let (all, found) = (pictures(&clip_file(LONG)), recorded(&server, "window"));
    assert_eq!(found.len(), 10 * RATE);
    assert!(found == all[6 * RATE..16 * RATE], "other pictures than those");
    assert_eq!(statuses(&receiver, "window", 2), ["record_started", "record_paused"]);
}
