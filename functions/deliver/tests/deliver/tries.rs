//! How often an event is tried, and when.

use http::Request;
use protocol::{Call, Deliver};
use recorder_deliver_function::handler::handle;
use shared::Clock;
use shared::testing::{Reply, World, request, run};

use crate::{BEGAN_MS, DAY_MS, answer, commit, deliver, deliver_for, told, uri, world};

/// Has the receiver answer, and calls; answers what was sent, with the number of the try.
fn tries(world: &World, replies: &[u16]) -> Vec<(String, String)> {
    replies.iter().for_each(|status| world.receivers.reply(answer(*status)));
    deliver(world);
    world.receivers.clear();
    let attempt = |sent: &Request<Vec<u8>>| sent.headers()["x-recorder-attempt"].to_str().unwrap().to_owned();
    world.receivers.take_sent().iter().map(|sent| (uri(sent), attempt(sent))).collect()
}

/// The try of a file's event.
fn sent(number: u32, attempt: u32) -> (String, String) {
    (format!("a/{number}.m3u8"), attempt.to_string())
}

#[test]
fn each_event_counts_its_own_tries() {
    let world = world();
    (0..2).for_each(|number| commit(&world, 'a', number));
    let mut attempts = Vec::new();
    for replies in [&[500][..], &[500], &[200, 500], &[500], &[200]] {
        attempts.extend(tries(&world, replies));
        world.pass_ms(20_000);
    }
    let expected = [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)];
    assert_eq!(attempts, expected.map(|(number, attempt)| sent(number, attempt)));
}

#[test]
fn tries_are_counted_on_whatever_timer_leads_to_an_event() {
    let world = world();
    (0..2).for_each(|number| commit(&world, 'a', number));
    assert_eq!(tries(&world, &[200, 500]), [sent(0, 1), sent(1, 1)]);
    world.pass_ms(5_000);
    assert_eq!(tries(&world, &[500]), [sent(1, 2)]);
    // A call that was thought dead notes the first one's file once more.
    commit(&world, 'a', 0);
    assert_eq!(tries(&world, &[500]), [], "the second one has to wait");
    world.pass_ms(10_000);
    commit(&world, 'a', 0);
    assert_eq!(tries(&world, &[500]), [sent(1, 3)]);
    world.pass_ms(20_000);
    commit(&world, 'a', 1);
    assert_eq!(tries(&world, &[500]), [sent(1, 4)]);
    world.pass_ms(39_000);
    commit(&world, 'a', 1);
    assert_eq!(tries(&world, &[500]), [], "it is tried after 5, 10, 20 and 40 s");
    world.pass_ms(1_000);
    assert_eq!(tries(&world, &[200]), [sent(1, 5)]);
    deliver_for(&world, 100);
    assert_eq!(told(&world), Vec::<String>::new());
}

/// Of two recordings the one that is told of first meets a receiver that hangs, and the other is left alone each time.
#[test]
fn what_is_left_alone_has_not_been_tried() {
    let world = world();
    commit(&world, 'a', 0);
    commit(&world, 'b', 0);
    world.pass_ms(DAY_MS + 3_600_000);
    let mut attempts: Vec<(String, u32)> = Vec::new();
    // At most five minutes apart.
    for _ in 0..1_000 {
        world.receivers.otherwise(Reply::Silent(5_000));
        let sent = tries(&world, &[]).into_iter();
        attempts.extend(sent.map(|(name, attempt)| (name, attempt.parse().unwrap())));
        world.pass_ms(5_000);
    }
    for name in ["a/0.m3u8", "b/0.m3u8"] {
        let of: Vec<u32> =
            attempts.iter().filter(|(of, _)| of == name).map(|(_, attempt)| *attempt).collect();
        assert_eq!(of, (1..=10).collect::<Vec<_>>(), "{name} is tried ten times and then given up");
    }
}

/// A store that fails before an event is read keeps it from being sent.
#[test]
fn a_store_that_fails_is_no_try() {
    for operation in 0..60 {
        let world = world();
        commit(&world, 'a', 0);
        world.receivers.otherwise(answer(500));
        world.store.break_at(operation);
        run(handle(&world, request(&Deliver::route(()), "")));
        world.store.mend();
        let sent_before = world.receivers.take_sent().len() as u32;
        world.pass_ms(600_000);
        world.receivers.otherwise(answer(500));
        assert_eq!(tries(&world, &[]), [sent(0, sent_before + 1)], "operation {operation}");
    }
}

/// Timers of what is told, as they stay where a call dies between its steps: due at once beside those of tries.
#[test]
fn a_told_events_timer_that_is_left_sets_no_count_back() {
    for operation in 0..60 {
        let world = world();
        (0..2).for_each(|number| commit(&world, 'a', number));
        world.store.break_at(operation);
        [200, 500].into_iter().for_each(|status| world.receivers.reply(answer(status)));
        run(handle(&world, request(&Deliver::route(()), "")));
        world.store.mend();
        world.receivers.clear();
        drop(world.receivers.take_sent());
        let mut attempts = Vec::new();
        while world.now_ms() < BEGAN_MS + 1_800_000 {
            world.receivers.otherwise(answer(500));
            let sent = tries(&world, &[]).into_iter();
            attempts.extend(sent.map(|(name, attempt)| (name, attempt.parse::<u32>().unwrap())));
            world.pass_ms(5_000);
            commit(&world, 'a', 0);
        }
        for name in ["a/0.m3u8", "a/1.m3u8"] {
            let of = attempts.iter().filter(|(of, _)| of == name);
            let of: Vec<_> = of.map(|(_, attempt)| *attempt).collect();
            assert!(of.is_sorted_by(|before, after| before < after), "operation {operation}: {name} {of:?}");
            assert!(
                of.len() < 15,
                "operation {operation}: {name} is told {} times in half an hour",
                of.len()
            );
        }
    }
}
