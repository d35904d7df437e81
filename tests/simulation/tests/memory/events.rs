//! Events: their order, their ids, what is lost, and what of them is known.

use serde_json::{Value, json};
use shared::bucket::Error;
use shared::testing::{Reply, Trouble, rule, run};
use store::Store;

use crate::site::{Site, long_cycles};
use crate::status::{site, told};
use crate::table::{self, Case, Mode, Window};

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

/// The URL is asked for so long that the publisher has left: the end comes before the heartbeat that tells of the adoption.
#[test]
fn an_unanswered_push_is_told_though_it_has_ended_by_then() {
    let case = Case { mode: Mode::Url(None), window: Window::None, commands: [""; 2], gap_s: 0 };
    let site = table::site(case);
    let unanswered = table::begin(&site, "g", case, &Value::Null);
    site.end(&unanswered.push);
    site.seconds(60);
    let sent = site.any().receivers.take_sent();
    let bodies = sent.iter().filter_map(|sent| serde_json::from_slice::<Value>(sent.body()).ok());
    let told: Vec<_> = bodies.filter_map(|body| body["event"].as_str().map(str::to_owned)).collect();
    assert_eq!(told, ["record_error"]);
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

/// Ids of the events that were told since, with what became of the status.
fn ids(site: &Site) -> Vec<(String, String)> {
    let sent = site.any().receivers.take_sent();
    let id = |sent: &http::Request<Vec<u8>>| {
        let body: Value = serde_json::from_slice(sent.body()).unwrap();
        let event = body["event"].as_str()?.to_owned();
        Some((event, sent.headers()["x-recorder-event-id"].to_str().unwrap().to_owned()))
    };
    sent.iter().filter_map(id).collect()
}

#[test]
fn what_is_told_again_after_the_store_was_lost_has_its_id_and_nothing_else_has_it() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.lose(&push, push.seq, 5..10).unwrap();
    push.seq += 1;
    site.record(&mut push, 1);
    site.seconds(2);
    let before = ids(&site);
    assert_eq!(before.len(), 2, "{before:?}");
    // A rebuild knows no events, nor how often the status has changed.
    for (key, _) in site.any().store.values() {
        if ["ev.", "ed.", "es."].iter().any(|lead| key.starts_with(lead)) {
            run(site.any().store.delete(&key)).unwrap();
        }
    }
    site.end(&push);
    site.seconds(5);
    let after = ids(&site);
    assert_eq!(after[0], *before.iter().find(|(event, _)| event == "record_started").unwrap());
    assert!(after[1..].iter().all(|(_, id)| before.iter().all(|(_, known)| known != id)), "{after:?}");
}

#[test]
fn losses_are_told_in_their_order_and_each_once() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["started"]);
    site.any().receivers.otherwise(Reply::Answer(503, String::new(), 0));
    let reasons = ["shed", "refused", "damaged"];
    for reason in reasons {
        // Across the pages of the catalog.
        for _ in 0..if reason == "refused" { 150 } else { 1 } {
            let at = push.seq * 5;
            site.lose_for(&push, push.seq, at..at + 5, reason).unwrap();
            push.seq += 1;
        }
        site.record(&mut push, 1);
        site.seconds(10);
    }
    let tried = site.any().receivers.take_sent();
    let reason = |sent: &http::Request<Vec<u8>>| {
        sent.headers()["x-recorder-reason"].to_str().unwrap().split(' ').nth(2).unwrap().to_owned()
    };
    assert!(tried.iter().all(|sent| reason(sent) == "given"), "the first one is told before the others");
    site.any().receivers.otherwise(Reply::Answer(200, String::new(), 0));
    site.seconds(300);
    let told: Vec<_> = site.any().receivers.take_sent().iter().map(reason).collect();
    assert_eq!(told, ["given", "refused", "damaged"]);
}

/// The reasons of the errors that were told since.
fn reasons(site: &Site) -> Vec<String> {
    let sent = site.any().receivers.take_sent();
    let reason = |sent: &http::Request<Vec<u8>>| sent.headers().get("x-recorder-reason").cloned();
    sent.iter().filter_map(reason).map(|reason| reason.to_str().unwrap().to_owned()).collect()
}

/// An FLV tag of Speex (FLV 10.1 §E.4.2.1), a codec that is not recorded.
fn speex(at_ms: u64) -> Vec<u8> {
    let mut tag = Vec::new();
    flv::write_tag(&mut tag, flv::TagKind::Audio, at_ms as u32, &[0xb6, 1, 2, 3]).unwrap();
    tag
}

#[test]
fn a_track_that_is_not_recorded_is_told_once_for_each_push() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    for _ in 0..3 {
        site.seconds(5);
        let from = push.seq * 5;
        let bytes =
            [simulation::media::chunk(from * 1_000, (from + 5) * 1_000), speex(from * 1_000)].concat();
        site.bytes(&push, push.seq, from, bytes).unwrap();
        push.seq += 1;
    }
    site.seconds(1);
    assert_eq!(reasons(&site), ["a track is not recorded: audio speex"]);
    // Of another push nothing else can be recorded.
    site.end(&push);
    let mut other = site.begin("g", "other");
    for _ in 0..2 {
        let mut bytes = Vec::new();
        flv::write_header(&mut bytes, true, false);
        bytes.extend(speex(other.seq * 5_000));
        site.bytes(&other, other.seq, other.seq * 5, bytes).unwrap();
        other.seq += 1;
    }
    site.seconds(1);
    assert_eq!(reasons(&site), ["a track is not recorded: audio speex"]);
}

