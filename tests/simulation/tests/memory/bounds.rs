//! What calls may cost, counted in the key-value store.

use serde_json::json;
use shared::rules::{OnDemand, Rule};
use shared::testing::rule;

use crate::site::{Cost, Push, Site, long_cycles};

const RULE: [(&str, &str); 5] = [
    ("DomainName", "live.example.com"),
    ("AppName", "live"),
    ("OssBucket", "bkt"),
    ("OssEndpoint", "store"),
    ("RecordFormat.1.Format", "m3u8"),
];

#[test]
fn a_command_on_an_offline_stream_does_not_read_the_rules_of_the_domain() {
    let site = Site::new();
    assert_eq!(site.command("cam", "stop"), "InvalidDomain.NotFound");
    let mut most = 0;
    for number in 0..200 {
        let stream = format!("s{number}");
        site.api("AddLiveAppRecordConfig", &[&RULE[..], &[("StreamName", &stream)]].concat()).unwrap();
        if number % 50 == 0 {
            let (cost, code) = site.cost(|| site.command("cam", "stop"));
            assert_eq!(code, "InvalidStream.NotFound");
            most = most.max(cost.operations);
        }
    }
    let (cost, code) = site.cost(|| site.command("cam", "stop"));
    assert_eq!(code, "InvalidStream.NotFound");
    assert!(cost.operations <= most && most <= 20, "{cost:?} with 200 rules, {most} operations with fewer");
}

#[test]
fn a_chunk_costs_the_same_however_long_the_recording_is() {
    let site = Site::new();
    site.start("g", "spool.1");
    let push = site.begin("g", "cam");
    site.seconds(2);
    let costs = |chunks: std::ops::Range<u64>| {
        let mut costs: Vec<Cost> = Vec::new();
        for seq in chunks {
            costs.push(site.cost(|| site.chunk(&push, seq, seq * 5..seq * 5 + 5).unwrap()).0);
        }
        let written_bytes = costs.iter().map(|cost| cost.written_bytes).sum::<u64>() / costs.len() as u64;
        (costs.iter().map(|cost| cost.operations).max().unwrap(), written_bytes)
    };
    costs(0..64);
    let early = costs(64..256);
    costs(256..4_000);
    let late = costs(4_000..4_192);
    assert!(early.0 <= 8 && late.0 <= 8, "{early:?} {late:?}");
    assert!(early.1 <= 2_000 && late.1 <= 2_000, "{early:?} {late:?}");
}

/// What ten minutes of heartbeats and ticks cost of an encoder that has stalled after so many slices.
fn stalled(slices: u64) -> Cost {
    let site = Site::new();
    site.start("g", "spool.1");
    let push = site.begin("g", "cam");
    site.seconds(2);
    for seq in 0..slices {
        site.chunk(&push, seq, seq * 5..seq * 5 + 5).unwrap();
    }
    site.pass_ms(slices * 5_000);
    site.seconds(60);
    assert_eq!(site.files(), []);
    let cost = site.cost(|| site.seconds(600)).0;
    assert_eq!(site.files(), []);
    cost
}

#[test]
fn looking_at_an_open_file_costs_the_same_however_long_it_is() {
    let (few, many) = (stalled(10), stalled(4_300));
    assert!(many.operations <= few.operations + few.operations / 20, "{few:?} {many:?}");
    // A record tells of its page and of where each file stands; the page may be fuller.
    assert!(many.read_bytes <= 2 * few.read_bytes, "{few:?} {many:?}");
}

/// What a minute costs in which nothing is pushed.
fn idle(site: &Site) -> u64 {
    site.cost(|| site.seconds(60)).0.operations
}

/// A push that comes back every 20 s, for half an hour: each five minutes cost the same, and once it stays away, nothing
/// is left of it that costs anything.
fn check_returning(rule: Rule, is_recorded: bool) {
    let site = Site::under(rule);
    site.start("g", "spool.1");
    site.seconds(600);
    let idle_before = idle(&site);
    let mut costs = Vec::new();
    let mut before: Option<Push> = None;
    for _ in 0..6 {
        let five_minutes = || {
            for _ in 0..15 {
                let after = before.as_ref().map(|push| json!({"session": push.session, "gap_ms": 4_000}));
                let mut push = site.begin_with("g", "cam", &json!({"after": after}));
                if is_recorded {
                    site.record(&mut push, 3);
                } else {
                    site.seconds(15);
                }
                site.end(&push);
                site.seconds(5);
                before = Some(push);
            }
        };
        costs.push(site.cost(five_minutes).0.operations);
    }
    let a_return = (costs[5] - 5 * idle_before) / 15;
    assert!(costs[5] <= costs[1] * 11 / 10 && a_return <= 1_600, "{a_return} a return: {costs:?}");

    // Within hours its offers expire.
    for _ in 0..3 {
        site.pass_ms(3_600_000);
        site.seconds(300);
    }
    let idle_after = idle(&site);
    assert!(
        idle_after <= idle_before * 11 / 10,
        "{idle_before} operations a minute before, {idle_after} after"
    );
}

