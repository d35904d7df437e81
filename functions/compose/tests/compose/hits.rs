//! Calls that are hit at any operation, by stores that do something wrong besides: the same files come of it, and nothing else
//! is left.

use std::task::Poll;

use recorder_compose_function::Sizes;
use shared::Answer;
use shared::bucket::Error;
use shared::catalog::Container;
use shared::testing::{OnComplete, OnCopy, World};
use store::memory::Outcome;

use crate::blocks::{CHUNKS, blocks, compose_later, expected_of, gathered, pushed, sizes};
use crate::stage::{compose_by, composing, end, files, known, media};

/// How a call ends.
#[derive(Clone, Copy, Debug)]
enum Hit {
    /// It dies before an operation.
    Death,
    /// The operation fails so, and the call goes on.
    Fault(Outcome),
}

/// What is hit: whoever dies is the hardest; of the others every third operation is enough.
const HITS: [(Hit, usize, usize); 3] =
    [(Hit::Death, 0, 1), (Hit::Fault(Outcome::Refused), 1, 3), (Hit::Fault(Outcome::ReplyLost), 2, 3)];

/// Makes a call, of which an operation is hit; answers whether there was such an operation.
fn hit(world: &World, at: usize, hit: Hit, sizes: Sizes) -> bool {
    let scheduler = world.store.scheduler();
    let mut call: store::memory::Actor<'_, Answer> = Box::pin(composing(world, sizes));
    // The first step leads to the first operation.
    for _ in 0..=at {
        if let (Poll::Ready(_), _) = scheduler.step(&mut call, Outcome::Applied) {
            return false;
        }
    }
    let Hit::Fault(outcome) = hit else { return true };
    let mut next = outcome;
    while let (Poll::Pending, _) = scheduler.step(&mut call, next) {
        next = Outcome::Applied;
    }
    true
}

/// Hits every operation of a call, or every so many, and answers how many there are. `check` is given what came of it.
fn hit_each(
    (with, first, step): (Hit, usize, usize),
    begin: impl Fn() -> World,
    check: impl Fn(&World, &str),
) {
    let mut at = first;
    loop {
        let world = begin();
        let is_hit = hit(&world, at, with, sizes());
        check(&world, &format!("{with:?} at {at}"));
        if !is_hit {
            break;
        }
        at += step;
    }
    assert!(at > 30, "only {at} operations were hit");
}

/// Everything ends as where nothing is hit.
fn is_made_good(world: &World, expected: &[(String, Vec<u8>)], extension: &str, shown: &str) {
    for _ in 0..10 {
        compose_later(world, sizes(), 1);
        if media(world).is_empty() && blocks(world).is_empty() {
            break;
        }
    }
    assert!(files(world, extension) == expected, "{shown}");
    assert_eq!(known(world).len(), 1, "{shown}");
    assert_eq!((media(world), blocks(world)), (Vec::new(), Vec::new()), "{shown}");
    assert_eq!(world.buckets.uploads.borrow().len(), 0, "{shown}");
}

/// A push that is over and has its file still to be written.
pub(crate) fn closing(container: Container) -> World {
    if container == Container::Mp4 {
        return gathered(sizes());
    }
    let world = pushed(&[container], sizes());
    end(&world, CHUNKS);
    world
}

pub(crate) const FORMATS: [(Container, &str); 2] = [(Container::Mp4, ".mp4"), (Container::Flv, ".flv")];

#[test]
fn a_gathering_that_is_hit_goes_on() {
    let expected = expected_of(Container::Mp4, ".mp4");
    for hits in HITS {
        hit_each(
            hits,
            || pushed(&[Container::Mp4], sizes()),
            |world, shown| {
                end(world, CHUNKS);
                is_made_good(world, &expected, ".mp4", shown);
            },
        );
    }
}

#[test]
fn a_close_that_is_hit_goes_on() {
    for (container, extension) in FORMATS {
        let expected = expected_of(container, extension);
        // Of two formats that are written alike one is hit everywhere.
        let seldom = if container == Container::Mp4 { 1 } else { 3 };
        for (with, first, step) in HITS {
            let check = |world: &World, shown: &str| is_made_good(world, &expected, extension, shown);
            hit_each((with, first, step * seldom), || closing(container), check);
        }
    }
}

