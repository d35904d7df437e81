//! What the actions on rules and on what was recorded answer.

use serde_json::json;

use super::world::{BUCKET, ENDPOINT};
use super::*;
use crate::actions::Performer;

const RULE: &[(&str, &str)] = &[
    ("DomainName", "test.com"),
    ("AppName", "live"),
    ("OssBucket", BUCKET),
    ("OssEndpoint", ENDPOINT),
    ("RecordFormat.1.Format", "m3u8"),
];

pub(super) fn add(world: &World, more: &[(&str, &str)]) -> String {
    code(world, "AddLiveAppRecordConfig", &with(RULE, more))
}

#[test]
fn the_samples_of_the_seed_succeed() {
    let world = World::new();
    let mp4 = [("RecordFormat.2.Format", "mp4"), ("RecordFormat.2.CycleDuration", "1800")];
    let window = [
        ("StreamName", "teststream"),
        ("StartTime", "2019-02-15T01:00:00Z"),
        ("EndTime", "2019-02-15T13:00:00Z"),
    ];
    assert_eq!(add(&world, &[("AppName", "test123")]), "OK");
    assert_eq!(add(&world, &mp4), "OK");
    assert_eq!(add(&world, &[mp4.as_slice(), &window].concat()), "OK");
    let notify = |parameters: &[(&str, &str)]| {
        let world = World::new();
        code(&world, "AddLiveRecordNotifyConfig", &with(&[("DomainName", "test.com")], parameters))
    };
    assert_eq!(notify(&[("OnDemandUrl", "http://cb.test.com")]), "OK");
    assert_eq!(notify(&[("NotifyUrl", "http://cb.test.com")]), "OK");
    let range = with(&STREAM, &[window[1], window[2]]);
    assert_eq!(code(&world, "DescribeLiveStreamRecordContent", &range), "OK");
    world.push("live", "teststream");
    assert_eq!(code(&world, "RealTimeRecordCommand", &with(&STREAM, &[("Command", "start")])), "OK");
    assert_eq!(code(&world, "RealTimeRecordCommand", &with(&STREAM, &[("Command", "stop")])), "OK");
}

#[test]
fn a_rule_is_described_as_it_was_added() {
    let world = World::new();
    let more = [
        ("StreamName", "teststream"),
        ("StartTime", "2018-11-08T02:49:18Z"),
        ("EndTime", "2018-11-08T03:49:18Z"),
        ("OnDemand", "7"),
        ("TranscodeTemplates.1", "lld"),
        ("TranscodeRecordFormat.1.Format", "mp4"),
    ];
    assert_eq!(add(&world, &more), "OK");
    let (status, body) = call(&world, "DescribeLiveRecordConfig", &[("DomainName", "test.com")]);
    let names = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({
            "RequestId": "6EBD1AC4-C34D-4AE1-963E-B688A228BE31",
            "Order": "asc", "PageNum": 1, "PageSize": 10, "TotalNum": 1, "TotalPage": 1,
            "LiveAppRecordList": {"LiveAppRecord": [{
                "DomainName": "test.com", "AppName": "live", "StreamName": "teststream",
                "OssEndpoint": ENDPOINT, "OssBucket": BUCKET,
                "CreateTime": "2026-11-22T10:35:00Z",
                "StartTime": "2018-11-08T02:49:18Z", "EndTime": "2018-11-08T03:49:18Z",
                "OnDemond": 7, "DelayTime": 180,
                "RecordFormatList": {"RecordFormat": [{
                    "Format": "m3u8", "CycleDuration": 21600, "SliceDuration": 30, "OssObjectPrefix": names,
                    "SliceOssObjectPrefix": "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}",
                }]},
                "TranscodeRecordFormatList": {"RecordFormat": [{
                    "Format": "mp4", "CycleDuration": 3600, "SliceDuration": 0, "OssObjectPrefix": names,
                    "SliceOssObjectPrefix": "",
                }]},
                "TranscodeTemplates": {"Templates": ["lld"]},
            }]},
        })
    );
}

