//! The function, from the request to the answer, over the real catalog and the real remuxer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use http::{HeaderValue, Method, Request, header};
use protocol::{
    CHUNK_OFFSET_HEADER, ChunkAnswer, ChunkPath, GENERATION_HEADER, Generation, LossReason, LostChunk,
    PUSH_HEADER, Route, SessionPath, StreamPath,
};
use recorder_remux_function::handler::handle;
use shared::bucket::{Error as BucketError, Location};
use shared::catalog::{After, Container, Entry, Lane, PictureSize, Session};
use shared::testing::{Fault, Object, Sent, World, read, request, request_to, run, session};
use shared::{BodyError, Catalog};

/// A chunk of H.264 and AAC.
const CHUNK: &[u8] = include_bytes!("../../../tests/corpus/golden/h264_aac.flv");

/// 2026-01-02T03:04:05.678Z.
const BEGAN_MS: u64 = 1_767_323_045_678;

type Refused = (u16, String, String);

/// A world in which one session has begun.
fn world(session: Session) -> World {
    let world = World::at(BEGAN_MS);
    run(world.begin(session, None, None, BEGAN_MS)).unwrap();
    world
}

fn id() -> String {
    session('a', 0).id
}

fn recorded() -> World {
    world(session('a', BEGAN_MS))
}

fn chunk(seq: u64, bytes: &[u8]) -> Request<Sent> {
    chunk_of(id(), seq, bytes)
}

fn chunk_of(session: String, seq: u64, bytes: &[u8]) -> Request<Sent> {
    let stream = StreamPath::new("live.example.com", "live", "cam").unwrap();
    let session = SessionPath { stream, session };
    let mut request = request(&Route::Chunk(ChunkPath { session, seq }), bytes);
    request.headers_mut().insert(GENERATION_HEADER, HeaderValue::from_static("1.0"));
    request
}

/// The chunk, `offset_ms` after the push's begin.
fn chunk_at(seq: u64, bytes: &[u8], offset_ms: u64) -> Request<Sent> {
    let mut request = chunk(seq, bytes);
    request.headers_mut().insert(CHUNK_OFFSET_HEADER, offset_ms.into());
    request
}

/// The slices of the recording's open and closed files, once the push has ended.
fn entries(world: &World, chunks: u64) -> Vec<Vec<Entry>> {
    run(world.end(&id(), shared::testing::ended(120_000, chunks), BEGAN_MS + 120_000)).unwrap();
    world.now_ms.set(BEGAN_MS + 300_000);
    run(world.hear_gateway()).unwrap();
    let mut files = Vec::new();
    for timer in run(world.list_due(Lane::Tick, world.now_ms.get())).unwrap() {
        let attended = run(world.attend(timer.clone(), world.now_ms.get())).unwrap();
        for recording in attended.unwrap_or_default() {
            while let Some(file) = run(world.next_file(&recording, Container::M3u8)).unwrap() {
                files.push(run(world.list_entries(file.clone())).unwrap());
                run(world.commit_file(file, Some("object"), false, world.now_ms.get())).unwrap();
            }
        }
    }
    files
}

fn send(world: &World, request: Request<Sent>) -> Result<ChunkAnswer, Refused> {
    read(&run(handle(world, request)))
}

fn put(world: &World, seq: u64) -> Result<ChunkAnswer, Refused> {
    send(world, chunk(seq, CHUNK))
}

fn code<T>(refused: Result<T, Refused>) -> (u16, String) {
    let (status, code, message) = refused.err().expect("the call should be refused");
    assert!(!message.contains("::") && message.contains(' '), "{message}");
    (status, code)
}

/// What was recorded in the user's bucket: name, tag, media type and size of each object.
fn objects(world: &World) -> Vec<(String, String, String, usize)> {
    let objects = world.buckets.objects.borrow();
    let users = objects.iter().filter(|(name, _)| name.starts_with("http://store/"));
    let facts = users.map(|(name, Object { tag, content_type, bytes })| {
        (name.clone(), tag.clone(), content_type.clone(), bytes.len())
    });
    facts.collect()
}

#[test]
fn what_was_set_right_in_a_chunk_is_told_once() {
    let world = recorded();
    let told = |seq| {
        let answer = run(handle(&world, chunk(seq, CHUNK)));
        assert_eq!(answer.status(), 200);
        answer.headers().get(protocol::REPAIRS_HEADER).map(|counts| counts.to_str().unwrap().to_owned())
    };
    assert_eq!(told(0), None);
    // The same stamps again.
    assert_eq!(told(1).as_deref(), Some("timestamp-jump-backward=2"));
    assert_eq!(told(1), None);
}

