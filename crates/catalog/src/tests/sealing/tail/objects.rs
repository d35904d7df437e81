//! Users' objects that are hidden, outdated, or those of calls that died.

use store::memory::run;

use super::super::super::media::Push;
use super::super::super::world::{KEPT, World, delivery, slice};
use super::super::lost_store::{lose, rebuild, rebuild_without, tell_lost, turn};
use super::super::stage::Stage;
use super::super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use super::{LIVE, after, answers, begin, last_records, named, open_file, recorded, records};
use crate::chunk::{Chunk, Gap, GapReason, Slice};
use crate::commit::{self, Turn};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::rebuild::{self, Mode};
use crate::rule::{Container, Format};
use crate::silence;
use crate::users::{Seen, Unseen};

/// A push of so many slices, of which nothing is sealed.
fn pushed(world: &World, count: u64) -> Push<'_> {
    let mut push = begin(world, LIVE, MIDNIGHT + MINUTE_MS, None);
    push.slices(count);
    push
}

/// Puts the next slice of a push into the bucket; its call dies then.
fn put_next(push: &Push<'_>) {
    let World { store, bucket, .. } = push.world;
    let now_ms = MIDNIGHT + HOUR_MS;
    let Ok(Turn::Next(prepared)) = run(commit::prepare(store, bucket, LIVE, push.chunks, now_ms)) else {
        panic!("{}", push.chunks)
    };
    let slice = Slice { anchor_ms: prepared.session.began_ms, ..slice(push.chunks) };
    push.world.put(&prepared, &delivery(0, 0, Chunk::Slice(slice)));
}

/// An hour after the day's begin, when nothing of it is sealed.
fn staged(world: World) -> Stage {
    let mut stage = Stage::new(world);
    stage.now_ms = MIDNIGHT + HOUR_MS;
    stage
}

#[test]
fn a_bucket_that_fails_is_asked_until_it_answers_or_is_left_out() {
    let mut stage = recorded();
    *stage.world.users.unseen.borrow_mut() = Some((Unseen::Failed("503".into()), 5));
    let (found, lost) = after(&mut stage);
    assert!(found.tail > 500 && found.unlisted.is_empty(), "{found:?}");
    assert_eq!(lost, 0);
    let mut stage = recorded();
    lose(&mut stage);
    *stage.world.users.unseen.borrow_mut() = Some((Unseen::Failed("503".into()), u32::MAX));
    let World { store, bucket, users } = &stage.world;
    let mut failures = 0;
    while failures < 30 {
        match run(rebuild::step((store, bucket, users), Mode::Write, &[], KEPT, stage.now_ms)) {
            Ok(step) => assert!(step.next.is_some(), "given up"),
            Err(Error::UserBucket { bucket, .. }) => {
                assert_eq!(bucket, "e/b");
                failures += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    let found = rebuild_without(&stage, &["e/b".into()]);
    assert_eq!((found.tail, found.unlisted), (0, vec!["e/b".to_owned()]));
    assert!(tell_lost(&stage, LIVE, 1_004) > 500);
}

#[test]
fn an_object_that_may_not_be_looked_at_hides_no_others() {
    let mut stage = recorded();
    let tag = Some(naming::tag::slice(LIVE, 950));
    let name = {
        let objects = stage.world.users.objects.borrow();
        objects.iter().find(|(_, seen)| seen.tag == tag).map(|(name, _)| name.clone()).unwrap()
    };
    // Another writer's, by a name that the session's slice may have as well.
    let others = name.replace(".ts", "-00000000.ts");
    assert_ne!(others, name);
    let seen = Seen { tag: None, note: None, size: None };
    stage.world.users.objects.borrow_mut().insert(others.clone(), seen);
    stage.world.users.hidden.borrow_mut().insert(others);
    let (found, lost) = after(&mut stage);
    assert!(found.unlisted.is_empty(), "{found:?}");
    assert_eq!(lost, 0);
    // Where none may be looked at, what was recorded ends with the last seal.
    let mut stage = recorded();
    *stage.world.users.hidden.borrow_mut() = stage.world.users.objects.borrow().keys().cloned().collect();
    let (found, lost) = after(&mut stage);
    assert_eq!((found.tail, found.unlisted), (0, vec!["objects of e/b".to_owned()]));
    assert!(lost > 500, "{lost}");
}

#[test]
fn a_slice_that_was_told_lost_stays_lost() {
    let world = World::new();
    let mut push = pushed(&world, 20);
    put_next(&push);
    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 100_000, to_ms: 105_000 }));
    push.slices(4);
    let mut stage = staged(world);
    let known = records(&stage);
    lose(&mut stage);
    rebuild(&stage);
    assert_eq!(records(&stage), known);
    assert!(matches!(turn(&stage, LIVE, 20), Ok(Turn::Lost)));
}