#[test]
fn a_bucket_that_refuses_is_told_once_for_each_push() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["started"]);
    let bucket = format!("{}/{}", rule().oss_endpoint, rule().oss_bucket);
    let refuses = Trouble::Refuses(Error::Refused("403 AccessDenied".into()));
    site.any().buckets.troubles.borrow_mut().insert(bucket, refuses);
    for _ in 0..3 {
        assert_eq!(site.chunk(&push, push.seq, 5..10).unwrap_err().0, 424);
        site.seconds(60);
    }
    site.any().buckets.troubles.borrow_mut().clear();
    assert_eq!(reasons(&site), ["the bucket refuses what is recorded"]);
    site.chunk(&push, push.seq, 5..10).unwrap();
}

#[test]
fn each_slice_is_told_where_that_is_asked_for() {
    let site = site(long_cycles(), false);
    site.any().set_variable("slice_events", "true");
    let mut push = site.begin_with("g", "cam", &json!({"arguments": {"callback_x": "1", "y": "2"}}));
    site.record(&mut push, 2);
    site.lose(&push, 2, 10..15).unwrap();
    push.seq = 3;
    site.seconds(5);
    site.record(&mut push, 1);
    site.end(&push);
    site.seconds(300);
    let sent = site.any().receivers.take_sent();
    let told: Vec<_> = sent
        .iter()
        .map(|sent| {
            let body: Value = serde_json::from_slice(sent.body()).unwrap();
            assert_eq!(body["push_args"], json!({"callback_x": "1"}));
            let container = sent.headers()["x-recorder-container"].to_str().unwrap().to_owned();
            (body["uri"].as_str().unwrap().to_owned(), container, body["duration"].as_f64().unwrap())
        })
        .collect();
    let objects = site.any().buckets.objects.borrow();
    let names = objects.keys().filter_map(|name| name.strip_prefix("http://store/bkt/"));
    let slices: Vec<_> = names.filter(|name| name.ends_with(".ts")).collect();
    assert_eq!(slices.len(), 3);
    let expected = slices.iter().map(|name| ((*name).to_owned(), "ts".to_owned(), 5.0));
    assert_eq!(told[..3], expected.collect::<Vec<_>>());
    assert_eq!((told.len(), &*told[3].1), (4, "m3u8"));
}

#[test]
fn what_was_noted_and_never_committed_hides_nothing_after_it() {
    let chunk = |push: &crate::site::Push| {
        let from = push.seq * 5;
        (from, [simulation::media::chunk(from * 1_000, (from + 5) * 1_000), speex(from * 1_000)].concat())
    };
    for operation in 0..60 {
        let site = site(long_cycles(), true);
        site.any().set_variable("slice_events", "true");
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 1);
        // The call for a chunk dies, and its gateway then gives the chunk up.
        let (from, bytes) = chunk(&push);
        site.any().store.break_at(operation);
        let died = site.bytes(&push, push.seq, from, bytes).is_err();
        site.any().store.mend();
        if !died {
            assert!(operation > 10, "a chunk takes some operations");
            break;
        }
        let lost = site.lose(&push, push.seq, from..from + 5);
        push.seq += 1;
        let (from, bytes) = chunk(&push);
        site.bytes(&push, push.seq, from, bytes).unwrap();
        push.seq += 1;
        site.seconds(200);
        let sent = site.any().receivers.take_sent();
        let has = |what: &str| {
            sent.iter().any(|sent| {
                let reason = sent.headers().get("x-recorder-reason").map(|reason| reason.to_str().unwrap());
                reason.is_some_and(|reason| reason.contains(what))
                    || String::from_utf8_lossy(sent.body()).contains(what)
            })
        };
        assert!(has("_2.ts"), "operation {operation}");
        assert!(has("speex"), "operation {operation}");
        assert!(lost.is_err() || has("spool was full"), "operation {operation}");
    }
}

#[test]
fn slices_that_nobody_takes_for_a_day_hold_up_nothing() {
    let site = site(long_cycles(), false);
    site.any().set_variable("slice_events", "true");
    site.any().receivers.otherwise(Reply::Answer(404, String::new(), 0));
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 40);
    site.end(&push);
    site.seconds(30);
    site.pass_ms(25 * 3_600_000);
    site.seconds(10);
    let waiting = |site: &Site| {
        let values = site.any().store.values();
        let keys: std::collections::BTreeSet<_> = values.into_iter().map(|(key, _)| key).collect();
        let slices = keys.iter().filter(|key| key.starts_with("ev.") && key.contains(".slice."));
        slices.filter(|key| !keys.contains(&key.replacen("ev.", "ed.", 1))).count()
    };
    assert_eq!(waiting(&site), 0);
}
