//! What calls may cost, counted in the key-value store.

use serde_json::json;

use crate::site::{Cost, Site};

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
