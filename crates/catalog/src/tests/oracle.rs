//! Two days of a stream under a simulated clock, against brute force over all that was cut.
//!
//! Two gateways push one stream with breaks around DelayTime, at times both at once, under a rule with a window and three
//! formats; commands come and go, the functions cannot be reached for minutes, chunks are lost. A tick runs every five
//! seconds. [`model`] then says from the list of all chunks which record files, spans and indexes there have to be.

mod gateway;
mod model;

use std::collections::BTreeMap;

use store::memory::{Random, run};

use super::world::{KEPT, World, session_of};
use crate::account::Run;
use crate::order::Cause;
use crate::rule::{Container, Format, Rule, SliceFormat};
use crate::stream::StreamName;
use crate::time::Retention;
use crate::{command, content, due, file, index_file, live, session};
use gateway::Gateway;
use model::{Model, RecordFile};

const HOUR_MS: u64 = 3_600_000;
const BEGIN_MS: u64 = 20_000 * 86_400_000 + 5 * HOUR_MS;
const WINDOW_MS: (u64, u64) = (BEGIN_MS + 2 * HOUR_MS, BEGIN_MS + 46 * HOUR_MS);
const DELAY_MS: u64 = 180_000;
/// The longest pause, the longest break, the longest outage and some more.
const LATE_MS: u64 = 2 * DELAY_MS + 500_000;
const CYCLES: [(Container, u32); 3] =
    [(Container::M3u8, 900), (Container::Mp4, 3_600), (Container::Flv, 601)];

fn rule() -> Rule {
    let format = |(container, cycle_seconds)| Format {
        container,
        cycle_seconds,
        object_prefix: "r".into(),
        slices: (container == Container::M3u8).then(|| SliceFormat { seconds: 5, object_prefix: "s".into() }),
    };
    Rule {
        formats: CYCLES.map(format).into(),
        window_start: Some(WINDOW_MS.0 / 1_000),
        window_end: Some(WINDOW_MS.1 / 1_000),
        ..session_of("").rule.expect("the test's session has a rule")
    }
}

fn stream() -> StreamName {
    session_of("").stream
}

const ALL_WRITTEN: Retention =
    Retention { written: &[Container::M3u8, Container::Mp4, Container::Flv], ..KEPT };

/// The record files that ticks found complete, with the time of the tick.
type Written = BTreeMap<(String, Container, u32), (u64, Run)>;

/// One tick.
async fn tick(world: &World, now_ms: u64, written: &mut Written) {
    let World { store, bucket, .. } = world;
    let timers = due::due(store, due::Lane::Tick, now_ms).await.unwrap();
    for timer in timers {
        for recording in
            due::attend(store, bucket, &timer, ALL_WRITTEN, now_ms).await.unwrap().unwrap_or_default()
        {
            let first = session::get(store, bucket, &recording).await.unwrap();
            for (container, _) in CYCLES {
                while let Some(run) = file::complete(store, bucket, &recording, container).await.unwrap() {
                    let known = index_file::of_record_file(&first, container, &run, "o", now_ms);
                    index_file::add(store, bucket, &known, now_ms).await.unwrap();
                    file::written(store, &recording, container, &run).await.unwrap();
                    let before = written.insert((recording.clone(), container, run.number), (now_ms, run));
                    assert_eq!(before, None, "written twice");
                }
            }
        }
        due::settle(store, &[timer], &[], &[], now_ms).await.unwrap();
    }
}

/// A command by a user; one that makes no sense is refused.
fn give(world: &World, random: &mut Random, now_ms: u64, given: &mut BTreeMap<String, u32>) {
    let causes =
        [Cause::Stop, Cause::Start, Cause::Start, Cause::Restart, Cause::CancelDelay, Cause::CancelDelay];
    let cause = causes[random.below(causes.len())];
    let call = format!("call-{now_ms}");
    let given_to = run(live::give(&world.store, &world.bucket, &stream(), cause, &call, now_ms));
    if matches!(given_to, Ok(Ok(()))) {
        *given.entry(format!("{cause:?}")).or_default() += 1;
    }
}

/// Two days and the hours after them; answers what was written and all that was cut.
fn two_days(world: &World, seed: u64, given: &mut BTreeMap<String, u32>) -> (Written, Model) {
    let mut random = Random::new(seed);
    let mut gateways = [Gateway::new("g1", &mut random), Gateway::new("g2", &mut random)];
    let mut model = Model::default();
    let mut written = Written::new();
    let mut outage_to_ms = 0;
    for second in 0..50 * 3_600_u64 {
        let now_ms = BEGIN_MS + second * 1_000;
        let is_over = second >= 48 * 3_600;
        if random.below(5_000) == 0 && !is_over {
            outage_to_ms = now_ms + 10_000 * (1 + random.below(40) as u64);
        }
        for (number, gateway) in gateways.iter_mut().enumerate() {
            gateway.step(world, &mut model, &mut random, now_ms, is_over);
            if now_ms >= outage_to_ms {
                run(gateway.deliver(world, &mut model, now_ms));
            }
            if second % 5 == number as u64 {
                run(gateway.beat(world, now_ms));
            }
        }
        if random.below(500) == 0 && !is_over {
            give(world, &mut random, now_ms, given);
        }
        if second % 5 == 3 {
            run(tick(world, now_ms, &mut written));
        }
        if second % 7_200 == 0 {
            let found = run(live::of_stream(&world.store, &stream(), now_ms)).unwrap();
            let expected: Vec<&str> = gateways.iter().filter_map(Gateway::pushes).collect();
            let mut found: Vec<&str> = found.iter().map(|session| session.id.as_str()).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "live at {second} s");
        }
    }
    for session in model.sessions.values_mut() {
        let of = run(session::get(&world.store, &world.bucket, &session.id)).unwrap();
        let orders = run(command::orders(&world.store, &world.bucket, &of)).unwrap();
        session.files_at_end =
            command::effective(&orders, session.ended_ms).map_or(0, |order| order.generation.files);
    }
    (written, model)
}

