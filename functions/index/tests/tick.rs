//! The function, from the request to the answer, over the real catalog.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use http::{Method, header};
use protocol::{Call, LaneAnswer, Tick};
use recorder_index_function::handler::handle;
use shared::Catalog;
use shared::bucket::Error as BucketError;
use shared::catalog::{
    AudioCodec, Delivery, Generation, PictureSize, Slice, StreamName, Tracks, Turn, VideoCodec,
};
use shared::testing::{Fault, Object, World, read, request, request_to, run, session};

/// 2026-01-02T03:04:05.000Z.
const BEGAN_MS: u64 = 1_767_323_045_000;

const SECOND: u64 = 90_000;

fn stream() -> StreamName {
    session('a', 0).stream
}

fn id(digit: char) -> String {
    session(digit, 0).id
}

/// Commits a slice of 5 s, as changed by `change`.
fn commit_slice(world: &World, digit: char, seq: u64, change: impl FnOnce(&mut Slice)) {
    let size = Some(PictureSize { width: 640, height: 360 });
    let mut slice = Slice {
        size: 188,
        start90khz: seq * 5 * SECOND,
        duration90khz: 5 * SECOND,
        paused90khz: 0,
        independent: true,
        discontinuity: false,
        names_taken: 0,
        tracks: Tracks { video: Some(VideoCodec::H264), audio: Some(AudioCodec::Aac), size },
    };
    change(&mut slice);
    let Turn::Next(prepared) = run(world.prepare_chunk(&id(digit), seq, world.now_ms.get())).unwrap() else {
        panic!("chunk {seq} should be the next one");
    };
    let delivery = Delivery {
        left_out: Vec::new(),
        generation: Generation { orders: 1, files: 0 },
        offset_ms: seq * 5_000,
        slice: Some(slice),
        followed_by_entry: true,
        remux_state: Vec::new(),
    };
    run(world.commit_chunk(prepared.token, delivery, world.now_ms.get())).unwrap();
}

/// A push begins now.
fn begin(world: &World, digit: char) {
    run(world.begin(session(digit, world.now_ms.get()), None, None, world.now_ms.get())).unwrap();
}

/// A push of that many slices, which ends when they are pushed.
fn push(world: &World, digit: char, chunks: u64) {
    begin(world, digit);
    for seq in 0..chunks {
        world.pass_ms(5_000);
        commit_slice(world, digit, seq, |_| {});
    }
    run(world.end(&id(digit), shared::testing::ended(chunks * 5_000, chunks), world.now_ms.get())).unwrap();
}

/// A world whose work bucket is found fit.
fn probed() -> World {
    let world = World::at(BEGAN_MS);
    tick(&world);
    world
}

/// Ten seconds were pushed, and the break has lasted for 16 s.
fn due() -> World {
    let world = probed();
    push(&world, 'a', 2);
    world.pass_ms(16_000);
    run(world.hear_gateway()).unwrap();
    world
}

fn tick(world: &World) -> LaneAnswer {
    read(&run(handle(world, request(&Tick::route(()), "")))).unwrap()
}

/// The playlists of the users' bucket.
fn playlists(world: &World) -> Vec<String> {
    world.buckets.names("http://store/bkt/")
}

const PLAYLIST: &str = "http://store/bkt/record/live/cam/0_2026-01-02-11-04-05_2026-01-02-11-04-15.m3u8";

#[test]
fn a_break_that_has_lasted_closes_the_record_file() {
    let world = probed();
    push(&world, 'a', 2);
    world.pass_ms(14_000);
    run(world.hear_gateway()).unwrap();
    tick(&world);
    assert!(playlists(&world).is_empty());
    world.pass_ms(2_000);
    run(world.hear_gateway()).unwrap();
    tick(&world);
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
    assert_eq!((file.start_ms, file.end_ms), (BEGAN_MS, BEGAN_MS + 10_000));
    assert_eq!((file.duration90khz, file.created_ms), (10 * SECOND, BEGAN_MS + 26_000));
    assert_eq!(file.size, Some(PictureSize { width: 640, height: 360 }));
    world.pass_ms(60_000);
    tick(&world);
    assert_eq!(playlists(&world).len(), 1);
}

#[test]
fn a_whole_cycle_closes_its_file_and_the_next_goes_on() {
    let world = probed();
    push(&world, 'a', 9);
    // The two full cycles are not waited for.
    tick(&world);
    let slices = || -> Vec<usize> {
        playlists(&world).iter().map(|name| world.buckets.text(name).matches(".ts").count()).collect()
    };
    assert_eq!(slices(), [4, 4]);
    world.pass_ms(16_000);
    run(world.hear_gateway()).unwrap();
    tick(&world);
    assert_eq!(slices(), [4, 4, 1]);
}

#[test]
fn sound_that_begins_late_begins_the_next_file() {
    let world = probed();
    begin(&world, 'a');
    for seq in 0..3 {
        world.pass_ms(5_000);
        commit_slice(&world, 'a', seq, |slice| {
            slice.tracks.audio = slice.tracks.audio.filter(|_| seq == 2);
            slice.discontinuity = seq == 2;
        });
    }
    run(world.end(&id('a'), shared::testing::ended(15_000, 3), world.now_ms.get())).unwrap();
    world.pass_ms(16_000);
    run(world.hear_gateway()).unwrap();
    tick(&world);
    let texts: Vec<String> = playlists(&world).iter().map(|name| world.buckets.text(name)).collect();
    assert_eq!([texts[0].matches(".ts").count(), texts[1].matches(".ts").count()], [2, 1]);
    assert!(texts.iter().all(|text| !text.contains("DISCONTINUITY")));
}

