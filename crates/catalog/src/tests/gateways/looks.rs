//! When gateways and breaks are looked at, how often, and what each look leads to.

use store::memory::{Actor, Outcome};

use super::*;
use crate::event::Status;
use crate::file::Confirmed;
use crate::order::Generation;
use crate::rule::Container;
use crate::silence;
use crate::tests::status::told;
use crate::time::{CALL_MAX_MS, SUSPENDED_MAX_MS};

const BOOT: &str = "spool.1";
const HOUR_MS: u64 = 3_600_000;

/// A session whose recording goes on over breaks of so many seconds.
fn delayed(id: &str, began_ms: u64, delay_seconds: u32) -> Session {
    let mut session = Session { began_ms, ..session_of(id) };
    session.rule.as_mut().unwrap().delay_seconds = delay_seconds;
    session
}

/// A push with two chunks of 5 s.
fn recorded(world: &World, session: Session) {
    let (id, now_ms) = (session.id.clone(), session.began_ms);
    begin(world, session, None, now_ms);
    world.bring_all(&id, 0..2);
}

/// A push with two chunks that ended ten seconds after its begin.
fn ended() -> World {
    let world = World::new();
    recorded(&world, delayed("a", NOW, 180));
    hear(&world, &beat("g", BOOT, None), NOW);
    run(session::end(&world.store, &world.bucket, "a", 0, 10_000, 2, NOW + 10 * SECOND)).unwrap();
    world
}

/// A tick of a host: what another one has in hand stays due. Answers what it attended to.
async fn attend(world: &World, now_ms: u64) -> Vec<String> {
    let mut attended = Vec::new();
    for timer in due::due(&world.store, due::Lane::Tick, now_ms).await.unwrap() {
        if due::attend(&world.store, &world.bucket, &timer, KEPT, now_ms).await.unwrap().is_some() {
            attended.push(timer.what.clone());
            due::settle(&world.store, &[timer], &[], &[], now_ms).await.unwrap();
        }
    }
    attended
}

/// How many timers of a kind a tick attends to.
fn looks(world: &World, kind: &str, now_ms: u64) -> usize {
    run(attend(world, now_ms)).iter().filter(|what| what.starts_with(kind)).count()
}

/// A look finds the gateway silent that finds it as it was ten seconds before, and the first one two minutes after that
/// closes what may be closed.
#[test]
fn the_files_of_each_push_of_a_silent_gateway_close_as_soon_as_they_may() {
    let world = World::new();
    for (id, delay_seconds) in [("a", 60), ("b", 140), ("c", 170)] {
        recorded(&world, delayed(id, NOW, delay_seconds));
    }
    hear(&world, &beat("g", BOOT, None), NOW);
    let files = ticks(&world, NOW, 400);
    let [(130..=135, a), (150..=155, b), (180..=185, c)] = &files[..] else { panic!("{files:?}") };
    assert_eq!([a.as_str(), b, c], ["a0 a1", "b0 b1", "c0 c1"]);
}

/// A commit that began before may not have seen the round. Another push of the gateway is waited for already.
#[test]
fn a_round_that_a_look_wrote_which_died_then_is_decided_no_earlier_than_others() {
    let world = World::new();
    recorded(&world, delayed("a", NOW, 600));
    hear(&world, &beat("g", BOOT, None), NOW);
    assert_eq!(ticks(&world, NOW, 200), []);
    recorded(&world, delayed("b", NOW + 200 * SECOND, 60));
    assert_eq!(ticks(&world, NOW + 200 * SECOND, 5), []);
    run(silence::look(&world.store, "b", 1, 10 * SECOND)).unwrap();
    let files = ticks(&world, NOW + 205 * SECOND, 300);
    assert!(matches!(&files[..], [(120..=135, file)] if file == "b0 b1"), "{files:?}");
}

#[test]
fn a_gateway_is_looked_at_every_ten_seconds_however_many_pushes_begin() {
    let world = World::new();
    let mut found = 0;
    for second in 0..80 {
        let now_ms = NOW + second * SECOND;
        if [0, 3, 7, 12].contains(&second) {
            push(&world, &format!("s{second}"), "g", BOOT, now_ms);
        }
        hear(&world, &beat("g", BOOT, Some(0)), now_ms);
        let looks = looks(&world, "g ", now_ms);
        // Each begin asks for a look.
        found += if second < 20 { 0 } else { looks };
    }
    assert!((5..=7).contains(&found), "{found}");
}

#[test]
fn a_gateway_is_looked_at_in_time_though_a_host_an_hour_ahead_has_looked() {
    let world = World::new();
    recorded(&world, delayed("a", NOW, 60));
    hear(&world, &beat("g", BOOT, None), NOW);
    assert_eq!(tick(&world, NOW + HOUR_MS), [] as [&str; 0]);
    // It comes back from a short silence, and falls silent for good.
    hear(&world, &beat("g", BOOT, Some(0)), NOW + 30 * SECOND);
    let files = ticks(&world, NOW + 30 * SECOND, 300);
    assert!(matches!(&files[..], [(120..=145, file)] if file == "a0 a1"), "{files:?}");
}

