//! What is recorded of a push, as the functions order it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use flv::TagKind;
use protocol::{ChunkPolicy, Order, SessionAnswer};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    Gateway,
    failures::restart,
    fake::{Act, Fake, Kind, Session, fail},
    functions,
    media::{AUDIO_HEADER, SHAPE, Shape, Tag, VIDEO_HEADER, begins_with_keyframe, frames, write_flv},
    publisher::Publisher,
};

/// A push at its own pace, with a keyframe each second.
struct Live {
    functions: Fake,
    gateway: Gateway,
    pushing: JoinHandle<()>,
    pushed: Vec<Tag>,
    orders: Vec<Order>,
    spool: PathBuf,
    _folder: TempDir,
}

impl Live {
    async fn start(functions: Fake, seconds: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.flv");
        let pushed = write_flv(&file, Shape { frames: seconds * 25, gop: 25, ..SHAPE });
        let spool = folder.path().join("spool");
        let gateway = Gateway::start(&functions.url(), &spool).await;
        let options = gateway::push::Options { file, url: gateway.url("x"), fast: false };
        let pushing = tokio::spawn(async move {
            gateway::push::push(options).await.unwrap();
        });
        functions.until("the session", |log| log.sessions.len() == 1).await;
        Self { functions, gateway, pushing, pushed, orders: Vec::new(), spool, _folder: folder }
    }

    /// Lets so many heartbeats pass.
    async fn pass(&self, heartbeats: usize) {
        beats(&self.functions, heartbeats).await;
    }

    fn order(&mut self, generation: &str, record: bool) {
        self.orders.push(order(generation, record, None));
        tell(&self.functions, &self.orders);
    }

    /// The session once the push has ended, and where in the push each of its chunks begins and ends.
    async fn finish(self) -> (Session, Vec<(usize, usize)>) {
        self.pushing.await.unwrap();
        let session = self.functions.ended(1).await.remove(0);
        let places = session.chunks.iter().map(|chunk| place(&self.pushed, chunk)).collect();
        self.gateway.stop().await;
        assert_eq!(std::fs::read_dir(self.spool.join("pushes")).unwrap().count(), 0);
        (session, places)
    }
}

async fn beats(functions: &Fake, more: usize) {
    let before = functions.log().heartbeats.len();
    functions.until("heartbeats", |log| log.heartbeats.len() >= before + more).await;
}

fn order(generation: &str, record: bool, in_ms: Option<u64>) -> Order {
    let age_ms = if in_ms.is_none() { Some(0) } else { None };
    Order { generation: generation.parse().unwrap(), record, age_ms, in_ms }
}

fn tell(functions: &Fake, orders: &[Order]) {
    let mut log = functions.log();
    let session = log.sessions[0].name.clone();
    let (chunk, orders) = (ChunkPolicy::default(), orders.to_vec());
    log.changes.push(SessionAnswer { session, chunk, orders, denied: None });
}

/// Where in a push the tags of a chunk are.
fn place(pushed: &[Tag], chunk: &(u64, bytes::Bytes)) -> (usize, usize) {
    let recorded = frames([chunk]);
    let from = pushed.iter().position(|tag| *tag == recorded[0]).unwrap();
    assert!(recorded[..] == pushed[from..from + recorded.len()]);
    (from, from + recorded.len())
}

/// What was confirmed: the order, and the last chunk before it.
fn confirmed(session: &Session) -> Vec<(String, Option<u64>)> {
    session.confirmed.iter().map(|confirmed| (confirmed.generation.to_string(), confirmed.last_seq)).collect()
}

/// Tags of a second of the push: 25 pictures, each with sound.
const SECOND: usize = 50;

#[tokio::test]
async fn a_start_begins_at_the_keyframe_before_and_a_stop_ends_at_the_one_after() {
    let functions = functions().await;
    functions.log().record = false;
    let mut live = Live::start(functions, 12).await;
    live.pass(3).await;
    live.order("1.0", true);
    live.pass(4).await;
    live.order("2.0", false);
    live.pass(4).await;
    assert!(!live.functions.log().sessions[0].chunks.is_empty(), "the chunk before the stop is sent");
    assert!(!live.pushing.is_finished());
    let (session, places) = live.finish().await;
    let (from, to) = (places[0].0, places.last().unwrap().1);
    assert!(places.windows(2).all(|pair| pair[0].1 == pair[1].0), "{places:?}");
    assert_eq!((from % SECOND, to % SECOND), (0, 0), "{places:?}");
    assert!((SECOND..=6 * SECOND).contains(&from), "{from}");
    assert!((3 * SECOND..=8 * SECOND).contains(&(to - from)), "{places:?}");
    assert!(session.told.iter().all(|told| told.generation.to_string() == "1.0"));
    // Offsets go on counting while nothing is recorded.
    let begins_ms = from as u64 / 2 * 40;
    assert!((begins_ms.saturating_sub(500)..begins_ms + 2_000).contains(&session.told[0].offset_ms));
    let last = Some(session.chunks.len() as u64 - 1);
    assert_eq!(confirmed(&session), [("1.0".to_owned(), None), ("2.0".to_owned(), last)]);
    assert_eq!(session.ended.unwrap().chunks, session.chunks.len() as u64);
}

