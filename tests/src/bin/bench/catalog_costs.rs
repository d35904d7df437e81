//! `cargo xtask bench catalog`: what the recording model asks of its store. Each ratio is against the budget, or against
//! the same work on a small store in the same run. With a number, what so many stream-days leave.

mod backends;
mod days;
mod kept;
mod left;
mod world;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use catalog::{content, live};
use store::memory::run;

use world::{BEGIN_MS, Cost, World, stream};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A line of the table.
fn line(what: &str, cost: Cost, count: u64, ratio: Option<f64>) {
    let each = |total: f64| total / count as f64;
    let ratio = ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"));
    println!(
        "{what:<52} {:>9.2} {:>9.0} {:>8.2} {:>10.1} {ratio:>7}",
        each(cost.operations as f64),
        each(cost.bytes as f64),
        each(cost.objects as f64),
        each(cost.time.as_secs_f64() * 1e6),
    );
}

/// All costs, each with its ratio: none should be above 1, or for two sizes of a store above 1.1.
pub(crate) fn run_all() -> Result<()> {
    println!("{:<52} {:>9} {:>9} {:>8} {:>10} {:>7}", "each", "kv calls", "bytes", "objects", "us", "ratio");
    let ages = chunks()?;
    sessions()?;
    online_lists()?;
    timers()?;
    week_late()?;
    days::run_all(days::LEAST)?;
    backends::run_all(ages)
}

/// What so many stream-days leave, or some more.
pub(crate) fn run_days(stream_days: &str) -> Result<()> {
    days::run_all(
        stream_days.parse().with_context(|| format!("{stream_days:?} is no number of stream-days"))?,
    )
}

/// Chunks at the begin and after 100 days, and queries on a day of them. Answers the world before the first chunk, after
/// some and after all, each with how many.
fn chunks() -> Result<Vec<(u64, World)>> {
    const SOME: u64 = 10_000;
    const LATE: u64 = 1_500_000;
    const SPAN: u64 = 6_000;
    let world = World::default();
    world.begin(1, "20270115-a", BEGIN_MS)?;
    let mut ages = vec![(0, world.copy()?)];
    let commit =
        |from: u64, to: u64| world.cost(|| (from..to).try_for_each(|seq| world.commit("20270115-a", seq)));
    commit(0, 640)?;
    let early = commit(640, 640 + SPAN)?.1;
    line("chunk, against 8 calls", early, SPAN, Some(early.operations as f64 / SPAN as f64 / 8.0));
    line("chunk, against 2 kB", early, SPAN, Some(early.bytes as f64 / SPAN as f64 / 2_000.0));

    let day = content_of_a_day(&world)?;
    line("index over a day (6,000 slices), against 50 ms", day, 1, Some(day.time.as_secs_f64() / 0.05));
    let minutes = world.cost(|| {
        let from_ms = BEGIN_MS + 5 * HOUR_MS;
        Ok(run(content::slices(
            &world.store,
            &world.bucket,
            &stream(1),
            from_ms,
            from_ms + 10 * MINUTE_MS,
            false,
        ))?
        .len())
    })?;
    ensure!(minutes.0 == 100, "{} slices in ten minutes", minutes.0);
    line("index over ten minutes", minutes.1, 1, None);

    let files = world.cost(|| world.tick(BEGIN_MS + 12 * HOUR_MS))?.1;
    line("record file of an hour (three containers, 11 hours)", files, 33, None);
    commit(640 + SPAN, SOME)?;
    ages.push((SOME, world.copy()?));
    commit(SOME, LATE)?;
    ages.push((LATE, world.copy()?));
    let late = commit(LATE, LATE + SPAN)?.1;
    line("chunk 1,500,000, its calls against early ones", late, SPAN, Some(ratio(late, early)));
    let times = late.time.as_secs_f64() / early.time.as_secs_f64();
    line("chunk 1,500,000, its time against early ones", late, SPAN, Some(times));
    Ok(ages)
}

fn content_of_a_day(world: &World) -> Result<Cost> {
    let range = || {
        run(content::slices(
            &world.store,
            &world.bucket,
            &stream(1),
            BEGIN_MS,
            BEGIN_MS + 10 * HOUR_MS,
            false,
        ))
    };
    let (slices, cost) = world.cost(|| Ok(range()?.len()))?;
    ensure!(slices == 6_000, "{slices} slices");
    Ok(cost)
}

fn ratio(this: Cost, reference: Cost) -> f64 {
    this.operations as f64 / reference.operations as f64
}