/// Of a gateway that has something to tell yet, and of one that says nothing.
#[test]
fn a_break_that_is_not_decided_is_looked_at_ever_less_often() {
    for (is_heard, seconds, most) in [(true, 300, 40), (false, 60, 14)] {
        let world = ended();
        let (mut at_first, mut found) = (0, 0);
        for second in 10..190 + seconds {
            let now_ms = NOW + second * SECOND;
            if is_heard {
                let told_ms = (second - 10) * SECOND;
                hear(&world, &Beat { told_ms, ..beat("g", BOOT, Some(0)) }, now_ms);
            }
            let looks = looks(&world, "b ", now_ms);
            found += looks;
            at_first += if second < 194 { looks } else { 0 };
        }
        assert!((3..=5).contains(&at_first), "{is_heard}: {at_first}");
        assert!((10..=most).contains(&found), "{is_heard}: {found}");
    }
}

/// Nobody looked at it for an hour: what came meanwhile may wait at its gateway.
#[test]
fn a_break_that_is_looked_at_late_waits_for_its_gateway_as_long_as_a_break_may_be() {
    let world = ended();
    let files = ticks(&world, NOW + HOUR_MS, 300);
    assert!(matches!(&files[..], [(180..=191, file)] if file == "a0 a1"), "{files:?}");
}

#[test]
fn a_session_whose_gateway_came_back_with_nothing_ends_a_week_after_that() {
    let world = World::new();
    recorded(&world, delayed("a", NOW, 180));
    hear(&world, &beat("g", BOOT, None), NOW);
    assert_eq!(ticks(&world, NOW, 300).len(), 1);
    hear(&world, &beat("g", BOOT, Some(0)), NOW + 300 * SECOND);
    ticks(&world, NOW + 300 * SECOND, 60);
    let ended_in = |week: u64| {
        let from_ms = NOW + week * SUSPENDED_MAX_MS;
        (0..10).find(|minute| {
            tick(&world, from_ms + minute * 60 * SECOND);
            run(session::ended(&world.store, "a")).unwrap().is_some()
        })
    };
    assert_eq!(ended_in(1), None);
    let minute = ended_in(2);
    assert!(minute.is_some(), "{minute:?}");
}

/// A tick of another host comes once it is noted that the status is to be looked at, and finds nothing.
#[test]
fn a_silence_is_told_wherever_the_look_that_closes_the_files_dies() {
    let closing_ms = NOW + 130 * SECOND;
    let mut deaths = 0;
    for steps in 0.. {
        let world = World::new();
        recorded(&world, Session { tells_status: true, ..delayed("a", NOW, 60) });
        hear(&world, &beat("g", BOOT, None), NOW);
        assert_eq!(ticks(&world, NOW, 130), []);
        let mut look: Actor<'_, ()> = Box::pin(async { drop(attend(&world, closing_ms).await) });
        let mut step = || world.store.scheduler().step(&mut look, Outcome::Applied).0.is_ready();
        let is_asked = || {
            world
                .store
                .entries_under("t.")
                .iter()
                .any(|(_, value)| value.windows(4).any(|text| text == b" u a"))
        };
        while !is_asked() {
            assert!(!step(), "nobody is to look at the status");
        }
        run(attend(&world, closing_ms + SECOND));
        let is_over = (0..steps).any(|_| step());
        drop(look);
        for second in 2..300 {
            run(attend(&world, closing_ms + second * SECOND));
        }
        let statuses: Vec<_> = told(&world).into_iter().map(|change| change.status).collect();
        assert_eq!(statuses, [Status::Started, Status::Paused], "{steps}");
        if is_over {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 5, "{deaths}");
}

/// Those that have no media of their own need no such look.
#[test]
fn files_with_media_are_looked_at_by_their_lane_whatever_closes_them() {
    for (container, asks) in [(Container::Mp4, true), (Container::Flv, true), (Container::M3u8, false)] {
        for cause in ["silence", "break", "order"] {
            let world = World::new();
            let mut session = delayed("a", NOW, 60);
            session.rule.as_mut().unwrap().formats[0].container = container;
            recorded(&world, session);
            match cause {
                "silence" => {
                    hear(&world, &beat("g", BOOT, None), NOW);
                    ticks(&world, NOW, 200);
                }
                "break" => {
                    run(world.try_end("a", 2)).unwrap();
                    ticks_and_beats(&world, "g", BOOT, NOW, 200);
                }
                _ => {
                    let confirmed = Confirmed { generation: Generation { orders: 2, files: 1 }, chunks: 2 };
                    let confirmed = vec![("a".to_owned(), confirmed)];
                    hear(&world, &Beat { confirmed, ..beat("g", BOOT, None) }, NOW);
                    tick(&world, NOW);
                }
            }
            let due = run(due::due(&world.store, due::Lane::Compose, NOW + CALL_MAX_MS * 3)).unwrap();
            let is_asked = due.iter().any(|timer| timer.what == "m a");
            assert_eq!(is_asked, asks, "{container:?} {cause}: {due:?}");
        }
    }
}
