//! Stops whose calls die or stall: their gateway hears of them, and the pause is over in time.

use store::memory::{Actor, Outcome};

use super::commands::orders;
use super::*;
use crate::order::Cause;
use crate::time::CALL_MAX_MS;

const BOOT: &str = "spool.1";

/// How long the pause may last, and a little more.
const OVER_MS: u64 = 190 * SECOND;

/// Whether the stop is in the log. To read the log as the catalog does would mend what a call that died left.
fn is_given(world: &World) -> bool {
    world.bucket.names().iter().any(|name| name.starts_with("order/a/"))
}

fn ticks_until(world: &World, from_ms: u64, end_ms: u64) {
    (from_ms..end_ms).step_by(5_000).for_each(|now_ms| drop(tick(world, now_ms)));
}

/// A push, and the call that stops it, after each number of its steps; with what its gateway has heard before.
fn at_every_step(mut check: impl for<'a> FnMut(&'a World, u64, Actor<'a, ()>)) {
    for steps in 0.. {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        let since = hear(&world, &beat("g", BOOT, None), NOW).since;
        let mut call = stop(&world);
        let step = |call: &mut _| world.store.scheduler().step(call, Outcome::Applied).0.is_ready();
        if (0..steps).any(|_| step(&mut call)) {
            break;
        }
        check(&world, since, call);
    }
}

fn stop(world: &World) -> Actor<'_, ()> {
    Box::pin(async {
        let (store, bucket, stream) = (&world.store, &world.bucket, session_of("").stream);
        live::give(store, bucket, &stream, Cause::Stop, "call", NOW).await.unwrap().unwrap();
    })
}

#[test]
fn a_stop_whose_call_dies_is_heard_and_its_pause_is_over_in_time() {
    let mut given = 0;
    at_every_step(|world, since, call| {
        drop(call);
        if !is_given(world) {
            return;
        }
        given += 1;
        let now_ms = NOW + CALL_MAX_MS + 10 * SECOND;
        ticks_until(world, NOW, now_ms);
        let heard = hear(world, &beat("g", BOOT, Some(since)), now_ms).sessions;
        assert!(heard.iter().any(|(_, orders)| orders.len() == 2), "{heard:?}");
        ticks_until(world, now_ms, NOW + OVER_MS);
        assert_eq!(orders(world)[1..], ["2.0 Stop", "3.1 CancelDelay"]);
    });
    assert!(given > 5, "{given}");
}

#[test]
fn a_pause_is_over_at_once_where_the_call_that_began_it_stalled_for_longer() {
    let mut stalled = 0;
    at_every_step(|world, _, call| {
        stalled += usize::from(!is_given(world));
        ticks_and_beats(world, "g", BOOT, NOW, OVER_MS / SECOND);
        run(call);
        ticks_and_beats(world, "g", BOOT, NOW + OVER_MS, 5);
        assert_eq!(orders(world)[1..], ["2.0 Stop", "3.1 CancelDelay"]);
    });
    assert!(stalled > 5, "{stalled}");
}