#[test]
fn what_is_left_out_of_a_chunk_is_told_by_kind() {
    let world = recorded();
    let mut bytes = CHUNK.to_vec();
    for name in 0..10 {
        flv::write_tag(&mut bytes, flv::TagKind::Script, 0, &[2, 0, 1, b'a' + name, 5]).unwrap();
    }
    // AV1 by Enhanced RTMP, and Speex.
    flv::write_tag(&mut bytes, flv::TagKind::Video, 0, b"\x91av01\0\0\0\0").unwrap();
    flv::write_tag(&mut bytes, flv::TagKind::Audio, 0, b"\xb2\0").unwrap();
    let answer = run(handle(&world, chunk(0, &bytes)));
    assert_eq!(answer.status(), 200, "{}", answer.body());
    let told = answer.headers()[protocol::LEFT_OUT_HEADER].to_str().unwrap();
    let mut counts = std::collections::BTreeMap::new();
    protocol::read_counts(told).for_each(|(kind, count)| *counts.entry(kind).or_default() += count);
    assert_eq!(counts, [("script", 10), ("video", 1), ("audio", 1)].into());
}

#[test]
fn a_chunk_becomes_a_slice_in_the_users_bucket() {
    let world = recorded();
    assert_eq!(put(&world, 0), Ok(ChunkAnswer { seq: 0, next: 1 }));
    let [(name, tag, content_type, size)] = &objects(&world)[..] else { panic!("{:?}", objects(&world)) };
    assert_eq!(name, "http://store/bkt/record/live/cam/1767323045_0.ts");
    assert_eq!((tag, content_type.as_str()), (&format!("{}/0", id()), "video/mp2t"));
    assert!(size.is_multiple_of(188));
}

#[test]
fn the_first_chunk_dates_the_recording_by_its_offset_alone() {
    let world = recorded();
    world.pass_ms(3_600_000);
    assert!(send(&world, chunk_at(0, CHUNK, 10_000)).is_ok());
    assert_eq!(objects(&world)[0].0, "http://store/bkt/record/live/cam/1767323055_0.ts");
}

/// The chunk with all its times later.
fn later(by_ms: u32) -> Vec<u8> {
    let mut chunk = Vec::new();
    flv::write_header(&mut chunk, true, true);
    for tag in flv::Reader::new(CHUNK).unwrap().map(Result::unwrap) {
        flv::write_tag(&mut chunk, tag.kind, tag.timestamp_ms + by_ms, tag.body).unwrap();
    }
    chunk
}

#[test]
fn when_a_chunk_arrived_tells_a_pause_from_a_jump_of_its_clock() {
    // Golden media of one second; the second chunk's names say its begin in seconds.
    for (arrives_ms, begins_s) in [(31_000, 31), (1_000, 1)] {
        let world = recorded();
        assert!(send(&world, chunk_at(0, CHUNK, 0)).is_ok());
        let second = later(31_000);
        assert!(send(&world, chunk_at(1, &second, arrives_ms)).is_ok());
        let name = format!("http://store/bkt/record/live/cam/{}_1.ts", BEGAN_MS / 1_000 + begins_s);
        assert_eq!(objects(&world)[1].0, name);
    }
}

#[test]
fn time_that_was_not_recorded_moves_the_clock_and_is_marked() {
    let world = recorded();
    assert!(put(&world, 0).is_ok());
    let mut later = chunk_at(1, CHUNK, 60_000);
    later.headers_mut().insert(GENERATION_HEADER, HeaderValue::from_static("3.0"));
    assert!(send(&world, later).is_ok());
    let files = entries(&world, 2);
    let [first, second] = &files[0][..] else { panic!("{files:?}") };
    assert_eq!((first.start_ms, first.discontinuity), (BEGAN_MS, false));
    assert_eq!((second.start_ms, second.discontinuity), (BEGAN_MS + 60_000, true));
    assert!(first.duration90khz < 2 * 90_000, "what was not recorded is not media");
}