/// It was put before a silence closed the files, and committed after that, into the next file.
#[test]
fn a_slice_whose_object_says_what_was_so_before_a_silence_is_in_the_file_after_it() {
    let world = World::new();
    let mut push = pushed(&world, 20);
    put_next(&push);
    run(silence::look(&world.store, LIVE, 0, 0)).unwrap();
    run(silence::close(&world.store, &world.bucket, LIVE, 1)).unwrap();
    push.slices(31);
    let mut stage = staged(world);
    let (expected, known) = (answers(&stage), last_records(&stage));
    assert_eq!(open_file(&known[&format!("c.{LIVE}")].1), Some(1), "{known:?}");
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 51);
    assert_eq!(last_records(&stage), known);
    assert_eq!(answers(&stage), expected);
}

/// Of the last chunks of a push, which were told lost, nothing is in the bucket. A slice of the next one proves that they
/// were committed.
#[test]
fn a_push_is_back_though_the_one_that_it_continues_ended_with_what_is_no_slice() {
    let world = World::new();
    let began_ms = MIDNIGHT + MINUTE_MS;
    let mut first = begin(&world, "20200102-a", began_ms, None);
    first.slices(20);
    for _ in 0..3 {
        first.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 100_000, to_ms: 105_000 }));
    }
    first.end(115_000);
    let mut second = begin(&world, "20200102-b", began_ms + 130_000, Some(("20200102-a", 15_000)));
    second.slices(200);
    let mut stage = staged(world);
    let (expected, mut known) = (answers(&stage), last_records(&stage));
    lose(&mut stage);
    let found = rebuild(&stage);
    assert_eq!((found.restored, found.tail), (2, 220), "{found:?}");
    let mut back = last_records(&stage);
    // Why they are lost is not known any more.
    let first = "c.20200102-a";
    assert_eq!(back.remove(first).unwrap().0, known.remove(first).unwrap().0);
    assert_eq!(back, known);
    assert_eq!(answers(&stage), expected);
}

/// A push that is all gaps is not proved by the one after it, while the one before it is not back.
#[test]
fn a_chain_of_which_the_middle_has_no_slice_ends_the_rebuild_of_the_last_one_alone() {
    let world = World::new();
    let began_ms = MIDNIGHT + MINUTE_MS;
    let gap = || Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 0, to_ms: 5_000 });
    let mut first = begin(&world, "20200102-a", began_ms, None);
    first.slices(20);
    first.other(gap());
    first.end(105_000);
    let mut second = begin(&world, "20200102-b", began_ms + 120_000, Some(("20200102-a", 15_000)));
    second.other(gap());
    second.end(5_000);
    let mut third = begin(&world, "20200102-c", began_ms + 140_000, Some(("20200102-b", 15_000)));
    third.slices(30);
    let mut stage = staged(world);
    lose(&mut stage);
    let found = rebuild(&stage);
    assert_eq!((found.restored, found.tail), (3, 20), "{found:?}");
}

/// Record files need its media, which its call had not kept yet when it died: nobody was told that the chunk is durable.
#[test]
fn a_last_slice_without_its_media_is_asked_for_again() {
    for (is_kept, is_closed, tail) in [(false, false, 20), (true, false, 21), (false, true, 21)] {
        let world = World::new();
        let mut session = named(LIVE, MIDNIGHT + MINUTE_MS, naming::DEFAULT_SLICE);
        let object_prefix = "f".into();
        let format = Format { container: Container::Mp4, cycle_seconds: 3_600, object_prefix, slices: None };
        session.rule.as_mut().unwrap().formats.push(format);
        let keep = |seq| {
            let name = naming::media_object(LIVE, seq);
            run(world.bucket.create_or_read(&name, b"")).unwrap();
        };
        let mut push = Push::begin_as(&world, session, None);
        push.slices(20);
        (0..20).for_each(keep);
        if is_closed {
            // The files were written since, and the media of what is in them is gone.
            push.slices(1);
            run(silence::look(&world.store, LIVE, 0, 0)).unwrap();
            run(silence::close(&world.store, &world.bucket, LIVE, 1)).unwrap();
        } else {
            put_next(&push);
        }
        if is_kept {
            keep(20);
        }
        let mut stage = staged(world);
        lose(&mut stage);
        assert_eq!(rebuild(&stage).tail, tail);
        assert_eq!(matches!(turn(&stage, LIVE, 20), Ok(Turn::Next(_))), tail == 20);
    }
}
