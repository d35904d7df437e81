use rules::OnDemand;

use super::*;

fn add() -> AddLiveAppRecordConfig {
    AddLiveAppRecordConfig {
        domain_name: "test.com".into(),
        app_name: "live".into(),
        stream_name: "teststream".into(),
        oss_bucket: "test123".into(),
        oss_endpoint: "oss-cn-shanghai.aliyuncs.com".into(),
        on_demand: OnDemand::Always,
        delay_time: 180,
        start_time: None,
        end_time: None,
        record_format: Some(vec![format(Container::M3u8)]),
        transcode_record_format: None,
        transcode_templates: None,
    }
}

fn update() -> UpdateLiveAppRecordConfig {
    UpdateLiveAppRecordConfig {
        domain_name: "test.com".into(),
        app_name: "live".into(),
        stream_name: "teststream".into(),
        oss_endpoint: "oss-cn-beijing.aliyuncs.com".into(),
        on_demand: None,
        delay_time: None,
        start_time: None,
        end_time: None,
        record_format: None,
        transcode_record_format: None,
        transcode_templates: None,
    }
}

fn format(container: Container) -> RecordFormat {
    RecordFormat {
        format: container,
        cycle_duration: None,
        slice_duration: None,
        oss_object_prefix: None,
        slice_oss_object_prefix: None,
    }
}

#[test]
fn each_container_has_its_defaults() {
    let record_format = Some(vec![format(Container::M3u8), format(Container::Mp4)]);
    let rule = self::added(AddLiveAppRecordConfig { record_format, ..add() }, 7).unwrap();
    let shown: Vec<_> = rule
        .formats
        .iter()
        .map(|f| {
            let slices = f.slices.as_ref().map(|slices| (slices.length_s, slices.object_prefix.as_str()));
            (f.cycle_s, f.object_prefix.as_str(), slices)
        })
        .collect();
    assert_eq!(
        shown,
        [(21_600, DEFAULT_RECORD_FILE, Some((30, DEFAULT_SLICE))), (3_600, DEFAULT_RECORD_FILE, None)]
    );
    assert_eq!(rule.created_s, 7);
}

#[test]
fn a_rule_needs_a_format_and_each_once() {
    let none = AddLiveAppRecordConfig { record_format: None, ..add() };
    assert_eq!(self::added(none.clone(), 0), Err(faults::MISSING_RECORD_FORMAT.into()));
    let transcoded =
        AddLiveAppRecordConfig { transcode_record_format: Some(vec![format(Container::Mp4)]), ..none };
    assert!(self::added(transcoded, 0).is_ok());
    let twice = Some(vec![format(Container::Mp4), format(Container::Mp4)]);
    let twice = AddLiveAppRecordConfig { record_format: twice, ..add() };
    assert_eq!(self::added(twice, 0), Err(faults::INVALID_FORMAT.into()));
}

#[test]
fn a_window_is_cut_to_seven_days_and_must_not_end_before_it_begins() {
    let window = |start_time, end_time| {
        self::added(AddLiveAppRecordConfig { start_time, end_time, ..add() }, 0).map(|r| (r.start_s, r.end_s))
    };
    assert_eq!(window(Some(100), Some(200)), Ok((Some(100), Some(200))));
    assert_eq!(window(Some(100), Some(9_999_999)), Ok((Some(100), Some(604_900))));
    assert_eq!(window(None, Some(200)), Ok((None, Some(200))));
    assert_eq!(window(Some(200), Some(200)), Err(faults::INVALID_END_TIME.into()));
}

#[test]
fn a_window_is_kept_only_by_a_rule_of_one_stream() {
    for (app_name, stream_name) in [("*", "*"), ("live", "*"), ("*", "teststream")] {
        let call = AddLiveAppRecordConfig {
            app_name: app_name.into(),
            stream_name: stream_name.into(),
            start_time: Some(1),
            end_time: Some(2),
            ..add()
        };
        let rule = self::added(call, 0).unwrap();
        assert_eq!((rule.start_s, rule.end_s), (None, None), "{app_name}/{stream_name}");
    }
}

#[test]
fn an_update_keeps_what_it_does_not_say() {
    let mut m3u8 = format(Container::M3u8);
    m3u8.oss_object_prefix = Some("x/{StartTime}{EndTime}".into());
    m3u8.cycle_duration = Some(900);
    let record_format = Some(vec![m3u8, format(Container::Mp4)]);
    let rule =
        self::added(AddLiveAppRecordConfig { record_format, on_demand: OnDemand::Command, ..add() }, 7)
            .unwrap();

    let same = updated(rule.clone(), update()).unwrap();
    assert_eq!(same, Rule { oss_endpoint: "oss-cn-beijing.aliyuncs.com".into(), ..rule.clone() });

    let changed =
        |format, slice_duration| ChangedRecordFormat { format, cycle_duration: None, slice_duration };
    let call = UpdateLiveAppRecordConfig {
        record_format: Some(vec![changed(Container::Flv, None), changed(Container::M3u8, Some(5))]),
        delay_time: Some(15),
        ..update()
    };
    let changed = updated(rule, call).unwrap();
    assert_eq!((changed.on_demand, changed.delay_s, changed.formats.len()), (OnDemand::Command, 15, 2));
    let m3u8 = &changed.formats[1];
    let slices = Some(SliceFormat { length_s: 5, object_prefix: DEFAULT_SLICE.into() });
    assert_eq!((m3u8.cycle_s, m3u8.object_prefix.as_str()), (900, "x/{StartTime}{EndTime}"));
    assert_eq!(m3u8.slices, slices);
    assert_eq!(changed.formats[0].object_prefix, DEFAULT_RECORD_FILE);
}
