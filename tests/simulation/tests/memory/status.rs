//! What users' servers are told of a recording's status.

use serde_json::{Value, json};
use shared::rules::{NotifyConfig, Rule};
use shared::testing::{Reply, run};
use store::Store;
use store::memory::Outcome;

use crate::site::{BEGAN_MS, Site, long_cycles};

/// A site whose domain's server takes everything, and asks for statuses, or not.
pub(crate) fn site(rule: Rule, need_status_notify: bool) -> Site {
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
pub(crate) fn told(site: &Site) -> Vec<String> {
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
fn what_is_recorded_after_files_were_closed_is_told_as_a_start() {
    let delay_s = u64::from(long_cycles().delay_seconds);
    // After a stop: commands, how long the last of them waits, and the generations that hold by then.
    let cases: [(&[&str], u64, &[&str], &str); 6] = [
        (&["start"], 1, &["3.0"], "resumed"),
        (&["restart"], 1, &["3.1"], "started"),
        (&["cancel_delay", "start"], 1, &["3.1", "4.1"], "started"),
        (&["cancel_delay", "restart"], 1, &["3.1", "4.2"], "started"),
        (&["start"], delay_s + 10, &["3.1", "4.1"], "started"),
        (&["restart"], delay_s + 10, &["3.1", "4.2"], "started"),
    ];
    for (commands, wait_s, generations, expected) in cases {
        let site = site(long_cycles(), true);
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 2);
        assert_eq!(site.command("cam", "stop"), "OK");
        site.seconds(2);
        push.confirm_at(&site, "2.0");
        assert_eq!(told(&site), ["started", "paused"]);
        let (last, before) = commands.split_last().unwrap();
        before.iter().for_each(|command| assert_eq!(site.command("cam", command), "OK"));
        site.seconds(wait_s);
        assert_eq!(site.command("cam", last), "OK");
        site.seconds(2);
        assert_eq!(told(&site), Vec::<String>::new(), "{commands:?}: nothing has come yet");
        generations.iter().for_each(|generation| push.confirm_at(&site, generation));
        site.record(&mut push, 2);
        site.end(&push);
        site.seconds(60);
        assert_eq!(told(&site), [expected, "paused"], "{commands:?} after {wait_s} s");
        let files = if expected == "resumed" { vec![vec![0, 1, 2, 3]] } else { vec![vec![0, 1], vec![2, 3]] };
        assert_eq!(site.files_of(&push), files, "{commands:?} after {wait_s} s");
    }
}

#[test]
fn a_push_that_continues_what_cancel_delay_has_closed_is_told_as_a_start() {
    let site = site(long_cycles(), true);
    let mut first = site.begin("g", "cam");
    site.record(&mut first, 2);
    for (command, generation) in [("stop", "2.0"), ("cancel_delay", "3.1")] {
        assert_eq!(site.command("cam", command), "OK");
        site.seconds(2);
        first.confirm_at(&site, generation);
    }
    site.end(&first);
    site.seconds(2);
    assert_eq!(told(&site), ["started", "paused"]);
    // Of one without media nothing is told, and it hides nothing.
    let after = json!({"session": first.session, "gap_ms": 2_000});
    let second = site.begin_with("g", "cam", &json!({"after": after}));
    site.end(&second);
    let after = json!({"session": second.session, "gap_ms": 100});
    let mut third = site.begin_with("g", "cam", &json!({"after": after}));
    site.record(&mut third, 1);
    site.end(&third);
    site.seconds(60);
    assert_eq!(told(&site), ["started", "paused"]);
    assert_eq!(site.files().len(), 2);
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
    assert_eq!(site.command("cam", "start"), "OK");
    site.seconds(2);
    push.confirm_at(&site, "3.1");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["started"], "the window's end has closed the file");
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
fn a_start_whose_first_chunk_is_lost_resumes_with_the_first_that_comes() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(2);
    push.confirm_at(&site, "2.0");
    assert_eq!(site.command("cam", "start"), "OK");
    site.seconds(2);
    push.confirm_at(&site, "3.0");
    assert_eq!(told(&site), ["started", "paused"]);
    site.lose(&push, push.seq, 5..10).unwrap();
    push.seq += 1;
    site.seconds(2);
    assert_eq!(told(&site), ["error"], "nothing has come yet");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["resumed"]);
    // A gap under a later order is none that goes on.
    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(2);
    push.confirm_at(&site, "4.0");
    assert_eq!(site.command("cam", "start"), "OK");
    site.seconds(2);
    push.confirm_at(&site, "5.0");
    site.lose(&push, push.seq, 10..15).unwrap();
    push.seq += 1;
    site.end(&push);
    site.seconds(10);
    let mut told = told(&site);
    told.sort();
    assert_eq!(told, ["error", "paused"]);
}

