//! The function, from the request to the answer, over the real catalog.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use http::{Method, header};
use protocol::{Call, Tick, TickAnswer};
use recorder_index_function::handler::handle;
use shared::Catalog;
use shared::bucket::Error as BucketError;
use shared::catalog::{AudioTrack, ChunkStatus, PictureSize, Slice, StreamName, VideoTrack};
use shared::testing::{Fault, Object, World, read, request, request_to, run, session};

/// 2026-01-02T03:04:05.000Z.
const BEGAN_MS: u64 = 1_767_323_045_000;

const SECOND: u64 = 90_000;

fn stream() -> StreamName {
    session('a', 0).stream
}

/// Commits a slice of 5 s, as changed by `change`.
fn commit_slice(world: &World, digit: char, began_ms: u64, seq: u64, change: impl FnOnce(&mut Slice)) {
    let start_ms = began_ms + seq * 5_000;
    let mut slice = Slice {
        object: format!("record/live/cam/{}_{seq}.ts", start_ms / 1000),
        size: 188,
        start_ms,
        start90khz: seq * 5 * SECOND,
        duration90khz: 5 * SECOND,
        independent: true,
        discontinuity: false,
        video: Some(VideoTrack { codec: "h264".into(), size: Some(PictureSize { width: 640, height: 360 }) }),
        audio: Some(AudioTrack { codec: "aac".into() }),
    };
    change(&mut slice);
    let id = String::from(digit).repeat(32);
    let status = run(world.commit_chunk(&id, seq, Some(slice), vec![], began_ms, start_ms + 5_000));
    assert_eq!(status, Ok(ChunkStatus::Committed));
}

/// A push of that many slices, which has ended.
fn push(world: &World, digit: char, began_ms: u64, chunks: u64) {
    run(world.begin(session(digit, began_ms))).unwrap();
    for seq in 0..chunks {
        commit_slice(world, digit, began_ms, seq, |_| {});
    }
    run(world.end(&String::from(digit).repeat(32), began_ms + chunks * 5_000)).unwrap();
}

/// Ten seconds were pushed, and the break has lasted for 15 s.
fn due() -> World {
    let world = World::at(BEGAN_MS);
    push(&world, 'a', BEGAN_MS, 2);
    world.now_ms.set(BEGAN_MS + 25_000);
    world
}

fn tick(world: &World) -> TickAnswer {
    read(&run(handle(world, request(&Tick::route(()), "")))).unwrap()
}

fn done(files: u32) -> TickAnswer {
    TickAnswer { streams: 1, files, failures: Vec::new() }
}

const PLAYLIST: &str = "http://store/bkt/record/live/cam/0_2026-01-02-11-04-05_2026-01-02-11-04-15.m3u8";

#[test]
fn a_break_that_has_lasted_closes_the_record_file() {
    let world = World::at(BEGAN_MS);
    push(&world, 'a', BEGAN_MS, 2);
    world.now_ms.set(BEGAN_MS + 24_000);
    assert_eq!(tick(&world).files, 0);
    world.now_ms.set(BEGAN_MS + 25_000);
    assert_eq!(tick(&world), done(1));
    let expected = "#EXTM3U\n\
        #EXT-X-VERSION:3\n\
        #EXT-X-TARGETDURATION:5\n\
        #EXT-X-MEDIA-SEQUENCE:0\n\
        #EXT-X-PLAYLIST-TYPE:VOD\n\
        #EXT-X-INDEPENDENT-SEGMENTS\n\
        #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.000Z\n\
        #EXTINF:5.000,\n1767323045_0.ts\n\
        #EXTINF:5.000,\n1767323050_1.ts\n\
        #EXT-X-ENDLIST\n";
    assert_eq!(world.buckets.text(PLAYLIST), expected);
    assert_eq!(world.buckets.objects.borrow()[PLAYLIST].content_type, hls::CONTENT_TYPE);
    let known = run(world.index_files(&stream())).unwrap();
    let [file] = &known[..] else { panic!("{known:?}") };
    assert_eq!(file.id, "aaaaaaaa-aaaa-aaaa-aaaa-000000000000");
    assert_eq!((file.start_ms, file.end_ms), (BEGAN_MS, BEGAN_MS + 10_000));
    assert_eq!((file.duration90khz, file.created_ms), (10 * SECOND, BEGAN_MS + 25_000));
    assert_eq!(file.size, Some(PictureSize { width: 640, height: 360 }));
    world.pass_ms(60_000);
    assert_eq!(tick(&world).files, 0);
}

