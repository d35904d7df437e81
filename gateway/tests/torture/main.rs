//! A gateway under abuse, with functions that fail in every way, beside real pushes that have to lose nothing.
//!
//! It lasts a quarter of a minute, or as many minutes as the environment variable `TORTURE_MINUTES` says: `cargo xtask
//! torture ingest --minutes M`. Publishers, abusers and functions are in this process; the gateway has one of its own,
//! whose memory and open files are looked at every half second, and have to stay below what is stated here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod abuse;
#[path = "../gateway/fake.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod fake;
#[path = "../gateway/media.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod media;
mod process;
#[path = "../gateway/publisher.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod publisher;
mod pushes;
mod script;
mod tidy;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use gateway::upkeep;
use tokio::task::JoinSet;

use fake::{Fake, Log};
use process::{Process, Use};

/// The allocator of the binary that runs gateways.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Without the variable.
const SHORT: Duration = Duration::from_secs(15);

/// What the gateway may have of memory at most, and more for each connection of an abuser.
const MOST_RSS_BYTES: usize = 100 << 20;
const CONNECTION_BYTES: usize = 32 << 10;

/// Open files beside one for each connection of an abuser.
const MORE_FILES: usize = 800;

/// How long all that is left may take when the abuse is over.
const PATIENCE: Duration = Duration::from_secs(90);

/// How large the abuse is.
#[derive(Clone, Copy)]
struct Scale {
    duration: Duration,
    real_pushes: usize,
    connections: usize,
}

/// Where the gateway is, for publishers.
#[derive(Clone, Copy)]
struct Gateway {
    address: SocketAddr,
}

impl Scale {
    fn wanted() -> Self {
        let minutes = std::env::var("TORTURE_MINUTES").ok();
        match minutes.map(|minutes| minutes.parse::<f64>()) {
            Some(minutes) => Self {
                duration: Duration::from_secs_f64(
                    60.0 * minutes.expect("TORTURE_MINUTES should be a number"),
                ),
                real_pushes: 20,
                connections: 5_000,
            },
            None => Self { duration: SHORT, real_pushes: 8, connections: 600 },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_pushes_lose_nothing_beside_abuse() {
    if process::is_gateway().await {
        return;
    }
    let scale = Scale::wanted();
    let folder = tempfile::tempdir().unwrap();
    let is_healed = Arc::new(AtomicBool::new(false));
    let functions = Arc::new(Fake::start(script::faults(Arc::clone(&is_healed))).await);
    let spool = folder.path().join("spool");
    let alone = Process::start("real_pushes_lose_nothing_beside_abuse", &functions.url(), &spool).await;
    let gateway = Gateway { address: alone.address };

    let end = Instant::now() + scale.duration;
    let mut real = JoinSet::new();
    for number in 0..scale.real_pushes {
        real.spawn(pushes::push_until(end, gateway, Arc::clone(&functions), number as u32));
    }
    let mut abusers = JoinSet::new();
    abuse::start(&mut abusers, gateway, scale.connections);
    let tidying = tokio::spawn(tidy::now_and_then(Arc::clone(&functions)));
    let most = Arc::new(Mutex::new(Use::default()));
    let measuring = tokio::spawn(measure(alone.id, Arc::clone(&most)));

    let mut lost_nothing = 0;
    while let Some(pushed) = real.join_next().await {
        lost_nothing += pushed.expect("no real push should be ended, or lose anything");
        if real.is_empty() {
            abusers.abort_all();
        }
    }
    assert!(!measuring.is_finished(), "memory should be measured to the end");
    measuring.abort();
    let Use { rss_bytes, files } = *most.lock().unwrap();
    is_healed.store(true, Relaxed);
    println_all(&format!(
        "{lost_nothing} real pushes lost nothing in {:?}; at most {} MiB and {files} open files",
        scale.duration,
        rss_bytes >> 20
    ));
    assert!(lost_nothing >= scale.real_pushes);
    let most_rss_bytes = MOST_RSS_BYTES + CONNECTION_BYTES * scale.connections;
    assert!(rss_bytes > 0 && rss_bytes <= most_rss_bytes, "{rss_bytes} of {most_rss_bytes} bytes of memory");
    assert!(files <= scale.connections + MORE_FILES, "{files} open files");

    // What could not be delivered is, now that it can be, or is told as lost.
    let is_over = |log: &Log| log.sessions.iter().all(fake::Session::is_complete);
    let is_empty = || upkeep::list(&spool).unwrap().is_empty();
    let healed = Instant::now();
    while !is_over(&functions.log()) || !is_empty() {
        assert!(healed.elapsed() < PATIENCE, "left: {:#?}", upkeep::list(&spool).unwrap());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let reached = Reached::of(&functions.log());
    println_all(&format!("{reached:?}"));
    assert!(reached.shed > 0 && reached.crashes > 0 && reached.publishes_without_media > 20, "{reached:?}");
    assert!(reached.failed_chunks > 0, "{reached:?}");
    tidying.abort();
    alone.stop().await;
}

/// How often what was to happen did.
#[derive(Debug)]
#[expect(dead_code, reason = "all of it is printed")]
struct Reached {
    shed: usize,
    crashes: usize,
    publishes_without_media: usize,
    failed_chunks: u64,
    chunks: u64,
}

impl Reached {
    fn of(log: &Log) -> Self {
        let streams = |name: &'static str| log.sessions.iter().filter(move |push| push.stream.contains(name));
        // A stream without media has no session.
        assert_eq!(streams("/nobody").count(), 0);
        Self {
            shed: streams("/dead").map(|session| session.lost.len()).sum(),
            crashes: streams("/crash").count(),
            publishes_without_media: (log.admitted as usize).saturating_sub(log.sessions.len()),
            failed_chunks: log.refused,
            chunks: log.calls(fake::Kind::Chunk),
        }
    }
}

/// Notes the most that the gateway uses, for ever, and each minute says what it uses now.
async fn measure(gateway: u32, most: Arc<Mutex<Use>>) {
    for half_seconds in 0_u64.. {
        let now = Use::of(gateway);
        if half_seconds % 120 == 0 {
            let harness_bytes = Use::of(std::process::id()).rss_bytes;
            println_all(&format!(
                "after {} min: {} MiB and {} open files; {} MiB here",
                half_seconds / 120,
                now.rss_bytes >> 20,
                now.files,
                harness_bytes >> 20
            ));
        }
        most.lock().unwrap().raise(now);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[expect(clippy::print_stdout, reason = "a long test says what it has found")]
fn println_all(text: &str) {
    println!("{text}");
}
