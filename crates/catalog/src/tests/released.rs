//! The media of record files that are written: how long it stays, and that nothing of it is left.

use store::memory::run;

use super::media::Push;
use super::world::{NOW, World, session_of};
use crate::due::{self, Lane};
use crate::media::WRITE_ONLY_MS;
use crate::rule::{Container, Format};
use crate::time::{CALL_MAX_MS, DAY_MS, Retention};
use crate::{decision::WorkBucket, file, media};

const MINUTE_MS: u64 = 60_000;

/// A push of so many chunks that has ended, with the media of record files.
fn kept(containers: &[Container], chunks: u64) -> World {
    let world = World::new();
    let mut session = session_of("a");
    let formats = &mut session.rule.as_mut().unwrap().formats;
    let format = Format { slices: None, cycle_seconds: 86_400, ..formats.remove(0) };
    formats.extend(containers.iter().map(|container| Format { container: *container, ..format.clone() }));
    let mut push = Push::begin_as(&world, session, None);
    push.slices(chunks);
    push.end(chunks * 5_000);
    run(file::close_break(&world.bucket, "a")).unwrap();
    for seq in 0..chunks {
        run(world.bucket.create_or_read(&naming::media_object("a", seq), b"media")).unwrap();
    }
    world
}

/// The file of a container is there, and what it is made of stays for so long.
fn write(world: &World, container: Container, stays_ms: u64, now_ms: u64) {
    run(async {
        let World { store, bucket, .. } = world;
        let run = file::complete(store, bucket, "a", container).await.unwrap().unwrap();
        media::release(store, bucket, ("a", container), &run, stays_ms, now_ms).await.unwrap();
        file::written(store, "a", container, &run).await.unwrap();
    });
}

/// One call of the lane; answers how often media was to be deleted.
fn compose(world: &World, now_ms: u64) -> usize {
    run(async {
        let World { store, bucket, .. } = world;
        let timers = due::due(store, Lane::Compose, now_ms).await.unwrap();
        for timer in &timers {
            due::attend(store, bucket, timer, Retention::default(), now_ms).await.unwrap();
            due::settle(store, std::slice::from_ref(timer), &[], &[], now_ms).await.unwrap();
        }
        timers.iter().filter(|timer| timer.what.starts_with("x ")).count()
    })
}

fn left(world: &World) -> usize {
    world.bucket.names().iter().filter(|name| name.starts_with("media/a/")).count()
}

#[test]
fn media_that_no_file_needs_is_deleted_two_hundred_objects_at_a_time() {
    for (chunks, expected) in [(1, vec![0]), (200, vec![0]), (201, vec![1, 0]), (450, vec![250, 50, 0])] {
        let world = kept(&[Container::Mp4], chunks);
        write(&world, Container::Mp4, 0, NOW);
        compose(&world, NOW + CALL_MAX_MS);
        assert_eq!(left(&world), chunks as usize);
        // Whatever is left is deleted by the next calls.
        let now_ms = NOW + 4 * CALL_MAX_MS;
        let found: Vec<usize> = expected
            .iter()
            .map(|_| {
                compose(&world, now_ms);
                left(&world)
            })
            .collect();
        assert_eq!(found, expected, "{chunks}");
        let asked: usize = (0..200).map(|minute| compose(&world, now_ms + minute * MINUTE_MS)).sum();
        assert_eq!(asked, 0, "{chunks}");
    }
}

#[test]
fn media_that_another_file_needs_is_looked_at_ever_less_often_and_deleted_in_the_end() {
    let world = kept(&[Container::Mp4, Container::Flv], 12);
    write(&world, Container::Mp4, 0, NOW);
    let compose_for = |from_ms: u64, minutes: u64| -> usize {
        (0..minutes).map(|minute| compose(&world, from_ms + minute * MINUTE_MS)).sum()
    };
    let asked = compose_for(NOW, 12 * 60);
    assert!((10..60).contains(&asked), "{asked}");
    assert_eq!(left(&world), 12);
    let now_ms = NOW + DAY_MS / 2;
    write(&world, Container::Flv, 0, now_ms);
    compose_for(now_ms, 120);
    assert_eq!(left(&world), 0);
}

/// Nobody can look whether the file is there.
#[test]
fn what_a_file_in_a_bucket_that_may_only_be_written_is_made_of_stays_for_days() {
    let world = kept(&[Container::Flv], 3);
    write(&world, Container::Flv, WRITE_ONLY_MS, NOW);
    for hour in 0..=WRITE_ONLY_MS / 3_600_000 {
        compose(&world, NOW + hour * 3_600_000);
        assert_eq!(left(&world), 3, "{hour}");
    }
    for minute in 0..30 {
        compose(&world, NOW + WRITE_ONLY_MS + minute * MINUTE_MS);
    }
    assert_eq!(left(&world), 0);
}
