//! What a push that has ended lacks: when it is looked for again, given up, and told lost.

use store::memory::run;

use super::gateways::{beat, hear, push};
use super::world::{NOW, World};
use crate::commit::{self, Turn};
use crate::error::Error;
use crate::missing::{self, GIVEN_UP_MS, WAIT_MS};
use crate::{committed, due, timer};

const BOOT: &str = "spool.1";
const HOUR_MS: u64 = 3_600_000;

/// A push of so many chunks that has ended, two of which have come.
fn lacking(chunks: u64) -> World {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    world.bring_all("a", 0..2);
    run(world.try_end("a", chunks)).unwrap();
    take_timers(&world);
    world
}

/// What is to be looked at, and in how many milliseconds; forgets it.
fn take_timers(world: &World) -> Vec<(u64, String)> {
    run(async {
        let mut found = Vec::new();
        for timer in due::due(&world.store, due::Lane::Tick, NOW + 2 * HOUR_MS).await.unwrap() {
            timer::done(&world.store, &timer).await.unwrap();
            found.push((timer.due_ms - NOW, timer.what));
        }
        found
    })
}

/// Looks after a look that found this; answers what is to be looked at next.
fn look(world: &World, before: &[u64]) -> Vec<(u64, String)> {
    run(missing::look(&world.store, &world.bucket, "a", before, NOW)).unwrap();
    take_timers(world)
}

/// Whether its gateway may bring the first chunk that is missing.
fn is_waited_for(world: &World) -> bool {
    match run(commit::prepare(&world.store, &world.bucket, "a", 2, NOW)) {
        Ok(Turn::Next(_)) => true,
        Err(Error::Missing(_)) => false,
        other => panic!("{other:?}"),
    }
}

fn next(wait_ms: u64, what: &str) -> Vec<(u64, String)> {
    vec![(wait_ms, what.to_owned())]
}

#[test]
fn missing_chunks_are_given_up_once_their_gateway_was_heard_and_brought_none() {
    let world = lacking(5);
    assert_eq!(look(&world, &[]), next(WAIT_MS, "n a 2 0"));
    // It is silent, and may come back with them.
    assert_eq!(look(&world, &[2, 0]), next(HOUR_MS, "n a 2 0"));
    assert!(is_waited_for(&world));
    hear(&world, &beat("g", BOOT, None), NOW);
    take_timers(&world);
    assert_eq!(look(&world, &[2, 0]), next(GIVEN_UP_MS, "n a 2 1 1"));
    assert!(!is_waited_for(&world));
    // A chunk had come meanwhile, whose call did not see that it was given up.
    for before in [&[1, 0][..], &[1, 1, 1]] {
        assert_eq!(look(&world, before), next(WAIT_MS, "n a 2 1"), "{before:?}");
        assert!(is_waited_for(&world), "{before:?}");
        look(&world, &[2, 0]);
        assert!(!is_waited_for(&world), "{before:?}");
    }
    // The look that gave them up died before, or another one has taken it back.
    look(&world, &[]);
    assert_eq!(look(&world, &[2, 1, 1]), next(WAIT_MS, "n a 2 1"));
    assert_eq!(run(committed::length(&world.store, "a")).unwrap(), 2);
}

/// As many as are told in one call, and more.
#[test]
fn chunks_that_were_given_up_are_told_lost_and_then_the_files_are_looked_at() {
    for (chunks, told_at_first) in [(5, 5), (502, 502), (503, 502)] {
        let world = lacking(chunks);
        hear(&world, &beat("g", BOOT, None), NOW);
        look(&world, &[2, 0]);
        let mut asked = look(&world, &[2, 1, 1]);
        assert_eq!(run(committed::length(&world.store, "a")).unwrap(), told_at_first, "{chunks}");
        if told_at_first < chunks {
            assert_eq!(asked, next(0, "n a 502 1 1 again again"));
            asked = look(&world, &[502, 1, 1]);
        }
        assert_eq!(asked, next(0, "c a"), "{chunks}");
        let last = run(commit::prepare(&world.store, &world.bucket, "a", chunks - 1, NOW));
        assert!(matches!(last, Ok(Turn::Lost)), "{chunks}: {last:?}");
        // What comes past the end is not held up.
        let later = run(commit::prepare(&world.store, &world.bucket, "a", chunks, NOW));
        assert!(matches!(later, Ok(Turn::Next(_))), "{chunks}: {later:?}");
    }
}
