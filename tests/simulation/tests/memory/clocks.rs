//! Clocks: of hosts that differ, of a host that was wrong once, of gateways.

use shared::rules::Rule;
use store::memory::Outcome;

use crate::site::{BEGAN_MS, Site, long_cycles};

#[test]
fn two_hosts_an_hour_apart_end_no_live_push_and_cut_no_file() {
    for ahead_ms in [[0, 3_600_000], [-3_600_000, 0]] {
        let site = Site::of_hosts(long_cycles(), &ahead_ms);
        site.start("g", "spool.1");
        let mut push = site.begin("g", "cam");
        for _ in 0..20 {
            // An odd number of calls a second would have each host make the same calls for ever.
            site.state("cam");
            site.record(&mut push, 3);
            assert_eq!((site.state("cam"), site.state("cam")), ("online".into(), "online".into()));
            assert_eq!(site.files(), [], "after {} chunks", push.seq);
        }
        assert_eq!(site.command("cam", "restart"), "OK", "commands reach it");
        site.seconds(2);
        push.confirm_at(&site, "2.1");
        site.record(&mut push, 3);
        site.end(&push);
        // Closings may be late by as much as the clocks differ.
        site.seconds(4_000);
        let expected = vec![(0..60).collect::<Vec<u64>>(), vec![60, 61, 62]];
        assert_eq!(site.files_of(&push), expected, "{ahead_ms:?}");
    }
}

#[test]
fn a_clock_that_was_ahead_once_stops_no_timers() {
    for ahead_ms in [3_600_000, 30 * 86_400_000] {
        let site = Site::new();
        site.start("g", "spool.1");
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 2);
        site.set_clock(0, ahead_ms);
        site.tick();
        site.tick();
        site.set_clock(0, 0);
        site.record(&mut push, 2);
        site.end(&push);
        site.seconds(20);
        assert_eq!(site.files_of(&push), [[0, 1, 2, 3]], "ahead by {ahead_ms} ms");
        // So is what comes after.
        let mut next = site.begin("g", "cam");
        site.record(&mut next, 2);
        site.end(&next);
        site.seconds(20);
        assert_eq!(site.files_of(&next), [[0, 1]], "ahead by {ahead_ms} ms");
        // A gateway that falls silent is noticed, too.
        let mut last = site.begin("g", "cam");
        site.record(&mut last, 2);
        site.silence("g");
        site.seconds(300);
        assert_eq!(site.files_of(&last), [[0, 1]], "ahead by {ahead_ms} ms");
    }
}

#[test]
fn a_clock_that_steps_back_within_each_tick_stops_no_timers() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    site.silence("g");
    site.ticks.set(false);
    let (clock, store) = (site.any().now_ms.clone(), &site.any().store);
    for _ in 0..300 {
        site.seconds(1);
        site.set_clock(0, 8_000);
        let (clock, mut is_ahead) = (clock.clone(), true);
        store.fail(move |call| {
            // It is asking what is due.
            if is_ahead && call.key == "t.swept" {
                clock.set(clock.get() - 8_000);
                is_ahead = false;
            }
            Outcome::Applied
        });
        site.tick();
        site.set_clock(0, 0);
    }
    assert_eq!(site.files_of(&push), [[0, 1]]);
}

#[test]
fn a_command_holds_at_once_though_the_host_that_takes_it_is_an_hour_ahead() {
    for ahead_ms in [[0, 3_600_000], [3_600_000, 0]] {
        let site = Site::of_hosts(long_cycles(), &ahead_ms);
        site.start("g", "spool.1");
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 2);
        assert_eq!(site.command("cam", "stop"), "OK");
        assert_eq!(site.command("cam", "start"), "OK");
        assert_eq!(site.command("cam", "restart"), "OK");
        site.seconds(3);
        let orders = site.heard.borrow()["g"].orders[&push.session].clone();
        let restart = orders.as_array().unwrap().last().unwrap().clone();
        assert_eq!(restart["generation"], "4.1", "{orders}");
        assert!(restart["in_ms"].is_null() && restart["age_ms"].is_u64(), "{orders}");
    }
}

