//! Breaks: what one gateway measured decides, whatever becomes of the calls that tell of it.

use serde_json::json;

use crate::site::{Heard, Site};

/// Two pushes with a break between them, where end and begin are told so late; answers the files of both.
fn files_with_break(gap_s: u64, end_delay_s: u64, begin_delay_s: u64, ahead_ms: &[i64]) -> usize {
    files_with_break_after(2, &[], gap_s, (end_delay_s, begin_delay_s), ahead_ms)
}

/// The same, after so many chunks before which clocks are set.
fn files_with_break_after(
    chunks: u64,
    set_ms: &[i64],
    gap_s: u64,
    (end_delay_s, begin_delay_s): (u64, u64),
    ahead_ms: &[i64],
) -> usize {
    let site = Site::of_hosts(crate::site::long_cycles(), ahead_ms);
    site.start("g", "spool.1");
    let mut first = site.begin("g", "cam");
    site.record(&mut first, 1);
    set_ms.iter().enumerate().for_each(|(host, ahead_ms)| site.set_clock(host, *ahead_ms));
    site.record(&mut first, chunks - 1);
    let ended_ms = site.now_ms.get();
    let began_ms = ended_ms + gap_s * 1_000;
    let (end_at_ms, begin_at_ms) = (ended_ms + end_delay_s * 1_000, began_ms + begin_delay_s * 1_000);
    let mut second = None;
    // As long as something is not told, heartbeats say for how long.
    let (mut is_ended, mut last_s) = (false, 0);
    while second.is_none() || !is_ended {
        if !is_ended && site.now_ms.get() >= end_at_ms {
            site.end_ago(&first, site.now_ms.get() - ended_ms).unwrap();
            is_ended = true;
        }
        if second.is_none() && site.now_ms.get() >= begin_at_ms {
            let began_ago_ms = site.now_ms.get() - began_ms;
            let after = json!({"session": first.session, "gap_ms": gap_s * 1_000});
            let more = json!({"began_ago_ms": began_ago_ms, "after": after});
            second = Some(site.begin_with("g", "cam", &more));
        }
        let now_ms = site.now_ms.get() + 1_000;
        let untold_end = (!is_ended).then_some(ended_ms);
        let untold_begin = (second.is_none() && now_ms > began_ms).then_some(began_ms);
        let oldest_ms = untold_end.into_iter().chain(untold_begin).min();
        site.tell("g", |heard| heard.told_ms = oldest_ms.map_or(0, |oldest_ms| now_ms - oldest_ms));
        site.seconds(1);
        last_s += 1;
        assert!(last_s < 200);
    }
    site.tell("g", |heard| heard.told_ms = 0);
    let mut second = second.unwrap();
    for from in [0, 5, 10] {
        site.seconds(5);
        site.chunk(&second, second.seq, from..from + 5).unwrap();
        second.seq += 1;
    }
    site.end(&second);
    site.seconds(40);
    // An hour ahead, a host makes closings late.
    for _ in 0..400 {
        if site.files().iter().map(|file| file.slices.len() as u64).sum::<u64>() == chunks + 3 {
            break;
        }
        site.seconds(10);
    }
    assert_eq!((site.files_of(&first).len(), site.files_of(&second)), (1, vec![vec![0, 1, 2]]));
    site.files().len()
}

#[test]
fn a_break_is_as_long_as_its_gateway_measured_whatever_is_told_late() {
    for end_delay_s in [0, 9, 40] {
        for begin_delay_s in [0, 1, 12, 30] {
            let files = |gap_s| files_with_break(gap_s, end_delay_s, begin_delay_s, &[0]);
            let told = format!("end told after {end_delay_s} s, begin after {begin_delay_s} s");
            assert_eq!((files(3), files(14), files(16)), (1, 1, 2), "{told}");
        }
    }
}

#[test]
fn a_break_does_not_depend_on_the_clocks_of_the_hosts_that_hear_of_it() {
    for ahead_ms in [[0, 20_000], [3_600_000, 0], [0, -40_000]] {
        for (end_delay_s, begin_delay_s) in [(0, 0), (2, 1), (20, 4)] {
            let files = |gap_s| files_with_break(gap_s, end_delay_s, begin_delay_s, &ahead_ms);
            assert_eq!(
                (files(3), files(14), files(16)),
                (1, 1, 2),
                "{ahead_ms:?} {end_delay_s} {begin_delay_s}"
            );
        }
    }
}

