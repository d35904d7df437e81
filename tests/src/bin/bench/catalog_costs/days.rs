//! What a stream leaves day by day, and what it costs to ask for it once it is sealed.

use anyhow::{Context, Result, ensure};
use catalog::content;
use store::memory::run;

use super::left::{Held, Left};
use super::world::{Cost, World, stream};
use super::{DAY_MS, HOUR_MS, MINUTE_MS, line};

/// 2027-01-15 00:00:00 UTC.
pub(super) const FIRST_MS: u64 = 1_799_971_200_000;

/// Days of a stream that are recorded at most: its first one is kept until its last one is sealed.
const MOST_DAYS: u64 = 84;

/// Progress is told after so many days.
const TOLD_DAYS: u64 = 10;

/// How streams are pushed: seconds of a slice, and pushes a day.
const MIXES: [(u64, u64); 4] = [(5, 1), (5, 24), (30, 1), (30, 24)];

/// Stream-days that are recorded unless more are asked for: a question is about days 3 to 7 of a stream.
pub(super) const LEAST: u64 = 10 * MIXES.len() as u64;

/// Tenths of a day's hours in which a stream is pushed; the rest is breaks, so that pushes do not touch.
const PUSHED: u64 = 9;

/// Ticks come so often while a stream is pushed.
const STEP_MS: u64 = 5 * MINUTE_MS;

