//! When a session is over.

use store::memory::run;

use super::media::Push;
use super::world::{KEPT, NOW, World};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::rule::Container;
use crate::seal::over;
use crate::time::Retention;
use crate::{committed, file, session};

/// Whether a session is over at a moment, where those that are `leaving` leave with it.
pub(crate) fn is_over(world: &World, id: &str, leaving: &[&str], kept: Retention, now_ms: u64) -> bool {
    let leaving = leaving.iter().map(|id| (*id).to_owned()).collect();
    run(async {
        let (store, bucket) = (&world.store, &world.bucket);
        let session = session::get(store, bucket, id).await.unwrap();
        let adopted = session::adopted(store, id).await.unwrap().unwrap();
        let end = session::ended(store, id).await.unwrap().unwrap();
        let last = committed::last(store, id).await.unwrap();
        let length = last.as_ref().map_or(0, |(seq, _)| seq + 1);
        let chunks = (length, last.as_ref().map(|(_, last)| last));
        let of = (&session, &adopted, &end);
        over::of(store, bucket, of, chunks, &leaving, kept, now_ms).await.unwrap().is_some()
    })
}

const GAP: Chunk = Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 0, to_ms: 5_000 });

/// Its file is in the bucket.
fn write_file(world: &World, id: &str) {
    let (_, last) = run(committed::last(&world.store, id)).unwrap().unwrap();
    let file = last.accounts[0].file.clone().unwrap();
    run(file::written(&world.store, id, Container::M3u8, &file)).unwrap();
}

/// Files are looked for from the first push on.
#[test]
fn a_push_is_over_once_those_that_continue_it_are_whole_and_in_files_that_are_written() {
    // What the second push brings, how many chunks it has by its end, and whether the break after it is over.
    type Brings = fn(&mut Push<'_>);
    let in_the_next_file: Brings = |push| {
        push.files = 1;
        push.slices(1);
    };
    let cases: [(&str, Brings, Option<u64>, bool, bool); 6] = [
        ("what is lost", |push| push.other(GAP), Some(1), true, true),
        ("nothing", |_| {}, Some(0), true, true),
        ("less than its end says", |push| push.other(GAP), Some(2), true, false),
        ("a file that is not written", in_the_next_file, Some(1), true, false),
        ("what may be continued", |push| push.other(GAP), Some(1), false, false),
        ("what has not ended", |push| push.other(GAP), None, false, false),
    ];
    for (what, brings, chunks, is_closed, expected) in cases {
        let world = World::new();
        let mut first = Push::begin(&world, "x", NOW, None);
        first.slices(5);
        first.end(25_000);
        write_file(&world, "x");
        let mut second = Push::begin(&world, "y", NOW + 30_000, Some(("x", 5_000)));
        brings(&mut second);
        if let Some(chunks) = chunks {
            run(session::end(&world.store, &world.bucket, "y", 0, 10_000, chunks, NOW + 40_000)).unwrap();
        }
        if is_closed {
            run(file::close_break(&world.bucket, "y")).unwrap();
        }
        assert_eq!(is_over(&world, "x", &[], KEPT, NOW + 60_000), expected, "{what}");
    }
}

/// The one before is beyond retention, say, and leaves without its file.
#[test]
fn a_push_that_brought_nothing_is_over_once_the_file_before_it_is_written() {
    let world = World::new();
    let mut first = Push::begin(&world, "x", NOW, None);
    first.slices(5);
    first.end(25_000);
    Push::begin(&world, "y", NOW + 30_000, Some(("x", 5_000))).end(1_000);
    run(file::close_break(&world.bucket, "y")).unwrap();
    let is_over = || is_over(&world, "y", &["x"], KEPT, NOW + 60_000);
    assert!(!is_over());
    write_file(&world, "x");
    assert!(is_over());
}
