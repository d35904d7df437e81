use store::memory::{Actor, Random, Step, every_schedule, run};

use super::world::{NOW, World};
use crate::error::Error;
use crate::{file, session};

type Done<'a> = Actor<'a, Result<(), Error>>;

/// Runs two actors in every schedule, then both again without faults, then judges the world.
fn check_every_schedule(
    prepare: impl Fn() -> World,
    actors: impl for<'a> Fn(&'a World) -> Vec<Done<'a>>,
    judge: impl Fn(&World) -> &'static str,
) -> Vec<(&'static str, usize)> {
    let mut outcomes: Vec<(&'static str, usize)> = Vec::new();
    every_schedule(|next| {
        let world = prepare();
        for result in world.store.scheduler().run(actors(&world), next).into_iter().flatten() {
            result.unwrap();
        }
        let outcome = judge(&world);
        match outcomes.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, count)) => *count += 1,
            None => outcomes.push((outcome, 1)),
        }
    });
    outcomes.sort_unstable();
    outcomes
}

/// The same with crashes and failures; then both actors once more without, as their callers try again.
fn check_faults(
    seeds: u64,
    prepare: impl Fn() -> World,
    actors: impl for<'a> Fn(&'a World) -> Vec<Done<'a>>,
    judge: impl Fn(&World) -> &'static str,
) {
    let mut faults = 0;
    for seed in 1..=seeds {
        let world = prepare();
        let mut random = Random::new(seed);
        let mut faulty = random.faulty(6);
        let counted = |under_way| {
            let step = faulty(under_way);
            faults += usize::from(!matches!(step, Step::Run(_)));
            step
        };
        world.store.scheduler().run(actors(&world), counted);
        for mut actor in actors(&world) {
            run(std::future::poll_fn(|context| actor.as_mut().poll(context)))
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        judge(&world);
    }
    assert!(faults > seeds as usize / 2, "{faults} faults in {seeds} runs");
}

fn files(world: &World, recording: &str) -> Vec<String> {
    let files = run(world.close_files(recording)).unwrap();
    files.into_iter().map(|chunks| chunks.join(" ")).collect()
}

mod the_break_after_a_session {
    use super::*;

    /// A session of two chunks has ended; another one may continue it.
    fn ended() -> World {
        let world = World::new();
        world.offer("a", None);
        world.bring_all("a", 0..2);
        run(world.try_end("a", 2)).unwrap();
        world.offer("b", Some("a"));
        world
    }

    fn push_and_tick(world: &World) -> Vec<Done<'_>> {
        let push = async {
            let session = session::get(&world.store, &world.bucket, "b").await?;
            session::adopt(&world.store, &world.bucket, &session, NOW).await.map(drop)
        };
        let tick = file::close_break(&world.bucket, "a");
        vec![Box::pin(push), Box::pin(tick)]
    }

    fn judge(world: &World) -> &'static str {
        world.bring_all("b", 0..1);
        world.end("b", 1);
        let is_own = run(session::adopted(&world.store, "b")).unwrap().unwrap().recording == "b";
        let recordings = [files(world, "a"), if is_own { files(world, "b") } else { Vec::new() }];
        match recordings.each_ref().map(|files| files.iter().map(String::as_str).collect::<Vec<_>>()) {
            [a, b] if a == ["a0 a1 b0"] && b.is_empty() => "continued",
            [a, b] if a == ["a0 a1"] && b == ["b0"] => "closed",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn either_continues_or_closes_and_loses_nothing() {
        let outcomes = check_every_schedule(ended, push_and_tick, judge);
        assert!(matches!(outcomes[..], [("closed", 1..), ("continued", 1..)]), "{outcomes:?}");
        check_faults(400, ended, push_and_tick, judge);
    }
}

// As Wasm it takes a minute, and nothing of it has to do with 32 bits.
#[cfg(not(target_family = "wasm"))]
mod a_silent_gateway {
    use super::*;
    use crate::silence;

    /// Four chunks are there, and the session's gateway has been silent for long.
    fn silent() -> World {
        let world = World::new();
        world.offer("a", None);
        world.bring_all("a", 0..4);
        run(silence::look(&world.store, "a", 7, 0)).unwrap();
        world
    }

    fn late_chunk_and_tick(world: &World) -> Vec<Done<'_>> {
        let push = world.bring("a", 4, 0);
        let tick = async { silence::close(&world.store, &world.bucket, "a", 1).await.map(drop) };
        vec![Box::pin(push), Box::pin(tick)]
    }

    fn judge(world: &World) -> &'static str {
        world.bring_all("a", 5..6);
        world.end("a", 6);
        let files = files(world, "a");
        match files.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["a0 a1 a2 a3", "a4 a5"] => "closed before the late chunk",
            ["a0 a1 a2 a3 a4", "a5"] => "closed after it",
            ["a0 a1 a2 a3 a4 a5"] => "open",
            _ => panic!("{files:?}"),
        }
    }

    #[test]
    fn closes_files_before_or_after_a_late_chunk_and_loses_nothing() {
        let outcomes = check_every_schedule(silent, late_chunk_and_tick, judge);
        assert!(outcomes.len() >= 2, "{outcomes:?}");
        check_faults(400, silent, late_chunk_and_tick, judge);
    }
}

mod one_chunk_brought_twice {
    use super::*;

    fn two_pushes(world: &World) -> Vec<Done<'_>> {
        vec![Box::pin(world.bring("a", 2, 1)), Box::pin(world.bring("a", 2, 1))]
    }

    fn begun() -> World {
        let world = World::new();
        world.offer("a", None);
        world.bring_all("a", 0..2);
        world
    }

    fn judge(world: &World) -> &'static str {
        run(world.bring("a", 3, 1)).unwrap();
        world.end("a", 4);
        assert_eq!(files(world, "a"), ["a0 a1", "a2 a3"]);
        "once"
    }

    #[test]
    fn is_there_once_and_begins_the_file_that_its_order_asks_for() {
        check_every_schedule(begun, two_pushes, judge);
        check_faults(400, begun, two_pushes, judge);
    }
}

#[test]
fn a_cycle_and_a_page_and_deleted_records_lose_no_chunk() {
    let world = World::new();
    world.offer("a", None);
    // 900 s are 180 chunks of 5 s.
    world.bring_all("a", 0..500);
    world.end("a", 500);
    let files = files(&world, "a");
    let expected: Vec<String> = [0..180, 180..360, 360..500]
        .map(|range| range.map(|seq| format!("a{seq}")).collect::<Vec<_>>().join(" "))
        .into();
    assert_eq!(files, expected);
    assert!(world.store.values_under("c.a.") <= 500 / 64 + 65);
    assert!(world.store.largest_value() < 3_000, "{}", world.store.largest_value());
}
