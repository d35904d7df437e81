use super::*;

/// 2017-03-08T15:09:46Z and 15:10:40Z, the times of the documented callback.
const VALUES: Values<'static> = Values {
    app: "live",
    stream: "teststream",
    sequence: 0,
    start_ms: 1_488_985_786_999,
    end_ms: 1_488_985_840_000,
    timezone: Timezone::UTC,
};

fn check(template: &str, kind: Kind, timezone: &str, expected: &str) {
    let values = Values { timezone: timezone.parse().unwrap(), ..VALUES };
    assert_eq!(Template::parse(template, kind).unwrap().expand(&values), expected);
}

#[test]
fn the_documented_callback_name_is_in_utc_plus_8() {
    check(
        "{AppName}/{StreamName}/{Sequence}_{StartTime}_{EndTime}",
        Kind::RecordFile,
        "+08:00",
        "live/teststream/0_2017-03-08-23:09:46_2017-03-08-23:10:40",
    );
}

#[test]
fn every_variable_expands() {
    check(
        DEFAULT_RECORD_FILE,
        Kind::RecordFile,
        "-03:30",
        "record/live/teststream/0_2017-03-08-11-39-46_2017-03-08-11-40-40",
    );
    check(DEFAULT_SLICE, Kind::Slice, "+08:00", "record/live/teststream/1488985786_0");
    check("{Date}/{Hour}/{UnixTimestamp}_{Sequence}", Kind::Slice, "+14:00", "2017-03-09/05/1488985786_0");
    check("{AppName}{Date}{Hour}{Minute}{Second}.m3u8", Kind::IndexFile, "Z", "live2017-03-08150946.m3u8");
}

#[test]
fn a_name_without_a_required_variable_is_refused() {
    for (template, kind) in [
        ("x/{StartTime}", Kind::RecordFile),
        ("x/{EscapedEndTime}", Kind::RecordFile),
        ("x/{UnixTimestamp}", Kind::Slice),
        ("x/{Sequence}", Kind::Slice),
    ] {
        let error = Template::parse(template, kind).unwrap_err();
        assert!(matches!(error, Error::MissingVariable { .. }), "{template}: {error}");
    }
}

#[test]
fn start_and_end_may_be_of_different_layouts() {
    assert!(Template::parse("{StartTime}_{EscapedEndTime}", Kind::RecordFile).is_ok());
}

#[test]
fn unknown_variables_are_named_with_their_place() {
    assert_eq!(
        Template::parse("a/{Foo}", Kind::IndexFile),
        Err(Error::UnknownVariable { name: "Foo".into(), at: 2 })
    );
    // Known elsewhere, not here.
    assert!(Template::parse("{UnixTimestamp}", Kind::IndexFile).is_err());
    assert!(Template::parse("{UnixTimestamp}_{Sequence}_{EndTime}", Kind::Slice).is_err());
}

#[test]
fn unmatched_braces_are_refused_at_their_place() {
    for (template, at) in [("a{", 1), ("a}b", 1), ("a{Date", 1), ("{Date}}", 6), ("{{Date}}", 0), ("é{", 2)]
    {
        assert_eq!(
            Template::parse(template, Kind::IndexFile),
            Err(Error::UnmatchedBrace { at }),
            "{template}"
        );
    }
}

#[test]
fn a_template_has_at_most_255_bytes() {
    assert!(Template::parse(&"x".repeat(255), Kind::IndexFile).is_ok());
    assert_eq!(
        Template::parse(&"x".repeat(256), Kind::IndexFile),
        Err(Error::TemplateTooLong { bytes: 256 })
    );
    assert_eq!(Template::parse("", Kind::IndexFile), Err(Error::Empty));
}

#[test]
fn a_template_that_leads_elsewhere_is_refused_at_once() {
    for template in ["/a/{Date}", "a//{Date}", "../{Date}", "a/./{Date}", "a\\{Date}", "a\n{Date}", "{Date}/"]
    {
        assert!(Template::parse(template, Kind::IndexFile).is_err(), "{template:?}");
    }
}

#[test]
fn no_name_of_a_stream_leaves_the_prefix() {
    let template = Template::parse("safe/{AppName}/{StreamName}/{Date}.m3u8", Kind::IndexFile).unwrap();
    for stream in ["..", ".", "", "../../etc", "a/b", "a\\b", "a\0b"] {
        assert!(template.object_name(&Values { stream, ..VALUES }, "").is_err(), "{stream:?}");
    }
    let long = "é".repeat(600);
    assert_eq!(
        template.object_name(&Values { stream: &long, ..VALUES }, ""),
        Err(Error::NameTooLong { bytes: 5 + 5 + 1200 + 1 + 15 })
    );
    assert_eq!(
        template.object_name(&Values { stream: "直播 1", ..VALUES }, ""),
        Ok("safe/live/直播 1/2017-03-08.m3u8".into())
    );
}

#[test]
fn each_level_of_an_application_is_a_folder() {
    let template = Template::parse("safe/{AppName}/{StreamName}/{Date}.m3u8", Kind::IndexFile).unwrap();
    let name = |app| template.object_name(&Values { app, ..VALUES }, "");
    assert_eq!(name("live/room"), Ok("safe/live/room/teststream/2017-03-08.m3u8".into()));
    for app in ["../x", "a/..", "/a", "a//b", "a\\b"] {
        assert!(name(app).is_err(), "{app:?}");
    }
}

#[test]
fn two_dots_made_of_two_variables_are_caught() {
    let template = Template::parse("{AppName}{StreamName}/x", Kind::IndexFile).unwrap();
    assert!(template.object_name(&Values { app: ".", stream: ".", ..VALUES }, "").is_err());
}

#[test]
fn the_end_of_the_calendar_does_not_panic() {
    let template = Template::parse("{StartTime}_{EndTime}", Kind::RecordFile).unwrap();
    for start_ms in [u64::MAX, i64::MAX as u64, u64::MAX / 2 + 1] {
        let values = Values { start_ms, end_ms: start_ms, timezone: Timezone::default(), ..VALUES };
        assert!(!template.expand(&values).is_empty());
    }
}
