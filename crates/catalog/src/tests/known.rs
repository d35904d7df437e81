//! Known weaknesses that ARCHITECTURE.md lists, shown as they are: who mends one changes its test and its line there.

use std::collections::BTreeMap;

use store::memory::run;

use super::clocks::compose;
use super::gateways::commands::{give, orders};
use super::gateways::{SECOND, beat, begin, hear, push, tick, ticks, until};
use super::media::Push;
use super::sealing::HOUR_MS;
use super::sealing::lost_store::{live_on, lose, rebuild, turn};
use super::sealing::stage::{Stage, TODAY};
use super::status::{look, told};
use super::world::{NOW, World, session_of};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::commit::Turn;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::event::Status;
use crate::gateway::Beat;
use crate::order::Cause;
use crate::rule::{Container, Format};
use crate::session::Session;
use crate::time::DAY_MS;
use crate::{blocks, command};

const BOOT: &str = "spool.1";

fn statuses(world: &World) -> Vec<Status> {
    told(world).into_iter().map(|change| change.status).collect()
}

/// Its server is told of statuses.
fn told_push(world: &World) -> Push<'_> {
    Push::begin_as(world, Session { tells_status: true, ..session_of("a") }, None)
}

#[test]
fn a_lost_chunk_after_a_silence_is_told_as_a_start_by_a_look_just_then() {
    let world = World::new();
    let mut push = told_push(&world);
    push.slices(2);
    hear(&world, &beat("g", BOOT, None), NOW);
    ticks(&world, NOW, 400);
    assert_eq!(statuses(&world), [Status::Started, Status::Paused]);
    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 10_000, to_ms: 15_000 }));
    // It has nothing looked at by itself.
    ticks(&world, NOW + 400 * SECOND, 2);
    assert_eq!(statuses(&world).len(), 2);
    run(look(&world));
    assert_eq!(statuses(&world)[2..], [Status::Started]);
}

#[test]
fn a_start_by_a_host_an_hour_ahead_undoes_the_end_of_a_window() {
    for (ahead_ms, is_undone) in [(0, false), (HOUR_MS, true)] {
        let world = World::new();
        let end_ms = NOW + HOUR_MS / 2;
        begin(&world, until(session_of("a"), end_ms), None, NOW);
        let since = hear(&world, &beat("g", BOOT, None), NOW).since;
        assert_eq!(give(&world, Cause::Stop, NOW + SECOND), Ok(()));
        let given_ms = NOW + 2 * SECOND + ahead_ms;
        if is_undone {
            // To that host the window has ended.
            let others = [Cause::Stop, Cause::Restart, Cause::CancelDelay];
            assert!(others.iter().all(|cause| give(&world, *cause, given_ms).is_err()));
        }
        assert_eq!(give(&world, Cause::Start, given_ms), Ok(()));
        let heard = hear(&world, &beat("g", BOOT, Some(since)), NOW + 3 * SECOND);
        let holds = command::effective(&heard.sessions[0].1, end_ms);
        assert_eq!(holds.map(|order| order.record), Some(is_undone), "{heard:?}");
    }
}

#[test]
fn a_stop_by_a_host_that_is_behind_is_over_too_early() {
    // The tick's host is right.
    let over_after_s = |behind_s: u64| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        assert_eq!(give(&world, Cause::Stop, NOW), Ok(()));
        (0..400).find(|second| {
            tick(&world, NOW + (behind_s + second) * SECOND);
            orders(&world).len() > 2
        })
    };
    let found = [0, 100, 180, 270, 280].map(over_after_s);
    assert_eq!(found, [Some(180), Some(80), Some(0), Some(0), Some(180)]);
}

#[test]
fn a_push_that_was_not_adopted_when_the_store_was_lost_is_not_known() {
    const ADOPTED: &str = "20200101-x";
    const OFFERED: &str = "20200101-y";
    let world = World::new();
    Push::begin(&world, ADOPTED, TODAY + HOUR_MS, None);
    world.offer(OFFERED, None);
    let mut stage = Stage { now_ms: TODAY + HOUR_MS + SECOND, ..Stage::new(world) };
    lose(&mut stage);
    rebuild(&stage);
    let adopts = Beat { adopted: vec![OFFERED.into()], ..beat("g", BOOT, None) };
    hear(&stage.world, &adopts, stage.now_ms);
    live_on(&mut stage, HOUR_MS);
    assert!(matches!(turn(&stage, ADOPTED, 0), Ok(Turn::Next(_))));
    assert!(matches!(turn(&stage, OFFERED, 0), Err(Error::NoSuchSession(_))));
}

#[test]
fn some_hundred_bytes_stay_for_each_domain_and_each_gateway_that_had_pushes() {
    let mut stage = Stage { now_ms: TODAY + HOUR_MS, ..Stage::new(World::new()) };
    for number in 0..7 {
        let id = naming::session_id(stage.now_ms, [number; 16]);
        let mut push = Push::begin(&stage.world, &id, stage.now_ms, None);
        push.slices(5);
        push.end(25_000);
        live_on(&mut stage, 600 * SECOND);
    }
    stage.leap_until(TODAY + 200 * DAY_MS);
    let values: BTreeMap<String, Vec<u8>> = stage.world.store.values().into_iter().collect();
    for letter in ["d", "g"] {
        let keys = stage.keys_of(&[letter]);
        // A counter is in no values.
        let of_value = |key| values.get(key).map_or(size_of::<i64>(), Vec::len);
        let bytes: usize = keys.iter().map(|key| key.len() + of_value(key)).sum();
        assert!((200..600).contains(&bytes), "{bytes}: {keys:?}");
        assert!(keys.iter().any(|key| key.ends_with(".n")), "{keys:?}");
    }
    // Of the stream itself nothing stays.
    assert_eq!(stage.keys_of(&["d", "g", "t"]).len(), stage.world.store.keys().len());
}

#[test]
fn what_a_file_that_was_never_written_is_made_of_stays() {
    const ID: &str = "20200101-x";
    let world = World::new();
    let mut session = Session { began_ms: TODAY + HOUR_MS, ..session_of(ID) };
    let formats = &mut session.rule.as_mut().unwrap().formats;
    formats.push(Format { container: Container::Mp4, slices: None, ..formats[0].clone() });
    let mut push = Push::begin_as(&world, session, None);
    push.slices(12);
    let (_, group) = run(blocks::next(&world.store, &world.bucket, ID, 1_000_000)).unwrap().unwrap();
    let mut made_of: Vec<String> = (0..12).map(|seq| naming::media_object(ID, seq)).collect();
    made_of.extend(group.block);
    made_of.sort_unstable();
    for name in &made_of {
        run(world.bucket.create_or_read(name, b"media")).unwrap();
    }
    push.end(60_000);
    let mut stage = Stage { is_full: true, ..Stage::new(world) };
    for day in (10..=200).step_by(10) {
        stage.leap_until(TODAY + day * DAY_MS);
        compose(&stage.world, stage.now_ms);
    }
    // All else of the push is forgotten.
    assert_eq!(stage.world.bucket.names(), made_of);
}