/// So many stream-days, or some more, as many of each mix.
pub(super) fn run_all(stream_days: u64) -> Result<()> {
    println!(
        "\n{:<52} {:>9} {:>9} {:>8} {:>10} {:>7}",
        "each", "kv calls", "bytes", "objects", "us", "ratio"
    );
    for (slice_s, pushes) in MIXES {
        leave((slice_s * 1_000, pushes), stream_days.max(LEAST).div_ceil(MIXES.len() as u64))?;
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
    /// The number of the stream.
    pub(super) stream: u64,
    pub(super) slice_ms: u64,
    /// How often a day.
    pub(super) pushes: u64,
}

impl Days {
    /// Slices of a push.
    fn slices(self) -> u64 {
        DAY_MS * PUSHED / 10 / self.pushes / self.slice_ms
    }

    fn name(self, what: &str) -> String {
        format!("{what}, {} s, {} pushes a day", self.slice_ms / 1_000, self.pushes)
    }

    /// Records a day; where ticks come, what is over is sealed meanwhile.
    pub(super) fn record(self, world: &World, day: u64, has_ticks: bool) -> Result<()> {
        self.record_at_cost(world, day, has_ticks).map(drop)
    }

    /// As [`record`](Self::record); answers what the chunks cost.
    fn record_at_cost(self, world: &World, day: u64, has_ticks: bool) -> Result<Cost> {
        let (slices, mut recorded) = (self.slices(), Cost::default());
        let day_ms = FIRST_MS + day * DAY_MS;
        let date = chrono::DateTime::from_timestamp_millis(day_ms as i64).context("the day has a date")?;
        for push in 0..self.pushes {
            let began_ms = day_ms + push * (DAY_MS / self.pushes) + MINUTE_MS;
            // As long as a session's id is.
            let id = format!("{}-{:032x}", date.format("%Y%m%d"), day * self.pushes + push);
            world.begin(self.stream, &id, began_ms)?;
            for first in (0..slices).step_by((STEP_MS / self.slice_ms) as usize) {
                let next = slices.min(first + STEP_MS / self.slice_ms);
                let commits =
                    || (first..next).try_for_each(|seq| world.commit_of(&id, seq, (began_ms, self.slice_ms)));
                recorded += world.cost(commits)?.1;
                if has_ticks {
                    world.tick(began_ms + next * self.slice_ms)?;
                }
            }
            let ended_ms = began_ms + slices * self.slice_ms;
            world.end_of(&id, (slices, self.slice_ms), ended_ms)?;
            if has_ticks {
                let closed_ms = settle(world, ended_ms, ended_ms + 5 * MINUTE_MS, 20_000)?;
                settle(world, closed_ms, day_ms + (push + 1) * (DAY_MS / self.pushes), STEP_MS)?;
            }
        }
        Ok(recorded)
    }

    /// Seals the last of so many days; answers when that is done.
    pub(super) fn seal(self, world: &World, days: u64) -> Result<u64> {
        let last_ms = FIRST_MS + days * DAY_MS;
        settle(world, last_ms, last_ms + 4 * HOUR_MS, 30_000)
    }

    /// Records and seals so many days; answers when that is done.
    fn play(self, world: &World, days: u64) -> Result<u64> {
        let mut hot = Held::default();
        let mut recorded = Cost::default();
        for day in 0..days {
            if day > 0 && day.is_multiple_of(TOLD_DAYS) {
                println!("{:<52} {day} of {days}, stream {}", self.name("days"), self.stream);
            }
            recorded += self.record_at_cost(world, day, true)?;
            if day == 0 {
                hot = world.left()?.all();
            }
        }
        let (now_ms, sealing) = world.cost(|| self.seal(world, days))?;
        if self.stream == 1 {
            self.tell_costs(world, days, (recorded, sealing), hot)?;
        }
        Ok(now_ms)
    }

    fn tell_costs(
        self,
        world: &World,
        days: u64,
        (recorded, sealing): (Cost, Cost),
        hot: Held,
    ) -> Result<()> {
        let count = self.slices() * self.pushes * days;
        line(&self.name("chunk"), recorded, count, Some(recorded.operations as f64 / count as f64 / 8.0));
        line(&self.name("sealing of the last day"), sealing, 1, None);
        println!("{:<52} {} keys, {} bytes", self.name("before a day is sealed"), hot.keys, hot.bytes);
        let (parts, part_bytes) = world.objects("log/");
        let others = world.objects("").0 - parts;
        println!(
            "{:<52} {:.1} parts, {:.1} other objects, {:.1} bytes a slice",
            self.name("work bucket a stream-day"),
            parts as f64 / days as f64,
            others as f64 / days as f64,
            part_bytes as f64 / count as f64
        );
        for (name, length_ms) in [("an hour", HOUR_MS), ("a day", DAY_MS), ("four days", 4 * DAY_MS)] {
            let from_ms = FIRST_MS + 3 * DAY_MS + MINUTE_MS;
            let spans = || {
                run(content::spans(
                    &world.store,
                    &world.bucket,
                    &stream(self.stream),
                    from_ms,
                    from_ms + length_ms,
                ))
            };
            let (found, cost) = world.cost(|| Ok(spans()?))?;
            ensure!(!found.is_empty(), "no spans");
            let ratio = (length_ms == DAY_MS).then(|| cost.time.as_secs_f64() / 0.05);
            line(&self.name(&format!("sealed content of {name}")), cost, 1, ratio);
        }
        Ok(())
    }
}

/// Tells what streams leave that are pushed for so many days together, each in a store of its own, and what the first of
/// them costs.
fn leave((slice_ms, pushes): (u64, u64), stream_days: u64) -> Result<()> {
    let streams = stream_days.div_ceil(MOST_DAYS);
    let days = stream_days.div_ceil(streams);
    let (mut within, mut beyond, mut objects) = (Left::default(), Left::default(), 0);
    for stream in 1..=streams {
        let world = World::default();
        let now_ms = Days { stream, slice_ms, pushes }.play(&world, days)?;
        within += world.left()?;
        let forgotten_ms = now_ms + 200 * DAY_MS;
        settle(&world, forgotten_ms, forgotten_ms + 5 * HOUR_MS, MINUTE_MS)?;
        beyond += world.left()?;
        objects += world.objects("").0;
    }
    let of = Days { stream: 1, slice_ms, pushes };
    println!("{:<52} {} of {streams} streams", of.name("stream-days"), streams * days);
    for (when, left) in [("within", within), ("beyond", beyond)] {
        for (what, held, count) in [("day", left.days, streams * days), ("name", left.names, streams)] {
            let each = |total: usize| total as f64 / count as f64;
            println!(
                "{:<52} {:.2} keys, {:.0} bytes; ratio to 1 kB {:.2}",
                of.name(&format!("{when} retention, a stream's {what}")),
                each(held.keys),
                each(held.bytes),
                each(held.bytes) / 1_000.0
            );
        }
    }
    println!("{:<52} {objects} objects", of.name("beyond retention"));
    Ok(())
}
