//! What gateways tell while something else happens, with deaths and lost replies.

use std::collections::BTreeMap;

use store::Store;
use store::memory::{Actor, Random, Step};

use super::*;
use crate::error::Error;
use crate::log::StreamDay;
use crate::seal::retention;
use crate::time::DAY_MS;

const BOOT: &str = "spool.1";

type Done<'a> = Actor<'a, Result<(), Error>>;

/// Runs actors in many schedules, every other one with faults; then each again until it succeeds, as callers do. Counts
/// what `judge` finds, and expects each of `expected`.
fn check(
    seeds: u64,
    prepare: impl Fn() -> World,
    actors: impl for<'a> Fn(&'a World) -> Vec<Done<'a>>,
    judge: impl Fn(&World) -> String,
    expected: &[&str],
) {
    let (mut outcomes, mut faults) = (BTreeMap::new(), 0);
    for seed in 1..=seeds {
        let world = prepare();
        let mut random = Random::new(seed);
        let mut fair = Random::new(seed ^ 0x5555);
        let mut next: Box<dyn FnMut(usize) -> Step> =
            if seed % 2 == 0 { Box::new(fair.lopsided()) } else { Box::new(random.faulty(10)) };
        let counted = |under_way| {
            let step = next(under_way);
            faults += u32::from(!matches!(step, Step::Run(_)));
            step
        };
        world.store.scheduler().run(actors(&world), counted);
        for actor in actors(&world) {
            run(actor).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        *outcomes.entry(judge(&world)).or_insert(0_u32) += 1;
    }
    let found: Vec<&str> = outcomes.keys().map(String::as_str).collect();
    assert_eq!(found, expected, "{outcomes:?}");
    let fewest = u32::try_from(seeds / 60).unwrap();
    assert!(faults > 20 * fewest && outcomes.values().all(|count| *count > fewest), "{faults} {outcomes:?}");
}

fn files(world: &World, from_ms: u64) -> String {
    let files = ticks_and_beats(world, "g", "spool.2", from_ms, 400);
    files.into_iter().map(|(_, file)| file).collect::<Vec<_>>().join(" | ")
}

#[test]
fn an_adoption_while_its_offer_expires_leaves_all_of_a_session_or_nothing() {
    let prepare = || {
        let world = World::new();
        world.offer("a", None);
        world
    };
    fn actors(world: &World) -> Vec<Done<'_>> {
        let adoption = async {
            let session = session_of("a");
            match session::adopt(&world.store, &world.bucket, &session, NOW).await {
                Ok(_) | Err(Error::NoSuchSession(_)) => Ok(()),
                Err(error) => Err(error),
            }
        };
        vec![Box::pin(adoption), Box::pin(session::expire(&world.store, &world.bucket, "a", KEPT, NOW))]
    }
    let judge = |world: &World| {
        let is_there = run(session::get(&world.store, &world.bucket, "a")).is_ok();
        let is_adopted = run(session::adopted(&world.store, "a")).unwrap().is_some();
        assert_eq!((is_there, is_adopted), (is_adopted, is_there));
        live_ids(world, NOW).join(" ")
    };
    check(1_200, prepare, actors, judge, &["", "a"]);
}

#[test]
fn the_end_that_is_told_first_holds() {
    let prepare = || {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        world.bring_all("a", 0..2);
        world
    };
    fn actors(world: &World) -> Vec<Done<'_>> {
        let (store, bucket) = (&world.store, &world.bucket);
        let told = async { session::end(store, bucket, "a", 0, 15_000, 3, NOW).await.map(drop) };
        let unheard = async {
            let session = session::get(store, &world.bucket, "a").await?;
            session::end_at_last(store, bucket, &session, NOW).await.map(drop)
        };
        vec![Box::pin(told), Box::pin(unheard)]
    }
    let judge = |world: &World| {
        let end = run(session::ended(&world.store, "a")).unwrap().unwrap();
        let again = run(session::end(&world.store, &world.bucket, "a", 0, 99_000, 9, NOW)).unwrap();
        assert_eq!(end, again);
        end.chunks.to_string()
    };
    check(1_200, prepare, actors, judge, &["2", "3"]);
}