/// A push is dated by the host that heard its begin. Where that was behind, all that is dated by it seems to be over long
/// since.
#[test]
fn a_break_does_not_depend_on_a_clock_that_the_push_before_it_was_dated_by() {
    for behind_ms in [30_000, 2_700_000] {
        // So many that heartbeats are steady again.
        for begin_delay_s in [1, 2, 5, 20] {
            let told_s = (1, begin_delay_s);
            let files = |gap_s| files_with_break_after(9, &[0], gap_s, told_s, &[-behind_ms]);
            assert_eq!((files(3), files(14), files(16)), (1, 1, 2), "{behind_ms} {begin_delay_s}");
        }
    }
}

/// Its end is the first that is heard of the gateway, as after an outage, and hosts that differ take turns from then on.
#[test]
fn a_break_closes_though_its_end_was_heard_before_its_gateway() {
    for (spool_before, ahead_ms) in [(false, 0), (false, 2_700_000), (true, 2_700_000)] {
        let site = Site::of_hosts(crate::site::long_cycles(), &[0, ahead_ms]);
        if spool_before {
            site.start("g", "other.1");
            site.seconds(30);
            site.silence("g");
            site.pass_ms(600_000);
        }
        let unheard = Heard { boot: "spool.1".into(), ..Heard::default() };
        site.heard.borrow_mut().insert("g".into(), unheard);
        let mut push = site.begin("g", "cam");
        for _ in 0..2 {
            site.chunk(&push, push.seq, push.seq * 5..push.seq * 5 + 5).unwrap();
            push.seq += 1;
        }
        site.pass_ms(11_000);
        site.end_ago(&push, 1_000).unwrap();
        // An hour ahead, a host makes closings late.
        for _ in 0..8_000 {
            if site.files_of(&push).concat() == [0, 1] {
                break;
            }
            site.seconds(1);
            // Sent twice, each reaches the other host as well.
            site.beat("g").unwrap();
        }
        assert_eq!(site.files_of(&push), [[0, 1]], "{spool_before} {ahead_ms}");
    }
}

#[test]
fn a_reconnect_of_one_second_within_an_outage_of_five_minutes_continues_the_file() {
    // Whoever comes first afterwards: a tick, the heartbeat, or the calls of the pushes.
    for first_call in ["tick", "heartbeat", "end"] {
        let site = Site::new();
        site.start("g", "spool.1");
        let mut first = site.begin("g", "cam");
        site.record(&mut first, 4);
        // Ten seconds into the outage the encoder is away for one second; all that is cut waits in the spool.
        let ended_ms = site.now_ms.get() + 10_000;
        let began_ms = ended_ms + 1_000;
        site.pass_ms(300_000);
        let ago_ms = |at_ms: u64| site.now_ms.get() - at_ms;
        site.tell("g", |heard| heard.told_ms = ago_ms(ended_ms));
        match first_call {
            "tick" => drop(site.tick()),
            "heartbeat" => drop(site.beat("g").unwrap()),
            _ => {}
        }
        first.seq = 6;
        site.end_ago(&first, ago_ms(ended_ms)).unwrap();
        site.tell("g", |heard| heard.told_ms = ago_ms(began_ms));
        site.seconds(2);
        let after = json!({"session": first.session, "gap_ms": 1_000});
        let more = json!({"began_ago_ms": ago_ms(began_ms), "after": after});
        let mut second = site.begin_with("g", "cam", &more);
        site.tell("g", |heard| heard.told_ms = 0);
        site.seconds(1);
        assert_eq!(site.chunk(&second, 0, 0..5), Err((409, "before".into())));
        site.chunk(&first, 4, 20..25).unwrap();
        site.chunk(&first, 5, 25..30).unwrap();
        for seq in 0..56 {
            site.chunk(&second, seq, seq * 5..seq * 5 + 5).unwrap();
        }
        second.seq = 56;
        site.seconds(10);
        site.record(&mut second, 2);
        site.end(&second);
        site.seconds(20);
        assert_eq!(site.files().len(), 1, "{first_call} came first: {:#?}", site.files());
        assert_eq!(site.files()[0].slices.len(), 6 + 58);
    }
}
