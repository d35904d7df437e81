//! What each parameter takes, refuses and means.

use rules::Container;

use super::*;
use crate::actions::rules::RecordFormat;
use crate::calls::{
    AddLiveAppRecordConfig, AddLiveRecordNotifyConfig, DeleteLiveStreamRecordIndexFiles,
    DescribeLiveRecordConfig, RealTimeRecordCommand, UpdateLiveRecordNotifyConfig,
};
use crate::faults;

fn read<T: Parameters>(pairs: &[(&str, &str)]) -> Result<T, ApiError> {
    T::read(&pairs.iter().copied().collect())
}

const RULE: &[(&str, &str)] = &[
    ("DomainName", "test.com"),
    ("AppName", "test123"),
    ("OssBucket", "test123"),
    ("OssEndpoint", "oss-cn-shanghai.aliyuncs.com"),
    ("RecordFormat.1.Format", "m3u8"),
];

fn add_rule(more: &[(&str, &str)]) -> Result<AddLiveAppRecordConfig, ApiError> {
    read(&[RULE, more].concat())
}

fn format(format: Container) -> RecordFormat {
    RecordFormat {
        format,
        cycle_duration: None,
        slice_duration: None,
        oss_object_prefix: None,
        slice_oss_object_prefix: None,
    }
}

#[test]
fn the_shortest_rule_gets_the_defaults() {
    assert_eq!(
        add_rule(&[]),
        Ok(AddLiveAppRecordConfig {
            domain_name: "test.com".into(),
            app_name: "test123".into(),
            stream_name: "*".into(),
            oss_bucket: "test123".into(),
            oss_endpoint: "oss-cn-shanghai.aliyuncs.com".into(),
            on_demand: OnDemand::Always,
            delay_time: 180,
            start_time: None,
            end_time: None,
            record_format: Some(vec![format(Container::M3u8)]),
            transcode_record_format: None,
            transcode_templates: None,
        })
    );
}

#[test]
fn what_is_required_is_missed_by_name() {
    for name in ["DomainName", "AppName", "OssBucket", "OssEndpoint"] {
        assert_eq!(add_rule(&[(name, "")]), Err(ApiError::missing(name)));
    }
    assert_eq!(add_rule(&[("RecordFormat.2.CycleDuration", "900")]), Err(ApiError::missing("Format")));
    assert_eq!(
        add_rule(&[("RecordFormat.1.OssObjectPrefix", "")]),
        Err(faults::MISSING_OSS_OBJECT_PREFIX.into())
    );
}

#[test]
fn each_limit_is_exact() {
    let accepted = |name: &str, value: &str| add_rule(&[(name, value)]).is_ok();
    for (name, good, bad) in [
        ("DelayTime", ["15", "21600"], ["14", "21601"]),
        ("RecordFormat.1.SliceDuration", ["5", "30"], ["4", "31"]),
        ("RecordFormat.1.CycleDuration", ["5", "21600"], ["4", "21601"]),
        ("OnDemand", ["0", "7"], ["3", "-1"]),
        ("OssBucket", ["abc", "a-b.c9"], ["ab", "Abc"]),
        (
            "StartTime",
            ["2019-02-15T01:00:00Z", "2024-02-29T00:00:00Z"],
            ["2019-02-15", "2019-02-29T00:00:00Z"],
        ),
    ] {
        assert!(good.iter().all(|value| accepted(name, value)), "{name}");
        assert!(!bad.iter().any(|value| accepted(name, value)), "{name}");
    }
}

#[test]
fn what_is_of_slices_is_ignored_for_other_formats() {
    for (name, value) in [("SliceDuration", "0"), ("SliceDuration", "x"), ("SliceOssObjectPrefix", "")] {
        let (of_m3u8, of_mp4) = (format!("RecordFormat.1.{name}"), format!("RecordFormat.2.{name}"));
        assert!(add_rule(&[(&of_m3u8, value)]).is_err(), "{name}");
        let mp4 = add_rule(&[("RecordFormat.2.Format", "mp4"), (&of_mp4, value)]).unwrap();
        assert_eq!(mp4, add_rule(&[("RecordFormat.2.Format", "mp4")]).unwrap(), "{name}");
    }
}