#[tokio::test]
async fn a_restart_begins_another_file_at_a_keyframe_and_loses_nothing() {
    let mut live = Live::start(functions().await, 8).await;
    live.pass(3).await;
    live.orders.push(order("1.0", true, None));
    live.order("2.1", true);
    let (session, places) = live.finish().await;
    assert_eq!((places[0].0, places.last().unwrap().1), (0, 8 * SECOND));
    assert!(places.windows(2).all(|pair| pair[0].1 == pair[1].0), "{places:?}");
    let first = session.told.iter().position(|told| told.generation.files == 1).unwrap();
    assert!(first > 0 && begins_with_keyframe(&session.chunks[first].1));
    assert!(session.told[first..].iter().all(|told| told.generation.to_string() == "2.1"));
    assert_eq!(confirmed(&session).last(), Some(&("2.1".to_owned(), Some(first as u64 - 1))));
}

#[tokio::test]
async fn what_is_recorded_after_a_windows_end_is_in_another_file_whatever_the_order_says() {
    let functions = functions().await;
    functions.log().more_orders = vec![order("2.1", false, Some(2_500))];
    let mut live = Live::start(functions, 12).await;
    live.functions
        .until("the end", |log| log.sessions[0].confirmed.iter().any(|c| c.generation.files == 1))
        .await;
    live.orders.extend([order("1.0", true, None), order("2.1", false, Some(60_000))]);
    // A host whose clock is behind takes the end for one that is to come.
    live.orders.extend([order("3.0", true, None), order("4.1", false, Some(60_000))]);
    tell(&live.functions, &live.orders);
    let (session, places) = live.finish().await;
    let again = session.told.iter().position(|told| told.generation.orders == 3).unwrap();
    assert!(again > 0 && places[again - 1].1 < places[again].0, "{places:?}");
    assert!(session.told[..again].iter().all(|told| told.generation.files == 0), "{:?}", session.told);
    assert!(
        session.told[again..].iter().all(|told| told.generation.to_string() == "3.1"),
        "{:?}",
        session.told
    );
}

#[tokio::test]
async fn the_edges_of_a_window_hold_while_no_function_answers() {
    let functions = Fake::start(|call| match call.kind {
        Kind::Heartbeat => fail(503),
        _ => crate::fake::Act::Succeed,
    })
    .await;
    {
        let mut log = functions.log();
        log.record = false;
        log.more_orders = vec![order("1.1", true, Some(2_500)), order("2.2", false, Some(5_500))];
    }
    let live = Live::start(functions, 10).await;
    let (session, places) = live.finish().await;
    let (from, to) = (places[0].0, places.last().unwrap().1);
    assert_eq!((from % SECOND, to % SECOND), (0, 0), "{places:?}");
    // The functions were asked up to a second or two after the begin.
    assert!((SECOND..=5 * SECOND).contains(&from), "{places:?}");
    assert!((3 * SECOND..=6 * SECOND).contains(&(to - from)), "{places:?}");
    assert!(session.told.iter().all(|told| told.generation.to_string() == "1.1"));
}

#[tokio::test]
async fn a_window_that_began_before_the_functions_answered_is_one_file() {
    let functions = Fake::start(|call| match (call.kind, call.nth) {
        (Kind::Begin, 0) => crate::fake::Act::Delay(Duration::from_secs(3)),
        _ => crate::fake::Act::Succeed,
    })
    .await;
    {
        let mut log = functions.log();
        log.record = false;
        log.more_orders =
            vec![Order { age_ms: Some(100), ..order("1.1", true, None) }, order("2.2", false, Some(60_000))];
    }
    let live = Live::start(functions, 8).await;
    let (session, places) = live.finish().await;
    assert!(places.windows(2).all(|pair| pair[0].1 == pair[1].0), "{places:?}");
    assert_eq!((places[0].0 % SECOND, places.last().unwrap().1), (0, 8 * SECOND));
    assert!(session.told.iter().all(|told| told.generation.to_string() == "1.1"), "{:?}", session.told);
    assert_eq!(confirmed(&session), [("1.1".to_owned(), None)]);
}

/// Sends pictures of sound and video, from one time to another.
fn send(publisher: &mut Publisher, from_ms: u32, to_ms: u32, key: bool) {
    for timestamp_ms in (from_ms..to_ms).step_by(40) {
        let first = if key && timestamp_ms == from_ms { 0x17 } else { 0x27 };
        publisher.tag(TagKind::Video, timestamp_ms, &[first, 1, 0, 0, 0, (timestamp_ms / 40) as u8]);
        publisher.tag(TagKind::Audio, timestamp_ms, &[0xaf, 1, (timestamp_ms / 40) as u8]);
    }
}

