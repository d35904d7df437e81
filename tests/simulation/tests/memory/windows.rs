//! Windows of rules that open or end during a push.

use serde_json::json;
use shared::rules::Rule;

use crate::site::{BEGAN_MS, Push, Site, long_cycles};

/// A rule that records from one second after the site's begin to another.
fn window(from_s: u64, to_s: u64) -> Rule {
    let mut rule = long_cycles();
    rule.triple.stream = "cam".into();
    rule.start_time = Some(BEGAN_MS / 1_000 + from_s);
    rule.end_time = Some(BEGAN_MS / 1_000 + to_s);
    rule
}

/// Lets time pass up to a second after the site's begin.
fn until(site: &Site, second: u64) {
    site.seconds(second - (site.now_ms.get() - BEGAN_MS) / 1_000);
}

/// Sends a chunk of a push that has come just now, of media from one second of it to another.
fn send(site: &Site, push: &mut Push, seconds: std::ops::Range<u64>) {
    site.chunk(push, push.seq, seconds).unwrap();
    push.seq += 1;
}

#[test]
fn a_window_that_opens_and_ends_during_a_push_is_what_is_recorded() {
    let site = Site::under(window(20, 40));
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    // Both edges come with the begin's answer.
    let edges = json!([
        {"generation": "1.1", "record": true, "in_ms": 20_000},
        {"generation": "2.2", "record": false, "in_ms": 40_000},
    ]);
    assert_eq!((&push.orders, push.generation.as_str()), (&edges, "0.0"));
    until(&site, 20);
    assert_eq!((site.state("cam"), site.files()), ("online".into(), vec![]));
    push.confirm_at(&site, "1.1");
    for from in [20, 25, 30, 35] {
        until(&site, from + 5);
        send(&site, &mut push, from..from + 5);
    }
    assert_eq!(site.files(), [], "the window is open");
    push.confirm_at(&site, "2.2");
    site.seconds(3);
    // The push goes on, and the file is there: nothing waits for the push's end or for a break to be over.
    assert_eq!(site.files_of(&push), [[0, 1, 2, 3]]);
    assert!(site.files()[0].name.ends_with("/0_2026-01-02-11-04-25_2026-01-02-11-04-45.m3u8"));
    assert_eq!((site.state("cam"), site.spans("cam")), ("online".into(), vec![(20, 40)]));
    site.seconds(60);
    site.end(&push);
    site.seconds(20);
    assert_eq!(site.files().len(), 1);
}

#[test]
fn a_window_that_was_open_already_ends_during_a_push() {
    let site = Site::under(window(0, 30));
    site.start("g", "spool.1");
    until(&site, 10);
    let mut push = site.begin("g", "cam");
    let edges = json!([
        {"generation": "1.0", "record": true, "age_ms": 0},
        {"generation": "2.1", "record": false, "in_ms": 20_000},
    ]);
    assert_eq!((&push.orders, push.generation.as_str()), (&edges, "1.0"));
    for from in [0, 5, 10, 15] {
        until(&site, 10 + from + 5);
        send(&site, &mut push, from..from + 5);
    }
    push.confirm_at(&site, "2.1");
    site.seconds(3);
    assert_eq!(site.files_of(&push), [[0, 1, 2, 3]]);
    assert_eq!(site.spans("cam"), [(10, 30)]);
}

#[test]
fn the_edges_of_a_window_hold_while_no_function_answers() {
    let site = Site::under(window(20, 40));
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    until(&site, 10);
    // Both edges pass while neither gateways nor cron jobs reach the functions. The gateway cuts by the begin's orders.
    site.pass_ms(60_000);
    push.generation = "1.1".into();
    for from in [20, 25, 30, 35] {
        send(&site, &mut push, from..from + 5);
    }
    push.confirm_at(&site, "2.2");
    site.seconds(3);
    assert_eq!(site.files_of(&push), [[0, 1, 2, 3]]);
    assert_eq!(site.spans("cam"), [(20, 40)]);
}

#[test]
fn a_window_that_ends_before_its_last_chunk_is_delivered_closes_with_that_chunk() {
    let site = Site::under(window(0, 20));
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    // Chunks 2 and 3 are cut, and wait: the bucket is slow.
    site.seconds(10);
    push.seq = 4;
    push.confirm_at(&site, "2.1");
    push.seq = 2;
    site.seconds(10);
    assert_eq!(site.files(), []);
    push.generation = "1.0".into();
    send(&site, &mut push, 10..15);
    site.seconds(10);
    assert_eq!(site.files(), [], "the last chunk before the edge is missing still");
    send(&site, &mut push, 15..20);
    site.seconds(70);
    assert_eq!(site.files_of(&push), [[0, 1, 2, 3]]);
}

#[test]
fn a_push_after_a_window_is_not_recorded_and_one_before_it_continues_nothing() {
    let site = Site::under(window(60, 80));
    site.start("g", "spool.1");
    let push = site.begin("g", "cam");
    site.seconds(30);
    site.end(&push);
    site.seconds(5);
    let mut within =
        site.begin_with("g", "cam", &json!({"after": {"session": push.session, "gap_ms": 5_000}}));
    until(&site, 60);
    within.confirm_at(&site, "1.1");
    until(&site, 80);
    send(&site, &mut within, 25..45);
    within.confirm_at(&site, "2.2");
    site.end(&within);
    site.seconds(3);
    assert_eq!((site.files_of(&within), site.spans("cam")), (vec![vec![0]], vec![(60, 80)]));
    let late = site.begin_with("g", "cam", &json!({"after": {"session": within.session, "gap_ms": 3_000}}));
    assert_eq!(late.orders, json!([]));
}

#[test]
fn a_stop_and_a_start_just_before_a_windows_end_stay_in_its_file() {
    for left_s in [119, 60, 25] {
        let site = Site::under(window(0, 140));
        site.start("g", "spool.1");
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 2);
        until(&site, 140 - left_s);
        assert_eq!(site.command("cam", "stop"), "OK");
        site.seconds(5);
        push.confirm_at(&site, "3.0");
        assert_eq!(site.command("cam", "start"), "OK");
        site.seconds(2);
        push.confirm_at(&site, "5.0");
        let from = 140 - left_s + 5;
        until(&site, from + 10);
        for from in [from, from + 5] {
            send(&site, &mut push, from..from + 5);
        }
        until(&site, 140);
        push.confirm_at(&site, "6.1");
        site.seconds(3);
        assert_eq!(site.files_of(&push), [[0, 1, 2, 3]], "{left_s} s before the end");
    }
}

#[test]
fn a_start_by_a_clock_that_is_behind_adds_nothing_to_what_the_windows_end_has_closed() {
    let site = Site::under(window(0, 60));
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(2);
    push.confirm_at(&site, "3.0");
    // The gateway has followed the end, and not told so yet, when a host takes it for one that is to come.
    until(&site, 61);
    site.set_clock(0, -30_000);
    assert_eq!(site.command("cam", "start"), "OK");
    push.confirm_at(&site, "4.1");
    site.seconds(3);
    assert_eq!(site.files_of(&push), [[0, 1]]);
    // It keeps the number of files that it has come to.
    push.generation = "5.1".into();
    until(&site, 70);
    for from in [60, 65] {
        send(&site, &mut push, from..from + 5);
    }
    push.confirm_at(&site, "6.1");
    site.end(&push);
    site.seconds(60);
    assert_eq!(site.files_of(&push), [[0, 1], [2, 3]]);
}