#[test]
fn a_close_that_is_hit_goes_on_whatever_the_store_does_besides() {
    let reason = || "scripted".to_owned();
    let completes = |on_complete: OnComplete| {
        move |world: &World| world.buckets.on_complete.borrow_mut().push_back(on_complete.clone())
    };
    let copies = |on_copy: OnCopy| move |world: &World| *world.buckets.on_copy.borrow_mut() = on_copy.clone();
    type Trouble = Box<dyn Fn(&World)>;
    let troubles: [Trouble; 7] = [
        Box::new(completes(OnComplete::Fails(Error::Unavailable(reason())))),
        Box::new(completes(OnComplete::Fails(Error::Refused(reason())))),
        Box::new(completes(OnComplete::Garbles)),
        Box::new(completes(OnComplete::IsGone)),
        Box::new(copies(OnCopy::Fails(Error::Refused(reason())))),
        Box::new(copies(OnCopy::StoresNothing)),
        Box::new(|world| world.buckets.equal_parts.set(true)),
    ];
    for (container, extension) in FORMATS {
        let expected = expected_of(container, extension);
        // Nothing of an FLV file is copied.
        let troubles = if container == Container::Mp4 { &troubles[..] } else { &troubles[..4] };
        for (number, trouble) in troubles.iter().enumerate() {
            for (with, first) in [(Hit::Death, 0), (Hit::Fault(Outcome::ReplyLost), 5)] {
                let begin = || {
                    let world = closing(container);
                    trouble(&world);
                    world
                };
                let check = |world: &World, shown: &str| {
                    is_made_good(
                        world,
                        &expected,
                        extension,
                        &format!("{extension}, trouble {number}, {shown}"),
                    );
                };
                hit_each((with, first + number, 13), begin, check);
            }
        }
    }
}

#[test]
fn uploads_that_may_not_be_listed_hold_up_nothing() {
    for (container, extension) in FORMATS {
        let world = closing(container);
        world.buckets.keeps_uploads_to_itself.set(true);
        compose_by(&world, sizes());
        is_made_good(&world, &expected_of(container, extension), extension, extension);
    }
}

#[test]
fn an_upload_that_somebody_gives_up_after_a_hit_is_begun_anew() {
    for (container, extension) in FORMATS {
        let expected = expected_of(container, extension);
        let check = |world: &World, shown: &str| {
            world.buckets.uploads.borrow_mut().clear();
            is_made_good(world, &expected, extension, shown);
        };
        hit_each((Hit::Death, 0, 9), || closing(container), check);
    }
}

#[test]
fn a_close_that_is_hit_goes_on_where_only_writing_is_allowed() {
    const DAYS: u64 = 3 * 86_400_000;
    let begin = |container| {
        let world = closing(container);
        world.buckets.write_only.set(true);
        world
    };
    for (container, extension) in FORMATS {
        let whole = begin(container);
        compose_by(&whole, sizes());
        compose_later(&whole, sizes(), 5);
        let expected = files(&whole, extension);
        assert!(expected[0].1 == expected_of(container, extension)[0].1);
        let check = |world: &World, shown: &str| {
            compose_later(world, sizes(), 6);
            assert!(files(world, extension) == expected, "{extension}, {shown}");
            assert_eq!(known(world).len(), 1, "{extension}, {shown}");
            assert_eq!(media(world).len() as u64, CHUNKS, "{extension}, {shown}");
            world.pass_ms(DAYS);
            compose_later(world, sizes(), 3);
            assert_eq!((media(world), blocks(world)), (Vec::new(), Vec::new()), "{extension}, {shown}");
            // Nobody may list what a call that died has left.
            assert!(world.buckets.uploads.borrow().len() <= 1, "{extension}, {shown}");
        };
        for (with, first, _) in HITS {
            hit_each((with, first, 11), || begin(container), check);
        }
    }
}

#[test]
fn a_file_is_written_though_the_work_bucket_takes_nothing() {
    for (container, extension) in FORMATS {
        let world = closing(container);
        world.buckets.fail(|name, writes| match name {
            name if writes && name.contains("/work/") => Outcome::Refused,
            _ => Outcome::Applied,
        });
        compose_later(&world, sizes(), 3);
        assert!(files(&world, extension) == expected_of(container, extension), "{extension}");
        assert_eq!(world.buckets.uploads.borrow().len(), 0, "{extension}");
        world.buckets.mend();
        is_made_good(&world, &expected_of(container, extension), extension, extension);
    }
}