#[test]
fn a_whole_cycle_closes_its_file_and_the_next_goes_on() {
    let world = World::at(BEGAN_MS);
    push(&world, 'a', BEGAN_MS, 9);
    world.now_ms.set(BEGAN_MS + 60_000);
    assert_eq!(tick(&world), done(3));
    let slices: Vec<usize> = world
        .buckets
        .names("http://store/bkt/")
        .iter()
        .map(|name| world.buckets.text(name).lines().filter(|line| line.ends_with(".ts")).count())
        .collect();
    assert_eq!(slices, [4, 4, 1]);
}

#[test]
fn a_file_lasts_until_the_next_one_begins() {
    let world = World::at(BEGAN_MS);
    run(world.begin(session('a', BEGAN_MS))).unwrap();
    // The tracks of each slice reach past the begin of the next one.
    for seq in 0..5 {
        commit_slice(&world, 'a', BEGAN_MS, seq, |slice| slice.duration90khz += SECOND / 5);
    }
    world.now_ms.set(BEGAN_MS + 25_000);
    assert_eq!(tick(&world), done(1));
    let name = &world.buckets.names("http://store/bkt/")[0];
    assert!(name.ends_with("_2026-01-02-11-04-25.m3u8"), "{name}");
    assert_eq!(world.buckets.text(name).matches("#EXTINF:5.000,").count(), 4);
    assert_eq!(run(world.index_files(&stream())).unwrap()[0].duration90khz, 20 * SECOND);
}

#[test]
fn sound_that_begins_late_begins_the_next_file() {
    let world = World::at(BEGAN_MS);
    run(world.begin(session('a', BEGAN_MS))).unwrap();
    for seq in 0..3 {
        commit_slice(&world, 'a', BEGAN_MS, seq, |slice| {
            slice.audio = slice.audio.take().filter(|_| seq == 2);
            slice.discontinuity = seq == 2;
        });
    }
    run(world.end(&"a".repeat(32), BEGAN_MS + 15_000)).unwrap();
    world.now_ms.set(BEGAN_MS + 60_000);
    assert_eq!(tick(&world), done(2));
    let texts: Vec<String> =
        world.buckets.names("http://store/bkt/").iter().map(|name| world.buckets.text(name)).collect();
    assert_eq!([texts[0].matches(".ts").count(), texts[1].matches(".ts").count()], [2, 1]);
    assert!(texts.iter().all(|text| !text.contains("DISCONTINUITY")));
}

#[test]
fn a_failing_bucket_is_named_and_tried_again() {
    let world = due();
    let unavailable = || BucketError::Unavailable("PUT store answers 503".into());
    // The decision is written, the playlist refused.
    world.buckets.faults.borrow_mut().extend([None, Some(Fault::Refused(unavailable()))]);
    let failed = tick(&world);
    let name = PLAYLIST.strip_prefix("http://store/bkt/").unwrap();
    let reason = format!("live.example.com/live/cam: record file {name:?}: PUT store answers 503");
    assert_eq!(failed, TickAnswer { streams: 1, files: 0, failures: vec![reason] });
    world.pass_ms(1_000);
    assert_eq!(tick(&world).streams, 0);
    world.pass_ms(4_000);
    // It is written this time, and only the answer is lost.
    world.buckets.faults.borrow_mut().extend([None, None, Some(Fault::Lost(unavailable()))]);
    assert_eq!(tick(&world).files, 0);
    world.pass_ms(5_000);
    assert_eq!(tick(&world), done(1));
    assert_eq!(world.buckets.names("http://store/bkt/"), [PLAYLIST]);
}

