//! Gateways that fall silent: files are closed, and nothing is ended.

use serde_json::json;
use shared::rules::OnDemand;

use crate::site::{Site, long_cycles};

#[test]
fn a_recording_that_was_started_by_hand_goes_on_after_its_gateway_was_away() {
    let mut rule = long_cycles();
    rule.on_demand = OnDemand::Command;
    let site = Site::under(rule);
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    assert_eq!((&push.orders, push.generation.as_str()), (&json!([]), "0.0"));
    site.seconds(5);
    assert_eq!(site.files(), []);
    assert_eq!(site.command("cam", "start"), "OK");
    site.seconds(2);
    let orders = site.heard.borrow()["g"].orders[&push.session].clone();
    assert_eq!((&orders[0]["generation"], &orders[0]["record"]), (&"1.0".into(), &true.into()));
    push.generation = "1.0".into();
    site.record(&mut push, 3);

    // The line between the gateway and the functions is down for ten minutes; the push goes on into the spool.
    let heard = site.silence("g");
    let cut = (site.now_ms.get() - push.began_ms) / 1_000;
    site.seconds(600);
    assert_eq!(site.files_of(&push), [[0, 1, 2]], "what there was is a file meanwhile");
    assert_eq!((site.state("cam"), site.online()), ("offline".into(), vec![]));
    site.heard.borrow_mut().insert("g".into(), heard);
    for at in 0..120 {
        site.chunk(&push, push.seq, cut + at * 5..cut + at * 5 + 5).unwrap();
        push.seq += 1;
    }
    site.record(&mut push, 2);
    assert_eq!(site.state("cam"), "online");
    assert_eq!(site.command("cam", "start"), "TaskAlreadyStarted", "it is still being recorded");
    assert_eq!(site.command("cam", "restart"), "OK");
    site.seconds(2);
    push.confirm_at(&site, "2.1");
    site.record(&mut push, 2);
    site.end(&push);
    site.seconds(20);
    let expected = vec![(0..3).collect::<Vec<u64>>(), (3..125).collect(), vec![125, 126]];
    assert_eq!(site.files_of(&push), expected);
}

#[test]
fn a_gateway_that_starts_anew_hears_again_what_was_ordered_by_hand() {
    let mut rule = long_cycles();
    rule.on_demand = OnDemand::Command;
    let site = Site::under(rule);
    site.start("g", "spool.1");
    let push = site.begin("g", "cam");
    site.seconds(2);
    assert_eq!(site.command("cam", "start"), "OK");
    // It has forgotten how far it has heard, and asks from now on.
    site.tell("g", |heard| heard.since = None);
    site.seconds(1);
    assert_eq!(site.heard.borrow()["g"].orders[&push.session][0]["record"], true);
}

#[test]
fn a_rule_that_is_changed_never_reaches_a_push_that_did_not_break() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    let heard = site.silence("g");
    let mut other = long_cycles();
    other.oss_bucket = "other".into();
    other.formats[0].cycle_seconds = 900;
    site.set_rule(&other);
    site.seconds(400);
    site.heard.borrow_mut().insert("g".into(), heard);
    site.seconds(30);
    site.record(&mut push, 2);
    site.end(&push);
    // The next push is within the delay, and under another rule.
    let mut next = site.begin_with("g", "cam", &json!({"after": {"session": push.session, "gap_ms": 0}}));
    site.record(&mut next, 2);
    site.end(&next);
    site.seconds(40);
    assert_eq!(site.files_of(&push), [[0, 1], [2, 3]]);
    assert_eq!(site.files_of(&next), [[0, 1]]);
    for file in site.files() {
        let is_of_next = file.slices[0].0 == next.session;
        assert_eq!(file.name.starts_with("http://store/other/"), is_of_next, "{}", file.name);
        assert_eq!(file.name.starts_with("http://store/bkt/"), !is_of_next, "{}", file.name);
    }
}

#[test]
fn what_a_gateway_still_has_is_recorded_days_after_it_fell_silent() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    site.silence("g");
    site.seconds(400);
    site.pass_ms(3 * 86_400_000);
    // The machine is switched on again.
    site.start_holding("g", "spool.2", &[&push]);
    site.seconds(30);
    let ended_ago_ms = site.now_ms.get() - (push.began_ms + 15_000);
    site.chunk(&push, 2, 10..15).unwrap();
    push.seq = 3;
    site.end_ago(&push, ended_ago_ms).unwrap();
    site.seconds(300);
    assert_eq!(site.files_of(&push), [vec![0, 1], vec![2]]);
}
