//! What a stream leaves in the store, in bytes of keys and values.

use store::Store;
use store::memory::run;

use super::super::media::{Piece, Push, SECOND};
use super::super::world::{World, session_of};
use super::stage::{Stage, TODAY, stream};
use super::{HOUR_MS, MINUTE_MS};
use crate::commit;
use crate::decision::WorkBucket;
use crate::log::{Kind, StreamDay, part};
use crate::seal;
use crate::session::{self, Session};
use crate::time::DAY_MS;

/// Bytes that a stream-day may leave, and the name of a stream besides.
const MOST: usize = 1_000;

/// What is in a store, by what it is left for.
#[derive(Debug, Default)]
struct Left {
    /// The streams' days.
    days: Vec<(String, usize)>,
    /// The streams' names.
    names: Vec<(String, usize)>,
}

impl Left {
    /// What there is once for a domain, a gateway or a lane of timers is of no stream.
    fn of(world: &World) -> Self {
        let mut left = Self::default();
        let values = world.store.values();
        for key in world.store.keys() {
            let value = values.binary_search_by(|(found, _)| found.cmp(&key));
            let bytes = key.len() + value.map_or(size_of::<i64>(), |at| values[at].1.len());
            let last = key.rsplit('.').next().unwrap_or_default();
            match key.split('.').next().unwrap_or_default() {
                "d" | "g" | "m" => {}
                "t" if ["open", "swept", "done"].contains(&last) => {}
                "l" | "p" | "v" => left.names.push((key, bytes)),
                _ => left.days.push((key, bytes)),
            }
        }
        left
    }

