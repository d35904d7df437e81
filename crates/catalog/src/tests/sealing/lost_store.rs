//! The key-value store is lost, and filled anew from the work bucket.

use store::memory::{MemoryStore, Outcome, run};

use super::super::media::Push;
use super::super::world::World;
use super::stage::{KEPT, Stage, TODAY, stream};
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS, recorded};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::commit::{self, Delivery, Turn};
use crate::error::Error;
use crate::gateway::{self, Beat};
use crate::order::{Cause, Generation};
use crate::rebuild::{self, Found, Mode};
use crate::time::DAY_MS;
use crate::{committed, guard, live, session};

const LIVE: &str = "20200101-live";

/// The store is gone, with everything in it.
pub(crate) fn lose(stage: &mut Stage) {
    stage.world.store = MemoryStore::with_any_key();
}

/// Makes all steps, and each again that fails. Answers what they found.
pub(crate) fn rebuild(stage: &Stage) -> Found {
    rebuild_without(stage, &[])
}

/// The same without some users' buckets.
pub(super) fn rebuild_without(stage: &Stage, without: &[String]) -> Found {
    let World { store, bucket, users } = &stage.world;
    let (mut found, mut failures) = (Found::default(), 0);
    loop {
        match run(rebuild::step((store, bucket, users), Mode::Write, without, KEPT, stage.now_ms)) {
            Ok(step) => {
                found.parts += step.found.parts;
                found.slices += step.found.slices;
                found.files += step.found.files;
                found.sessions += step.found.sessions;
                found.restored += step.found.restored;
                found.tail += step.found.tail;
                found.unlisted.clone_from(&step.found.unlisted);
                if step.next.is_none() {
                    return found;
                }
            }
            Err(error) => {
                failures += 1;
                assert!(failures < 9, "{error}");
            }
        }
    }
}

/// What is asked of the time that is sealed, and its gateway was heard.
fn beat(stage: &Stage, since: Option<u64>) -> gateway::Changes {
    let World { store, bucket, .. } = &stage.world;
    let beat = Beat { gateway: "g".into(), boot: "spool.1".into(), since, ..Beat::default() };
    run(gateway::beat(store, bucket, &beat, stage.now_ms)).unwrap()
}

/// Ticks for so long, while the gateway is heard each 20 s.
pub(crate) fn live_on(stage: &mut Stage, for_ms: u64) {
    let end_ms = stage.now_ms + for_ms;
    let mut since = None;
    while stage.now_ms < end_ms {
        since = Some(beat(stage, since).since);
        stage.tick();
        stage.now_ms += 20_000;
    }
}

pub(crate) fn turn(stage: &Stage, id: &str, seq: u64) -> Result<Turn, Error> {
    run(commit::prepare(&stage.world.store, &stage.world.bucket, id, seq, stage.now_ms))
}

/// The gateway tells that what the functions want will not come, up to a chunk.
pub(super) fn tell_lost(stage: &Stage, id: &str, end: u64) -> u64 {
    let Err(Error::OutOfOrder { expected, .. }) = turn(stage, id, end) else { return 0 };
    for seq in expected..end {
        let Ok(Turn::Next(prepared)) = turn(stage, id, seq) else { panic!("{seq}") };
        let offset_ms = seq * 5_000;
        let delivery = Delivery {
            left_out: Vec::new(),
            generation: Generation { orders: 1, files: 0 },
            chunk: Chunk::Gap(Gap { reason: GapReason::Acknowledged, from_ms: offset_ms, to_ms: offset_ms }),
            is_followed_by_entry: false,
            remux_state: prepared.remux_state.clone(),
        };
        run(crate::due::commit(&stage.world.store, &prepared, delivery, stage.now_ms)).unwrap();
    }
    end - expected
}

#[test]
fn what_is_sealed_is_answered_as_before() {
    let mut stage = recorded();
    stage.tick_until(MIDNIGHT + 40 * MINUTE_MS, 10_000);
    stage.write_open_files();
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    let slices = stage.slices();
    assert!(slices.len() > 1_000 && stage.files().len() > 3, "{} {}", slices.len(), stage.files().len());
    let sealed = (TODAY, MIDNIGHT - 2 * MINUTE_MS);
    let expected = stage.answer(sealed);
    lose(&mut stage);
    assert!(stage.slices().is_empty());
    let found = rebuild(&stage);
    assert!(found.parts > 0 && found.restored > 0, "{found:?}");
    assert!(stage.answer(sealed) == expected);
    // All that its day's part knows, and nothing else.
    assert!(stage.slices().iter().all(|slice| slices.contains(slice)));
    live_on(&mut stage, HOUR_MS);
    assert!(stage.answer(sealed) == expected);
    stage.leap_until(MIDNIGHT + 3 * DAY_MS);
    assert!(stage.answer(sealed) == expected);
}