#[test]
fn a_look_that_set_the_status_back_hides_no_change() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.seconds(1);
    let hint = |site: &Site| {
        let values = site.any().store.values();
        values.into_iter().find(|(key, _)| key.starts_with("es.")).unwrap()
    };
    let early = hint(&site);
    site.end(&push);
    site.seconds(2);
    let mut before = push;
    for _ in 0..3 {
        let after = json!({"session": before.session, "gap_ms": 2_000});
        let mut next = site.begin_with("g", "cam", &json!({"after": after}));
        site.record(&mut next, 1);
        site.seconds(2);
        // A look that stalled since the first push writes what it saw.
        run(site.any().store.set(&early.0, &early.1)).unwrap();
        site.end(&next);
        site.seconds(2);
        before = next;
    }
    let expected = ["started", "paused", "resumed", "paused", "resumed", "paused", "resumed", "paused"];
    assert_eq!(told(&site), expected);
    assert_ne!(hint(&site), early);
}

#[test]
fn pushes_whose_server_did_not_ask_are_passed_over() {
    let site = site(long_cycles(), false);
    let ask = |asks: bool| {
        if let Ok(Some(config)) = &mut *site.any().notify.borrow_mut() {
            config.need_status_notify = asks;
        }
    };
    let mut after = json!(null);
    let mut all = Vec::new();
    for asks in [false, true, false, true] {
        ask(asks);
        let mut push = site.begin_with("g", "cam", &json!({"after": after}));
        site.record(&mut push, 1);
        site.seconds(2);
        site.end(&push);
        site.seconds(2);
        after = json!({"session": push.session, "gap_ms": 2_000});
        all.push(told(&site));
    }
    let none: [&str; 0] = [];
    assert_eq!(all, [&none[..], &["started", "paused"], &none, &["resumed", "paused"]]);
}

#[test]
fn many_pushes_without_media_stop_no_status() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.end(&push);
    site.seconds(2);
    assert_eq!(told(&site), ["started", "paused"]);
    for _ in 0..80 {
        let after = json!({"session": push.session, "gap_ms": 100});
        push = site.begin_with("g", "cam", &json!({"after": after}));
        site.seconds(1);
        site.end(&push);
    }
    let after = json!({"session": push.session, "gap_ms": 100});
    let mut last = site.begin_with("g", "cam", &json!({"after": after}));
    site.record(&mut last, 1);
    site.seconds(2);
    assert_eq!(told(&site), ["resumed"]);
}

#[test]
fn a_gateway_that_falls_silent_is_a_pause_and_its_next_slice_ends_it() {
    let site = site(long_cycles(), true);
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.seconds(1);
    assert_eq!(told(&site), ["started"]);
    for _ in 0..2 {
        let heard = site.silence("g");
        site.seconds(900);
        assert_eq!(told(&site), ["paused"]);
        site.heard.borrow_mut().insert("g".into(), heard);
        site.seconds(5);
        assert_eq!(told(&site), Vec::<String>::new(), "nothing has come yet");
        site.lose(&push, push.seq, 5..10).unwrap();
        push.seq += 1;
        site.seconds(1);
        assert_eq!(told(&site), ["error"]);
        site.record(&mut push, 2);
        site.seconds(1);
        assert_eq!(told(&site), ["started"], "its files were closed");
    }
    site.end(&push);
    site.seconds(5);
    assert_eq!(told(&site), ["paused"]);
}

#[test]
fn a_look_that_fails_at_any_operation_leaves_no_status_untold() {
    let mut operations = 0;
    for refused in 0.. {
        let site = site(long_cycles(), true);
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 1);
        // Nobody has looked since the first slice came.
        let store = &site.any().store;
        let is_refused = move |number| if number == refused { Outcome::Refused } else { Outcome::Applied };
        store.fail(move |call| is_refused(call.number));
        let _ = site.post("/tick", &json!({}));
        operations = operations.max(store.operations());
        store.mend();
        // A call whose store failed as it took or gave back what it had in hand keeps others from it for some minutes.
        let mut all = Vec::new();
        for _ in 0..27 {
            site.seconds(20);
            all.extend(told(&site));
            if !all.is_empty() {
                break;
            }
        }
        // What was taken is told again where that could not be noted.
        all.dedup();
        assert_eq!(all, ["started"], "operation {refused} was refused");
        if refused > operations {
            break;
        }
    }
    assert!(operations > 20, "{operations} operations are no look");
}

#[test]
fn a_clock_that_was_ahead_when_a_push_began_has_no_status_told_twice() {
    let site = site(long_cycles(), true);
    site.set_clock(0, 2_700_000);
    let mut first = site.begin("g", "cam");
    site.record(&mut first, 2);
    site.end(&first);
    site.seconds(2);
    site.set_clock(0, 0);
    let after = json!({"session": first.session, "gap_ms": 2_000});
    let mut second = site.begin_with("g", "cam", &json!({"after": after}));
    site.record(&mut second, 2);
    // The first push is looked at again once time has come to where its clock was.
    site.seconds(3_000);
    assert_eq!(told(&site), ["started", "paused", "resumed"]);
    site.end(&second);
    site.seconds(10);
    assert_eq!(told(&site), ["paused"]);
}
