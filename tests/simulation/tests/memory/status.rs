//! What users' servers are told of a recording's status.

use serde_json::{Value, json};
use shared::rules::{NotifyConfig, Rule};
use shared::testing::Reply;

use crate::site::{BEGAN_MS, Site, long_cycles};

/// A site whose domain's server takes everything, and asks for statuses, or not.
fn site(rule: Rule, need_status_notify: bool) -> Site {
    let site = Site::under(rule);
    *site.any().notify.borrow_mut() = Ok(Some(NotifyConfig {
        domain: "live.example.com".into(),
        notify_url: Some("http://cb.test.com/".into()),
        on_demand_url: None,
        need_status_notify,
        notify_req_auth: false,
        notify_auth_key: None,
    }));
    site.any().receivers.otherwise(Reply::Answer(200, String::new(), 0));
    site.start("g", "spool.1");
    site
}

/// The statuses that were told since, in order.
fn told(site: &Site) -> Vec<String> {
    let sent = site.any().receivers.take_sent();
    let bodies = sent.iter().map(|sent| serde_json::from_slice::<Value>(sent.body()).unwrap());
    bodies.filter_map(|body| Some(body["event"].as_str()?.trim_start_matches("record_").to_owned())).collect()
}

#[test]
fn a_break_is_a_pause_and_the_recording_goes_on_after_it() {
    let site = site(long_cycles(), true);
    let mut first = site.begin("g", "cam");
    site.seconds(2);
    assert_eq!(told(&site), Vec::<String>::new(), "nothing is recorded yet");
    site.record(&mut first, 2);
    assert_eq!(told(&site), ["started"]);
    site.end(&first);
    site.seconds(2);
    assert_eq!(told(&site), ["paused"]);
    let after = json!({"session": first.session, "gap_ms": 2_000});
    let mut second = site.begin_with("g", "cam", &json!({"after": after}));
    site.record(&mut second, 2);
    assert_eq!(told(&site), ["resumed"]);
    site.end(&second);
    site.seconds(60);
    assert_eq!(told(&site), ["paused"]);
    // Another recording has a status of its own.
    let mut third = site.begin("g", "cam");
    site.record(&mut third, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["started"]);
    site.seconds(400);
    assert_eq!(told(&site), Vec::<String>::new(), "what was told is not told again");
}

#[test]
fn a_short_break_that_no_look_saw_is_told_all_the_same() {
    let site = site(long_cycles(), true);
    site.ticks.set(false);
    let mut before = None;
    for _ in 0..3 {
        let mut push = site.begin_with("g", "cam", &json!({"after": before}));
        site.record(&mut push, 1);
        site.end(&push);
        before = Some(json!({"session": push.session, "gap_ms": 100}));
    }
    site.ticks.set(true);
    site.seconds(5);
    assert_eq!(told(&site), ["started", "paused", "resumed", "paused", "resumed", "paused"]);
}

#[test]
fn a_stop_is_a_pause_and_a_start_ends_it() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["started"]);
    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(2);
    assert_eq!(told(&site), ["paused"]);
    push.confirm_at(&site, "2.0");
    assert_eq!(site.command("cam", "start"), "OK");
    site.seconds(2);
    assert_eq!(told(&site), Vec::<String>::new(), "nothing has come yet");
    push.confirm_at(&site, "3.0");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["resumed"]);
    assert_eq!(site.command("cam", "restart"), "OK");
    push.confirm_at(&site, "4.1");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), Vec::<String>::new(), "a new file is no pause");
    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(1);
    push.confirm_at(&site, "5.1");
    site.end(&push);
    site.seconds(30);
    assert_eq!(told(&site), ["paused"], "it was paused when it ended");
}

