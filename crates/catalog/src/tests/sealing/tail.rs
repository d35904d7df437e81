//! The key-value store is lost, and filled anew from the work bucket and the users' buckets.

mod back;
mod dry;
mod forged;
mod objects;
mod random;

use std::collections::BTreeMap;

use store::memory::{Outcome, run};

use super::super::media::Push;
use super::super::world::{World, session_of};
use super::lost_store::{live_on, lose, rebuild, tell_lost, turn};
use super::stage::{KEPT, Stage};
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::command;
use crate::commit::Turn;
use crate::committed::Committed;
use crate::order::Cause;
use crate::rebuild::{self, Found, Mode};
use crate::session::{self, Session};
use crate::time::DAY_MS;
use crate::users::Unseen;

const LIVE: &str = "20200101-live";

/// A session whose slices have names.
fn named(id: &str, began_ms: u64, template: &str) -> Session {
    let mut session = Session { began_ms, ..session_of(id) };
    let rule = session.rule.as_mut().unwrap();
    rule.formats[0].slices.as_mut().unwrap().object_prefix = template.into();
    session
}

/// Begins a push whose slices have names.
fn begin<'a>(world: &'a World, id: &str, began_ms: u64, after: Option<(&str, u64)>) -> Push<'a> {
    Push::begin_as(world, named(id, began_ms, naming::DEFAULT_SLICE), after)
}

/// What comes next is in another file.
fn restart(push: &mut Push<'_>) {
    let World { store, bucket, .. } = push.world;
    let now_ms = push.session.began_ms + push.chunks * 5_000;
    let call = push.chunks.to_string();
    run(command::give(store, bucket, &push.session, Cause::Restart, &call, now_ms)).unwrap().unwrap();
    push.files += 1;
}

/// A push over midnight with chunks of all kinds, which goes on after the last seal.
fn recorded_as(template: &str) -> Stage {
    let world = World::new();
    let began_ms = MIDNIGHT - 30 * MINUTE_MS;
    let mut push = Push::begin_as(&world, named(LIVE, began_ms, template), None);
    push.slices(420);
    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 2_100_000, to_ms: 2_105_000 }));
    push.other(Chunk::Empty);
    push.slices(300);
    restart(&mut push);
    push.slices(3);
    push.other(Chunk::Gap(Gap { reason: GapReason::Refused, from_ms: 3_700_000, to_ms: 3_705_000 }));
    restart(&mut push);
    push.slices(278);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    stage
}

fn recorded() -> Stage {
    recorded_as(naming::DEFAULT_SLICE)
}

/// What is answered of all days, but for when files were made.
fn answers(stage: &Stage) -> String {
    let timeless = |line: &str| line.split(" created_ms: ").next().map(str::to_owned);
    stage.answers().lines().filter_map(timeless).collect::<Vec<_>>().join("\n")
}

/// The records of a session's chunks, and what else is known of it.
fn records(stage: &Stage) -> Vec<(String, String)> {
    let values = stage.world.store.values().into_iter();
    let of_chunks = values.filter(|(key, _)| key.starts_with("c."));
    of_chunks.map(|(key, value)| (key, String::from_utf8(value).unwrap())).collect()
}

/// The record of each session's last chunk, but for when it was late. Which ones stand before it depends on when they were
/// sealed.
fn last_records(stage: &Stage) -> BTreeMap<String, (u64, String)> {
    let mut last: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for (key, value) in records(stage) {
        let (session, seq) = key.rsplit_once('.').unwrap();
        let seq = seq.parse().unwrap();
        let (value, late) = value.split_once(",\"late_noted_ms\":").unwrap_or((&value, ""));
        let value = value.to_owned() + late.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let known = last.entry(session.into()).or_insert((seq, value.clone()));
        *known = (*known).clone().max((seq, value));
    }
    last
}

/// The highest number of a file that is open after the chunk of a record.
fn open_file(record: &str) -> Option<u32> {
    let committed: Committed = store::record::decode("c", record.as_bytes()).unwrap();
    committed.accounts.iter().filter_map(|account| account.file.as_ref()).map(|run| run.number).max()
}