#[test]
fn timers_do_not_multiply_with_a_push_that_returns_every_twenty_seconds() {
    for delay_seconds in [15, 180] {
        check_returning(Rule { delay_seconds, formats: rule().formats, ..long_cycles() }, true);
    }
}

#[test]
fn a_stream_that_always_returns_and_records_nothing_costs_no_more_with_every_return() {
    for on_demand in [OnDemand::Command, OnDemand::Always] {
        check_returning(Rule { delay_seconds: 180, on_demand, ..long_cycles() }, false);
    }
}

#[test]
fn the_online_list_costs_what_is_online() {
    let listed = |pushed: usize, first_lives: bool| {
        let site = Site::new();
        site.start("g", "spool.1");
        if first_lives {
            site.begin("g", "live");
        }
        for _ in 0..pushed {
            let push = site.begin("g", "gone");
            site.seconds(1);
            site.end(&push);
            site.seconds(9);
        }
        if !first_lives {
            site.begin("g", "live");
        }
        site.beat("g").unwrap();
        site.seconds(30);
        assert_eq!(site.online(), ["live"]);
        let (cost, online) = site.cost(|| site.online());
        assert_eq!(online, ["live"]);
        let (of_stream, state) = site.cost(|| site.state("live"));
        assert_eq!(state, "online");
        (cost.operations, of_stream.operations)
    };
    for first_lives in [true, false] {
        let (few, many) = (listed(10, first_lives), listed(120, first_lives));
        // Those that ended within the last minutes may be read yet.
        assert!(many.0 <= few.0 + 40 && many.1 <= few.1 + 40, "{few:?} {many:?}");
    }
}

#[test]
fn a_heartbeat_that_asks_from_now_on_replays_nothing() {
    let site = Site::new();
    site.start("g", "spool.1");
    let asking = || {
        site.tell("g", |heard| heard.since = None);
        let (cost, answer) = site.cost(|| site.beat("g").unwrap());
        assert_eq!(answer["sessions"], json!([]));
        cost.operations
    };
    let few = asking();
    for _ in 0..150 {
        let push = site.begin("g", "cam");
        site.seconds(1);
        assert_eq!(site.command("cam", "restart"), "OK");
        site.seconds(1);
        site.end(&push);
        site.pass_ms(8_000);
    }
    site.seconds(60);
    let many = asking();
    assert!(many <= few + 60, "{few} {many}");
}

#[test]
fn a_heartbeat_costs_the_same_however_many_streams_are_pushed() {
    let beating = |pushes: u64| {
        let site = Site::new();
        site.start("g", "spool.1");
        for number in 0..pushes {
            site.begin("g", &format!("s{number}"));
        }
        site.seconds(3);
        site.cost(|| site.beat("g").unwrap()).0.operations
    };
    let (one, many) = (beating(1), beating(200));
    assert!(many <= one && one <= 12, "{one} operations with one push, {many} with 200");
}

#[test]
fn a_week_without_ticks_is_caught_up_by_a_few_calls() {
    let site = Site::new();
    site.start("g", "spool.1");
    site.ticks.set(false);
    for _ in 0..7 {
        let mut push = site.begin("g", "cam");
        for _ in 0..4 {
            site.record(&mut push, 1);
        }
        site.end(&push);
        site.seconds(60);
        site.pass_ms(86_400_000);
        site.seconds(60);
    }
    assert_eq!(site.files(), []);
    let mut calls = 0;
    let (cost, ()) = site.cost(|| {
        while site.files().len() < 7 {
            site.tick();
            calls += 1;
            assert!(calls < 100, "{:#?}", site.files());
        }
    });
    assert!(calls <= 3 && cost.operations <= 3_000, "{calls} calls, {cost:?}");
}