/// A day and a half in which nothing is pushed: everything is sealed, and nothing of the stream stays in the store but
/// what says so.
fn seal_all(world: &World) {
    let mut written = Written::new();
    for minute in 0..36 * 60 {
        run(tick(world, BEGIN_MS + 50 * HOUR_MS + minute * 60_000, &mut written));
    }
    assert_eq!(written.len(), 0);
    let left: Vec<String> = world.store.keys();
    let is_of_session =
        |key: &&String| ["s.", "a.", "c.", "e.", "h."].iter().any(|letter| key.starts_with(letter));
    assert_eq!(left.iter().filter(is_of_session).count(), 0, "{left:?}");
}

fn check_files(seed: u64, written: &Written, expected: &[RecordFile]) {
    let mut found: Vec<_> = written.iter().map(|(key, (_, run))| (key.clone(), run.clone())).collect();
    for file in expected {
        let key = (file.recording.clone(), file.container, file.number);
        let Some((at_ms, run)) = written.get(&key) else { panic!("seed {seed}: never written: {file:?}") };
        assert_eq!(RecordFile::of(&key, run, file.complete_ms), *file, "seed {seed}");
        let late_ms = at_ms - file.complete_ms;
        assert!(late_ms <= LATE_MS, "seed {seed}: {late_ms} ms late: {file:?}");
        found.retain(|(known, _)| *known != key);
    }
    assert!(found.is_empty(), "seed {seed}: more than there has to be: {found:?}");
}

/// Random ranges, by calls and by brute force.
fn check_ranges(seed: u64, world: &World, model: &Model, expected: &[RecordFile]) {
    let mut random = Random::new(seed ^ 0xabcd);
    let mut most = 0;
    for number in 0..400 {
        let from_ms = BEGIN_MS - HOUR_MS + random.below(51 * HOUR_MS as usize) as u64;
        let longest_ms = [20_000, 600_000, 30 * HOUR_MS][number % 3];
        let to_ms = from_ms + 1 + random.below(longest_ms as usize) as u64;
        let range = format!("seed {seed}: {from_ms}..{to_ms}");
        let World { store, bucket, .. } = world;

        let spans = run(content::spans(store, bucket, &stream(), from_ms, to_ms)).unwrap();
        let spans: Vec<_> =
            spans.iter().map(|span| (span.start_ms, span.end_ms, span.duration_90khz)).collect();
        assert_eq!(spans, model.spans(from_ms, to_ms), "{range}");

        let one_more = number % 2 == 0;
        let slices = run(content::slices(store, bucket, &stream(), from_ms, to_ms, one_more)).unwrap();
        let slices: Vec<_> = slices
            .iter()
            .map(|found| {
                let entry = &found.entry;
                let duration_90khz = entry.slice.duration_90khz;
                (entry.at.session.clone(), entry.at.seq, duration_90khz, entry.is_discontinuous)
            })
            .collect();
        assert_eq!(slices, model.slices(from_ms, to_ms, one_more), "{range}, one more: {one_more}");
        most = most.max(slices.len());

        let files = run(index_file::list(store, bucket, &stream(), from_ms, to_ms)).unwrap();
        let mut files: Vec<_> =
            files.iter().map(|file| (file.start_ms, file.end_ms, file.container)).collect();
        let overlaps = |file: &&RecordFile| file.start_ms < to_ms && file.end_ms > from_ms;
        let mut known: Vec<_> = expected
            .iter()
            .filter(overlaps)
            .map(|file| (file.start_ms, file.end_ms, file.container))
            .collect();
        assert!(files.is_sorted_by_key(|file| file.0), "{range}");
        files.sort_unstable();
        known.sort_unstable();
        assert_eq!(files, known, "{range}");
    }
    assert!(most > 5_000, "the longest index had {most} slices");
}

/// Histories that are played; any other seed may be added by hand, at half a minute each.
const SEEDS: [u64; 1] = [11];

#[test]
fn two_days_are_recorded_as_brute_force_says() {
    let mut given = BTreeMap::new();
    let (mut recordings, mut joined, mut overlapping) = (0, 0, 0);
    for seed in SEEDS {
        let world = World::new();
        let (written, model) = two_days(&world, seed, &mut given);
        let expected = model.record_files();
        assert!(expected.len() > 300, "seed {seed}: {} files", expected.len());
        check_files(seed, &written, &expected);
        let is_sealed = |name: &String| name.starts_with("log/");
        assert!(world.bucket.names().iter().filter(|name| is_sealed(name)).count() >= 2);
        check_ranges(seed, &world, &model, &expected);
        seal_all(&world);
        check_ranges(seed, &world, &model, &expected);
        recordings += model.recordings().len();
        joined += model.sessions.len() - model.recordings().len();
        overlapping += model.overlaps();
    }
    assert!(recordings > 20 && joined > 10 && overlapping > 5, "{recordings}, {joined}, {overlapping}");
    assert!(given.len() == 4 && given.values().all(|count| *count > 2), "{given:?}");
}