#[test]
fn what_came_after_the_last_seal_is_answered_as_before() {
    for template in [
        naming::DEFAULT_SLICE,
        "{AppName}/{Date}/{Hour}{Minute}{Second}-{Sequence}-{UnixTimestamp}",
        "{Date}/{Sequence}_{UnixTimestamp}",
        "{Sequence}{UnixTimestamp}",
    ] {
        let mut stage = recorded_as(template);
        let (expected, known) = (answers(&stage), records(&stage));
        lose(&mut stage);
        let found = rebuild(&stage);
        assert!(found.tail > 500 && found.unlisted.is_empty(), "{template}: {found:?}");
        assert_eq!(records(&stage), known, "{template}");
        live_on(&mut stage, HOUR_MS);
        assert_eq!(answers(&stage), expected, "{template}");
        // Nothing is asked for again, and the push goes on in the same file.
        let Ok(Turn::Next(prepared)) = turn(&stage, LIVE, 1_004) else { panic!("{template}") };
        assert_eq!(prepared.remux_state, [7; 300]);
        stage.come_late(LIVE, 1_004);
        assert_eq!(tell_lost(&stage, LIVE, 1_005), 0);
    }
}

/// The same push under a store that is lost, and under one that is not.
#[test]
fn all_that_follows_is_as_if_the_store_had_not_been_lost() {
    let follow = |mut stage: Stage| {
        for seq in 1_004..1_300 {
            stage.come_late(LIVE, seq);
        }
        let World { store, bucket, .. } = &stage.world;
        run(session::end(store, bucket, LIVE, 0, 1_300 * 5_000, 1_300, stage.now_ms)).unwrap();
        live_on(&mut stage, HOUR_MS);
        let at_once = answers(&stage);
        stage.leap_until(MIDNIGHT + 4 * DAY_MS);
        let sealed = answers(&stage);
        assert!(run(session::find(&stage.world.store, LIVE)).unwrap().is_none());
        stage.leap_until(MIDNIGHT + 200 * DAY_MS);
        assert!(stage.lasting_keys().is_empty(), "{:?}", stage.lasting_keys());
        assert!(stage.world.bucket.names().is_empty(), "{:?}", stage.world.bucket.names());
        (at_once, sealed)
    };
    let (kept, mut lost) = (recorded(), recorded());
    lose(&mut lost);
    rebuild(&lost);
    live_on(&mut lost, HOUR_MS / 2);
    assert_eq!(follow(lost), follow(kept));
}

#[test]
fn pushes_that_continue_others_are_back_as_well() {
    // One of which a part is sealed, and two of which nothing is.
    let world = World::new();
    let began_ms = MIDNIGHT - 5 * MINUTE_MS;
    let mut first = begin(&world, "20200101-x", began_ms, None);
    first.slices(70);
    first.end(350_000);
    let next_ms = began_ms + 420_000;
    let mut second = begin(&world, "20200102-b", next_ms, Some(("20200101-x", 70_000)));
    second.slices(5);
    second.end(25_000);
    begin(&world, "20200102-a", next_ms + 60_000, Some(("20200102-b", 35_000))).slices(200);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    let (expected, known) = (answers(&stage), last_records(&stage));
    lose(&mut stage);
    let found = rebuild(&stage);
    // Of the first one, its last page.
    assert_eq!((found.restored, found.tail), (3, 6 + 5 + 200), "{found:?}");
    assert_eq!(last_records(&stage), known);
    live_on(&mut stage, HOUR_MS);
    assert_eq!(answers(&stage), expected);
}

/// What is known after a rebuild that finds the tail so.
fn after(stage: &mut Stage) -> (Found, u64) {
    lose(stage);
    let found = rebuild(stage);
    let lost = tell_lost(stage, LIVE, 1_004);
    stage.come_late(LIVE, 1_004);
    (found, lost)
}

#[test]
fn a_bucket_that_may_not_be_listed_leaves_what_is_sealed() {
    let mut stage = recorded();
    *stage.world.users.unseen.borrow_mut() = Some((Unseen::Refused("403".into()), u32::MAX));
    let (found, lost) = after(&mut stage);
    assert_eq!((found.tail, found.unlisted), (0, vec!["e/b".to_owned()]));
    assert!(lost > 500, "{lost}");
    // Numbers are left out, as what is lost may have used them.
    live_on(&mut stage, HOUR_MS);
    let Ok(Turn::Next(prepared)) = turn(&stage, LIVE, 1_005) else { panic!() };
    drop(prepared);
    let last = records(&stage).iter().filter_map(|(_, record)| open_file(record)).max();
    let is_it = |number: u32| number.to_string().starts_with("1000");
    assert!(last.is_some_and(is_it), "numbers are left out: {last:?}");
}

/// What becomes of the object of a name.
type Change = fn(&Stage, &str);