#[test]
fn a_push_goes_on_and_the_lost_part_is_a_gap() {
    let mut stage = recorded();
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    for seq in 1_000..1_100 {
        stage.come_late(LIVE, seq);
    }
    let before = stage.slices();
    lose(&mut stage);
    // The session is not there, and nobody is told that there is none.
    assert!(matches!(turn(&stage, LIVE, 1_100), Err(Error::NoSuchSession(_))));
    let World { store, bucket, users } = &stage.world;
    assert!(matches!(run(guard::check_whole(store, bucket)), Err(Error::StoreLost)));
    run(rebuild::step((store, bucket, users), Mode::Write, &[], KEPT, stage.now_ms)).unwrap();
    assert!(matches!(turn(&stage, LIVE, 1_100), Err(Error::Rebuilding)));
    rebuild(&stage);
    let lost = tell_lost(&stage, LIVE, 1_100);
    assert!((1..900).contains(&lost), "{lost}");
    let held: Vec<_> =
        before.iter().filter(|(id, seq, _)| id == LIVE && *seq < 1_100 - lost).cloned().collect();
    for seq in 1_100..1_300 {
        stage.come_late(LIVE, seq);
    }
    let after: Vec<_> = stage.slices().into_iter().filter(|(id, ..)| id == LIVE).collect();
    assert_eq!(after[..held.len()], held);
    assert_eq!(after.len(), held.len() + 200);
    let World { store, bucket, .. } = &stage.world;
    assert_eq!(run(live::of_stream(store, &stream(), stage.now_ms)).unwrap()[0].id, LIVE);
    run(session::end(store, bucket, LIVE, 0, 1_300 * 5_000, 1_300, stage.now_ms)).unwrap();
    live_on(&mut stage, HOUR_MS);
    // Each slice is in one file, and no number is used again that the lost part may have used.
    let files = stage.files();
    let mut spans: Vec<_> = files.iter().map(|file| (file.start_ms, file.end_ms)).collect();
    spans.sort_unstable();
    for slice in after.iter().map(|(.., start_ms)| *start_ms) {
        let holders = files.iter().filter(|file| (file.start_ms..file.end_ms).contains(&slice));
        assert!(holders.count() >= 1, "{slice} {spans:?}");
    }
    stage.leap_until(MIDNIGHT + 4 * DAY_MS);
    let sealed: Vec<_> = stage.slices().into_iter().filter(|(id, ..)| id == LIVE).collect();
    assert_eq!(sealed, after);
    assert!(run(session::find(&stage.world.store, LIVE)).unwrap().is_none());
    stage.leap_until(MIDNIGHT + 200 * DAY_MS);
    assert!(stage.lasting_keys().is_empty(), "{:?}", stage.lasting_keys());
    assert!(stage.world.bucket.names().is_empty(), "{:?}", stage.world.bucket.names());
}

#[test]
fn chunks_that_an_ended_push_lacks_are_told_lost_while_its_gateway_lives() {
    let world = World::new();
    let mut push = Push::begin(&world, LIVE, MIDNIGHT + 10 * MINUTE_MS, None);
    push.slices(700);
    push.end(3_500_000);
    let begin_ms = MIDNIGHT + 70 * MINUTE_MS;
    Push::begin(&world, "20200102-next", begin_ms, Some((LIVE, 100_000)));
    let mut stage = Stage::new(world);
    stage.now_ms = begin_ms + 10_000;
    lose(&mut stage);
    rebuild(&stage);
    assert!(matches!(turn(&stage, "20200102-next", 0), Err(Error::Before { expected: 0, .. })));
    stage.leap_until(begin_ms + 2 * HOUR_MS);
    // Its gateway may be away, and bring them.
    assert!(matches!(turn(&stage, LIVE, 0), Ok(Turn::Next(_))));
    live_on(&mut stage, 3 * HOUR_MS);
    assert_eq!(run(committed::length(&stage.world.store, LIVE)).unwrap(), 700);
    assert!(matches!(turn(&stage, LIVE, 300), Ok(Turn::Lost)));
    let Ok(Turn::Next(prepared)) = turn(&stage, "20200102-next", 0) else { panic!() };
    assert_eq!(prepared.session.continues.as_deref(), Some(LIVE));
    let adopted = run(session::adopted(&stage.world.store, "20200102-next")).unwrap().unwrap();
    assert_eq!(adopted.recording, LIVE);
}

#[test]
fn chunks_that_are_left_are_recorded_where_they_come() {
    let world = World::new();
    let mut push = Push::begin(&world, LIVE, MIDNIGHT + 10 * MINUTE_MS, None);
    push.slices(3);
    push.end(30_000);
    let mut stage = Stage::new(world);
    stage.now_ms = MIDNIGHT + 30 * MINUTE_MS;
    lose(&mut stage);
    rebuild(&stage);
    live_on(&mut stage, 10 * MINUTE_MS);
    for seq in 0..3 {
        stage.come_late(LIVE, seq);
    }
    live_on(&mut stage, HOUR_MS);
    assert_eq!(stage.slices().len(), 3);
    let files = stage.files();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(stage.keys_of(&["e"]).iter().all(|key| !key.ends_with(".lost")));
}