#[test]
fn wrong_values_have_the_documented_errors() {
    for (name, value, fault) in [
        ("OssBucket", "A", faults::INVALID_OSS_BUCKET_MALFORMED),
        ("RecordFormat.1.Format", "cmaf", faults::INVALID_FORMAT),
        ("RecordFormat.1.Format", "M3U8", faults::INVALID_FORMAT),
        ("RecordFormat.1.CycleDuration", "1h", faults::INVALID_CYCLE_DURATION),
        ("RecordFormat.1.OssObjectPrefix", "x", faults::INVALID_OSS_OBJECT_PREFIX),
        ("RecordFormat.1.SliceOssObjectPrefix", "{Sequence}", faults::INVALID_SLICE_OSS_OBJECT_PREFIX),
        ("StartTime", "2019-02-15T01:00:00:00Z", faults::INVALID_START_TIME),
        ("EndTime", "now", faults::INVALID_END_TIME),
    ] {
        assert_eq!(add_rule(&[(name, value)]), Err(fault.into()), "{name}={value}");
    }
    for name in ["DelayTime", "OnDemand"] {
        for value in ["x", "1.5", "+15", "0x10", " 15", "1e2", "99999999999999999999"] {
            assert_eq!(add_rule(&[(name, value)]), Err(ApiError::malformed(name)), "{name}={value}");
        }
    }
}

#[test]
fn lists_keep_the_order_of_their_numbers_and_tolerate_gaps() {
    let pairs = [
        ("TranscodeTemplates.10", "j"),
        ("TranscodeTemplates.2", "b"),
        ("RecordFormat.7.Format", "flv"),
        ("RecordFormat.3.Format", "mp4"),
    ];
    let values = add_rule(&pairs).unwrap();
    assert_eq!(values.transcode_templates, Some(vec!["b".into(), "j".into()]));
    let formats = [Container::M3u8, Container::Mp4, Container::Flv].map(format);
    assert_eq!(values.record_format, Some(formats.into()));
}

#[test]
fn what_is_no_item_of_a_list_is_refused() {
    for name in [
        "RecordFormat.x.Format",
        "RecordFormat.0.Format",
        "RecordFormat.01.Format",
        "RecordFormat..Format",
        "RecordFormat.-1.Format",
        "RecordFormat.4294967296.Format",
        "RecordFormat.",
    ] {
        assert_eq!(add_rule(&[(name, "mp4")]), Err(ApiError::malformed("RecordFormat")), "{name}");
    }
    // An item that is text where fields belong has no field Format.
    assert_eq!(add_rule(&[("RecordFormat.2", "mp4")]), Err(ApiError::missing("Format")));
    // A list that is text is no list, and a name that only begins alike is another parameter.
    assert!(add_rule(&[("RecordFormat", "mp4"), ("RecordFormats.1", "x")]).is_ok());
}

#[test]
fn each_item_of_a_list_is_a_text_of_its_kind() {
    let with =
        |template: &str| add_rule(&[("TranscodeTemplates.1", "a"), ("TranscodeTemplates.2", template)]);
    for template in ["b", "x".repeat(255).as_str()] {
        assert!(with(template).is_ok(), "{template:?}");
    }
    for template in ["a\nb", "x".repeat(256).as_str()] {
        assert_eq!(with(template), Err(ApiError::malformed("TranscodeTemplates")), "{template:?}");
    }
}

#[test]
fn the_length_of_lists_is_bounded() {
    let ids: Vec<_> = (1..=21).map(|n| format!("RecordId.{n}")).collect();
    let base = [("DomainName", "d"), ("AppName", "a"), ("StreamName", "s"), ("RemoveFile", "false")];
    let with = |count: usize| {
        let items: Vec<_> = ids[..count].iter().map(|name| (name.as_str(), "x")).collect();
        read::<DeleteLiveStreamRecordIndexFiles>(&[&base[..], &items].concat())
    };
    assert_eq!(with(0), Err(ApiError::missing("RecordId")));
    assert!(with(20).is_ok());
    assert_eq!(with(21), Err(ApiError::malformed("RecordId")));
}

#[test]
fn page_numbers_outside_their_range_are_clamped() {
    let page = |size: &str, number: &str| {
        let pairs = [("DomainName", "d"), ("PageSize", size), ("PageNum", number)];
        read::<DescribeLiveRecordConfig>(&pairs).map(|request| (request.page_size, request.page_num))
    };
    assert_eq!(page("1", "0"), Ok((5, 1)));
    assert_eq!(page("99999999999999999999", "-99999999999999999999"), Ok((30, 1)));
    assert_eq!(page("", ""), Ok((10, 1)));
    assert_eq!(page("ten", "1"), Err(ApiError::malformed("PageSize")));
}

