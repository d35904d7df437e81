//! Which record files are complete, while something else goes on.

mod entries;
mod orders;

use std::cell::RefCell;

use store::memory::{Actor, Random, run};

use super::world::{NOW, World, commit_alone, delivery};
use crate::account::Run;
use crate::chunk::{Chunk, Gap, GapReason};
use crate::commit::{self, Turn};
use crate::error::Error;
use crate::file::{self, Confirmed};
use crate::order::Generation;
use crate::rule::Container;

fn confirmed(files: u32, chunks: u64) -> Confirmed {
    Confirmed { generation: Generation { orders: files + 1, files }, chunks }
}

fn joined(files: &[Vec<String>]) -> Vec<String> {
    files.iter().map(|chunks| chunks.join(" ")).collect()
}

/// A look reads what is there and whether more comes; the last chunk before an order comes in between, and then the
/// order's confirmation.
#[test]
fn a_look_leaves_out_no_chunk_that_comes_while_it_looks() {
    let mut early = 0;
    for seed in 1..3_000 {
        let world = World::new();
        world.offer("a", None);
        world.bring_all("a", 0..2);
        let files = RefCell::new(Vec::new());
        let push = async {
            world.bring("a", 2, 0).await?;
            file::confirm(&world.store, "a", confirmed(1, 3)).await?;
            world.bring("a", 3, 1).await
        };
        let look = async {
            for _ in 0..3 {
                let found = world.close_files("a").await?;
                files.borrow_mut().extend(found);
            }
            Ok(())
        };
        let actors: Vec<Actor<'_, Result<(), Error>>> = vec![Box::pin(push), Box::pin(look)];
        for result in world.store.scheduler().run(actors, Random::new(seed).fair()) {
            result.unwrap().unwrap();
        }
        let mut files = files.into_inner();
        early += usize::from(!files.is_empty());
        world.end("a", 4);
        files.extend(run(world.close_files("a")).unwrap());
        assert_eq!(joined(&files), ["a0 a1 a2", "a3"], "seed {seed}");
    }
    assert!(early > 300, "{early} looks found the file while chunks came");
}

/// A look finds that an order parts what comes; the first chunk after the order comes in between, and begins a file that
/// goes on.
#[test]
fn a_look_closes_no_file_that_begins_while_it_looks() {
    for seed in 1..1_000 {
        let world = World::new();
        world.offer("a", None);
        world.bring_all("a", 0..2);
        run(file::confirm(&world.store, "a", confirmed(1, 2))).unwrap();
        let mut files = run(world.close_files("a")).unwrap();
        let found = RefCell::new(Vec::new());
        let push = async { world.bring("a", 2, 1).await };
        let look = async {
            let files = world.close_files("a").await?;
            found.borrow_mut().extend(files);
            Ok(())
        };
        let actors: Vec<Actor<'_, Result<(), Error>>> = vec![Box::pin(push), Box::pin(look)];
        for result in world.store.scheduler().run(actors, Random::new(seed).fair()) {
            result.unwrap().unwrap();
        }
        files.extend(found.into_inner());
        run(world.bring("a", 3, 1)).unwrap();
        world.end("a", 4);
        files.extend(run(world.close_files("a")).unwrap());
        assert_eq!(joined(&files), ["a0 a1", "a2 a3"], "seed {seed}");
    }
}

/// A heartbeat that stalls tells of the first restart when another one has told of the second.
#[test]
fn a_confirmation_that_stalls_undoes_no_later_one() {
    for seed in 1..500 {
        let world = World::new();
        world.offer("a", None);
        world.bring_all("a", 0..3);
        let stalled = async { file::confirm(&world.store, "a", confirmed(1, 3)).await };
        let told = async {
            file::confirm(&world.store, "a", confirmed(1, 3)).await?;
            world.bring("a", 3, 1).await?;
            file::confirm(&world.store, "a", confirmed(2, 4)).await
        };
        let actors: Vec<Actor<'_, Result<(), Error>>> = vec![Box::pin(stalled), Box::pin(told)];
        for result in world.store.scheduler().run(actors, Random::new(seed).lopsided()) {
            result.unwrap().unwrap();
        }
        // Nothing more is pushed.
        assert_eq!(joined(&run(world.close_files("a")).unwrap()), ["a0 a1 a2", "a3"], "seed {seed}");
    }
}