#[tokio::test]
async fn where_no_frame_comes_an_order_takes_effect_after_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = Publisher::start(&gateway, "rtmp://h/live", "live", "x").await;
    publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
    publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    send(&mut publisher, 0, 1_000, true);
    publisher.flush().await;
    functions.until("the session", |log| log.sessions.len() == 1).await;
    beats(&functions, 1).await;
    tell(&functions, &[order("1.0", true, None), order("2.1", true, None)]);
    functions.until("the chunk before the restart", |log| log.sessions[0].chunks.len() == 1).await;
    functions
        .until("the restart", |log| log.sessions[0].confirmed.iter().any(|c| c.generation.files == 1))
        .await;
    assert_eq!(confirmed(&functions.log().sessions[0]).last(), Some(&("2.1".to_owned(), Some(0))));
    // What is not decodable by itself is left out.
    send(&mut publisher, 4_000, 4_400, false);
    send(&mut publisher, 4_400, 5_000, true);
    publisher.flush().await;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    let times: Vec<_> = frames(&session.chunks).iter().map(|tag| tag.timestamp_ms).collect();
    let expected = (0..1_000).chain(4_400..5_000).step_by(40).flat_map(|ms| [ms, ms]);
    assert_eq!(times, expected.collect::<Vec<_>>());
    let generations: Vec<_> = session.told.iter().map(|told| told.generation.files).collect();
    assert_eq!(generations, [0, 1]);
    gateway.stop().await;
}

#[tokio::test]
async fn sound_alone_is_kept_and_begins_about_when_it_is_ordered() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    functions.log().record = false;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = Publisher::start(&gateway, "rtmp://h/live", "live", "x").await;
    publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    for at in 0..100_u32 {
        publisher.tag(TagKind::Audio, at * 40, &[0xaf, 1, at as u8]);
        publisher.flush().await;
        if at == 60 {
            tell(&functions, &[order("1.0", true, None)]);
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    let recorded: Vec<_> = frames(&session.chunks).iter().map(|tag| tag.timestamp_ms / 40).collect();
    assert!((10..=90).contains(&recorded[0]), "{recorded:?}");
    assert_eq!(recorded, (recorded[0]..100).collect::<Vec<_>>());
    gateway.stop().await;
}

#[tokio::test]
async fn a_crash_while_nothing_is_spooled_tells_as_many_chunks_as_there_were() {
    let mut live = Live::start(functions().await, 20).await;
    live.pass(3).await;
    live.orders.push(order("1.0", true, None));
    live.order("2.0", false);
    live.functions.until("the stop", |log| log.sessions[0].confirmed.len() == 2).await;
    let Live { functions, gateway, pushing, spool, _folder, .. } = live;
    let cut = functions.log().sessions[0].confirmed[1].last_seq.unwrap() + 1;
    functions.until("its chunks", |log| log.sessions[0].chunks.len() as u64 == cut).await;
    // The last answer is on its way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    gateway.crash().await;
    pushing.await.unwrap_err();

    let gateway = restart(&functions, &spool).await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!((session.ended.unwrap().chunks, session.chunks.len() as u64), (cut, cut));
    gateway.stop().await;
}

#[tokio::test]
async fn a_command_reaches_the_push_that_is_live_while_one_before_it_waits() {
    let folder = tempfile::tempdir().unwrap();
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if call.session == "s0" && !open.load(Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let (first, second) = (folder.path().join("first.flv"), folder.path().join("second.flv"));
    let before = write_flv(&first, SHAPE);
    let pushed = write_flv(&second, Shape { frames: 225, gop: 25, seed: 1 << 20, ..SHAPE });
    gateway.push(&first, "x").await.unwrap();
    functions.until("the first session", |log| log.sessions.len() == 1).await;
    let options = gateway::push::Options { file: second, url: gateway.url("x"), fast: false };
    let pushing = tokio::spawn(gateway::push::push(options));
    functions.until("the second session", |log| log.sessions.len() == 2).await;
    beats(&functions, 2).await;
    let stop = SessionAnswer {
        denied: None,
        session: "s1".into(),
        chunk: ChunkPolicy::default(),
        orders: vec![order("2.0", false, None)],
    };
    functions.log().changes.push(stop);
    functions.until("the stop", |log| !log.sessions[1].confirmed.is_empty()).await;
    assert!(!pushing.is_finished(), "while it is live");
    is_open.store(true, Relaxed);
    pushing.await.unwrap().unwrap();
    let sessions = functions.ended(2).await;
    assert!(frames(&sessions[0].chunks) == before, "{:?}", sessions[0].lost);
    assert!(sessions[0].confirmed.is_empty(), "{:?}", sessions[0].confirmed);
    let recorded = frames(&sessions[1].chunks);
    assert!(recorded.len() < pushed.len() - SECOND && recorded[..] == pushed[..recorded.len()]);
    gateway.stop().await;
}