/// A push that begins, brings a minute, ends, and whose break is over.
fn sessions() -> Result<()> {
    let world = World::default();
    world.begin(1, "20270115-a", BEGIN_MS)?;
    let mut since = Some(world.beat(None, BEGIN_MS)?);
    let ((), cost) = world.cost(|| world.begin(2, "20270115-b", BEGIN_MS))?;
    line("session: begin and adoption", cost, 1, None);
    (0..10).try_for_each(|seq| world.commit("20270115-b", seq))?;
    let over_ms = BEGIN_MS + MINUTE_MS;
    let ((), cost) = world.cost(|| world.end("20270115-b", 10, over_ms))?;
    line("session: end", cost, 1, None);
    for second in 0..240 {
        since = Some(world.beat(since, over_ms + second * 1_000)?);
    }
    let (due, cost) = world.cost(|| world.tick(over_ms + 4 * MINUTE_MS))?;
    ensure!(due > 0, "the break is not due");
    line("session: its break closes, three files are written", cost, 1, None);
    let now_ms = over_ms + 5 * MINUTE_MS;
    let (_, cost) = world.cost(|| world.beat(since, now_ms))?;
    line("heartbeat that tells nothing", cost, 1, None);
    Ok(())
}

/// The online list of a domain with one stream live, after some and after many pushes.
fn online_lists() -> Result<()> {
    let mut few = None;
    for pushes in [10_u64, 100_000] {
        let world = World::default();
        world.begin(0, "20270115-live", BEGIN_MS)?;
        for number in 1..pushes {
            let id = format!("20270115-{number}");
            let now_ms = BEGIN_MS + number * 1_000;
            world.begin(number, &id, now_ms)?;
            world.end(&id, 0, now_ms)?;
            // As it is asked now and then while streams come and go.
            if number % 100 == 99 {
                run(live::of_domain(&world.store, "live.example.com", now_ms))?;
            }
        }
        let now_ms = BEGIN_MS + pushes * 1_000;
        let list = || Ok(run(live::of_domain(&world.store, "live.example.com", now_ms))?.len());
        world.cost(list)?;
        let (live, cost) = world.cost(list)?;
        ensure!(live == 1, "{live} live");
        let reference = *few.get_or_insert(cost);
        line(&format!("online list, 1 of {pushes} live"), cost, 1, Some(ratio(cost, reference)));
    }
    Ok(())
}

/// A tick with one timer due of some and of many.
fn timers() -> Result<()> {
    let mut few = None;
    for sessions in [10_u64, 100_000] {
        let world = World::default();
        for number in 0..sessions {
            // Each has timers of its own: its offer expires an hour after it.
            world.begin(number, &format!("20270115-{number}"), BEGIN_MS + 2 * HOUR_MS + number * 100)?;
        }
        world.begin(sessions, "20270115-due", BEGIN_MS)?;
        world.end("20270115-due", 0, BEGIN_MS)?;
        let mut now_ms = BEGIN_MS + MINUTE_MS;
        while world.tick(now_ms)? > 0 {
            now_ms += 1_000;
        }
        // The gateway of all of them is heard, so that a look at it reads none of them.
        world.beat(None, BEGIN_MS + 4 * MINUTE_MS)?;
        let (due, cost) = world.cost(|| world.tick(BEGIN_MS + 4 * MINUTE_MS))?;
        ensure!((1..4).contains(&due), "{due} timers were due");
        let reference = *few.get_or_insert(cost);
        let kept = world.keys();
        let what = format!("tick, one stream due of {sessions} ({kept} keys)");
        line(&what, cost, 1, Some(ratio(cost, reference)));
    }
    Ok(())
}

/// No tick came for a week, in which a stream was pushed a thousand times.
fn week_late() -> Result<()> {
    let world = World::default();
    for number in 0..1_000 {
        let id = format!("20270115-{number}");
        let began_ms = BEGIN_MS + number * (7 * DAY_MS / 1_000);
        world.begin(1, &id, began_ms)?;
        world.end(&id, 0, began_ms + MINUTE_MS)?;
    }
    let mut now_ms = BEGIN_MS + 7 * DAY_MS;
    let (mut ticks, mut attended) = (0, 0);
    let ((), cost) = world.cost(|| {
        loop {
            let due = world.tick(now_ms)?;
            (ticks, attended, now_ms) = (ticks + 1, attended + due, now_ms + 1_000);
            if due == 0 {
                return Ok(());
            }
        }
    })?;
    line(
        &format!("catching up a week ({attended} timers, {ticks} ticks), a timer"),
        cost,
        attended as u64,
        None,
    );
    ensure!(cost.time < Duration::from_secs(60), "catching up a week took {:?}", cost.time);
    Ok(())
}