/// Two measurements of one moment differ: by the order's time the push ended before it, by its chunks after it.
#[test]
fn a_file_that_a_confirmed_order_closed_is_not_continued_by_the_next_push() {
    let world = World::new();
    world.offer("a", None);
    world.bring_all("a", 0..2);
    run(file::confirm(&world.store, "a", confirmed(1, 2))).unwrap();
    run(world.try_end("a", 2)).unwrap();
    let first = run(world.close_files("a")).unwrap();
    assert_eq!(joined(&first), ["a0 a1"]);
    world.offer("b", Some("a"));
    world.bring_all("b", 0..1);
    world.end("b", 1);
    assert_eq!(joined(&run(world.close_files("a")).unwrap()), ["b0"]);
}

#[test]
fn pushes_that_record_nothing_cost_a_look_nothing() {
    for chunks in [0, 2] {
        check_looks_past_empty_pushes(chunks);
    }
}

/// A push of so many chunks that hundreds without any continue.
fn check_looks_past_empty_pushes(chunks: u64) {
    let world = World::new();
    world.offer("a", None);
    world.bring_all("a", 0..chunks);
    run(world.try_end("a", chunks)).unwrap();
    let mut before = "a".to_owned();
    for number in 0..300 {
        let id = format!("e{number}");
        world.offer(&id, Some(&before));
        run(world.try_end(&id, 0)).unwrap();
        before = id;
        if number % 20 == 0 {
            assert!(run(world.close_files("a")).unwrap().is_empty());
        }
    }
    assert!(run(world.close_files("a")).unwrap().is_empty());
    let operations = world.store.operations();
    assert!(run(world.close_files("a")).unwrap().is_empty());
    let cost = world.store.operations() - operations;
    assert!(cost < 60, "{cost} operations for a look");
    // What comes after them goes on in the same file.
    world.offer("b", Some(&before));
    world.bring_all("b", 0..1);
    world.end("b", 1);
    let slices = if chunks == 0 { "b0" } else { "a0 a1 b0" };
    assert_eq!(joined(&run(world.close_files("a")).unwrap()), [slices]);
    assert!(run(world.close_files("a")).unwrap().is_empty());
}

#[test]
fn media_of_a_chunk_that_was_told_lost_is_refused_however_late() {
    let world = World::new();
    world.offer("a", None);
    world.bring_all("a", 0..3);
    let Turn::Next(prepared) = run(commit::prepare(&world.store, &world.bucket, "a", 3, NOW)).unwrap() else {
        panic!("chunk 3 is committed");
    };
    let gap = Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 15_000, to_ms: 20_000 });
    run(commit_alone(&world.store, &prepared, delivery(3, 0, gap))).unwrap();
    for length in [4, 20, 64, 65, 200] {
        let there = run(crate::committed::length(&world.store, "a")).unwrap();
        world.bring_all("a", there..length);
        let again = |seq| run(commit::prepare(&world.store, &world.bucket, "a", seq, NOW)).unwrap();
        assert!(matches!(again(3), Turn::Lost), "{length}");
        assert!(matches!(again(2), Turn::Done), "{length}");
    }
}

#[test]
fn nothing_is_complete_of_a_container_that_the_rule_does_not_ask_for() {
    let world = World::new();
    world.offer("a", None);
    world.bring_all("a", 0..1);
    world.end("a", 1);
    let complete =
        |container| run(file::complete(&world.store, &world.bucket, "a", container)).unwrap().is_some();
    assert_eq!([Container::M3u8, Container::Mp4, Container::Flv].map(complete), [true, false, false]);
}

/// A call that had a file in hand stalls, and notes that it is written when those after it are: their media may be gone.
#[test]
fn a_call_that_comes_late_does_not_have_later_files_written_again() {
    let world = World::new();
    world.offer("a", None);
    for seq in 0..4 {
        run(world.bring("a", seq, seq as u32)).unwrap();
    }
    let next = || run(file::complete(&world.store, &world.bucket, "a", Container::M3u8)).unwrap();
    let note = |file: &Run| run(file::written(&world.store, "a", Container::M3u8, file)).unwrap();
    let late = next().unwrap();
    for number in 0..3 {
        let file = next().unwrap();
        assert_eq!(file.number, number);
        note(&file);
    }
    note(&late);
    assert_eq!(next(), None);
}