/// The records of all chunks.
fn chunks(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    stage.world.store.values().into_iter().filter(|(key, _)| key.starts_with("c.")).collect()
}

#[test]
fn a_rebuild_that_dies_anywhere_is_made_again() {
    // One that is over, one that is not and that another one continues, and one of which nothing is sealed.
    let begin = || {
        let world = World::new();
        let mut over = Push::begin(&world, "20200101-o", MIDNIGHT - HOUR_MS, None);
        over.slices(3);
        over.end(15_000);
        let mut first = Push::begin(&world, "20200101-x", MIDNIGHT - 5 * MINUTE_MS, None);
        first.slices(70);
        first.end(350_000);
        let begin_ms = MIDNIGHT + 2 * MINUTE_MS;
        Push::begin(&world, "20200102-y", begin_ms, Some(("20200101-x", 70_000))).slices(5);
        let mut stage = Stage::new(world);
        stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
        lose(&mut stage);
        stage
    };
    let whole = begin();
    rebuild(&whole);
    let (expected, operations) = (whole.answers(), whole.world.store.operations());
    let (keys, records) = (whole.lasting_keys(), chunks(&whole));
    assert!(operations > 150, "{operations}");
    for at in 0..operations {
        let stage = begin();
        stage.fail_once(at, [Outcome::Refused, Outcome::ReplyLost][at as usize % 2]);
        rebuild(&stage);
        stage.world.store.mend();
        assert!(stage.answers() == expected, "{at}");
        let is_entry = |key: &String| key.starts_with("y.");
        let lasting = |keys: Vec<String>| keys.into_iter().filter(|key| !is_entry(key)).collect::<Vec<_>>();
        assert_eq!(lasting(stage.lasting_keys()), lasting(keys.clone()), "{at}");
        assert!(chunks(&stage) == records, "{at}");
    }
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let mut stage = recorded();
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    let World { store, bucket, users } = &stage.world;
    let (before, names) = (store.keys(), bucket.names());
    let in_use = MemoryStore::with_any_key();
    let (mut found, mut at) = (Found::default(), None);
    loop {
        let step =
            run(rebuild::step((store, bucket, users), Mode::DryRun(at), &[], KEPT, stage.now_ms)).unwrap();
        found.parts += step.found.parts;
        found.slices += step.found.slices;
        found.files += step.found.files;
        found.sessions += step.found.sessions;
        at = step.next;
        if at.is_none() {
            break;
        }
    }
    let count = |prefix| names.iter().filter(|name| name.starts_with(prefix)).count() as u64;
    assert_eq!((found.parts, found.sessions, found.restored), (count("log/"), count("session/"), 0));
    assert!(found.slices > 1_000 && found.files > 2, "{found:?}");
    assert!(store.keys() == before && bucket.names() == names);
    // A store that is in use is not filled.
    run(guard::note_probed(&in_use, "e", "b")).unwrap();
    let refused = run(rebuild::step((&in_use, bucket, users), Mode::Write, &[], KEPT, stage.now_ms));
    assert!(matches!(refused, Err(Error::StoreInUse)), "{refused:?}");
    // What is written is as much.
    lose(&mut stage);
    let written = rebuild(&stage);
    let counts = |found: &Found| (found.parts, found.slices, found.files, found.sessions);
    assert_eq!(counts(&written), counts(&found));
}

#[test]
fn orders_and_silence_come_back() {
    let mut stage = recorded();
    let World { store, bucket, .. } = &stage.world;
    let commanded = run(live::give(store, bucket, &stream(), Cause::Restart, "call", stage.now_ms)).unwrap();
    assert_eq!(commanded, Ok(()));
    // For ten minutes the gateway says nothing.
    stage.tick_until(stage.now_ms + 10 * MINUTE_MS, 5_000);
    assert!(run(live::of_stream(&stage.world.store, &stream(), stage.now_ms)).unwrap().is_empty());
    stage.tick_until(MIDNIGHT + 3 * HOUR_MS, 60_000);
    lose(&mut stage);
    rebuild(&stage);
    assert!(run(live::of_stream(&stage.world.store, &stream(), stage.now_ms)).unwrap().is_empty());
    // It comes back with what the lost store had told it last.
    let changes = beat(&stage, Some(3));
    let (session, orders) = &changes.sessions[0];
    assert_eq!((session.id.as_str(), orders.last().map(|order| order.cause)), (LIVE, Some(Cause::Restart)));
    assert_eq!(run(live::of_stream(&stage.world.store, &stream(), stage.now_ms)).unwrap()[0].id, LIVE);
}