#[test]
fn the_list_of_rules_is_filtered_ordered_and_paged() {
    let world = World::new();
    for n in 0..12 {
        assert_eq!(add(&world, &[("StreamName", &format!("s{n:02}"))]), "OK");
    }
    assert_eq!(add(&world, &[]), "OK");
    let listed = |more: &[(&str, &str)]| {
        let (_, body) = call(&world, "DescribeLiveRecordConfig", &with(&[("DomainName", "test.com")], more));
        let rules = body["LiveAppRecordList"]["LiveAppRecord"].as_array().unwrap().clone();
        let names: Vec<_> =
            rules.iter().map(|rule| rule["StreamName"].as_str().unwrap().to_owned()).collect();
        (names, body["TotalNum"].as_u64().unwrap(), body["TotalPage"].as_u64().unwrap())
    };
    let (names, total, pages) = listed(&[("PageNum", "2"), ("PageSize", "5")]);
    assert_eq!((names, total, pages), (["s05", "s06", "s07", "s08", "s09"].map(String::from).into(), 13, 3));
    assert_eq!(listed(&[("Order", "desc"), ("PageSize", "5")]).0[..2], ["*", "s11"]);
    assert_eq!(listed(&[("StreamName", "*")]).0, ["*"]);
    assert_eq!(listed(&[("StreamName", "s03"), ("AppName", "live")]).0, ["s03"]);
    assert_eq!(listed(&[("AppName", "*")]), (vec![], 0, 0));
    assert_eq!(listed(&[("DomainName", "unknown")]), (vec![], 0, 0));
}

#[test]
fn adding_a_rule_fails_as_documented() {
    let world = World::new();
    assert_eq!(add(&world, &[]), "OK");
    assert_eq!(add(&world, &[]), "400 ConfigAlreadyExists");
    assert_eq!(add(&world, &[("StreamName", "*")]), "400 ConfigAlreadyExists");
    for (name, value, expected) in [
        ("OssBucket", "-", "400 InvalidOssBucket.Malformed"),
        ("OssBucket", "absent", "400 InvalidOssBucket.NotFound"),
        ("OssBucket", "unreachable", "503 ServiceUnavailable"),
        ("OssEndpoint", "http://a/b", "400 InvalidOssEndpoint.Malformed"),
        ("RecordFormat.1.Format", "avi", "400 InvalidFormat.Malformed"),
        ("RecordFormat.2.Format", "m3u8", "400 InvalidFormat.Malformed"),
        ("RecordFormat.1.CycleDuration", "0", "400 InvalidCycleDuration.Malformed"),
        ("RecordFormat.1.SliceDuration", "31", "400 InvalidSliceDuration.Malformed"),
        ("RecordFormat.1.OssObjectPrefix", "", "400 MissingOssObjectPrefix"),
        ("RecordFormat.1.OssObjectPrefix", "x", "400 InvalidOssObjectPrefix.Malformed"),
        ("RecordFormat.1.SliceOssObjectPrefix", "x", "400 InvalidSliceOssObjectPrefix.Malformed"),
        ("StartTime", "2019-02-15 01:00:00", "400 InvalidStartTime.Malformed"),
        ("EndTime", "2017-12-22T08:00:00:00Z", "400 InvalidEndTime.Malformed"),
        ("DelayTime", "14", "400 InvalidDelayTime.Malformed"),
        ("OnDemand", "3", "400 InvalidOnDemand.Malformed"),
        ("AppName", "a//b", "400 InvalidAppName.Malformed"),
        ("DomainName", "", "400 MissingDomainName"),
        ("AppName", "", "400 MissingAppName"),
        ("OssBucket", "", "400 MissingOssBucket"),
        ("OssEndpoint", "", "400 MissingOssEndpoint"),
        ("RecordFormat.1.Format", "", "400 MissingFormat"),
    ] {
        assert_eq!(add(&world, &[("StreamName", "s"), (name, value)]), expected, "{name}={value}");
    }
    let without: Vec<_> =
        RULE.iter().filter(|(name, _)| !name.starts_with("RecordFormat")).copied().collect();
    assert_eq!(code(&world, "AddLiveAppRecordConfig", &without), "400 MissingRecordFormat");
    assert_eq!(world.rules().len(), 1);
}