#[test]
fn a_failing_bucket_is_named_and_tried_again_later() {
    let world = due();
    let unavailable = || BucketError::Unavailable("PUT store answers 503".into());
    world.buckets.faults.borrow_mut().push_back(Some(Fault::Refused(unavailable())));
    let failed = tick(&world);
    let name = PLAYLIST.strip_prefix("http://store/bkt/").unwrap();
    assert!(!failed.failures.is_empty(), "{failed:?}");
    for failure in &failed.failures {
        assert_eq!(failure.reason, format!("record file {name:?}: PUT store answers 503"));
        assert!((1..=10).contains(&failure.retry_in_s), "{failure:?}");
    }
    assert_eq!(tick(&world).due, 0, "it is left alone until then");
    // It is written this time, and only the answer is lost.
    world.buckets.faults.borrow_mut().push_back(Some(Fault::Lost(unavailable())));
    world.pass_ms(10_000);
    assert!(!tick(&world).failures.is_empty());
    world.pass_ms(20_000);
    assert_eq!(tick(&world).failures, []);
    assert_eq!(playlists(&world), [PLAYLIST]);
}

#[test]
fn a_name_that_is_taken_gives_way_to_one_of_the_sessions_own() {
    let world = due();
    let others = Object { tag: "x".into(), content_type: String::new(), bytes: b"x".to_vec() };
    world.buckets.objects.borrow_mut().insert(PLAYLIST.into(), others);
    tick(&world);
    let names = playlists(&world);
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(world.buckets.text(PLAYLIST), "x");
    assert_eq!(
        world.buckets.text(names.iter().find(|name| *name != PLAYLIST).unwrap()).matches(".ts").count(),
        2
    );
}

#[test]
fn a_work_bucket_that_replaces_objects_is_refused() {
    let world = World::at(BEGAN_MS);
    for wrong in ["", "nowhere"] {
        world.set_variable("work_bucket", wrong);
        assert_eq!(run(handle(&world, request(&Tick::route(()), ""))).status(), 503);
    }
    // The second create of one name is said to have succeeded.
    world.set_variable("work_bucket", "http://work/work");
    world.buckets.replaces.set(true);
    let refused = run(handle(&world, request(&Tick::route(()), "")));
    let problem: protocol::Problem = serde_json::from_str(refused.body()).unwrap();
    assert_eq!(problem.code, "WorkBucketReplaces");
    world.buckets.replaces.set(false);
    assert_eq!(run(handle(&world, request(&Tick::route(()), ""))).status(), 200);
}

#[test]
fn a_tick_that_breaks_off_anywhere_is_made_good_by_the_next() {
    let whole = due();
    tick(&whole);
    for operation in 0..60 {
        let world = due();
        world.store.break_at(operation);
        let _ = run(handle(&world, request(&Tick::route(()), "")));
        world.store.mend();
        world.pass_ms(120_000);
        tick(&world);
        assert_eq!(playlists(&world), playlists(&whole), "{operation}");
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

#[test]
fn slices_go_by_what_a_playlist_has_shown_of_the_store() {
    let is_replacing = |world: &World, digit, seq| {
        let Turn::Next(prepared) = run(world.prepare_chunk(&id(digit), seq, world.now_ms.get())).unwrap()
        else {
            panic!("chunk {seq} should be the next one");
        };
        prepared.replacing
    };
    for replaces in [false, true] {
        let world = World::at(BEGAN_MS);
        tick(&world);
        world.buckets.replaces.set(replaces);
        // A cycle of 20 s is over while the push goes on.
        begin(&world, 'a');
        for seq in 0..6 {
            world.pass_ms(5_000);
            commit_slice(&world, 'a', seq, |_| {});
            assert!(!is_replacing(&world, 'a', seq + 1), "{seq}");
        }
        run(world.hear_gateway()).unwrap();
        tick(&world);
        assert_eq!(playlists(&world).len(), 1);
        assert_eq!(is_replacing(&world, 'a', 6), replaces);
        begin(&world, 'b');
        assert_eq!(is_replacing(&world, 'b', 0), replaces);
    }
}

/// What a tick of a world answers whose store is lost, which holds what was recorded.
fn refused(world: &World) -> (u16, String) {
    let answer = run(handle(world, request(&Tick::route(()), "")));
    (answer.status().as_u16(), answer.body().clone())
}

#[test]
fn an_empty_store_beside_what_was_recorded_does_nothing_until_somebody_says_so() {
    let mut world = due();
    world.lose_store();
    for _ in 0..2 {
        let (status, body) = refused(&world);
        assert_eq!(status, 503);
        assert!(body.contains("catalog rebuild") && body.contains("Unfit"), "{body}");
    }
    world.set_variable("new_store", "maybe");
    assert!(refused(&world).1.contains("BadVariable"));
    world.set_variable("new_store", "true");
    tick(&world);
    world.set_variable("new_store", "false");
    tick(&world);
    assert_eq!(run(world.get_session(&id('a'))).unwrap().id, id('a'));
    assert!(playlists(&world).is_empty());
}
