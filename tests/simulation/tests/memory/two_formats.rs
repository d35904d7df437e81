//! M3U8 and MP4 of one stream, as the documentation of the service that this one stands in for has it: its example is called
//! word for word, and 70 minutes are recorded by the rule that the API then tells.

use serde_json::{Value, json};
use shared::rules::{Container, Format, Rule, SliceFormat};
use shared::testing::{request_to, rule, run};
use simulation::media;

use crate::site::{BEGAN_MS, Push, Site};

/// The example's parameters; the bucket `test123` is there.
const EXAMPLE: [(&str, &str); 7] = [
    ("AppName", "live"),
    ("DomainName", "test.com"),
    ("OssBucket", "test123"),
    ("OssEndpoint", "oss-cn-shanghai.aliyuncs.com"),
    ("RecordFormat.1.Format", "m3u8"),
    ("RecordFormat.2.Format", "mp4"),
    ("RecordFormat.2.CycleDuration", "1800"),
];

/// Seconds of the push, of a slice, and of a cycle of MP4.
const PUSH_S: u64 = 70 * 60;
const SLICE_S: u64 = 30;
const CYCLE_S: u64 = 1_800;

/// The rule of a domain, as the API tells it.
fn told(site: &Site, domain: &str) -> Rule {
    let answer = site.api("DescribeLiveRecordConfig", &[("DomainName", domain)]).unwrap();
    let [found] = &answer["LiveAppRecordList"]["LiveAppRecord"].as_array().unwrap()[..] else {
        panic!("{answer}")
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let format = |format: &Value| {
        let is_playlist = format["Format"] == "m3u8";
        Format {
            container: if is_playlist { Container::M3u8 } else { Container::Mp4 },
            cycle_seconds: number(&format["CycleDuration"]),
            object_prefix: text(&format["OssObjectPrefix"]),
            slices: is_playlist.then(|| SliceFormat {
                seconds: number(&format["SliceDuration"]),
                object_prefix: text(&format["SliceOssObjectPrefix"]),
            }),
        }
    };
    let formats = found["RecordFormatList"]["RecordFormat"].as_array().unwrap();
    Rule {
        oss_endpoint: text(&found["OssEndpoint"]),
        oss_bucket: text(&found["OssBucket"]),
        delay_seconds: number(&found["DelayTime"]),
        formats: formats.iter().map(format).collect(),
        ..rule()
    }
}

/// A push of `test.com/live/teststream` begins.
fn begin(site: &Site) -> Push {
    let sessions = "/streams/test.com/live/teststream/sessions";
    let begun = json!({"gateway": "g", "boot": "spool.1", "push": "p", "client": "192.0.2.1:1935"});
    let answer = site.post(sessions, &begun).unwrap();
    let session = answer["session"].as_str().unwrap().to_owned();
    Push {
        gateway: "g".into(),
        path: format!("{sessions}/{session}"),
        session,
        began_ms: site.now_ms.get(),
        generation: answer["orders"][0]["generation"].as_str().unwrap().into(),
        orders: answer["orders"].clone(),
        seq: 0,
    }
}

fn compose(site: &Site) {
    let world = site.any();
    world.now_ms.set(site.now_ms.get());
    let answer = run(recorder_compose_function::handler::handle(
        world,
        request_to(http::Method::POST, "/compose", "{}"),
    ));
    assert!(answer.body().contains(r#""failures":[]"#), "{}", answer.body());
}

/// The objects of the bucket of an extension, by their names behind the stream's folder.
fn objects(site: &Site, extension: &str) -> Vec<(String, Vec<u8>)> {
    let objects = site.any().buckets.objects.borrow();
    let folder = "oss-cn-shanghai.aliyuncs.com/test123/record/live/teststream/";
    let of_kind = objects.iter().filter_map(|(name, object)| {
        let name = name.strip_prefix(folder).filter(|name| name.ends_with(extension))?;
        Some((name.to_owned(), object.bytes.clone()))
    });
    of_kind.collect()
}

#[test]
fn m3u8_and_mp4_with_a_cycle_of_half_an_hour() {
    let site = Site::new();
    site.api("AddLiveAppRecordConfig", &EXAMPLE).unwrap();
    site.set_rule(&told(&site, "test.com"));
    site.start("g", "spool.1");
    let mut push = begin(&site);
    site.adopt(&push);
    for from_s in (0..PUSH_S).step_by(SLICE_S as usize) {
        site.seconds(SLICE_S);
        site.chunk(&push, push.seq, from_s..from_s + SLICE_S).unwrap();
        push.seq += 1;
        compose(&site);
    }
    // Both that are full are there while the stream goes on.
    assert_eq!(objects(&site, ".mp4").len(), 2);
    site.end(&push);
    site.seconds(170);
    compose(&site);
    assert_eq!((objects(&site, ".mp4").len(), objects(&site, ".m3u8").len()), (2, 0));
    site.seconds(60);
    compose(&site);

    let files = objects(&site, ".mp4");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    // From 03:04:05 in UTC on, in the time of the service.
    let at = ["11-04-05", "11-34-05", "12-04-05", "12-14-05"].map(|time| format!("2026-01-02-{time}"));
    let expected: Vec<String> = (0..3).map(|n| format!("{n}_{}_{}.mp4", at[n], at[n + 1])).collect();
    assert_eq!(names, expected);
    for (number, (name, bytes)) in (0..).zip(&files) {
        let movie = mp4::verify::Movie::read(bytes).unwrap();
        mp4::verify::check(&movie, bytes.len() as u64).unwrap();
        let seconds = number * CYCLE_S..PUSH_S.min((number + 1) * CYCLE_S);
        assert!(media::frames(bytes).iter().map(|(_, at_ms)| at_ms / 1_000).eq(seconds), "{name}");
    }
    let [(name, playlist)] = &objects(&site, ".m3u8")[..] else { panic!("{:?}", objects(&site, ".m3u8")) };
    assert_eq!(*name, format!("0_{}_{}.m3u8", at[0], at[3]));
    let playlist = String::from_utf8(playlist.clone()).unwrap();
    let slices = objects(&site, ".ts");
    assert_eq!(slices.len() as u64, PUSH_S / SLICE_S);
    let slice = |uri: &str| slices.iter().find(|(name, _)| name == uri).unwrap_or_else(|| panic!("no {uri}"));
    let listed = playlist.lines().filter(|line| !line.starts_with('#'));
    let pictures = listed.flat_map(|uri| media::frames(&slice(uri).1));
    assert!(pictures.map(|(_, at_ms)| at_ms / 1_000).eq(0..PUSH_S));

    // The API tells of the files of both.
    let (from, to) = (acs::time::format(BEGAN_MS / 1_000), acs::time::format(BEGAN_MS / 1_000 + PUSH_S));
    let of = [("DomainName", "test.com"), ("AppName", "live"), ("StreamName", "teststream")];
    let range = [("StartTime", &*from), ("EndTime", &*to)];
    let answer = site.api("DescribeLiveStreamRecordIndexFiles", &[&of[..], &range].concat()).unwrap();
    let known = answer["RecordIndexInfoList"]["RecordIndexInfo"].as_array().unwrap();
    let seconds = |file: &Value| file["Duration"].as_f64().unwrap().round() as u64;
    let durations = |format: &str| {
        let of = |file: &&Value| file["RecordUrl"].as_str().unwrap().ends_with(format);
        let mut durations: Vec<u64> = known.iter().filter(of).map(seconds).collect();
        durations.sort_unstable();
        durations
    };
    assert_eq!(durations(".mp4"), [600, CYCLE_S, CYCLE_S]);
    assert_eq!(durations(".m3u8"), [PUSH_S]);
}
