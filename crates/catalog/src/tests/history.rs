//! Random histories of a stream: pushes, breaks, orders, gaps, silent gateways, ticks, with faults at every effect.

use std::collections::BTreeMap;

use store::memory::{Outcome, Random, run};

use super::world::{NOW, World, commit_alone};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::commit::{self, Turn};
use crate::error::Error;
use crate::silence::{self, Standing};
use crate::time::CALL_MAX_MS;
use crate::{file, session};

/// What the gateway knows of a push.
struct Push {
    id: String,
    chunks: u64,
    files: u32,
    lost: Vec<u64>,
}

/// How often each thing happened.
type Reached = BTreeMap<&'static str, u32>;

/// One history: its record files, in the order of their recordings, each as its chunks.
fn history(seed: u64, reached: &mut Reached) {
    let world = World::new();
    let mut random = Random::new(seed);
    let mut faults = Random::new(seed ^ 0xffff);
    world.store.fail(move |_| match faults.below(40) {
        0 => Outcome::Refused,
        1 => Outcome::ReplyLost,
        _ => Outcome::Applied,
    });
    let mut pushes: Vec<Push> = Vec::new();
    let mut files: Vec<Vec<String>> = Vec::new();
    for number in 0..1 + random.below(6) {
        let id = format!("p{number}-");
        let before = pushes.last().map(|push| push.id.clone());
        let after = before.filter(|_| random.below(3) > 0);
        let mut push = Push { id: id.clone(), chunks: 0, files: 0, lost: Vec::new() };
        until_done(|| run(world.try_offer(&id, after.as_deref())));
        for _ in 0..random.below(90) {
            let seq = push.chunks;
            match random.below(40) {
                0 => {
                    push.files += 1;
                    *reached.entry("orders that part files").or_default() += 1;
                }
                1 => {
                    until_done(|| run(lose(&world, &id, seq, push.files)));
                    push.lost.push(seq);
                    *reached.entry("gaps").or_default() += 1;
                    push.chunks += 1;
                    continue;
                }
                2 if seq > 0 => {
                    let look = || run(silence::look(&world.store, &id, seq, CALL_MAX_MS));
                    let (Standing::Begun(round) | Standing::Undecided(round)) = until_done(look) else {
                        panic!("a silence begins");
                    };
                    if random.below(2) == 0 {
                        until_done(|| run(silence::close(&world.store, &world.bucket, &id, round)));
                        *reached.entry("silences that close").or_default() += 1;
                    } else {
                        *reached.entry("silences that end in time").or_default() += 1;
                    }
                }
                3 => close(&world, &pushes, &push, &mut files),
                _ => {}
            }
            until_done(|| run(world.bring(&id, seq, push.files)));
            if random.below(20) == 0 {
                let again = random.below(seq as usize + 1) as u64;
                if !push.lost.contains(&again) {
                    until_done(|| run(world.bring(&id, again, push.files)));
                }
                *reached.entry("chunks brought again").or_default() += 1;
            }
            push.chunks += 1;
        }
        until_done(|| run(world.try_end(&id, push.chunks)));
        if random.below(3) == 0 {
            until_done(|| run(file::close_break(&world.bucket, &id)));
            *reached.entry("breaks that close").or_default() += 1;
        }
        pushes.push(push);
    }
    world.store.mend();
    // The next push that is offered to continue them finds its place; then all is over.
    for push in &pushes {
        until_done(|| run(file::close_break(&world.bucket, &push.id)));
    }
    let last = Push { id: String::new(), chunks: 0, files: 0, lost: Vec::new() };
    close(&world, &pushes, &last, &mut files);
    judge(seed, &pushes, &files);
}

/// Writes the files that are complete in every recording.
fn close(world: &World, pushes: &[Push], live: &Push, files: &mut Vec<Vec<String>>) {
    for id in pushes.iter().chain([live]).map(|push| &push.id).filter(|id| !id.is_empty()) {
        let adopted = until_done(|| run(session::adopted(&world.store, id)));
        if adopted.is_some_and(|adopted| adopted.recording == *id) {
            until_done(|| run(world.close_files_into(id, files)));
        }
    }
}

/// Each chunk that was not lost is in exactly one file, and files hold runs of chunks in order.
fn judge(seed: u64, pushes: &[Push], files: &[Vec<String>]) {
    let all: Vec<String> = pushes
        .iter()
        .flat_map(|push| {
            let kept = (0..push.chunks).filter(|seq| !push.lost.contains(seq));
            kept.map(move |seq| format!("{}{seq}", push.id))
        })
        .collect();
    let mut found: Vec<&String> = files.iter().flatten().collect();
    found.sort_by_key(|chunk| all.iter().position(|known| known == *chunk));
    assert_eq!(found.len(), all.len(), "seed {seed}: {files:?}");
    assert!(found.into_iter().eq(all.iter()), "seed {seed}: {files:?}");
    for file in files {
        let places: Vec<_> = file.iter().map(|chunk| all.iter().position(|known| known == chunk)).collect();
        let is_run = places.windows(2).all(|pair| pair[0].map(|place| place + 1) == pair[1]);
        assert!(is_run, "seed {seed}: {file:?}");
    }
}

async fn lose(world: &World, id: &str, seq: u64, files: u32) -> Result<(), Error> {
    match commit::prepare(&world.store, &world.bucket, id, seq, NOW).await? {
        Turn::Done | Turn::Lost => Ok(()),
        Turn::Next(prepared) => {
            let gap = Gap { reason: GapReason::Shed, from_ms: seq * 5_000, to_ms: (seq + 1) * 5_000 };
            let delivery = super::world::delivery(seq, files, Chunk::Gap(gap));
            commit_alone(&world.store, &prepared, delivery).await
        }
    }
}

/// Tries until it succeeds, as callers do.
fn until_done<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> T {
    for _ in 0..1_000 {
        match attempt() {
            Ok(done) => return done,
            Err(Error::Store(_) | Error::WorkBucket(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("a thousand attempts fail");
}

#[test]
fn every_chunk_is_in_one_file_in_order_whatever_happens() {
    let mut reached = Reached::new();
    for seed in 1..=120 {
        history(seed, &mut reached);
    }
    assert_eq!(reached.len(), 6, "{reached:?}");
    assert!(reached.values().all(|count| *count > 30), "{reached:?}");
}