#[test]
fn a_lost_chunk_leaves_a_gap_and_its_media_comes_too_late() {
    let world = recorded();
    assert!(put(&world, 0).is_ok());
    let lost = LostChunk {
        lost: LossReason::Shed,
        from_ms: 1_000,
        to_ms: 2_000,
        generation: Generation { orders: 1, files: 0 },
    };
    let tell = |seq| {
        let mut told = chunk(seq, &serde_json::to_vec(&lost).unwrap());
        told.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        send(&world, told)
    };
    assert_eq!(tell(1), Ok(ChunkAnswer { seq: 1, next: 2 }));
    assert_eq!(code(put(&world, 1)), (409, "lost".into()));
    assert_eq!(tell(0), Ok(ChunkAnswer { seq: 0, next: 1 }), "what is committed stays");
    assert!(put(&world, 2).is_ok());
    assert_eq!(objects(&world).len(), 2);
}

#[test]
fn a_chunk_of_another_push_is_refused() {
    let world = recorded();
    let mut other = chunk(0, CHUNK);
    other.headers_mut().insert(PUSH_HEADER, HeaderValue::from_static("another"));
    assert_eq!(code(send(&world, other)), (404, "NoSuchSession".into()));
}

#[test]
fn a_repeated_chunk_is_answered_alike_and_writes_nothing() {
    let world = recorded();
    let answers = [put(&world, 0), put(&world, 1), put(&world, 0), put(&world, 1)];
    let next = |seq| Ok(ChunkAnswer { seq, next: seq + 1 });
    assert_eq!(answers, [next(0), next(1), next(0), next(1)]);
    assert_eq!(objects(&world).len(), 2);
}

#[test]
fn where_only_writing_is_allowed_slices_go_by_names_of_their_own() {
    let world = recorded();
    world.buckets.write_only.set(true);
    // It is written down before such a name is used; the later chunks go by it at once.
    assert_eq!(code(put(&world, 0)), (503, "NameTaken".into()));
    assert!(objects(&world).is_empty());
    for seq in 0..3 {
        assert!(put(&world, seq).is_ok(), "{seq}");
    }
    let objects = objects(&world);
    assert!(objects.iter().all(|(name, tag, ..)| shared::tag::is_own(name, tag)), "{objects:?}");
    let listed = entries(&world, 3);
    let listed: Vec<String> =
        listed[0].iter().map(|entry| format!("http://store/bkt/{}", entry.object)).collect();
    assert_eq!(listed, objects.iter().map(|(name, ..)| name.clone()).collect::<Vec<_>>());
}

#[test]
fn a_chunk_out_of_turn_is_told_which_is_next() {
    let world = recorded();
    let refused = run(handle(&world, chunk(3, CHUNK)));
    assert_eq!(refused.status().as_u16(), 409);
    let problem: protocol::Problem = serde_json::from_str(refused.body()).unwrap();
    assert_eq!((problem.code.as_str(), problem.expected), ("gap", Some(0)));
}

#[test]
fn a_session_is_of_one_stream() {
    let world = recorded();
    let not_found = (404, "NoSuchSession".to_owned());
    for path in ["/streams/live.example.com/live/other/sessions/", "/streams/d/a/s/sessions/"] {
        let path = format!("{path}{}/chunks/0", id());
        assert_eq!(code(send(&world, request_to(Method::PUT, &path, CHUNK))), not_found);
    }
    assert_eq!(code(put(&World::at(1), 0)), not_found);
}

#[test]
fn a_session_that_no_rule_records_has_no_place_for_media() {
    let world = world(Session { rule: None, ..session('a', BEGAN_MS) });
    assert_eq!(code(put(&world, 0)), (422, "NotRecorded".into()));
}

#[test]
fn a_chunk_without_media_is_acknowledged_and_leaves_nothing() {
    let world = recorded();
    let empty = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";
    assert_eq!(send(&world, chunk(0, empty)), Ok(ChunkAnswer { seq: 0, next: 1 }));
    assert!(objects(&world).is_empty());
    assert!(put(&world, 1).is_ok());
}