#[test]
fn booleans_have_no_case() {
    let notify = |value: &str| {
        let pairs =
            [("DomainName", "d"), ("NotifyUrl", "http://cb.test.com/a?b=c"), ("NeedStatusNotify", value)];
        read::<AddLiveRecordNotifyConfig>(&pairs).map(|request| request.need_status_notify)
    };
    assert_eq!(notify("True"), Ok(true));
    assert_eq!(notify("FALSE"), Ok(false));
    for value in ["1", "yes", "None", "tru"] {
        assert_eq!(notify(value), Err(ApiError::malformed("NeedStatusNotify")), "{value}");
    }
}

#[test]
fn a_url_can_be_called() {
    let notify =
        |value: &str| read::<AddLiveRecordNotifyConfig>(&[("DomainName", "d"), ("NotifyUrl", value)]);
    let ask =
        |value: &str| read::<UpdateLiveRecordNotifyConfig>(&[("DomainName", "d"), ("OnDemandUrl", value)]);
    for value in [
        "http://cb.test.com",
        "https://cb.test.com:8443/a?b=c",
        "HTTP://cb",
        "http://[::1]:80/",
        "http://cb.test.com.:65535?b=http://u@cb:0/",
        "http://my_service:1/#a",
    ] {
        assert!(notify(value).is_ok() && ask(value).is_ok(), "{value}");
    }
    for value in [
        "ftp://cb",
        "cb.test.com",
        "http://",
        "http:///a",
        "http://?a",
        "http://a b",
        "http://cb/a b",
        "http://cb/a\u{3000}b",
        "http://u:p@cb",
        "http://u@cb:80/",
        "http://cb\n",
        "http://cb/\u{7f}",
        "http://cb/\u{85}",
        "//cb",
        "http://cb:99999/",
        "http://cb:65536/",
        "http://cb:0/",
        "http://cb:00/",
        "http://cb:/",
        "http://cb:http/",
        "http://cb:+80/",
        "http://cb:-1/",
        "http://cb:80:80/",
        "http://:80/",
        "http://[::1]:0/",
        "http://[::1]80/",
        "http://[::g]/",
        "http://[]/",
        "http://::1/",
        "http://cb..test/",
        "http://./",
        "http://c%62/",
    ] {
        assert_eq!(notify(value), Err(faults::INVALID_NOTIFY_URL.into()), "{value}");
        assert_eq!(ask(value), Err(ApiError::malformed("OnDemandUrl")), "{value}");
    }
}

#[test]
fn an_endpoint_has_no_port_that_nothing_listens_at() {
    for value in ["127.0.0.1:9000", "http://[::1]:65535", "https://s3.test.com:1/"] {
        assert!(add_rule(&[("OssEndpoint", value)]).is_ok(), "{value}");
    }
    for value in
        ["a:0", "a:00", "a:65536", "a:", "a:+80", "a:x", "http://a:0/", "[::1]:0", "u@a", "a b", "a/b"]
    {
        assert_eq!(add_rule(&[("OssEndpoint", value)]), Err(ApiError::malformed("OssEndpoint")), "{value}");
    }
}

#[test]
fn names_cannot_leave_their_folder() {
    for name in ["..", ".", "a/b", "a\\b", "a\nb", "a\0"] {
        assert_eq!(add_rule(&[("StreamName", name)]), Err(ApiError::malformed("StreamName")), "{name:?}");
    }
    assert!(add_rule(&[("StreamName", "直播 1")]).is_ok());
    for name in ["..", ".", "/a", "a/", "a//b", "a/../b", "a\\b", "a/*", "a/b\n"] {
        assert_eq!(add_rule(&[("AppName", name)]), Err(ApiError::malformed("AppName")), "{name:?}");
    }
    // An application may have several levels.
    assert!(add_rule(&[("AppName", "live/room")]).is_ok() && add_rule(&[("AppName", "*")]).is_ok());
    let command = |stream| {
        let pairs = [("DomainName", "d"), ("AppName", "a"), ("StreamName", stream), ("Command", "start")];
        read::<RealTimeRecordCommand>(&pairs)
    };
    assert_eq!(command("*"), Err(ApiError::malformed("StreamName")));
    assert!(command("s").is_ok());
}
