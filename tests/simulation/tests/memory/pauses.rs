//! Pushes that end while they are stopped: the break began with the stop.

use serde_json::json;

use crate::site::{Push, Site};

/// A push of two chunks that has been stopped for so long.
fn stopped(paused_s: u64) -> (Site, Push) {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    assert_eq!(site.command("cam", "stop"), "OK");
    push.confirm_at(&site, "2.0");
    site.seconds(paused_s);
    (site, push)
}

/// How many files there are of two pushes with a break between them, the first of which was stopped so long before its
/// end.
fn files(paused_s: u64, gap_s: u64, is_started_again: bool) -> usize {
    let (site, mut first) = stopped(paused_s);
    if is_started_again {
        assert_eq!(site.command("cam", "start"), "OK");
        first.confirm_at(&site, "3.0");
    }
    site.end(&first);
    site.seconds(gap_s);
    let after = json!({"session": first.session, "gap_ms": gap_s * 1_000});
    let mut second = site.begin_with("g", "cam", &json!({"after": after}));
    site.record(&mut second, 2);
    site.end(&second);
    site.seconds(40);
    site.files().len()
}

#[test]
fn a_pause_before_an_end_counts_into_the_break() {
    assert_eq!([files(10, 4, false), files(10, 6, false)], [1, 2]);
    assert_eq!(files(10, 6, true), 1, "what was started again was not away");
    assert_eq!([files(0, 14, false), files(0, 16, false)], [1, 2]);
}

/// However short it is, what was not recorded counts nowhere as recorded.
#[test]
fn a_pause_is_none_of_what_is_recorded() {
    for paused_s in [2, 4, 9, 12] {
        let (site, mut push) = stopped(paused_s);
        assert_eq!(site.command("cam", "start"), "OK");
        push.confirm_at(&site, "3.0");
        site.record(&mut push, 2);
        site.end(&push);
        site.seconds(40);
        assert_eq!(site.spans("cam"), [(0, 20 + paused_s)]);
        let content = site.in_range("DescribeLiveStreamRecordContent", "cam", &[]).unwrap();
        let duration = &content["RecordContentInfoList"]["RecordContentInfo"][0]["Duration"];
        assert!((duration.as_f64().unwrap() - 20.0).abs() < 0.1, "{content}");
        let files = site.files();
        assert_eq!(files.len(), 1, "{files:?}");
        let durations = files[0].text.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        let seconds: f64 = durations.map(|text| text.trim_end_matches(',').parse::<f64>().unwrap()).sum();
        assert!((seconds - 20.0).abs() < 0.1, "{seconds} s with a pause of {paused_s} s");
        assert_eq!(files[0].text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{}", files[0].text);
    }
}

#[test]
fn a_file_closes_as_long_after_a_stop_as_after_an_end() {
    let (site, push) = stopped(10);
    site.end(&push);
    site.seconds(4);
    assert_eq!(site.files(), []);
    site.seconds(4);
    assert_eq!(site.files_of(&push), [[0, 1]]);
}
