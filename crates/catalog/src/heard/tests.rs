use store::memory::{MemoryStore, run};

use super::*;
use crate::tests::world::session_of;

#[test]
fn a_gateway_was_heard_no_longer_than_it_lives_though_hosts_differ() {
    let boot = Boot { spool: "spool".into(), number: 1 };
    for ahead_ms in [1_000, 3_000, 5_000, 15_000, 30_000, 1_200_000, 3_600_000] {
        let mut random = store::memory::Random::new(ahead_ms);
        let mut heard = Heard::default();
        for second in 0..=600 {
            let now_ms = 10_000_000 + second * 1_000 + if random.below(2) == 0 { ahead_ms } else { 0 };
            heard = heard.after(&boot, 0, now_ms);
            assert!(heard.heard_for_ms <= (second + 2) * 1_000, "{ahead_ms} {second} {heard:?}");
        }
        assert!(heard.heard_for_ms > 500_000, "{ahead_ms} {heard:?}");
    }
}

/// Up to when everything is told after heartbeats that come at these moments, each with an age.
fn told_until(heartbeats: &[(u64, u64)]) -> u64 {
    let boot = Boot { spool: "spool".into(), number: 1 };
    let heard = heartbeats
        .iter()
        .fold(Heard::default(), |heard, (now_ms, told_ms)| heard.after(&boot, *told_ms, *now_ms));
    heard.told_until_ms
}

#[test]
fn a_heartbeat_tells_nothing_of_the_time_that_it_was_on_its_way() {
    assert_eq!(told_until(&[(10_000, 0)]), 0);
    assert_eq!(told_until(&[(10_000, 0), (11_000, 0)]), 10_000);
    // Sent just after the one before was answered, and nine seconds on its way: a push may have come since.
    assert_eq!(told_until(&[(10_000, 0), (11_000, 0), (20_000, 0)]), 11_000);
    assert_eq!(told_until(&[(10_000, 0), (11_000, 0), (12_000, 4_000)]), 7_000);
}

#[test]
fn after_a_step_of_the_clock_nothing_is_told_until_it_has_gone_steadily_for_a_while() {
    let boot = Boot { spool: "spool".into(), number: 1 };
    // After a first heartbeat one comes with a step, and then two each second: how many tell nothing?
    let untold = |step_ms: i64| {
        let mut heard = Heard::default().after(&boot, 0, 10_000_000);
        let mut now_ms = 10_000_000_u64.saturating_add_signed(step_ms);
        (0..100).find(|_| {
            heard = heard.clone().after(&boot, 0, now_ms);
            now_ms += 500;
            heard.told_until_ms > 0
        })
    };
    for step_ms in [-1_000, 0, 500, 1_000, 20_000] {
        assert_eq!(untold(step_ms), Some(0), "{step_ms}");
    }
    for step_ms in [-3_600_000, -1_001, 20_001, 3_600_000] {
        assert_eq!(untold(step_ms), Some(STEADY as usize), "{step_ms}");
    }
}

#[test]
fn a_gateway_was_silent_when_it_is_heard_after_a_longer_step_than_heartbeats_take() {
    let heard = Heard { heard_ms: 1_000_000, ..Heard::default() };
    for (now_ms, expected) in [(980_000, false), (1_020_000, false), (979_999, true), (1_020_001, true)] {
        assert_eq!(heard.was_silent(now_ms), expected, "{now_ms}");
    }
}

#[test]
fn a_break_is_told_by_clocks_and_by_how_long_the_gateway_was_heard_or_for_a_little_longer_by_that_alone() {
    const AT_MS: u64 = 281_000;
    // The delay is 180 s.
    let check = |heard_for_ms, told_until_ms, told_for_ms, expected| {
        let store = MemoryStore::default();
        let session = session_of("a");
        let end = End {
            ended_ms: 100_000,
            chunks: 1,
            noted_ms: 100_000,
            ended_ago_ms: 0,
            heard_for_ms,
            is_told: true,
        };
        let heard = Heard { spool: "spool".into(), told_until_ms, told_for_ms, ..Heard::default() };
        run(note(&store, &session.gateway, &heard)).unwrap();
        let found = run(has_told(&store, &session, &end, AT_MS)).unwrap();
        assert_eq!(found, expected, "{heard_for_ms:?} {told_until_ms} {told_for_ms}");
    };
    check(Some(50_000), AT_MS, 230_000, true);
    check(Some(50_000), AT_MS, 229_999, false);
    check(Some(50_000), AT_MS - 1, 230_000, false);
    check(Some(50_000), AT_MS - 1, 230_999, false);
    check(Some(50_000), AT_MS - 1, 231_000, true);
    // It had never been heard when the push ended.
    check(None, AT_MS, 0, true);
    check(None, AT_MS - 1, 0, false);
}

#[test]
fn how_long_a_gateway_was_heard_counts_on_over_another_spool() {
    let store = MemoryStore::default();
    let session = session_of("a");
    let heard_for = |now_ms| run(heard_for_ms(&store, &session, now_ms)).unwrap();
    assert_eq!(heard_for(100_000), None);
    let heard =
        Heard { spool: "old".into(), boot: 3, heard_ms: 100_000, heard_for_ms: 7_000, ..Heard::default() };
    run(note(&store, &session.gateway, &heard)).unwrap();
    assert_eq!(heard_for(100_000), Some(7_000));
    assert_eq!(heard_for(101_000), Some(8_000));
    assert_eq!(heard_for(200_000), Some(9_000));
    let (boot, found) = run(checked(&store, &session.gateway, "new.1", 110_000)).unwrap();
    assert_eq!((boot.spool.as_str(), boot.number), ("new", 1));
    // Nothing else that was heard of the other spool says anything of this one.
    assert_eq!(found, Heard { heard_for_ms: 7_000, ..Heard::default() });
    run(checked(&store, &session.gateway, "new.1", 109_999)).unwrap_err();
}