#[test]
fn a_rule_is_updated_and_deleted_by_its_triple() {
    let world = World::new();
    let names: &[_] = &[("DomainName", "test.com"), ("AppName", "live"), ("OssEndpoint", ENDPOINT)];
    let update = |more: &[(&str, &str)]| code(&world, "UpdateLiveAppRecordConfig", &with(names, more));
    let delete = |more: &[(&str, &str)]| code(&world, "DeleteLiveAppRecordConfig", &with(&names[..2], more));
    assert_eq!(update(&[]), "404 InvalidConfig.NotFound");
    assert_eq!(delete(&[]), "404 InvalidConfig.NotFound");
    assert_eq!(add(&world, &[("DelayTime", "60")]), "OK");
    assert_eq!(update(&[("OnDemand", "1"), ("RecordFormat.1.Format", "flv")]), "OK");
    {
        let rule = &world.rules()[0];
        assert_eq!((rule.on_demand, rule.delay_s, rule.formats.len()), (rules::OnDemand::AskUrl, 60, 1));
        assert_eq!(rule.formats[0].cycle_s, 3600);
    }
    assert_eq!(update(&[("OssEndpoint", "")]), "400 MissingOssEndpoint");
    assert_eq!(update(&[("RecordFormat.1.Format", "cmaf")]), "400 InvalidFormat.Malformed");
    assert_eq!(delete(&[("StreamName", "s")]), "404 InvalidConfig.NotFound");
    assert_eq!(delete(&[("StreamName", "*")]), "OK");
    assert_eq!(delete(&[]), "404 InvalidConfig.NotFound");
}

#[test]
fn an_update_that_others_come_before_is_made_upon_theirs() {
    let world = World::new();
    let update =
        [("DomainName", "test.com"), ("AppName", "live"), ("OssEndpoint", ENDPOINT), ("DelayTime", "15")];
    assert_eq!(add(&world, &[]), "OK");
    world.interferences.set(5);
    assert_eq!(code(&world, "UpdateLiveAppRecordConfig", &update), "OK");
    assert_eq!(world.rules()[0].delay_s, 15);
    world.interferences.set(1_000);
    assert_eq!(code(&world, "UpdateLiveAppRecordConfig", &update), "503 ServiceUnavailable");
}

/// 10:00:00 to 10:01:00 were recorded.
const RECORDED_S: u64 = NOW_S - 35 * 60;

fn range() -> Vec<(&'static str, &'static str)> {
    with(&STREAM, &[("StartTime", "2026-11-22T09:59:00Z"), ("EndTime", "2026-11-22T10:00:30Z")])
}

const TARGET: [(&str, &str); 3] =
    [("OssBucket", BUCKET), ("OssEndpoint", ENDPOINT), ("OssObject", "i/{StreamName}.m3u8")];

#[test]
fn spans_are_listed() {
    let world = World::new();
    world.record(RECORDED_S, BUCKET);
    let (_, body) = call(&world, "DescribeLiveStreamRecordContent", &range());
    assert_eq!(
        body["RecordContentInfoList"]["RecordContentInfo"],
        json!([{"StartTime": "2026-11-22T10:00:00Z", "EndTime": "2026-11-22T10:00:30Z", "Duration": 30.0,
                "OssEndpoint": ENDPOINT, "OssBucket": BUCKET, "OssObjectPrefix": naming::DEFAULT_SLICE}])
    );
    let (_, body) =
        call(&world, "DescribeLiveStreamRecordContent", &with(&range(), &[("StreamName", "unknown")]));
    assert_eq!(body["RecordContentInfoList"]["RecordContentInfo"], json!([]));
}