#[test]
fn a_chunk_while_a_later_boot_ends_its_session_is_in_one_file() {
    let prepare = || {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        hear(&world, &beat("g", BOOT, None), NOW);
        world.bring_all("a", 0..2);
        world
    };
    fn actors(world: &World) -> Vec<Done<'_>> {
        let end = async {
            let later = beat("g", "spool.2", None);
            gateway::beat(&world.store, &world.bucket, &later, NOW + SECOND).await.map(drop)
        };
        vec![Box::pin(world.bring_at("a", 2, 0, NOW + SECOND)), Box::pin(end)]
    }
    let judge = |world: &World| {
        run(world.bring_at("a", 3, 0, NOW + 2 * SECOND)).unwrap();
        files(world, NOW + 2 * SECOND)
    };
    // Before the end, with it, and after it.
    check(240, prepare, actors, judge, &["a0 a1 a2 | a3", "a0 a1 | a2 | a3"]);
}

#[test]
fn a_chunk_that_comes_as_its_silent_gateway_is_looked_at_is_in_one_file() {
    let prepare = || {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        hear(&world, &beat("g", BOOT, None), NOW);
        world.bring_all("a", 0..4);
        assert_eq!(ticks(&world, NOW, 200), []);
        world
    };
    const LATE_MS: u64 = NOW + 201 * SECOND;
    fn actors(world: &World) -> Vec<Done<'_>> {
        let look = async {
            for timer in due::due(&world.store, due::Lane::Tick, LATE_MS + 9 * SECOND).await? {
                due::attend(&world.store, &world.bucket, &timer, KEPT, LATE_MS + 9 * SECOND).await?;
            }
            Ok(())
        };
        let chunk = async {
            // So that either is first about as often.
            for _ in 0..160 {
                let _ = world.store.exists("nothing").await;
            }
            world.bring_at("a", 4, 0, LATE_MS).await
        };
        vec![Box::pin(chunk), Box::pin(look)]
    }
    let judge = |world: &World| {
        run(world.bring_at("a", 5, 0, LATE_MS + 10 * SECOND)).unwrap();
        let files = ticks(world, LATE_MS + 10 * SECOND, 1_000);
        files.into_iter().map(|(_, file)| file).collect::<Vec<_>>().join(" | ")
    };
    check(240, prepare, actors, judge, &["a0 a1 a2 a3 a4 a5", "a0 a1 a2 a3 | a4 a5"]);
}

/// Three of them, since a call may draw a number, and write under it once two others have begun anew with the first ones.
#[test]
fn pushes_that_begin_while_their_stream_is_forgotten_are_found() {
    const LATER: u64 = NOW + 300 * DAY_MS;
    const IDS: [&str; 3] = ["a", "b", "c"];
    let prepare = || {
        let world = World::new();
        let (store, bucket) = (&world.store, &world.bucket);
        push(&world, "old", "g", BOOT, NOW);
        run(session::end(store, bucket, "old", 0, 0, 0, NOW)).unwrap();
        for id in IDS {
            let session = Session { began_ms: LATER, ..session_of(id) };
            run(session::offer(store, bucket, session, None, None, LATER)).unwrap();
        }
        world
    };
    fn actors(world: &World) -> Vec<Done<'_>> {
        let (store, bucket) = (&world.store, &world.bucket);
        let forget = async {
            let stream = session_of("").stream.key();
            retention::forget_stream(store, StreamDay { stream: &stream, day: 0 }, LATER).await
        };
        let adopt = |id| async move {
            let session = session::get(store, bucket, id).await?;
            session::adopt(store, bucket, &session, LATER).await.map(drop)
        };
        let mut actors: Vec<Done<'_>> = vec![Box::pin(forget)];
        actors.extend(IDS.map(|id| -> Done<'_> { Box::pin(adopt(id)) }));
        actors
    }
    let judge = |world: &World| {
        for beat in 0..30 {
            tick(world, LATER + beat * 10 * SECOND);
        }
        let stream = session_of("").stream;
        let found = run(live::not_ended_of_stream(&world.store, &stream, LATER)).unwrap();
        let mut ids: Vec<String> = found.into_iter().map(|session| session.id).collect();
        ids.sort();
        assert!(run(live::is_known(&world.store, &stream)).unwrap());
        ids.join(" ")
    };
    check(1_000, prepare, actors, judge, &["a b c"]);
}
