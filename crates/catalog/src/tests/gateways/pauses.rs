//! Stops whose calls die or stall: their gateway hears of them, and the pause is over in time.

use store::memory::{Actor, Outcome};

use super::commands::orders;
use super::*;
use crate::order::Cause;
use crate::time::CALL_MAX_MS;

const BOOT: &str = "spool.1";

/// When the push is stopped: what its begin had looked at has been.
const STOP: u64 = NOW + 2 * CALL_MAX_MS + 10 * SECOND;

/// How long the pause may last, and a little more.
const OVER_MS: u64 = 190 * SECOND;

/// Whether the stop is in the log. To read the log as the catalog does would mend what a call that died left.
fn is_given(world: &World) -> bool {
    world.bucket.names().iter().any(|name| name.starts_with("order/a/"))
}

/// Ticks every five seconds.
fn ticks_until(world: &World, from_ms: u64, end_ms: u64) {
    (from_ms..end_ms).step_by(5_000).for_each(|now_ms| drop(tick(world, now_ms)));
}

/// The same while the gateway is heard; answers what it has heard of last.
fn live_until(world: &World, from_ms: u64, end_ms: u64) -> u64 {
    let mut since = None;
    for now_ms in (from_ms..end_ms).step_by(5_000) {
        since = Some(hear(world, &beat("g", BOOT, since), now_ms).since);
        tick(world, now_ms);
    }
    since.unwrap_or_default()
}

/// A push, and the call that stops it, after each number of its steps; with what its gateway has heard before.
fn at_every_step(mut check: impl for<'a> FnMut(&'a World, u64, Actor<'a, ()>)) {
    for steps in 0.. {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        let since = live_until(&world, NOW, STOP);
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
        live::give(store, bucket, &stream, Cause::Stop, "call", STOP).await.unwrap().unwrap();
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
        let now_ms = STOP + CALL_MAX_MS + 10 * SECOND;
        ticks_until(world, STOP, now_ms);
        let heard = hear(world, &beat("g", BOOT, Some(since)), now_ms).sessions;
        assert!(heard.iter().any(|(_, orders)| orders.len() == 2), "{heard:?}");
        ticks_until(world, now_ms, STOP + OVER_MS);
        assert_eq!(orders(world)[1..], ["2.0 Stop", "3.1 CancelDelay"]);
    });
    assert!(given > 5, "{given}");
}

#[test]
fn a_pause_is_over_at_once_where_the_call_that_began_it_stalled_for_longer() {
    let mut stalled = 0;
    at_every_step(|world, _, call| {
        stalled += usize::from(!is_given(world));
        live_until(world, STOP, STOP + OVER_MS);
        run(call);
        live_until(world, STOP + OVER_MS, STOP + OVER_MS + 10 * SECOND);
        assert_eq!(orders(world)[1..], ["2.0 Stop", "3.1 CancelDelay"]);
    });
    assert!(stalled > 5, "{stalled}");
}
