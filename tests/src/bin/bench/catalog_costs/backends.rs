//! The same work on the stores that the host has: the embedded one, and Redis. What was recorded before is played in
//! memory and laid down in them, for each of their writes is synced.

use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use catalog::content;
use harness::redis::{self, Redis};
use host::key_value::KeyValue;
use host::key_value::disk::DiskStore;
use host::key_value::redis::{RedisStore, UnsafeStore};
use store::memory::run;
use tokio::runtime::Runtime;

use super::days::{Days, FIRST_MS};
use super::kept::{HostStore, Kept};
use super::world::{Cost, Counted, World, stream};
use super::{DAY_MS, HOUR_MS, MINUTE_MS, line};

/// Chunks whose costs are averaged.
const CHUNKS: u64 = 200;

/// How often each question is asked.
const ASKED: u64 = 10;

/// Days of the questions: four hot ones, or as many that are sealed.
const DAYS: u64 = 5;

/// A push of one stream, at several ages; and days of streams, hot and sealed.
struct Played {
    ages: Vec<(u64, World)>,
    days: Vec<(Days, World, World)>,
}

fn play(ages: Vec<(u64, World)>) -> Result<Played> {
    let mut days = Vec::new();
    for (slice_s, pushes) in [(5, 1), (5, 24), (30, 1), (30, 24)] {
        let of = Days { stream: 1, slice_ms: slice_s * 1_000, pushes };
        let (hot, sealed) = (World::default(), World::default());
        (0..DAYS).try_for_each(|day| of.record(&hot, day, false))?;
        (0..DAYS).try_for_each(|day| of.record(&sealed, day, true))?;
        of.seal(&sealed, DAYS)?;
        days.push((of, hot, sealed));
    }
    Ok(Played { ages, days })
}

/// The session of the push.
const SESSION: &str = "20270115-a";

pub(super) fn run_all(ages: Vec<(u64, World)>) -> Result<()> {
    let played = play(ages)?;
    let runtime = Rc::new(Runtime::new()?);
    let folder = tempfile::tempdir_in(harness::root().join("target"))?;
    let file = folder.path().join("embedded");
    let disk: Arc<dyn KeyValue> = Arc::new(DiskStore::open(&file)?);
    of_store("the embedded store", &HostStore { runtime: Rc::clone(&runtime), store: disk }, None, &played)?;
    if redis::is_installed() {
        let server = Redis::start(&folder.path().join("redis"), redis::SAFE)?;
        let url = server.url();
        let store = runtime.block_on(RedisStore::connect(&url, UnsafeStore::Refuse))?;
        let store: Arc<dyn KeyValue> = Arc::new(store);
        let empty = used_memory(&server)?;
        let used = || Ok(used_memory(&server)?.saturating_sub(empty));
        of_store("Redis", &HostStore { runtime, store }, Some(&used), &played)?;
    }
    Ok(())
}

/// Bytes of memory that a Redis uses.
fn used_memory(server: &Redis) -> Result<u64> {
    let told = server.ask("INFO memory\r\nPING\r\n", "+PONG\r\n")?;
    let used = told.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.context("Redis does not tell its memory")?.trim().parse()?)
}

/// The world of a store of the host that holds what one in memory does.
fn lay_down(store: &HostStore, world: &World) -> Result<World> {
    store.fill(world.memory())?;
    Ok(World { store: Counted::of(Kept::Host(store.clone())), bucket: world.bucket.clone() })
}

/// `used` tells how many bytes of memory the store uses for what it holds, where that can be told.
fn of_store(
    name: &str,
    store: &HostStore,
    used: Option<&dyn Fn() -> Result<u64>>,
    played: &Played,
) -> Result<()> {
    println!(
        "\n{:<52} {:>9} {:>9} {:>8} {:>10} {:>7}",
        format!("each, on {name}"),
        "kv calls",
        "bytes",
        "objects",
        "us",
        "ratio"
    );
    let mut first = None;
    for (before, world) in &played.ages {
        let world = lay_down(store, world)?;
        // The first of them also adopt the session.
        let from = (*before).max(16);
        (*before..from).try_for_each(|seq| world.commit(SESSION, seq))?;
        let ((), cost) =
            world.cost(|| (from..from + CHUNKS).try_for_each(|seq| world.commit(SESSION, seq)))?;
        let reference = *first.get_or_insert(cost);
        let ratio = cost.time.as_secs_f64() / reference.time.as_secs_f64();
        line(&format!("chunk {}, its time against the first", before + 1), cost, CHUNKS, Some(ratio));
    }
    for (of, hot, sealed) in &played.days {
        for (state, played) in [("hot", hot), ("sealed", sealed)] {
            let world = lay_down(store, played)?;
            let held = played.left()?.all();
            let what =
                |what: &str| format!("{state} {what}, {} s, {} pushes", of.slice_ms / 1_000, of.pushes);
            let used = match used {
                Some(used) => format!(", {} bytes of its memory", used()? / DAYS),
                None => String::new(),
            };
            let (keys, bytes) = (held.keys as u64 / DAYS, held.bytes as u64 / DAYS);
            println!("{:<52} {keys} keys, {bytes} bytes{used}", what("stream-day"));
            let from_ms = FIRST_MS + MINUTE_MS;
            for (length, length_ms) in [("an hour", HOUR_MS), ("a day", DAY_MS), ("four days", 4 * DAY_MS)] {
                let cost = asked(&world, || {
                    let range = (from_ms, from_ms + length_ms);
                    Ok(run(content::spans(&world.store, &world.bucket, &stream(1), range.0, range.1))?.len())
                })?;
                let ratio = (length_ms == DAY_MS).then(|| cost.time.as_secs_f64() / 0.05);
                line(&what(&format!("content of {length}")), cost, 1, ratio);
            }
            let cost = asked(&world, || {
                let (from_ms, to_ms) = (from_ms, from_ms + DAY_MS);
                Ok(run(content::slices(&world.store, &world.bucket, &stream(1), from_ms, to_ms, false))?
                    .len())
            })?;
            let ratio = cost.time.as_secs_f64() / 0.05;
            line(&what("index over a day"), cost, 1, Some(ratio));
        }
    }
    Ok(())
}

/// What a question costs that finds something: the fastest of several askings.
fn asked(world: &World, ask: impl Fn() -> Result<usize>) -> Result<Cost> {
    let mut fastest: Option<Cost> = None;
    for _ in 0..ASKED {
        let (found, cost) = world.cost(&ask)?;
        ensure!(found > 0, "nothing is found");
        fastest = fastest.filter(|fastest| fastest.time <= cost.time).or(Some(cost));
    }
    fastest.context("nothing was asked")
}