#[test]
fn an_index_is_written_shown_and_forgotten() {
    let world = World::new();
    world.record(RECORDED_S, BUCKET);
    let (status, body) = call(&world, "CreateLiveStreamRecordIndexFiles", &with(&range(), &TARGET));
    assert_eq!(status, 200, "{body}");
    let info = &body["RecordInfo"];
    let id = info["RecordId"].as_str().unwrap();
    assert_eq!(
        *info,
        json!({
            "RecordId": id, "RecordUrl": "http://test123.oss-cn-shanghai.aliyuncs.com/i/teststream.m3u8",
            "DomainName": "test.com", "AppName": "live", "StreamName": "teststream",
            "OssEndpoint": ENDPOINT, "OssBucket": BUCKET, "OssObject": "i/teststream.m3u8",
            "StartTime": "2026-11-22T10:00:00Z", "EndTime": "2026-11-22T10:00:30Z", "Duration": 30.0,
            "Height": 480, "Width": 640, "CreateTime": "2026-11-22T10:35:00Z",
        })
    );
    {
        let objects = world.objects.borrow();
        let playlist = &objects["test123/i/teststream.m3u8"].1;
        assert_eq!(playlist.matches("#EXTINF").count(), 5);
        assert!(playlist.contains(&format!("\n../record/live/teststream/{RECORDED_S}_0.ts\n")), "{playlist}");
    }
    // A client that repeats its request gets the same answer, and the object is left alone.
    let (_, again) = call(&world, "CreateLiveStreamRecordIndexFiles", &with(&range(), &TARGET));
    assert_eq!(again["RecordInfo"], *info);
    assert_eq!(world.indexes.borrow().len(), 1);

    let with_id = with(&STREAM, &[("RecordId", id)]);
    let (_, one) = call(&world, "DescribeLiveStreamRecordIndexFile", &with_id);
    assert_eq!(
        (&one["RecordIndexInfo"]["RecordId"], &one["RecordIndexInfo"]["Format"]),
        (&id.into(), &"m3u8".into())
    );
    let (_, list) = call(&world, "DescribeLiveStreamRecordIndexFiles", &range());
    assert_eq!(list["RecordIndexInfoList"]["RecordIndexInfo"], json!([one["RecordIndexInfo"]]));
    assert_eq!((&list["TotalNum"], &list["TotalPage"]), (&1.into(), &1.into()));

    let delete = |remove| {
        let ids = [("RecordId.1", id), ("RecordId.2", "unknown"), ("RemoveFile", remove)];
        call(&world, "DeleteLiveStreamRecordIndexFiles", &with(&STREAM, &ids))
    };
    assert_eq!(delete("true").1["Code"], "InvalidRemoveFile.NotSupported");
    let (status, deleted) = delete("false");
    assert_eq!((status, &deleted["Code"]), (200, &"OK".into()));
    assert_eq!(
        deleted["RecordDeleteInfoList"]["RecordDeleteInfo"],
        json!([{"RecordId": id, "Message": "OK"}, {"RecordId": "unknown", "Message": "NotFound"}])
    );
    assert_eq!(code(&world, "DescribeLiveStreamRecordIndexFile", &with_id), "404 InvalidRecordId.NotFound");
    assert_eq!(world.objects.borrow().len(), 1);
}

#[test]
fn an_index_that_is_asked_for_again_is_the_same_whatever_the_case_of_its_domain() {
    let world = World::new();
    world.record(RECORDED_S, BUCKET);
    let create = |domain| {
        let parameters = with(&with(&range(), &TARGET), &[("DomainName", domain)]);
        call(&world, "CreateLiveStreamRecordIndexFiles", &parameters)
    };
    let (status, first) = create("test.com");
    assert_eq!((status, &first["RecordInfo"]["DomainName"]), (200, &"test.com".into()), "{first}");
    assert_eq!(create("Test.com"), (200, first));
}

#[test]
fn an_index_in_another_bucket_names_its_slices_absolutely() {
    let world = World::new();
    world.record(RECORDED_S, BUCKET);
    let parameters =
        with(&with(&range(), &TARGET), &[("OssBucket", "other-bucket"), ("EndTimeIncluded", "true")]);
    assert_eq!(code(&world, "CreateLiveStreamRecordIndexFiles", &parameters), "OK");
    let objects = world.objects.borrow();
    let playlist = &objects["other-bucket/i/teststream.m3u8"].1;
    let url =
        format!("\nhttp://test123.oss-cn-shanghai.aliyuncs.com/record/live/teststream/{RECORDED_S}_0.ts\n");
    assert!(playlist.contains(&url), "{playlist}");
    assert_eq!(playlist.matches("#EXTINF").count(), 6);
}

