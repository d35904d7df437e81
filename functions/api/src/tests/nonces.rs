//! Nonces: once each, and no more of them in the store than are needed.

use acs::Claim;

use super::*;
use crate::nonces::admit;

fn claim(nonce: u64, at_s: u64) -> Claim {
    let client = Client { time_s: at_s, ..Client::new(Scheme::V1Query, nonce) };
    let request = client.request("DescribeLiveRecordConfig", &[]);
    acs::v1::claim("POST", &acs::decode_parameters(&request.query).unwrap()).unwrap()
}

fn admitted(world: &World, nonce: u64, at_s: u64) -> bool {
    futures_executor::block_on(admit(world, &claim(nonce, at_s), at_s)).unwrap()
}

fn keys(world: &World) -> usize {
    world.values.borrow().len() + world.counters.borrow().len()
}

#[test]
fn a_nonce_is_admitted_once() {
    let world = World::new();
    assert!(admitted(&world, 1, NOW_S));
    assert!(!admitted(&world, 1, NOW_S));
    assert!(admitted(&world, 2, NOW_S));
    // Nor in a new request, while it is remembered.
    assert!(!admitted(&world, 1, NOW_S + 1));
}

#[test]
fn a_nonce_is_kept_while_its_request_would_be_in_time() {
    let world = World::new();
    assert!(admitted(&world, 0, NOW_S));
    let replayed = claim(0, NOW_S);
    for second in 1..=1_200 {
        assert!(admitted(&world, second, NOW_S + second));
        if replayed.check_time(NOW_S + second).is_ok() {
            let again = futures_executor::block_on(admit(&world, &replayed, NOW_S + second)).unwrap();
            assert!(!again, "after {second} s");
        }
    }
}

#[test]
fn the_store_holds_no_more_nonces_than_their_time_has_requests() {
    let world = World::new();
    let mut most = 0;
    for second in 0..10_000 {
        assert!(admitted(&world, second, NOW_S + second));
        most = most.max(keys(&world));
    }
    // 20 minutes of one request a second, two keys each, and two numbers.
    assert!(most <= 2 * 1_202 + 2, "{most}");
}

#[test]
fn after_a_burst_the_store_shrinks_again() {
    let world = World::new();
    for nonce in 0..5_000 {
        assert!(admitted(&world, nonce, NOW_S));
    }
    for hour in 1..=2_600 {
        assert!(admitted(&world, 5_000 + hour, NOW_S + hour * 3_600));
    }
    assert!(keys(&world) < 10, "{}", keys(&world));
}

#[test]
fn an_entry_that_was_never_written_does_not_stop_the_sweep() {
    let world = World::new();
    assert!(admitted(&world, 0, NOW_S));
    // A request drew a number and died.
    *world.counters.borrow_mut().get_mut("nonces/entries").unwrap() += 1;
    for second in 1..=10_000 {
        assert!(admitted(&world, second, NOW_S + second));
    }
    assert!(keys(&world) <= 2 * 1_202 + 2, "{}", keys(&world));
}
