//! MP4 files whose parts the store copies: gathered while they are open, whole whatever dies, and streamed where it does not.

use shared::bucket::{Error, Location};
use shared::catalog::Container;
use shared::testing::{Moved, OnCopy, World, run};
use shared::{Answer, Catalog};
use store::memory::{Outcome, Random, Step};

use recorder_compose_function::Sizes;

use crate::stage::{begin, compose, compose_by, composing, end, files, media, put};

pub(crate) const CHUNKS: u64 = 17;

/// Sizes by which some six chunks are a block.
pub(crate) fn sizes() -> Sizes {
    let slice = slice_bytes();
    Sizes { part: 3 * slice, block: 5 * slice + 5, least: slice }
}

/// Sizes by which each chunk stands alone.
pub(crate) fn alone() -> Sizes {
    Sizes { block: 2 * slice_bytes(), least: slice_bytes() / 4, ..sizes() }
}

/// Bytes of the longest slice.
fn slice_bytes() -> u64 {
    let world = begin(&[Container::M3u8]);
    (0..CHUNKS).for_each(|seq| put(&world, 'a', seq));
    files(&world, ".ts").iter().map(|(_, bytes)| bytes.len() as u64).max().unwrap()
}

/// A push that goes on.
pub(crate) fn pushed(containers: &[Container], sizes: Sizes) -> World {
    let world = begin(containers);
    world.buckets.least_part.set(sizes.least);
    (0..CHUNKS).for_each(|seq| put(&world, 'a', seq));
    world.pass_ms(CHUNKS * 1_000);
    world
}

/// A push whose media is gathered, and that is over.
pub(crate) fn gathered(sizes: Sizes) -> World {
    let world = pushed(&[Container::Mp4], sizes);
    compose_by(&world, sizes);
    end(&world, CHUNKS);
    world
}

pub(crate) fn blocks(world: &World) -> Vec<String> {
    world.buckets.names("http://store/work/blocks/")
}

/// The file as it is where nothing is gathered and nothing copied.
fn expected() -> Vec<(String, Vec<u8>)> {
    expected_of(Container::Mp4, ".mp4")
}

pub(crate) fn expected_of(container: Container, extension: &str) -> Vec<(String, Vec<u8>)> {
    let world = pushed(&[container], Sizes::DEFAULT);
    end(&world, CHUNKS);
    compose(&world);
    assert_eq!(files(&world, extension).len(), 1);
    files(&world, extension)
}

pub(crate) fn may_copy(world: &World) -> bool {
    let at = Location { endpoint: "http://store".into(), bucket: "bkt".into() };
    run(world.may_copy(&at, world.now_ms.get())).unwrap()
}

pub(crate) fn compose_later(world: &World, sizes: Sizes, times: u32) {
    for _ in 0..times {
        world.pass_ms(400_000);
        compose_by(world, sizes);
    }
}

#[test]
fn media_is_gathered_as_it_comes_and_copied_at_the_close() {
    let expected = expected();
    let world = pushed(&[Container::Mp4], sizes());
    compose_by(&world, sizes());
    assert_eq!(blocks(&world).len(), 2);
    let stored: u64 = {
        let objects = world.buckets.objects.borrow();
        let stored = objects.iter().filter(|(name, _)| name.starts_with("http://store/work/media/"));
        stored.map(|(_, object)| object.bytes.len() as u64).sum()
    };
    // Chunks are so small here that the first look at each reads all of it.
    let Moved { read, .. } = world.buckets.moved.get();
    assert!(read <= 2 * stored, "{read} bytes of {stored}");
    // Nothing has come, and nothing is read.
    compose_by(&world, sizes());
    assert_eq!(world.buckets.moved.get().read, read);

    end(&world, CHUNKS);
    world.buckets.moved.take();
    compose_by(&world, sizes());
    assert!(files(&world, ".mp4") == expected);
    let Moved { written, .. } = world.buckets.moved.get();
    let size = expected[0].1.len() as u64;
    assert!(written < size / 2, "{written} bytes of {size} were sent");
    assert!(may_copy(&world));
    assert_eq!((media(&world).len(), blocks(&world).len()), (CHUNKS as usize, 2));
    compose_later(&world, sizes(), 2);
    assert_eq!((media(&world), blocks(&world)), (Vec::new(), Vec::new()));
}

#[test]
fn what_was_not_gathered_in_time_is_sent() {
    let expected = expected();
    let world = pushed(&[Container::Mp4], sizes());
    end(&world, CHUNKS);
    compose_by(&world, sizes());
    assert_eq!(blocks(&world), [] as [&str; 0]);
    assert!(files(&world, ".mp4") == expected);
}

#[test]
fn a_block_of_more_tables_than_are_read_at_once_is_read_by_its_chunks() {
    let expected = expected();
    let world = gathered(sizes());
    for block in blocks(&world) {
        let mut objects = world.buckets.objects.borrow_mut();
        // The size of its first table, behind the number of chunks.
        objects.get_mut(&block).unwrap().bytes[4..8].copy_from_slice(&((64_u32 << 20) + 1).to_le_bytes());
    }
    compose_by(&world, sizes());
    assert!(files(&world, ".mp4") == expected);
}

#[test]
fn chunks_that_are_large_enough_are_copied_as_they_are() {
    let expected = expected();
    let world = gathered(alone());
    assert_eq!(blocks(&world), [] as [&str; 0]);
    world.buckets.moved.take();
    compose_by(&world, alone());
    assert!(files(&world, ".mp4") == expected);
    let (Moved { written, .. }, size) = (world.buckets.moved.get(), expected[0].1.len() as u64);
    assert!(written < size / 2, "{written} bytes of {size} were sent");
}

