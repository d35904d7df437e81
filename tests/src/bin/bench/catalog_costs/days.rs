//! What a stream leaves day by day, and what it costs to ask for it once it is sealed.

use anyhow::{Result, ensure};
use catalog::content;
use store::memory::run;

use super::world::{Cost, World, stream};
use super::{DAY_MS, HOUR_MS, MINUTE_MS, line};

/// 2027-01-15 00:00:00 UTC.
pub(super) const FIRST_MS: u64 = 1_799_971_200_000;

/// Days that are recorded.
const DAYS: u64 = 10;

/// Tenths of a day's hours in which a stream is pushed; the rest is breaks, so that pushes do not touch.
const PUSHED: u64 = 9;

pub(super) fn run_all() -> Result<()> {
    println!(
        "\n{:<52} {:>9} {:>9} {:>8} {:>10} {:>7}",
        "each", "kv calls", "bytes", "objects", "us", "ratio"
    );
    for (slice_s, pushes) in [(5, 1), (5, 24), (30, 1), (30, 24)] {
        stream_days(slice_s * 1_000, pushes)?;
    }
    Ok(())
}

/// Ticks from one moment to another; answers the latter.
fn settle(world: &World, mut now_ms: u64, end_ms: u64, step_ms: u64) -> Result<u64> {
    while now_ms < end_ms {
        world.tick(now_ms)?;
        now_ms += step_ms;
    }
    Ok(now_ms)
}

/// Days in which a stream is pushed.
#[derive(Clone, Copy)]
pub(super) struct Days {
    pub(super) slice_ms: u64,
    /// How often a day.
    pub(super) pushes: u64,
}

impl Days {
    /// Slices of a push.
    fn slices(self) -> u64 {
        DAY_MS * PUSHED / 10 / self.pushes / self.slice_ms
    }

    /// Records a day; where ticks come, what is over is sealed meanwhile.
    pub(super) fn record(self, world: &World, day: u64, has_ticks: bool) -> Result<()> {
        self.record_at_cost(world, day, has_ticks).map(drop)
    }

    /// As [`record`](Self::record); answers what the chunks cost.
    fn record_at_cost(self, world: &World, day: u64, has_ticks: bool) -> Result<Cost> {
        let (slices, mut recorded) = (self.slices(), Cost::default());
        for push in 0..self.pushes {
            let began_ms = FIRST_MS + day * DAY_MS + push * (DAY_MS / self.pushes) + MINUTE_MS;
            let id = format!("{}-{day}-{push}", day_of_id(day));
            world.begin(1, &id, began_ms)?;
            let commits =
                || (0..slices).try_for_each(|seq| world.commit_of(&id, seq, (began_ms, self.slice_ms)));
            recorded += world.cost(commits)?.1;
            let ended_ms = began_ms + slices * self.slice_ms;
            world.end(&id, slices, ended_ms)?;
            if has_ticks {
                settle(world, ended_ms, ended_ms + 10 * MINUTE_MS, 20_000)?;
            }
        }
        Ok(recorded)
    }

    /// Seals the last of so many days; answers when that is done.
    pub(super) fn seal(self, world: &World, days: u64) -> Result<u64> {
        let last_ms = FIRST_MS + days * DAY_MS;
        settle(world, last_ms, last_ms + 4 * HOUR_MS, 30_000)
    }
}

fn stream_days(slice_ms: u64, pushes: u64) -> Result<()> {
    let world = World::default();
    let of = Days { slice_ms, pushes };
    let what = |what: &str| format!("{what}, {} s, {pushes} pushes a day", slice_ms / 1_000);
    let mut hot = None;
    let mut recorded = Cost::default();
    for day in 0..DAYS {
        recorded += of.record_at_cost(&world, day, true)?;
        if day == 0 {
            hot = Some(world.held());
        }
    }
    let count = of.slices() * pushes * DAYS;
    line(&what("chunk"), recorded, count, Some(recorded.operations as f64 / count as f64 / 8.0));
    let (now_ms, sealing) = world.cost(|| of.seal(&world, DAYS))?;
    line(&what("sealing of the last day"), sealing, 1, None);
    let (keys, bytes) = world.held();
    let (hot_keys, hot_bytes) = hot.unwrap_or_default();
    println!(
        "{:<52} {} keys, {} bytes; before it is sealed {hot_keys} keys, {hot_bytes} bytes; ratio to 1 kB {:.2}",
        what("left a stream-day"),
        keys as u64 / DAYS,
        bytes as u64 / DAYS,
        bytes as f64 / DAYS as f64 / 1_000.0
    );
    let (parts, part_bytes) = world.objects("log/");
    let others = world.objects("").0 - parts;
    println!(
        "{:<52} {:.1} parts, {:.1} other objects, {:.1} bytes a slice",
        what("work bucket a stream-day"),
        parts as f64 / DAYS as f64,
        others as f64 / DAYS as f64,
        part_bytes as f64 / count as f64
    );
    for (name, length_ms) in [("an hour", HOUR_MS), ("a day", DAY_MS), ("four days", 4 * DAY_MS)] {
        let from_ms = FIRST_MS + 3 * DAY_MS + MINUTE_MS;
        let spans =
            || run(content::spans(&world.store, &world.bucket, &stream(1), from_ms, from_ms + length_ms));
        let (found, cost) = world.cost(|| Ok(spans()?))?;
        ensure!(!found.is_empty(), "no spans");
        let ratio = (length_ms == DAY_MS).then(|| cost.time.as_secs_f64() / 0.05);
        line(&what(&format!("sealed content of {name}")), cost, 1, ratio);
    }
    let forgotten_ms = now_ms + 200 * DAY_MS;
    settle(&world, forgotten_ms, forgotten_ms + 5 * HOUR_MS, 60_000)?;
    println!(
        "{:<52} {} keys, {} objects",
        what("left beyond retention"),
        world.held().0,
        world.objects("").0
    );
    Ok(())
}

/// The day of a session's id.
fn day_of_id(day: u64) -> String {
    format!("202701{:02}", 15 + day)
}
