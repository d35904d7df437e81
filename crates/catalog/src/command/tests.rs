//! What commands order, and when.

use store::memory::run;

use super::*;
use crate::tests::world::{NOW, World, session_of};

fn begin(at_ms: u64, window_end_ms: Option<u64>) -> Vec<Order> {
    let first = order::next(None, Cause::Begin, at_ms);
    let end = window_end_ms.map(|end_ms| order::next(Some(&first), Cause::WindowEnd, end_ms));
    [first].into_iter().chain(end).collect()
}

fn generations(orders: &[Order]) -> Vec<(String, bool, u64)> {
    orders.iter().map(|order| (order.generation.to_string(), order.record, order.at_ms)).collect()
}

#[test]
fn stop_and_start_within_a_window_stay_in_one_file_and_keep_its_end() {
    let mut orders = begin(0, Some(1_000_000));
    for (cause, at_ms) in [(Cause::Stop, 10), (Cause::Start, 20)] {
        assert_eq!(judge(standing(&orders, at_ms), cause), Ok(()));
        orders.extend(plan(&orders, cause, at_ms, false));
    }
    let expected = [
        ("1.0", true, 0),
        ("2.1", false, 1_000_000),
        ("3.0", false, 10),
        ("4.1", false, 1_000_000),
        ("5.0", true, 20),
        ("6.1", false, 1_000_000),
    ];
    let expected: Vec<_> = expected.map(|(text, record, at)| (text.to_owned(), record, at)).into();
    assert_eq!(generations(&orders), expected);
    assert_eq!(effective(&orders, 999_999).map(|order| order.generation.orders), Some(5));
    assert_eq!(effective(&orders, 1_000_000).map(|order| order.generation.orders), Some(6));
}

#[test]
fn a_start_before_a_window_begins_the_file_that_the_window_would() {
    let opens = order::next(None, Cause::WindowStart, 50);
    let mut orders = vec![opens, order::next(Some(&opens), Cause::WindowEnd, 1_000_000)];
    orders.extend(plan(&orders, Cause::Start, 40, false));
    let expected =
        [("1.1", true, 50), ("2.2", false, 1_000_000), ("3.1", true, 40), ("4.2", false, 1_000_000)];
    let expected: Vec<_> = expected.map(|(text, record, at)| (text.to_owned(), record, at)).into();
    assert_eq!(generations(&orders), expected);
}

#[test]
fn a_command_whose_call_stalled_takes_effect_after_those_before_it_and_takes_no_file_back() {
    let mut orders = begin(0, None);
    for (cause, now_ms) in [(Cause::Stop, 10), (Cause::CancelDelay, 40), (Cause::Start, 32)] {
        let at_ms = not_before(&orders, now_ms);
        orders.extend(plan(&orders, cause, at_ms, false));
    }
    let expected = [("1.0", true, 0), ("2.0", false, 10), ("3.1", false, 40), ("4.1", true, 40)];
    let expected: Vec<_> = expected.map(|(text, record, at)| (text.to_owned(), record, at)).into();
    assert_eq!(generations(&orders), expected);
}

#[test]
fn a_command_beside_the_end_of_a_window_begins_no_file_that_the_end_has_closed() {
    let orders = begin(0, Some(1_000_000));
    let files = |now_ms, has_ended| plan(&orders, Cause::Stop, now_ms, has_ended)[0].generation.files;
    assert_eq!(files(10, false), 0);
    assert_eq!(files(10, true), 1);
    assert_eq!(files(999_999, false), 0);
    assert_eq!(files(1_000_000, false), 1);
    // An end that has come is not ordered anew.
    let orders_of = |now_ms| plan(&orders, Cause::Stop, now_ms, false).len();
    assert_eq!([999_999, 1_000_000, 1_000_001].map(orders_of), [2, 1, 1]);
}

#[test]
fn commands_are_refused_where_they_make_no_sense() {
    let recording = begin(0, None);
    let stopped = [&recording[..], &plan(&recording, Cause::Stop, 5, false)].concat();
    let closed = [&stopped[..], &plan(&stopped, Cause::CancelDelay, 6, false)].concat();
    let check = |orders: &[Order], cause, expected: Result<(), Refusal>| {
        assert_eq!(judge(standing(orders, 10), cause), expected, "{cause:?} after {orders:?}");
    };
    check(&[], Cause::Start, Ok(()));
    check(&[], Cause::Stop, Err(Refusal::NotRecording));
    check(&[], Cause::Restart, Err(Refusal::NotRecording));
    check(&[], Cause::CancelDelay, Err(Refusal::NotStopped));
    check(&recording, Cause::Start, Err(Refusal::Recording));
    check(&recording, Cause::Restart, Ok(()));
    check(&recording, Cause::CancelDelay, Err(Refusal::NotStopped));
    check(&stopped, Cause::CancelDelay, Ok(()));
    check(&stopped, Cause::Restart, Ok(()));
    check(&closed, Cause::Restart, Ok(()));
    check(&stopped, Cause::Start, Ok(()));
    check(&closed, Cause::CancelDelay, Err(Refusal::NotStopped));
    check(&closed, Cause::Start, Ok(()));
}

#[test]
fn a_command_waits_for_no_clock_that_is_far_ahead() {
    let orders = begin(1_000_000, None);
    let near_ms = 1_000_000 - CALL_MAX_MS;
    for (now_ms, at_ms) in [(1_000_001, 1_000_001), (near_ms, 1_000_000), (near_ms - 1, near_ms - 1)] {
        assert_eq!(not_before(&orders, now_ms), at_ms);
    }
}

#[test]
fn files_of_a_stop_are_closed_once_it_has_lasted_for_the_delay() {
    let World { store, bucket, .. } = World::new();
    let session = session_of("a");
    run(give(&store, &bucket, &session, Cause::Stop, "call", NOW + 5)).unwrap().unwrap();
    let over_ms = NOW + 5 + session.delay_ms();
    for (now_ms, is_over) in [(NOW + 5, false), (over_ms - 1, false), (over_ms, true), (over_ms + 1, false)] {
        assert_eq!(run(pause_over(&store, &bucket, &session, now_ms)).unwrap(), is_over, "{now_ms}");
    }
}

#[test]
fn an_order_closes_what_was_cut_before_it_in_a_push_that_ends_after_it() {
    let world = World::new();
    let World { store, bucket, .. } = &world;
    let session = world.offer("a", None);
    run(give(store, bucket, &session, Cause::Restart, "call", NOW + 10)).unwrap().unwrap();
    run(world.try_end("a", 0)).unwrap();
    let end = run(session::ended(store, "a")).unwrap().unwrap();
    for (ended_ms, files, closes) in
        [(NOW + 9, 0, false), (NOW + 10, 0, true), (NOW + 10, 1, false), (NOW + 10, 2, false)]
    {
        let (end, generation) = (End { ended_ms, ..end }, Generation { orders: files + 1, files });
        let found = run(closes_after(store, bucket, "a", &end, generation)).unwrap();
        assert_eq!(found, closes, "{ended_ms} {files}");
    }
}
