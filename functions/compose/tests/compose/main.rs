//! The function, from the request to the answer, over the real catalog, the real remuxer and the real writers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blocks;
mod formats;
mod hits;
mod odd;
mod stage;
mod tags;

use mp4::verify::{Movie, check};
use protocol::LaneAnswer;
use recorder_compose_function::Sizes;
use shared::Catalog;
use shared::bucket::Error as BucketError;
use shared::catalog::{After, Container, IndexFile, Session};
use shared::testing::{Fault, Object, World, run, session};

use stage::{
    BEGAN_MS, begin, compose, compose_by, end, end_of, files, known, media, put, put_of, recorded_as, tick,
};

#[test]
fn a_push_is_recorded_in_all_three_formats_and_its_media_goes_once_the_files_are_there() {
    let world = begin(&[Container::M3u8, Container::Mp4, Container::Flv]);
    (0..2).for_each(|seq| put(&world, 'a', seq));
    assert_eq!(media(&world).len(), 2);
    assert_eq!(files(&world, ".ts").len(), 2);
    end(&world, 2);
    assert_eq!(compose(&world), LaneAnswer { due: 1, done: 1, failures: Vec::new() });
    let [(name, file)] = &files(&world, ".mp4")[..] else { panic!("{:?}", world.buckets) };
    assert_eq!(name.rsplit('/').next(), Some("0_2026-01-02-11-04-05_2026-01-02-11-04-07.mp4"), "{name}");
    check(&Movie::read(file).unwrap(), file.len() as u64).unwrap();
    let [(name, file)] = &files(&world, ".flv")[..] else { panic!("{:?}", world.buckets) };
    assert!(name.ends_with(".flv") && file.starts_with(b"FLV\x01"), "{name}");
    let known = known(&world);
    assert_eq!(known.len(), 3);
    let ids: std::collections::BTreeSet<_> = known.iter().map(|file| &file.id).collect();
    assert_eq!(ids.len(), 3, "{known:?}");
    // Another call may still be reading.
    assert_eq!(media(&world).len(), 2);
    for left in [2, 0] {
        // It waits twice: the clock of the host that sets a timer may be behind.
        world.pass_ms(600_000);
        compose(&world);
        assert_eq!(media(&world).len(), left);
    }
    assert_eq!(compose(&world).due, 0);
}

/// What is answered of the files, but for when they were made.
fn listed(world: &World) -> Vec<String> {
    let timeless = |file: &IndexFile| format!("{:?}", IndexFile { created_ms: 0, ..file.clone() });
    known(world).iter().map(timeless).collect()
}

/// Loses the store, and fills it anew.
fn lose_and_rebuild(world: &mut World) {
    world.lose_store();
    while run(world.rebuild(None, false, Vec::new(), world.now_ms.get())).unwrap().next.is_some() {}
}

/// A recording of each of some formats whose files are written, and whose media is gone.
fn written(formats: &[Container]) -> World {
    let world = begin(formats);
    (0..2).for_each(|seq| put(&world, 'a', seq));
    end(&world, 2);
    compose(&world);
    for _ in 0..3 {
        world.pass_ms(600_000);
        compose(&world);
    }
    assert_eq!(media(&world), [] as [&str; 0]);
    world
}

/// Its user has moved it away. Nothing waits for it any more.
#[test]
fn a_file_that_a_lost_store_had_written_and_that_is_gone_holds_up_no_others() {
    let mut world = written(&[Container::M3u8, Container::Mp4]);
    let is_gone = world.buckets.objects.borrow().keys().find(|name| name.ends_with(".mp4")).cloned().unwrap();
    world.buckets.objects.borrow_mut().remove(&is_gone);
    world.pass_ms(1);
    assert!(files(&world, ".mp4").is_empty());
    lose_and_rebuild(&mut world);
    tick(&world);
    world.pass_ms(5_000);
    assert_eq!(compose(&world).failures, []);
    assert!(files(&world, ".mp4").is_empty());
}

#[test]
fn a_file_that_a_lost_store_had_written_is_known_again_though_its_media_is_gone() {
    let mut world = written(&[Container::M3u8, Container::Mp4, Container::Flv]);
    let objects = |world: &World| world.buckets.names("http://store/bkt/");
    let expected = (listed(&world), objects(&world));
    assert_eq!(expected.0.len(), 3);
    lose_and_rebuild(&mut world);
    tick(&world);
    world.pass_ms(5_000);
    assert_eq!(compose(&world).failures, []);
    assert_eq!((listed(&world).len(), objects(&world)), (3, expected.1));
    // How long an MP4 or FLV file lasts is as its slices have it.
    let names = |lines: &[String]| {
        lines.iter().map(|line| line.split("duration").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&listed(&world)), names(&expected.0));
}

#[test]
fn without_m3u8_there_are_no_slices() {
    let world = begin(&[Container::Flv]);
    put(&world, 'a', 0);
    end(&world, 1);
    compose(&world);
    assert_eq!(
        (files(&world, ".ts").len(), files(&world, ".m3u8").len(), files(&world, ".flv").len()),
        (0, 0, 1)
    );
}

