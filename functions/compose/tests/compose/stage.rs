//! A push that is recorded, through the functions that record it.

use http::{HeaderValue, StatusCode};
use protocol::{
    Call, ChunkPath, Compose, GENERATION_HEADER, LaneAnswer, Route, SessionPath, StreamPath, Tick,
};
use recorder_compose_function::Sizes;
use recorder_compose_function::handler::{handle, handle_in_parts};
use shared::catalog::{Container, Format, IndexFile, Session};
use shared::testing::{World, read, request, run, session};
use shared::{Answer, Catalog};

/// A chunk of H.264 and AAC.
const CHUNK: &[u8] = include_bytes!("../../../../tests/corpus/golden/h264_aac.flv");

/// 2026-01-02T03:04:05.000Z.
pub(crate) const BEGAN_MS: u64 = 1_767_323_045_000;

/// A push that is recorded in some formats, with cycles of 20 s.
pub(crate) fn recorded_as(digit: char, began_ms: u64, containers: &[Container]) -> Session {
    let mut session = session(digit, began_ms);
    let rule = session.rule.as_mut().unwrap();
    let format = rule.formats[0].clone();
    let of = |container: &Container| Format {
        container: *container,
        slices: format.slices.clone().filter(|_| *container == Container::M3u8),
        ..format.clone()
    };
    rule.formats = containers.iter().map(of).collect();
    session
}

pub(crate) fn begin(containers: &[Container]) -> World {
    let world = World::at(BEGAN_MS);
    // The store of both buckets is one, and may copy.
    world.set_variable("work_bucket", "http://store/work");
    tick(&world);
    run(world.begin(recorded_as('a', BEGAN_MS, containers), None, None, BEGAN_MS)).unwrap();
    world
}

/// A chunk of H.264 and AAC.
pub(crate) fn chunk() -> &'static [u8] {
    CHUNK
}

pub(crate) fn put(world: &World, digit: char, seq: u64) {
    put_of(world, "cam", digit, seq);
}

/// A chunk of any stream.
pub(crate) fn put_of(world: &World, stream: &str, digit: char, seq: u64) {
    put_chunk_of(world, (stream, digit), seq, "1.0", CHUNK);
}

/// Brings a chunk that was cut under some orders.
pub(crate) fn put_chunk(world: &World, digit: char, seq: u64, generation: &'static str, chunk: &[u8]) {
    put_chunk_of(world, ("cam", digit), seq, generation, chunk);
}

fn put_chunk_of(
    world: &World,
    (stream, digit): (&str, char),
    seq: u64,
    generation: &'static str,
    chunk: &[u8],
) {
    let stream = StreamPath::new("live.example.com", "live", stream).unwrap();
    let session = SessionPath { stream, session: session(digit, 0).id };
    let mut request = request(&Route::Chunk(ChunkPath { session, seq }), chunk.to_vec());
    request.headers_mut().insert(GENERATION_HEADER, HeaderValue::from_static(generation));
    let answer = run(recorder_remux_function::handler::handle(world, request));
    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.body());
}

/// The push ends, and the break after it lasts too long.
pub(crate) fn end(world: &World, chunks: u64) {
    end_of(world, 'a', chunks);
}

/// The same of any push.
pub(crate) fn end_of(world: &World, digit: char, chunks: u64) {
    run(world.end(&session(digit, 0).id, shared::testing::ended(chunks * 1_000, chunks), world.now_ms.get()))
        .unwrap();
    world.pass_ms(30_000);
    run(world.hear_gateway()).unwrap();
    tick(world);
}

pub(crate) fn tick(world: &World) -> LaneAnswer {
    let instance = world.instance();
    read(&run(recorder_index_function::handler::handle(&instance, request(&Tick::route(()), "")))).unwrap()
}

pub(crate) fn compose(world: &World) -> LaneAnswer {
    read(&run(handle(&world.instance(), request(&Compose::route(()), "")))).unwrap()
}

pub(crate) fn compose_by(world: &World, sizes: Sizes) -> LaneAnswer {
    read(&run(composing(world, sizes))).unwrap()
}

/// A call that is not made yet, by an instance that has found out nothing yet.
pub(crate) async fn composing(world: &World, sizes: Sizes) -> Answer {
    handle_in_parts(&world.instance(), request(&Compose::route(()), ""), sizes).await
}

pub(crate) fn files(world: &World, extension: &str) -> Vec<(String, Vec<u8>)> {
    let objects = world.buckets.objects.borrow();
    let of_kind =
        objects.iter().filter(|(name, _)| name.starts_with("http://store/") && name.ends_with(extension));
    of_kind.map(|(name, object)| (name.clone(), object.bytes.clone())).collect()
}

pub(crate) fn media(world: &World) -> Vec<String> {
    world.buckets.names("http://store/work/media/")
}

pub(crate) fn known(world: &World) -> Vec<IndexFile> {
    run(world.index_files(&session('a', 0).stream)).unwrap()
}