#[test]
fn what_is_after_an_object_that_says_nothing_is_lost() {
    let name_of = |stage: &Stage, seq: u64| {
        let tag = Some(naming::tag::slice(LIVE, seq));
        let objects = stage.world.users.objects.borrow();
        objects.iter().find(|(_, seen)| seen.tag == tag).map(|(name, _)| name.clone()).unwrap()
    };
    let changes: [(&str, Change); 5] = [
        ("it is gone", |stage, name| drop(stage.world.users.objects.borrow_mut().remove(name))),
        ("it has no note", |stage, name| {
            stage.world.users.objects.borrow_mut().get_mut(name).unwrap().note = None;
        }),
        ("it has a note of nothing", |stage, name| {
            stage.world.users.objects.borrow_mut().get_mut(name).unwrap().note = Some("AQ".into());
        }),
        ("it has another size", |stage, name| {
            stage.world.users.objects.borrow_mut().get_mut(name).unwrap().size = Some(7);
        }),
        ("it is another writer's", |stage, name| {
            stage.world.users.objects.borrow_mut().get_mut(name).unwrap().tag = Some("other".into());
        }),
    ];
    for (what, change) in changes {
        let mut stage = recorded();
        let name = name_of(&stage, 900);
        change(&stage, &name);
        let (_, lost) = after(&mut stage);
        assert_eq!(lost, 104, "{what}");
        assert!(stage.slices().iter().any(|(_, seq, _)| *seq == 899), "{what}");
        live_on(&mut stage, HOUR_MS);
    }
}

#[test]
fn orders_that_nobody_gave_are_not_believed() {
    let world = World::new();
    let mut push = Push::begin_as(&world, named(LIVE, MIDNIGHT + MINUTE_MS, naming::DEFAULT_SLICE), None);
    push.slices(20);
    push.files = 1;
    push.slices(20);
    let mut stage = Stage::new(world);
    stage.now_ms = MIDNIGHT + HOUR_MS;
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 20);
}

#[test]
fn the_note_of_another_slice_is_not_believed() {
    let mut stage = recorded();
    {
        let mut objects = stage.world.users.objects.borrow_mut();
        let notes: Vec<_> = objects.values().filter_map(|seen| seen.note.clone()).collect();
        let tag = Some(naming::tag::slice(LIVE, 950));
        let seen = objects.values_mut().find(|seen| seen.tag == tag).unwrap();
        seen.note.clone_from(&Some(notes[3].clone()));
    }
    let (_, lost) = after(&mut stage);
    assert_eq!(lost, 54);
}

#[test]
fn a_rebuild_with_slices_that_dies_anywhere_is_made_again() {
    let begin = || {
        let world = World::new();
        let began_ms = MIDNIGHT - MINUTE_MS;
        let mut push = Push::begin_as(&world, named(LIVE, began_ms, naming::DEFAULT_SLICE), None);
        push.slices(30);
        push.other(Chunk::Empty);
        push.slices(50);
        let mut stage = Stage::new(world);
        stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
        lose(&mut stage);
        stage
    };
    let whole = begin();
    rebuild(&whole);
    let (expected, known, operations) = (whole.answers(), records(&whole), whole.world.store.operations());
    assert!(operations > 150, "{operations}");
    for at in 0..operations {
        let stage = begin();
        stage.fail_once(at, [Outcome::Refused, Outcome::ReplyLost][at as usize % 2]);
        rebuild(&stage);
        stage.world.store.mend();
        assert!(stage.answers() == expected, "{at}");
        assert_eq!(records(&stage), known, "{at}");
    }
}

#[test]
fn a_dry_run_counts_slices_and_writes_nothing() {
    let mut stage = recorded();
    let World { store, bucket, users } = &stage.world;
    let (before, names) = (store.keys(), bucket.names());
    let (mut tail, mut at) = (0, None);
    loop {
        let to = (store, bucket, users);
        let step = run(rebuild::step(to, Mode::DryRun(at), &[], KEPT, stage.now_ms)).unwrap();
        tail += step.found.tail;
        at = step.next;
        if at.is_none() {
            break;
        }
    }
    assert!(store.keys() == before && bucket.names() == names);
    *users.unseen.borrow_mut() = Some((Unseen::Failed("503".into()), u32::MAX));
    let at = Some("session".to_owned());
    let step = run(rebuild::step((store, bucket, users), Mode::DryRun(at), &[], KEPT, stage.now_ms)).unwrap();
    assert_eq!((step.found.tail, step.found.unlisted), (0, vec!["e/b".to_owned()]));
    // No other push has such names.
    *users.unseen.borrow_mut() = None;
    lose(&mut stage);
    assert_eq!(tail, rebuild(&stage).tail);
}