#[test]
fn an_flv_file_is_sent_of_the_same_media() {
    let whole = pushed(&[Container::Flv], Sizes::DEFAULT);
    end(&whole, CHUNKS);
    compose(&whole);
    let world = pushed(&[Container::Mp4, Container::Flv], sizes());
    compose_by(&world, sizes());
    end(&world, CHUNKS);
    compose_by(&world, sizes());
    assert!(files(&world, ".flv") == files(&whole, ".flv"));
    assert!(files(&world, ".mp4") == expected());
    compose_later(&world, sizes(), 3);
    assert_eq!((media(&world), blocks(&world)), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_not_copied_is_sent_and_remembered() {
    let expected = expected();
    let reason = || "scripted".to_owned();
    for (on_copy, is_remembered) in [
        (OnCopy::Fails(Error::Refused(reason())), true),
        (OnCopy::Fails(Error::NoSuchBucket(reason())), true),
        (OnCopy::Fails(Error::NoSuchObject), false),
        (OnCopy::Fails(Error::Invalid(reason())), true),
        (OnCopy::StoresNothing, true),
        (OnCopy::Fails(Error::Unavailable(reason())), false),
    ] {
        let world = gathered(sizes());
        *world.buckets.on_copy.borrow_mut() = on_copy.clone();
        compose_by(&world, sizes());
        assert_eq!((media(&world).len(), blocks(&world).len()), (CHUNKS as usize, 2), "{on_copy:?}");
        compose_later(&world, sizes(), 5);
        assert!(files(&world, ".mp4") == expected, "{on_copy:?}");
        assert_eq!(may_copy(&world), !is_remembered, "{on_copy:?}");
        assert_eq!((media(&world), blocks(&world)), (Vec::new(), Vec::new()), "{on_copy:?}");
        assert_eq!(world.buckets.uploads.borrow().len(), 0, "{on_copy:?}");
        world.pass_ms(7 * 86_400_000);
        assert!(may_copy(&world), "a refusal should not count for ever");
    }
}

#[test]
fn a_store_that_wants_parts_of_one_size_gets_them() {
    let world = gathered(sizes());
    world.buckets.equal_parts.set(true);
    compose_by(&world, sizes());
    compose_later(&world, sizes(), 5);
    assert!(files(&world, ".mp4") == expected());
    assert!(!may_copy(&world));
    assert_eq!(world.buckets.uploads.borrow().len(), 0);
}

#[test]
fn what_a_file_is_made_of_stays_where_nobody_can_look_for_the_file() {
    let world = gathered(sizes());
    world.buckets.write_only.set(true);
    for _ in 0..3 {
        compose_by(&world, sizes());
        world.pass_ms(60_000);
    }
    assert_eq!(files(&world, ".mp4").len(), 1);
    world.pass_ms(3 * 86_400_000 - 600_000);
    compose_by(&world, sizes());
    assert_eq!((media(&world).len(), blocks(&world).len()), (CHUNKS as usize, 2));
    compose_later(&world, sizes(), 3);
    assert_eq!((media(&world), blocks(&world)), (Vec::new(), Vec::new()));
}

#[test]
fn two_calls_at_once_write_the_same() {
    let (expected, sizes) = (expected(), sizes());
    for seed in 0..40 {
        let world = pushed(&[Container::Mp4], sizes);
        // Where no call dies, each gives up what it has begun.
        world.buckets.keeps_uploads_to_itself.set(seed % 2 == 0);
        let mut random = Random::new(seed);
        let both = |random: &mut Random| {
            let calls: Vec<store::memory::Actor<'_, Answer>> =
                vec![Box::pin(composing(&world, sizes)), Box::pin(composing(&world, sizes))];
            let mut next: Box<dyn FnMut(usize) -> Step> = match seed % 2 {
                0 => Box::new(random.fair()),
                _ => Box::new(random.faulty(60)),
            };
            world.store.scheduler().run(calls, &mut next);
        };
        both(&mut random);
        // What the first of the two has in hand is due again.
        world.pass_ms(130_000);
        both(&mut random);
        end(&world, CHUNKS);
        both(&mut random);
        compose_later(&world, sizes, 6);
        assert!(files(&world, ".mp4") == expected, "seed {seed}");
        assert_eq!((media(&world), blocks(&world)), (Vec::new(), Vec::new()), "seed {seed}");
        assert_eq!(world.buckets.uploads.borrow().len(), 0, "seed {seed}");
    }
}

#[test]
fn a_call_that_stalls_and_the_one_after_it_leave_no_upload_though_none_can_be_listed() {
    let (expected, sizes) = (expected(), sizes());
    let mut stalled = 0;
    for steps in 1.. {
        let world = gathered(sizes);
        world.buckets.keeps_uploads_to_itself.set(true);
        let scheduler = world.store.scheduler();
        let mut first: store::memory::Actor<'_, Answer> = Box::pin(composing(&world, sizes));
        let is_over = (0..steps).any(|_| scheduler.step(&mut first, Outcome::Applied).0.is_ready());
        if is_over {
            break;
        }
        // What the first one has in hand is due again.
        world.pass_ms(130_000);
        stalled += u32::from(!world.buckets.uploads.borrow().is_empty());
        scheduler.run(vec![first, Box::pin(composing(&world, sizes))], &mut Random::new(steps).fair());
        compose_later(&world, sizes, 6);
        assert!(files(&world, ".mp4") == expected, "after {steps} steps");
        assert_eq!((media(&world), blocks(&world)), (Vec::new(), Vec::new()), "after {steps} steps");
        assert_eq!(world.buckets.uploads.borrow().len(), 0, "after {steps} steps");
    }
    assert!(stalled > 5, "only {stalled} calls stalled with an upload begun");
}