#[test]
fn a_name_that_is_taken_gives_way_to_one_of_the_sessions_own() {
    let world = due();
    let others = Object { tag: "x".into(), content_type: String::new(), bytes: b"x".to_vec() };
    world.buckets.objects.borrow_mut().insert(PLAYLIST.into(), others);
    assert_eq!(tick(&world), done(1));
    let own = PLAYLIST.replace(".m3u8", "-aaaaaaaa.m3u8");
    assert_eq!(world.buckets.names("http://store/bkt/"), [own, PLAYLIST.to_owned()]);
    assert_eq!(world.buckets.text(PLAYLIST), "x");
}

#[test]
fn what_another_tick_decided_holds() {
    let (first, second) = (due(), due());
    assert_eq!(tick(&first), done(1));
    let decision = &first.buckets.names("http://work/work/")[0];
    assert_eq!(
        decision.as_str(),
        format!("http://work/work/decisions/live.example.com/live/cam/m3u8/0-{}.json", "a".repeat(32))
    );
    // The other tick has seen one slice alone.
    let mut decided: serde_json::Value = serde_json::from_str(&first.buckets.text(decision)).unwrap();
    decided["slices"]["end"]["slice"] = 1.into();
    decided["end_ms"] = (BEGAN_MS + 5_000).into();
    let object = Object {
        tag: "another".into(),
        content_type: String::new(),
        bytes: serde_json::to_vec(&decided).unwrap(),
    };
    second.buckets.objects.borrow_mut().insert(decision.clone(), object);
    assert_eq!(tick(&second), done(2));
    let names = second.buckets.names("http://store/bkt/");
    assert_eq!(names[0].as_str(), PLAYLIST.replace("11-04-15", "11-04-10"));
    let of = |name: &str| second.buckets.text(name).matches(".ts").count();
    assert_eq!((of(&names[0]), of(&names[1])), (1, 1));
}

#[test]
fn without_a_work_bucket_a_tick_decides_for_itself() {
    let world = due();
    world.set_variable("work_bucket", "");
    assert_eq!(tick(&world), done(1));
    assert!(world.buckets.names("http://work/").is_empty());
    let wrong = due();
    wrong.set_variable("work_bucket", "nowhere");
    let reason = "live.example.com/live/cam: variable work_bucket is \"nowhere\", not endpoint/bucket";
    assert_eq!(tick(&wrong).failures, [reason]);
}

#[test]
fn a_tick_that_breaks_off_anywhere_is_made_good_by_the_next() {
    let whole = due();
    tick(&whole);
    for operation in 0..40 {
        let world = due();
        world.store.break_at(operation);
        let _ = run(handle(&world, request(&Tick::route(()), "")));
        world.store.mend();
        world.pass_ms(5_000);
        tick(&world);
        assert_eq!(*world.buckets.objects.borrow(), *whole.buckets.objects.borrow(), "{operation}");
        assert_eq!(run(world.index_files(&stream())).unwrap().len(), 1, "{operation}");
    }
}

#[test]
fn only_who_has_the_token_is_answered_and_only_at_the_functions_own_route() {
    let world = due();
    let mut stranger = request(&Tick::route(()), "");
    stranger.headers_mut().remove(header::AUTHORIZATION);
    assert_eq!(run(handle(&world, stranger)).status(), 401);
    let refused = run(handle(&world, request_to(Method::GET, "/tick", "")));
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()[header::ALLOW]),
        (405, &"POST".parse().unwrap())
    );
    assert_eq!(run(handle(&world, request_to(Method::POST, "/heartbeat", ""))).status(), 404);
}