#[test]
fn with_m3u8_alone_no_media_is_kept() {
    let world = begin(&[Container::M3u8]);
    put(&world, 'a', 0);
    end(&world, 1);
    assert_eq!(compose(&world).due, 0);
    assert_eq!(media(&world), [] as [&str; 0]);
}

#[test]
fn what_fails_is_done_later_and_writes_the_same() {
    let whole = begin(&[Container::Mp4]);
    (0..2).for_each(|seq| put(&whole, 'a', seq));
    end(&whole, 2);
    compose(&whole);
    let expected = files(&whole, ".mp4");
    assert_eq!(expected.len(), 1);
    for at in 0..8 {
        for is_lost in [false, true] {
            let world = begin(&[Container::Mp4]);
            (0..2).for_each(|seq| put(&world, 'a', seq));
            end(&world, 2);
            let error = BucketError::Unavailable("scripted".into());
            let fault = if is_lost { Fault::Lost(error) } else { Fault::Refused(error) };
            world.buckets.faults.borrow_mut().extend((0..at).map(|_| None).chain([Some(fault)]));
            compose(&world);
            world.buckets.faults.borrow_mut().clear();
            world.pass_ms(400_000);
            compose(&world);
            assert_eq!(files(&world, ".mp4"), expected, "fault {at}");
            assert_eq!(known(&world).len(), 1);
        }
    }
}

#[test]
fn media_stays_until_the_last_format_has_its_file() {
    let world = begin(&[Container::Mp4, Container::Flv]);
    (0..2).for_each(|seq| put(&world, 'a', seq));
    end(&world, 2);
    // The MP4 file is written, the FLV file is not: of each chunk one read, of the MP4 file two more and a write.
    world.buckets.fail(|name, writes| {
        if writes && name.ends_with(".flv") {
            store::memory::Outcome::Refused
        } else {
            store::memory::Outcome::Applied
        }
    });
    assert_eq!(compose(&world).failures.len(), 1);
    assert_eq!((files(&world, ".mp4").len(), files(&world, ".flv").len()), (1, 0));
    for _ in 0..20 {
        world.pass_ms(200_000);
        compose(&world);
    }
    assert_eq!(media(&world).len(), 2);
    world.buckets.mend();
    for _ in 0..40 {
        world.pass_ms(400_000);
        compose(&world);
    }
    assert_eq!(files(&world, ".flv").len(), 1);
    assert_eq!(media(&world), [] as [&str; 0]);
}

#[test]
fn a_break_inside_a_file_is_left_out_or_kept() {
    let durations = [false, true].map(|keeps_gaps| {
        let world = World::at(BEGAN_MS);
        tick(&world);
        let first = recorded_as('a', BEGAN_MS, &[Container::Mp4, Container::Flv]);
        run(world.begin(Session { keeps_gaps, ..first }, None, None, BEGAN_MS)).unwrap();
        put(&world, 'a', 0);
        run(world.end(&session('a', 0).id, shared::testing::ended(1_000, 1), world.now_ms.get())).unwrap();
        let after = After { session: session('a', 0).id, gap_ms: 7_000 };
        // Each chunk has a second of pictures and of sound.
        let again = recorded_as('b', BEGAN_MS + 8_000, &[Container::Mp4, Container::Flv]);
        run(world.begin(again, Some(after), None, world.now_ms.get())).unwrap();
        put(&world, 'b', 0);
        end_of(&world, 'b', 1);
        compose(&world);
        assert_eq!((files(&world, ".mp4").len(), files(&world, ".flv").len()), (1, 1), "{:?}", world.buckets);
        let file = &files(&world, ".mp4")[0].1;
        let movie = Movie::read(file).unwrap();
        check(&movie, file.len() as u64).unwrap();
        assert_eq!(movie.timescale, 90_000);
        for IndexFile { container, duration90khz, .. } in known(&world) {
            // What users are told is what the file says of itself.
            match container {
                Container::Mp4 => assert_eq!(duration90khz, movie.duration),
                _ => {
                    let said_s = flv_duration_s(&files(&world, ".flv")[0].1);
                    assert!((duration90khz as f64 / 90_000.0 - said_s).abs() <= 0.0005, "{said_s} s");
                }
            }
        }
        movie.duration * 1_000 / u64::from(movie.timescale)
    });
    let [left_out, kept] = durations;
    assert!((6_990..=7_010).contains(&(kept - left_out)), "{left_out} and {kept} ms");
}

/// What an FLV file's metadata say of its duration, in seconds.
fn flv_duration_s(file: &[u8]) -> f64 {
    let name = b"\0\x08duration\0";
    let at = file.windows(name.len()).position(|bytes| bytes == name).unwrap() + name.len();
    f64::from_be_bytes(file[at..at + 8].try_into().unwrap())
}

/// Composes with parts of 3,000 bytes.
fn compose_in_parts(world: &World) -> LaneAnswer {
    compose_by(world, Sizes { part: 3_000, ..Sizes::DEFAULT })
}