#[test]
fn what_a_slice_holds_is_committed_with_it() {
    let world = recorded();
    // One frame of sound; then pictures and sound.
    let mut sound = b"FLV\x01\x04\0\0\0\x09\0\0\0\0".to_vec();
    for body in [&[0xaf, 0, 0x12, 0x10][..], &[0xaf, 1, 0x21, 0x10, 0x04]] {
        sound.extend([8, 0, 0, body.len() as u8, 0, 0, 0, 0, 0, 0, 0]);
        sound.extend(body);
        sound.extend((11 + body.len() as u32).to_be_bytes());
    }
    assert!(send(&world, chunk(0, &sound)).is_ok() && put(&world, 1).is_ok());
    // The M3U8 ends where the pictures begin.
    let files = entries(&world, 2);
    assert_eq!(files.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    assert!(files[1][0].independent);
    let known = run(world.index_files(&session('a', 0).stream)).unwrap();
    let size = Some(PictureSize { width: 64, height: 64 });
    assert_eq!(known.iter().map(|file| file.size).collect::<Vec<_>>(), [None, size]);
}

#[test]
fn what_is_wrong_with_a_body_is_told_apart() {
    let world = recorded();
    assert_eq!(code(send(&world, chunk(0, b"no FLV at all"))), (422, "MalformedChunk".into()));
    // The same bytes may be malformed only for having been cut off.
    for bytes in [&CHUNK[..CHUNK.len() / 2], CHUNK] {
        let broken = |why| {
            let mut broken = chunk(0, bytes);
            broken.body_mut().broken = Some(why);
            code(send(&world, broken))
        };
        assert_eq!(broken(BodyError::CutOff), (503, "BodyCutOff".into()));
        let stalled = BodyError::Stalled { came: None, declared: None };
        assert_eq!(broken(stalled), (408, "BodyStalled".into()));
    }
    let with_length = |length: &'static str| {
        let mut told = chunk(0, CHUNK);
        told.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static(length));
        code(send(&world, told))
    };
    assert_eq!(with_length("99999999"), (413, "ChunkTooLarge".into()));
    assert_eq!(with_length("5"), (503, "BodyCutOff".into()));
    assert_eq!(with_length("five"), (400, "BadHeader".into()));
    assert!(objects(&world).is_empty());
    assert!(put(&world, 0).is_ok());
}

#[test]
fn a_name_that_is_taken_gives_way_to_one_of_the_sessions_own() {
    let world = recorded();
    let others = Object { tag: "x".into(), content_type: String::new(), bytes: vec![1] };
    let name = "http://store/bkt/record/live/cam/1767323045_0.ts";
    world.buckets.objects.borrow_mut().insert(name.into(), others.clone());
    assert_eq!(code(put(&world, 0)), (503, "NameTaken".into()));
    assert!(put(&world, 0).is_ok() && put(&world, 1).is_ok());
    let names: Vec<String> = objects(&world).into_iter().map(|object| object.0).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().any(|name| name.contains("_0-") && name.ends_with(".ts")));
    assert_eq!(world.buckets.objects.borrow()[name], others);
}

#[test]
fn of_two_pushes_that_name_their_slices_alike_the_later_one_is_refused_once() {
    let world = recorded();
    run(world.begin(session('b', BEGAN_MS + 300), None, None, BEGAN_MS)).unwrap();
    let other = |seq| send(&world, chunk_of(session('b', 0).id, seq, CHUNK));
    assert!(put(&world, 0).is_ok());
    assert_eq!(code(other(0)), (503, "NameTaken".into()));
    assert!(other(0).is_ok());
    for seq in 1..5 {
        assert!(put(&world, seq).is_ok() && other(seq).is_ok(), "{seq}");
    }
    // What holds no media changes nothing.
    let empty = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";
    assert!(send(&world, chunk_of(session('b', 0).id, 5, empty)).is_ok());
    for seq in 5..80 {
        assert!(put(&world, seq).is_ok() && other(seq + 1).is_ok(), "{seq}");
    }
    assert_eq!(objects(&world).len(), 80 + 80);
}