#[test]
fn dates_are_the_functions_whatever_clock_a_gateway_has() {
    let site = Site::new();
    site.start("g", "spool.1");
    // It measures that the push began two seconds ago; an hour ahead, it would say so by no field that counts.
    let ahead = serde_json::json!({
        "began_ago_ms": 2_000,
        "began_ms": BEGAN_MS + 3_600_000,
        "now_ms": BEGAN_MS + 3_600_000,
    });
    let mut push = site.begin_with("g", "cam", &ahead);
    site.seconds(3);
    site.chunk(&push, 0, 0..5).unwrap();
    push.seq = 1;
    site.end(&push);
    site.seconds(20);
    // 03:04:05 UTC less two seconds, in +08:00.
    let file = "http://store/bkt/record/live/cam/0_2026-01-02-11-04-03_2026-01-02-11-04-08.m3u8";
    let slice = format!("http://store/bkt/record/live/cam/{}_0.ts", BEGAN_MS / 1_000 - 2);
    assert_eq!(site.any().buckets.names("http://store/"), [file, slice.as_str()]);
    let infos = site.index_files("cam");
    assert_eq!(infos[0]["StartTime"], "2026-01-02T03:04:03Z");
}

/// Slices and files are named by local time.
fn dated_names() -> Rule {
    let mut rule = long_cycles();
    let slices = rule.formats[0].slices.as_mut().unwrap();
    slices.object_prefix = "record/{AppName}/{StreamName}/{Date}-{Hour}/{UnixTimestamp}_{Sequence}".into();
    rule
}

/// Chunk 1, which is refused by the store at one of its operations and sent again after the zone was changed; the same of
/// the tick that writes the file.
fn objects_of_retries(operation: u64, zone_after: &str) -> Vec<String> {
    let site = Site::under(dated_names());
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    let store = &site.any().store;
    let break_at = |lost: Outcome| {
        store.fail(move |call| if call.number == operation { lost } else { Outcome::Applied })
    };
    break_at(Outcome::Refused);
    let first = site.chunk(&push, 1, 5..10);
    store.mend();
    site.any().set_variable("name_timezone", zone_after);
    if first.is_err() {
        site.chunk(&push, 1, 5..10).unwrap();
    }
    push.seq = 2;
    site.seconds(5);
    site.end(&push);
    site.seconds(14);
    site.pass_ms(2_000);
    site.any().set_variable("name_timezone", "+08:00");
    break_at(Outcome::ReplyLost);
    let answer = site.post("/tick", &serde_json::json!({}));
    assert!(answer.is_ok() || answer.unwrap_err().0 == 503);
    store.mend();
    site.any().set_variable("name_timezone", zone_after);
    site.seconds(90);
    assert_eq!(site.files_of(&push), [[0, 1]], "operation {operation}");
    site.any().buckets.names("http://store/")
}

#[test]
fn a_zone_that_is_changed_between_two_tries_renames_nothing() {
    let expected = objects_of_retries(u64::MAX, "+08:00");
    assert_eq!(expected.len(), 3, "{expected:#?}");
    for operation in 0..60 {
        assert_eq!(objects_of_retries(operation, "-11:00"), expected, "operation {operation}");
    }
}

#[test]
fn a_zone_that_is_changed_holds_from_the_next_push_on() {
    let site = Site::under(dated_names());
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    site.any().set_variable("name_timezone", "+00:00");
    site.record(&mut push, 1);
    site.end(&push);
    site.seconds(20);
    let mut next = site.begin("g", "cam");
    site.record(&mut next, 1);
    let hours: Vec<String> = site.any().buckets.names("http://store/bkt/record/live/cam/2026");
    assert_eq!(hours.len(), 3, "{hours:#?}");
    assert_eq!(hours.iter().filter(|name| name.contains("-11/")).count(), 2, "{hours:#?}");
}