#[test]
fn a_long_file_is_uploaded_in_parts_and_is_the_same() {
    for container in [Container::Mp4, Container::Flv] {
        let recorded = || {
            let world = begin(&[container]);
            (0..3).for_each(|seq| put(&world, 'a', seq));
            end(&world, 3);
            world
        };
        let extension = if container == Container::Mp4 { ".mp4" } else { ".flv" };
        let whole = recorded();
        compose(&whole);
        let expected = files(&whole, extension);
        let parts = expected[0].1.len().div_ceil(3_000);
        assert!(parts >= 4, "{parts} parts");
        let calls = {
            let world = recorded();
            world.buckets.faults.borrow_mut().extend((0..1_000).map(|_| None));
            compose_in_parts(&world);
            assert!(files(&world, extension) == expected);
            1_000 - world.buckets.faults.borrow().len()
        };
        for at in 0..calls {
            for is_lost in [false, true] {
                let world = recorded();
                let error = BucketError::Unavailable("scripted".into());
                let fault = if is_lost { Fault::Lost(error) } else { Fault::Refused(error) };
                world.buckets.faults.borrow_mut().extend((0..at).map(|_| None).chain([Some(fault)]));
                compose_in_parts(&world);
                world.buckets.faults.borrow_mut().clear();
                for _ in 0..6 {
                    world.pass_ms(400_000);
                    compose_in_parts(&world);
                }
                assert!(files(&world, extension) == expected, "{extension}, fault {at}");
                assert_eq!(known(&world).len(), 1);
                assert_eq!(media(&world), [] as [&str; 0]);
                assert_eq!(world.buckets.uploads.borrow().len(), 0, "fault {at}");
            }
        }
    }
}

#[test]
fn a_file_that_takes_several_calls_is_no_failure() {
    let world = begin(&[Container::Mp4]);
    (0..3).for_each(|seq| put(&world, 'a', seq));
    end(&world, 3);
    // Each write takes a minute.
    let clock = std::rc::Rc::clone(&world.now_ms);
    world.buckets.fail(move |_, writes| {
        clock.set(clock.get() + if writes { 60_000 } else { 0 });
        store::memory::Outcome::Applied
    });
    assert_eq!(compose_in_parts(&world), LaneAnswer { due: 1, done: 0, failures: Vec::new() });
    let mut calls = 1;
    while files(&world, ".mp4").is_empty() {
        world.pass_ms(5_000);
        let answer = compose_in_parts(&world);
        assert!(answer.failures.is_empty() && calls < 20, "{calls} calls: {answer:?}");
        calls += 1;
    }
    assert!(calls > 2, "{calls} calls");
}

#[test]
fn a_name_that_another_writer_has_leads_to_the_next_one_also_in_parts() {
    let world = begin(&[Container::Mp4]);
    (0..3).for_each(|seq| put(&world, 'a', seq));
    let name = "http://store/bkt/record/live/cam/0_2026-01-02-11-04-05_2026-01-02-11-04-08.mp4";
    let other = Object { tag: "other".into(), content_type: "video/mp4".into(), bytes: Vec::new() };
    world.buckets.objects.borrow_mut().insert(name.into(), other);
    end(&world, 3);
    compose_in_parts(&world);
    let names: Vec<String> = files(&world, ".mp4").into_iter().map(|(name, _)| name).collect();
    assert!(names.len() == 2 && names.contains(&name.to_owned()), "{names:?}");
    assert_eq!(world.buckets.uploads.borrow().len(), 0);
}

#[test]
fn no_stream_replaces_the_file_of_another_in_a_store_that_replaces_objects() {
    for (container, extension) in [(Container::Mp4, ".mp4"), (Container::Flv, ".flv")] {
        for (part, probe_bytes) in [(3_000, 0), (1 << 20, 0), (1 << 20, 1 << 20)] {
            let world = World::at(BEGAN_MS);
            tick(&world);
            world.buckets.replaces.set(true);
            world.buckets.probe_bytes.set(probe_bytes);
            for (digit, stream) in [('a', "cam"), ('b', "other")] {
                let mut session = recorded_as(digit, BEGAN_MS, &[container]);
                session.stream.stream = stream.into();
                session.rule.as_mut().unwrap().formats[0].object_prefix =
                    "{Sequence}_{EscapedStartTime}_{EscapedEndTime}".into();
                run(world.begin(session, None, None, BEGAN_MS)).unwrap();
                (0..3).for_each(|seq| put_of(&world, stream, digit, seq));
            }
            run(world.end(&session('b', 0).id, shared::testing::ended(3_000, 3), world.now_ms.get()))
                .unwrap();
            end_of(&world, 'a', 3);
            for _ in 0..3 {
                compose_by(&world, Sizes { part, ..Sizes::DEFAULT });
                world.pass_ms(60_000);
            }
            let objects = world.buckets.objects.borrow();
            let tags =
                objects.iter().filter(|(name, _)| name.ends_with(extension)).map(|(_, object)| &object.tag);
            let tags: std::collections::BTreeSet<_> = tags.collect();
            assert_eq!(tags.len(), 2, "{extension} in parts of {part}: {:?}", objects.keys());
        }
    }
}