#[test]
fn no_slice_replaces_an_object_where_the_store_is_known_to_replace_them() {
    let at = || Location { endpoint: "http://store".into(), bucket: "bkt".into() };
    let note = |world: &World| {
        let stream = session('a', 0).stream;
        run(world.note_replacing(&at(), stream, world.now_ms.get())).unwrap();
    };
    let name = |seq: u64| {
        let clean = recorded();
        (0..=seq).for_each(|seq| assert!(put(&clean, seq).is_ok()));
        let named = objects(&clean).into_iter().find(|(_, tag, ..)| tag.ends_with(&format!("/{seq}")));
        named.unwrap().0
    };
    let others = || Object { tag: "another".into(), content_type: "x/y".into(), bytes: b"another".into() };
    let world_with = |seq: u64| {
        let world = recorded();
        world.buckets.replaces.set(true);
        (0..seq).for_each(|seq| assert!(put(&world, seq).is_ok()));
        world.buckets.objects.borrow_mut().insert(name(seq), others());
        world
    };
    // What nobody has noted is replaced, which the store alone could prevent.
    let unknown = world_with(0);
    assert!(put(&unknown, 0).is_ok());
    assert_ne!(unknown.buckets.objects.borrow()[&name(0)], others());

    // Before the session's first chunk, and while it is pushed; on this host, and on another one.
    for (seq, is_elsewhere) in [(0, false), (0, true), (3, false), (3, true)] {
        let world = world_with(seq);
        note(&world);
        let host = if is_elsewhere { world.beside(world.now_ms.get()) } else { world };
        assert_eq!(code(put(&host, seq)), (503, "NameTaken".into()), "{seq}");
        assert!(put(&host, seq).is_ok() && put(&host, seq + 1).is_ok(), "{seq}");
        assert_eq!(host.buckets.objects.borrow()[&name(seq)], others(), "{seq}");
    }
    // Another bucket goes by its own store.
    let world = world_with(0);
    let other = Location { bucket: "other".into(), ..at() };
    run(world.note_replacing(&other, session('a', 0).stream, BEGAN_MS)).unwrap();
    assert!(put(&world, 0).is_ok());
}

#[test]
fn a_push_that_continues_one_of_the_same_second_is_never_refused() {
    let world = recorded();
    assert!(put(&world, 0).is_ok());
    let mut before = id();
    run(world.end(&before, shared::testing::ended(100, 1), BEGAN_MS + 100)).unwrap();
    for (number, name) in (1..).zip('b'..'f') {
        let began_ms = BEGAN_MS + 200 * number;
        let after = After { session: before, gap_ms: 100 };
        let id = run(world.begin(session(name, began_ms), Some(after), None, began_ms)).unwrap().session.id;
        assert!(send(&world, chunk_of(id.clone(), 0, CHUNK)).is_ok(), "{name}");
        run(world.end(&id, shared::testing::ended(100, 1), began_ms + 100)).unwrap();
        before = id;
    }
    assert_eq!(objects(&world).len(), 5);
}

#[test]
fn a_bucket_that_fails_is_said_and_tried_again() {
    let world = recorded();
    let unavailable = || BucketError::Unavailable("PUT store answers 503".into());
    world.buckets.faults.borrow_mut().push_back(Some(Fault::Refused(unavailable())));
    assert_eq!(code(put(&world, 0)), (503, "BucketFailed".into()));
    assert!(objects(&world).is_empty());
    // It has its effect, and only the answer is lost: the next try finds its own object.
    world.buckets.faults.borrow_mut().push_back(Some(Fault::Lost(unavailable())));
    assert_eq!(code(put(&world, 0)), (503, "BucketFailed".into()));
    let once = objects(&world);
    assert!(put(&world, 0).is_ok());
    assert_eq!(objects(&world), once);
}

#[test]
fn a_chunk_that_breaks_off_anywhere_can_be_repeated() {
    let whole = recorded();
    assert!(put(&whole, 0).is_ok() && put(&whole, 1).is_ok());
    for operation in 0..16 {
        let world = recorded();
        assert!(put(&world, 0).is_ok());
        world.store.break_at(operation);
        let broke = put(&world, 1);
        world.store.mend();
        if broke.is_err() {
            assert_eq!(code(broke), (503, "CatalogFailed".into()), "{operation}");
        }
        assert_eq!(put(&world, 1), Ok(ChunkAnswer { seq: 1, next: 2 }), "{operation}");
        assert_eq!(*world.buckets.objects.borrow(), *whole.buckets.objects.borrow(), "{operation}");
    }
}

#[test]
fn only_gateways_are_answered_and_only_at_the_functions_own_route() {
    let world = recorded();
    let mut stranger = chunk(0, CHUNK);
    stranger.headers_mut().remove(header::AUTHORIZATION);
    assert_eq!(code(send(&world, stranger)), (401, "Unauthorized".into()));
    let path = chunk(0, CHUNK).uri().path().to_owned();
    let refused = run(handle(&world, request_to(Method::POST, &path, CHUNK)));
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()[header::ALLOW]),
        (405, &"PUT".parse().unwrap())
    );
    assert_eq!(code(send(&world, request_to(Method::POST, "/tick", ""))), (404, "NoSuchRoute".into()));
}