#[test]
fn the_end_of_a_window_is_a_pause() {
    let mut rule = long_cycles();
    rule.triple.stream = "cam".into();
    rule.start_time = Some(BEGAN_MS / 1_000);
    rule.end_time = Some(BEGAN_MS / 1_000 + 20);
    let site = site(rule, true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    assert_eq!(told(&site), ["started"]);
    site.seconds(12);
    push.confirm_at(&site, "2.1");
    site.seconds(2);
    assert_eq!(told(&site), ["paused"]);
}

#[test]
fn what_is_lost_is_told_once_with_its_reason() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["started"]);
    for _ in 0..3 {
        site.lose(&push, push.seq, push.seq * 5..push.seq * 5 + 5).unwrap();
        push.seq += 1;
    }
    site.seconds(1);
    let sent = site.any().receivers.take_sent();
    let [sent] = &sent[..] else { panic!("{sent:?}") };
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    let expected =
        json!({"domain": "live.example.com", "app": "live", "stream": "cam", "event": "record_error"});
    assert_eq!(body, expected);
    assert!(sent.headers()["x-recorder-reason"].to_str().unwrap().contains("spool"), "{sent:?}");
}

#[test]
fn a_server_that_did_not_ask_is_told_of_files_alone() {
    let site = site(long_cycles(), false);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.end(&push);
    site.seconds(60);
    let sent = site.any().receivers.take_sent();
    let [sent] = &sent[..] else { panic!("{sent:?}") };
    assert!(serde_json::from_slice::<Value>(sent.body()).unwrap()["uri"].is_string(), "{sent:?}");
}

#[test]
fn nothing_is_left_of_what_was_told() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.end(&push);
    site.seconds(60);
    let keys = || {
        let keys = site.any().store.keys();
        keys.into_iter().filter(|key| ["ev.", "ed.", "es."].iter().any(|lead| key.starts_with(lead))).count()
    };
    assert!(keys() > 0);
    // Events are known for three days, and a day is sealed before.
    for _ in 0..4 * 24 {
        site.pass_ms(3_600_000);
        site.seconds(60);
    }
    assert_eq!(keys(), 0);
}

/// Of the callbacks that the API lists in the last three days, newest first, what they are, and what came of them.
fn listed(site: &Site, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let more = [&[("PageNumber", "1"), ("PageSize", "20")][..], more].concat();
    let answer = site.in_range("DescribeLiveRecordNotifyRecords", "cam", &more).unwrap();
    assert_eq!(answer["TotalNum"].as_u64().unwrap(), answer["CallbackList"].as_array().unwrap().len() as u64);
    let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    let records = answer["CallbackList"].as_array().unwrap().iter();
    records.map(|record| (text(record, "NotifyType"), text(record, "NotifyResult"))).collect()
}

#[test]
fn the_api_lists_what_was_sent_for_a_week() {
    let site = site(long_cycles(), true);
    site.any().receivers.reply(Reply::Answer(500, String::new(), 0));
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.seconds(10);
    site.end(&push);
    site.seconds(30);
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(event, result)| ((*event).to_owned(), (*result).to_owned())).collect()
    };
    let expected = pairs(&[
        ("file_created", "success"),
        ("record_paused", "success"),
        ("record_started", "success"),
        ("record_started", "failed"),
    ]);
    assert_eq!(listed(&site, &[]), expected);
    assert_eq!(listed(&site, &[("Status", "failed")]), expected[3..]);
    assert_eq!(listed(&site, &[("StorageType", "vod")]), []);
    let answer = site.in_range("DescribeLiveRecordNotifyRecords", "cam", &[("Status", "failed")]).unwrap();
    let record = &answer["CallbackList"][0];
    assert_eq!(
        (&record["NotifyUrl"], &record["NotifyResponse"]),
        (&json!("http://cb.test.com/"), &json!("500"))
    );
    assert!(record["Description"].as_str().unwrap().starts_with("attempt 1: "), "{record}");
    let sent: Value = serde_json::from_str(record["NotifyContent"].as_str().unwrap()).unwrap();
    assert_eq!(sent["event"], "record_started");
    // Another stream's are not among them, nor does anything stay for good.
    let other = site.in_range("DescribeLiveRecordNotifyRecords", "other", &[]).unwrap();
    assert_eq!(other["TotalNum"], 0);
    let days = |days: u64| {
        for _ in 0..days * 4 {
            site.pass_ms(6 * 3_600_000);
            site.seconds(60);
        }
        site.any().store.keys().into_iter().filter(|key| key.starts_with("ec.")).count()
    };
    assert!(days(6) > 0);
    assert_eq!(days(4), 0);
}
