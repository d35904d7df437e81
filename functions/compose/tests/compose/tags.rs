//! Stores that keep no tag of an object made of parts, and stores that call the same part something else each time.

use std::cell::Cell;
use std::rc::Rc;

use recorder_compose_function::Sizes;
use shared::Answer;
use shared::catalog::Container;
use shared::testing::World;
use store::memory::{Actor, Outcome, Step};

use crate::blocks::{alone, blocks, compose_later, expected_of, gathered, may_copy, sizes};
use crate::hits::{FORMATS, closing};
use crate::stage::{compose_by, composing, files, known, media};

/// The tag is all by which a try knows its own object, so the next one takes it for another writer's.
#[test]
fn a_file_whose_tag_the_store_drops_is_there_once_more_for_a_lost_answer() {
    for (container, extension) in FORMATS {
        let expected = expected_of(container, extension).remove(0).1;
        let world = closing(container);
        world.buckets.drops_tags_of_parts.set(true);
        let undisturbed = requests(&world, (extension, sizes()), None);
        assert_eq!((files(&world, extension).len(), known(&world).len()), (1, 1), "{extension}");
        let mut most = 0;
        for at in 1..=undisturbed {
            let world = closing(container);
            world.buckets.drops_tags_of_parts.set(true);
            requests(&world, (extension, sizes()), Some((at, Outcome::ReplyLost)));
            compose_later(&world, sizes(), 6);
            let made = files(&world, extension);
            most = most.max(made.len());
            assert_eq!(known(&world).len(), 1, "{extension}: request {at}");
            assert!(made.iter().all(|(_, bytes)| *bytes == expected), "{extension}: each is whole");
            assert_eq!(media(&world), Vec::<String>::new(), "{extension}: request {at}");
            assert_eq!(world.buckets.uploads.borrow().len(), 0, "{extension}: request {at}");
        }
        // Where the answer to the completion is lost.
        assert_eq!(most, 2, "{extension}");
    }
}

/// How often parts that two calls had copied at once had to be sent, of all steps at which the first may stall until the
/// second has had them copied as well.
fn sent_after_copies(names_parts_anew: bool) -> u32 {
    let expected = expected_of(Container::Mp4, ".mp4");
    let mut sent = 0;
    for steps in 1.. {
        let world = gathered(sizes());
        world.buckets.names_parts_anew.set(names_parts_anew);
        let scheduler = world.store.scheduler();
        let mut first: Actor<'_, Answer> = Box::pin(composing(&world, sizes()));
        if (0..steps).any(|_| scheduler.step(&mut first, Outcome::Applied).0.is_ready()) {
            break;
        }
        // What the first one has in hand is due again.
        world.pass_ms(130_000);
        let mut second: Actor<'_, Answer> = Box::pin(composing(&world, sizes()));
        // The index, and two blocks.
        let has_copied = || world.buckets.uploads.borrow().values().any(|upload| upload.parts.len() > 2);
        let mut is_over = false;
        while !is_over && !has_copied() {
            is_over = scheduler.step(&mut second, Outcome::Applied).0.is_ready();
        }
        let calls = if is_over { vec![first] } else { vec![first, second] };
        scheduler.run(calls, |_| Step::Run(0));
        sent += u32::from(!may_copy(&world));
        compose_later(&world, sizes(), 6);
        assert!(files(&world, ".mp4") == expected, "after {steps} steps");
        assert_eq!((media(&world), blocks(&world)), (Vec::new(), Vec::new()), "after {steps} steps");
        assert_eq!(world.buckets.uploads.borrow().len(), 0, "after {steps} steps");
    }
    sent
}

#[test]
fn parts_that_are_called_something_else_with_each_copy_may_have_to_be_sent() {
    assert_eq!(sent_after_copies(false), 0);
    assert!(sent_after_copies(true) > 0);
}

/// How often the store is asked for something of the file's name, where its n-th request ends so.
fn requests(world: &World, (extension, sizes): (&'static str, Sizes), hit: Option<(u32, Outcome)>) -> u32 {
    let counted = Rc::new(Cell::new(0));
    let count = Rc::clone(&counted);
    world.buckets.fail(move |name, writes| {
        if !writes || !name.ends_with(extension) {
            return Outcome::Applied;
        }
        count.set(count.get() + 1);
        hit.filter(|(at, _)| *at == count.get()).map_or(Outcome::Applied, |(_, outcome)| outcome)
    });
    compose_by(world, sizes);
    counted.get()
}

#[test]
fn a_copy_that_fails_has_those_after_it_in_its_batch_made_again() {
    let expected = expected_of(Container::Mp4, ".mp4");
    let of_file = (".mp4", alone());
    let undisturbed = requests(&gathered(alone()), of_file, None);
    // The upload is begun, and the index is sent: the third request is the first copy of a batch of sixteen.
    let world = gathered(alone());
    assert_eq!(requests(&world, of_file, Some((3, Outcome::Refused))), undisturbed + 16);
    assert!(files(&world, ".mp4") == expected);
}