    fn bytes(keys: &[(String, usize)]) -> usize {
        keys.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// Nine tenths of a day are pushed, in so many pushes of slices that are so long, while ticks come.
fn push_a_day(stage: &mut Stage, slice_ms: u64, pushes: u64) {
    for push in 0..pushes {
        let began_ms = TODAY + push * (DAY_MS / pushes) + MINUTE_MS;
        let session = Session { began_ms, ..session_of(&naming::session_id(began_ms, [push as u8; 16])) };
        let begun = Push::begin_as(&stage.world, session, None);
        let (session, mut chunks) = (begun.session, begun.chunks);
        let count = DAY_MS * 9 / 10 / pushes / slice_ms;
        while chunks < count {
            let mut push = Push { world: &stage.world, session: session.clone(), chunks, files: 0 };
            for seq in chunks..count.min(chunks + HOUR_MS / slice_ms) {
                push.slice(Piece {
                    offset_ms: seq * slice_ms,
                    start_90khz: seq * slice_ms * 90,
                    duration_90khz: slice_ms / 1_000 * SECOND,
                    is_enterable: true,
                });
            }
            chunks = push.chunks;
            if chunks == count {
                push.end(count * slice_ms);
            }
            stage.tick_until(began_ms + chunks * slice_ms, MINUTE_MS);
        }
        stage.tick_until(began_ms + count * slice_ms + 5 * MINUTE_MS, 20_000);
    }
    stage.tick_until(TODAY + DAY_MS, 10 * MINUTE_MS);
    stage.leap_until(TODAY + DAY_MS + 26 * HOUR_MS);
}

fn leaves_little(slice_ms: u64, pushes: u64) {
    let mut stage = Stage { world: World::new(), now_ms: TODAY, is_full: false };
    push_a_day(&mut stage, slice_ms, pushes);
    let left = Left::of(&stage.world);
    let (day, name) = (Left::bytes(&left.days), Left::bytes(&left.names));
    assert!(day <= MOST && name <= MOST, "a day {day}, a name {name}: {left:#?}");
    assert!(!stage.slices().is_empty() && !stage.files().is_empty());
    stage.leap_until(TODAY + 190 * DAY_MS);
    let left = Left::of(&stage.world);
    assert!(left.days.is_empty() && left.names.is_empty(), "{left:#?}");
}

#[test]
fn a_day_of_one_push_in_short_slices_leaves_little() {
    leaves_little(5_000, 1);
}

#[test]
fn a_day_of_many_pushes_in_short_slices_leaves_little() {
    leaves_little(5_000, 24);
}

#[test]
fn a_day_of_one_push_in_long_slices_leaves_little() {
    leaves_little(30_000, 1);
}

#[test]
fn a_day_of_many_pushes_in_long_slices_leaves_little() {
    leaves_little(30_000, 24);
}

/// The file of an ended push cannot be written for days: its day is looked at again and again.
#[test]
fn a_day_that_cannot_be_settled_has_one_timer_until_it_is_forgotten() {
    let mut stage = Stage { world: World::new(), now_ms: TODAY, is_full: true };
    let mut push = Push::begin(&stage.world, "20200101-x", TODAY + HOUR_MS, None);
    push.slices(5);
    push.end(25_000);
    let timers = |stage: &Stage, letter: &str| {
        let what = format!(" {letter} {} {}", stream().key(), TODAY / DAY_MS);
        let values = stage.world.store.values();
        values.iter().filter(|(_, value)| String::from_utf8_lossy(value).contains(&what)).count()
    };
    stage.leap_until(TODAY + 8 * DAY_MS);
    assert!(run(stage.world.store.exists("s.20200101-x")).unwrap());
    assert_eq!((timers(&stage, "k"), timers(&stage, "l")), (1, 0));
    stage.is_full = false;
    stage.leap_until(TODAY + 11 * DAY_MS);
    assert!(!run(stage.world.store.exists("s.20200101-x")).unwrap());
    assert_eq!((timers(&stage, "k"), timers(&stage, "l")), (1, 1));
    let left = Left::of(&stage.world);
    assert!(Left::bytes(&left.days) <= MOST, "{left:#?}");
    // What comes late has further parts made of the day, and no further timer set.
    stage.come_late("20200101-x", 5);
    stage.leap_until(TODAY + 14 * DAY_MS);
    assert!(stage.objects("log/") > 1 && stage.objects("files/") > 1);
    assert_eq!((timers(&stage, "k"), timers(&stage, "l")), (1, 1));
    stage.leap_until(TODAY + 190 * DAY_MS);
    assert!(Left::of(&stage.world).days.is_empty() && stage.world.bucket.names().is_empty());
}

/// A push that is adopted and brings nothing leaves a day that has no part.
#[test]
fn a_day_without_a_part_is_forgotten() {
    let mut stage = Stage { world: World::new(), now_ms: TODAY, is_full: false };
    Push::begin(&stage.world, "20200101-x", TODAY + HOUR_MS, None).end(0);
    stage.leap_until(TODAY + 4 * DAY_MS);
    let left = Left::of(&stage.world);
    assert!(Left::bytes(&left.days) <= MOST, "{left:#?}");
    stage.leap_until(TODAY + 190 * DAY_MS);
    assert!(Left::of(&stage.world).days.is_empty() && stage.world.bucket.names().is_empty());
}

/// A host whose clock is an hour ahead attends to a part's clearing before the part has its mark.
#[test]
fn a_part_that_is_looked_at_too_early_is_cleared_all_the_same() {
    let mut stage = Stage { world: World::new(), now_ms: TODAY, is_full: false };
    let mut push = Push::begin(&stage.world, "20200101-x", TODAY + HOUR_MS, None);
    push.slices(5);
    push.end(25_000);
    stage.now_ms = TODAY + DAY_MS;
    stage.tick_until_sealed(MINUTE_MS);
    let name = stream().key();
    let at = StreamDay { stream: &name, day: TODAY / DAY_MS };
    run(at.unmark(&stage.world.store, Kind::Sessions, 0)).unwrap();
    stage.now_ms += HOUR_MS;
    stage.tick();
    stage.now_ms -= HOUR_MS;
    run(at.mark(&stage.world.store, Kind::Sessions, 0)).unwrap();
    stage.leap_until(TODAY + 3 * DAY_MS);
    assert!(stage.keys_of(&["s", "c"]).is_empty(), "{:?}", stage.keys_of(&["s", "c"]));
    stage.leap_until(TODAY + 190 * DAY_MS);
    assert!(Left::of(&stage.world).days.is_empty() && stage.world.bucket.names().is_empty());
}

/// Two calls seal a day at once. One dies before the mark of its part, which a later call takes for its own, once the session
/// in it is over: it may also have come back for a chunk that was never committed, and be over again.
#[test]
fn a_part_that_was_left_without_its_mark_brings_no_session_back_that_is_over() {
    for comes_back in [false, true] {
        let mut stage = Stage { world: World::new(), now_ms: TODAY, is_full: false };
        Push::begin(&stage.world, "20200101-y", TODAY + HOUR_MS, None);
        let mut push = Push::begin(&stage.world, "20200101-x", TODAY + DAY_MS - 30_000, None);
        push.slices(5);
        let session = push.session.clone();
        stage.now_ms = TODAY + DAY_MS;
        stage.tick_until_sealed(MINUTE_MS);
        let name = stream().key();
        let at = StreamDay { stream: &name, day: TODAY / DAY_MS };
        let bucket = &stage.world.bucket;
        let runs = run(part::read(bucket, at, 0)).unwrap();
        assert!(runs.iter().all(|run| run.session.id == session.id && run.over.is_none()));
        let left = at.object(Kind::Sessions, 1);
        run(bucket.create_or_read(&left, &part::encode(&left, &runs).unwrap())).unwrap();
        Push { world: &stage.world, session, chunks: 5, files: 0 }.end(40_000);
        stage.leap_until(TODAY + 4 * DAY_MS);
        assert_eq!(stage.keys_of(&["s"]), ["s.20200101-y"]);
        let World { store, bucket, .. } = &stage.world;
        if comes_back {
            assert!(run(commit::prepare(store, bucket, "20200101-x", 5, stage.now_ms)).is_ok());
        }
        stage.leap_until(TODAY + 7 * DAY_MS);
        let sealed = |stage: &Stage| run(seal::sealed(&stage.world.store, "20200101-x")).unwrap();
        let before = sealed(&stage);
        assert_eq!(before.is_some(), comes_back);
        stage.come_late("20200101-y", 0);
        stage.leap_until(TODAY + 10 * DAY_MS);
        assert_eq!(sealed(&stage), before);
        assert_eq!(stage.slices().len(), 6);
        let World { store, bucket, .. } = &stage.world;
        run(session::end(store, bucket, "20200101-y", 0, 5_000, 1, stage.now_ms)).unwrap();
        stage.leap_until(TODAY + 190 * DAY_MS);
        assert!(Left::of(&stage.world).days.is_empty() && stage.world.bucket.names().is_empty());
    }
}
