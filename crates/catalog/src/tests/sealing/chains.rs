//! Recordings of several pushes leave the store from the first one on.

use store::memory::{Actor, Random, run};

use super::super::media::Push;
use super::super::world::{World, session_of};
use super::stage::{KEPT, Stage, stream};
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS, NOON};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::gateway::{self, Beat};
use crate::log::StreamDay;
use crate::rule::Container;
use crate::session::{self, Session};
use crate::time::DAY_MS;
use crate::{file, next_file, seal};

const FIRST: &str = "20200101-x";
const SECOND: &str = "20200101-y";

fn is_there(stage: &Stage, id: &str) -> bool {
    run(session::find(&stage.world.store, id)).unwrap().is_some()
}

/// Nothing is noted of a recording's files once its last push is gone; a look at them would begin anew.
#[test]
fn a_push_after_which_nothing_came_leaves_before_those_that_continue_it() {
    let world = World::new();
    let mut first = Push::begin(&world, FIRST, NOON, None);
    first.slices(5);
    first.end(25_000);
    let mut last = Push::begin(&world, SECOND, NOON + 30_000, Some((FIRST, 5_000)));
    last.end(1_000);
    for (id, before) in [("20200101-z", SECOND), ("20200101-zz", "20200101-z")] {
        last = Push::begin(&world, id, last.session.began_ms + 6_000, Some((before, 5_000)));
        last.end(1_000);
    }
    let mut stage = Stage::new(world);
    stage.tick_until(MIDNIGHT + 40 * MINUTE_MS, 10_000);
    assert_eq!(stage.files().len(), 1);
    while stage.now_ms < MIDNIGHT + 28 * HOUR_MS {
        stage.tick();
        let World { store, bucket, .. } = &stage.world;
        let is_noted = run(next_file::noted(store, FIRST, Container::M3u8)).unwrap().is_some();
        assert!(is_noted || !is_there(&stage, FIRST), "at {}", stage.now_ms - MIDNIGHT);
        assert_eq!(run(file::complete(store, bucket, FIRST, Container::M3u8)).unwrap(), None);
        assert_eq!(run(file::open(store, bucket, FIRST, Container::M3u8)).unwrap(), None);
        stage.now_ms += 20_000;
    }
    assert_eq!(stage.keys_of(&["s", "a", "n", "c", "w", "es"]), [] as [&str; 0]);
}

/// Its first push is where files are looked for as long as none is written.
#[test]
fn a_recording_whose_first_push_brought_nothing_is_written_however_late() {
    let long = |id: &str, began_ms| {
        let mut session = Session { began_ms, ..session_of(id) };
        session.rule.iter_mut().for_each(|rule| rule.formats[0].cycle_seconds = 21_600);
        session
    };
    let gap = Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 0, to_ms: 5_000 });
    for chunks in [vec![], vec![gap]] {
        let world = World::new();
        let began_ms = MIDNIGHT - 10 * MINUTE_MS;
        let mut first = Push::begin_as(&world, long(FIRST, began_ms), None);
        let is_empty = chunks.is_empty();
        chunks.into_iter().for_each(|chunk| first.other(chunk));
        first.end(5_000);
        let mut second = Push::begin_as(&world, long(SECOND, began_ms + 10_000), Some((FIRST, 5_000)));
        second.slices(20);
        let mut stage = Stage::new(world);
        stage.now_ms = began_ms + 100_000;
        let hears_until = |stage: &mut Stage, end_ms| {
            while stage.now_ms < end_ms {
                let beat = Beat { gateway: "g".into(), boot: "spool.1".into(), ..Beat::default() };
                run(gateway::beat(&stage.world.store, &stage.world.bucket, &beat, stage.now_ms)).unwrap();
                stage.tick();
                stage.now_ms += 10_000;
            }
        };
        hears_until(&mut stage, MIDNIGHT + 5 * HOUR_MS);
        assert_eq!(stage.files(), [], "{is_empty}");
        let (store, bucket) = (&stage.world.store, &stage.world.bucket);
        run(session::end(store, bucket, SECOND, 0, 5 * HOUR_MS, 20, stage.now_ms)).unwrap();
        hears_until(&mut stage, MIDNIGHT + 6 * HOUR_MS);
        let files = stage.files();
        assert!(matches!(&files[..], [file] if file.duration_90khz == 100 * 90_000), "{is_empty}: {files:?}");
        stage.leap_until(MIDNIGHT + 50 * HOUR_MS);
        assert_eq!(stage.keys_of(&["s", "w"]), [] as [&str; 0], "{is_empty}");
    }
}

/// Each of them may find another push to be over first, and the parts that they write are cleared in either order.
#[test]
fn two_ticks_that_seal_a_chain_at_once_leave_nothing_of_it() {
    for seed in 1..=100 {
        let world = World::new();
        let mut began_ms = NOON;
        let mut before = None;
        for id in [FIRST, SECOND, "20200101-z"] {
            let mut push = Push::begin(&world, id, began_ms, before);
            push.slices(5);
            push.end(25_000);
            (began_ms, before) = (began_ms + 30_000, Some((id, 5_000)));
        }
        let mut stage = Stage::new(world);
        stage.tick_until(MIDNIGHT + 10 * MINUTE_MS, 10_000);
        assert_eq!(stage.files().len(), 1);
        stage.now_ms = MIDNIGHT + 2 * HOUR_MS;
        let (World { store, bucket, .. }, now_ms) = (&stage.world, stage.now_ms);
        let key = stream().key();
        let seal = || -> Actor<'_, ()> {
            let at = StreamDay { stream: &key, day: MIDNIGHT / DAY_MS - 1 };
            Box::pin(async move { seal::seal(store, bucket, at, KEPT, now_ms).await.unwrap() })
        };
        store.scheduler().run(vec![seal(), seal()], Random::new(seed).lopsided());
        stage.leap_until(MIDNIGHT + 50 * HOUR_MS);
        let left = stage.keys_of(&["s", "a", "n", "c", "w", "es", "h", "e", "u", "q", "o"]);
        assert_eq!(left, [] as [&str; 0], "seed {seed}");
    }
}