/// The bucket's name is in the path, where nobody would guess so.
#[test]
fn urls_are_written_as_the_settings_of_endpoints_say() {
    let world = World::new();
    world.record(RECORDED_S, BUCKET);
    world.variables.borrow_mut().insert("bucket_endpoints", format!("{ENDPOINT}=/path"));
    let parameters = with(&with(&range(), &TARGET), &[("OssBucket", "other-bucket")]);
    let (_, body) = call(&world, "CreateLiveStreamRecordIndexFiles", &parameters);
    let url = format!("http://{ENDPOINT}/other-bucket/i/teststream.m3u8");
    assert_eq!(body["RecordInfo"]["RecordUrl"], url);
    let slice = format!("\nhttp://{ENDPOINT}/test123/record/live/teststream/{RECORDED_S}_0.ts\n");
    let playlist = &world.objects.borrow()["other-bucket/i/teststream.m3u8"].1;
    assert!(playlist.contains(&slice), "{playlist}");
    let (_, list) = call(&world, "DescribeLiveStreamRecordIndexFiles", &range());
    assert_eq!(list["RecordIndexInfoList"]["RecordIndexInfo"][0]["RecordUrl"], url);
}

#[test]
fn an_index_fails_as_documented() {
    let world = World::new();
    let create = |more: &[(&str, &str)]| {
        code(&world, "CreateLiveStreamRecordIndexFiles", &with(&with(&range(), &TARGET), more))
    };
    assert_eq!(create(&[]), "400 InvalidStream.NotFound");
    world.push("live", "teststream");
    assert_eq!(create(&[]), "400 NoRecordContent");
    world.record(RECORDED_S, BUCKET);
    assert_eq!(create(&[]), "OK");
    assert_eq!(create(&[("EndTimeIncluded", "true")]), "409 InvalidOssObject.AlreadyExists");
    for (name, value, expected) in [
        ("OssBucket", "-", "400 InvalidOssBucket.Malformed"),
        ("OssBucket", "absent", "400 InvalidOssBucket.NotFound"),
        ("OssObject", "{Sequence}.m3u8", "400 InvalidOssObject.Malformed"),
        ("OssObject", "/x.m3u8", "400 InvalidOssObject.Malformed"),
        ("StartTime", "x", "400 InvalidStartTime.Malformed"),
        ("EndTime", "x", "400 InvalidEndTime.Malformed"),
        ("EndTime", "2026-11-22T09:59:00Z", "400 InvalidEndTime.Mismatch"),
        ("EndTime", "2026-11-26T09:59:01Z", "400 InvalidEndTime.Mismatch"),
        ("StreamName", "*", "400 InvalidStreamName.Malformed"),
        ("OssObject", "", "400 MissingOssObject"),
    ] {
        assert_eq!(create(&[(name, value)]), expected, "{name}={value}");
    }
    world.record(RECORDED_S - 30, "other-bucket");
    assert_eq!(create(&[("OssObject", "other.m3u8")]), "400 InvalidConfig.Changed");
}

#[test]
fn a_failing_component_is_a_temporary_failure() {
    let world = World::new();
    world.push("live", "teststream");
    for (action, more) in [
        ("AddLiveAppRecordConfig", RULE.to_vec()),
        ("DescribeLiveRecordConfig", vec![]),
        ("DescribeLiveRecordNotifyConfig", vec![]),
        ("RealTimeRecordCommand", vec![("Command", "start")]),
        ("DescribeLiveStreamState", vec![]),
        ("DescribeLiveStreamRecordContent", range()),
        ("CreateLiveStreamRecordIndexFiles", with(&range(), &TARGET)),
    ] {
        world.mend();
        let nonce = world.next_nonce();
        let client = Client::new(Scheme::V3Query, nonce);
        let request = client.request(action, &with(&STREAM, &more));
        let authenticated =
            futures_executor::block_on(crate::authenticate::authenticate(&world, &settings(), &request))
                .unwrap();
        world.fail();
        let (world, settings) = (&world, &settings());
        let (key, call) = authenticated.into_parts();
        let performer = Performer { world, settings, key: &key };
        let error = futures_executor::block_on(call.perform(&performer)).unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (503, "ServiceUnavailable"), "{action}");
        assert!(error.cause.is_some(), "what failed is for the log");
        assert_eq!(error.message, api::faults::SERVICE_UNAVAILABLE.message, "and for nobody else");
    }
}
