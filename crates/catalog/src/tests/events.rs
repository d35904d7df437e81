//! What users' servers are told of, once and in order.

mod chunks;

use store::memory::run;

use super::media::Push;
use super::world::{NOW, World, session_of};
use crate::due::{self, Lane};
use crate::event::{self, At, Event, Fact, Kind, ToldFile, Trouble};
use crate::index_file::IndexFile;
use crate::rule::{Container, Mode};
use crate::session::Session;
use crate::time::{CALL_MAX_MS, DAY_MS};
use crate::wish::{self, Wish};

const FILES: Kind = Kind::File(Container::Mp4);

fn at(kind: Kind, number: u32) -> At<'static> {
    At { recording: "a", kind, number }
}

/// A session whose server is told of everything, and whose objects have names.
fn told() -> Session {
    let mut session = Session { tells_status: true, tells_slices: true, ..session_of("a") };
    let slices = session.rule.as_mut().unwrap().formats[0].slices.as_mut().unwrap();
    slices.object_prefix = "{StreamName}/{UnixTimestamp}_{Sequence}".into();
    session.arguments =
        ["callback_a", "other", "callback_b"].map(|name| (name.to_owned(), format!("{name} of it"))).into();
    session
}

fn file(object: &str) -> IndexFile {
    IndexFile {
        id: "i".into(),
        stream: session_of("a").stream,
        endpoint: "e".into(),
        bucket: "b".into(),
        object: object.into(),
        container: Container::Mp4,
        start_ms: 1,
        end_ms: 2,
        duration_90khz: 3,
        size: None,
        created_ms: 4,
    }
}

fn note_files(world: &World, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let file = file(&format!("{number}.mp4"));
        run(event::note_file(&world.store, &told(), &file, number, NOW)).unwrap();
    }
}

/// What is due in the lane that tells, which is settled.
fn due(world: &World, now_ms: u64) -> Vec<String> {
    let timers = run(due::due(&world.store, Lane::Deliver, now_ms)).unwrap();
    run(due::settle(&world.store, &timers, &[], &[], now_ms)).unwrap();
    timers.into_iter().map(|timer| timer.what).collect()
}

/// The numbers of the files whose events wait, from one on.
fn waiting(world: &World, from: u32) -> String {
    let events = run(event::waiting(&world.store, at(FILES, from), NOW)).unwrap();
    events.iter().map(|event| event.number.to_string()).collect::<Vec<_>>().join(" ")
}

fn done(world: &World, number: u32, goes_on: bool) {
    run(event::done(&world.store, at(FILES, number), true, goes_on, NOW)).unwrap();
}

fn get(world: &World, at: At<'_>) -> Option<Event> {
    run(event::get(&world.store, at)).unwrap()
}

fn fact(world: &World, kind: Kind, number: u32) -> Option<Fact> {
    get(world, at(kind, number)).map(|event| event.fact)
}

#[test]
fn events_of_a_kind_are_told_once_and_in_their_order() {
    let world = World::new();
    note_files(&world, 0..4);
    assert_eq!(due(&world, NOW), ["w a mp4 0", "w a mp4 1", "w a mp4 2", "w a mp4 3"]);
    assert_eq!(waiting(&world, 0), "0 1 2 3");
    // One waits for the one before it.
    assert_eq!(waiting(&world, 1), "");
    done(&world, 0, true);
    assert_eq!(waiting(&world, 0), "1 2 3");
    assert_eq!(waiting(&world, 1), "1 2 3");
    assert_eq!(waiting(&world, 2), "");
    // Whoever told it goes on by itself.
    assert_eq!(due(&world, NOW), [] as [&str; 0]);
    done(&world, 1, false);
    assert_eq!(due(&world, NOW), ["w a mp4 2"]);
    let untold = [0, 1, 2, 3, 4]
        .map(|number| run(event::untold(&world.store, at(FILES, number))).unwrap().map(|event| event.number));
    assert_eq!(untold, [None, None, Some(2), Some(3), None]);
    done(&world, 2, true);
    done(&world, 3, false);
    assert_eq!(due(&world, NOW), [] as [&str; 0]);
    assert_eq!(waiting(&world, 0), "");
    // A call that noted it dies, and is made again.
    note_files(&world, 0..4);
    assert_eq!(due(&world, NOW), [] as [&str; 0]);
}

#[test]
fn the_first_of_some_events_that_waits_leads_to_those_behind_it() {
    let world = World::new();
    note_files(&world, 0..4);
    due(&world, NOW);
    for number in [0, 1] {
        done(&world, number, true);
    }
    let rest = |from, before| {
        run(event::deliver_rest(&world.store, at(FILES, from), before, NOW)).unwrap();
        due(&world, NOW)
    };
    assert_eq!(rest(0, 4), ["w a mp4 2"]);
    assert_eq!(rest(0, 2), [] as [&str; 0]);
    assert_eq!(rest(3, 9), ["w a mp4 3"]);
}

#[test]
fn a_walk_past_events_that_were_told_goes_on_where_it_ended() {
    let world = World::new();
    note_files(&world, 0..66);
    for number in 0..64 {
        done(&world, number, true);
    }
    due(&world, NOW);
    assert_eq!(waiting(&world, 0), "");
    assert_eq!(due(&world, NOW), ["w a mp4 64"]);
    assert_eq!(waiting(&world, 64), "64 65");
}

#[test]
fn an_event_that_is_put_off_keeps_its_tries_and_has_one_timer() {
    let world = World::new();
    note_files(&world, 0..1);
    due(&world, NOW);
    let event = get(&world, at(FILES, 0)).unwrap();
    run(event::put_off(&world.store, event, 3, NOW + 40_000)).unwrap();
    assert_eq!(get(&world, at(FILES, 0)).map(|event| (event.tries, event.again_ms)), Some((3, NOW + 40_000)));
    // Whoever notes it once more has it told no sooner.
    note_files(&world, 0..1);
    assert_eq!(due(&world, NOW + 39_999), [] as [&str; 0]);
    assert_eq!(waiting(&world, 0), "");
    assert_eq!(due(&world, NOW + 40_000), ["w a mp4 0"]);
}

#[test]
fn what_was_told_is_known_for_days_and_what_nobody_wanted_for_minutes() {
    for (is_wanted, kept_ms) in [(true, 3 * DAY_MS), (false, 2 * CALL_MAX_MS)] {
        let world = World::new();
        note_files(&world, 0..1);
        due(&world, NOW);
        run(event::done(&world.store, at(FILES, 0), is_wanted, false, NOW)).unwrap();
        assert_eq!(due(&world, NOW + kept_ms - 1), [] as [&str; 0]);
        assert_eq!(due(&world, NOW + kept_ms), ["y a mp4 0"]);
    }
}

#[test]
fn a_file_is_told_with_the_arguments_that_are_for_callbacks() {
    let world = World::new();
    note_files(&world, 0..1);
    let told = ToldFile {
        container: Container::Mp4,
        object: "0.mp4".into(),
        start_ms: 1,
        end_ms: 2,
        duration_90khz: 3,
        arguments: ["callback_a", "callback_b"].map(|name| (name.into(), format!("{name} of it"))).into(),
    };
    assert_eq!(fact(&world, FILES, 0), Some(Fact::File(told)));
}

#[test]
fn each_kind_is_found_again_by_its_timer() {
    let kinds = [
        FILES,
        Kind::File(Container::M3u8),
        Kind::File(Container::Flv),
        Kind::Status,
        Kind::Slice,
        Kind::Trouble,
        Kind::Refusal,
        Kind::Unanswered,
    ];
    let troubles = [Trouble::Refused, Trouble::Unanswered("r".into()), Trouble::LeftOut("audio".into())];
    let world = World::new();
    for trouble in troubles {
        let fact = Fact::Trouble(trouble);
        run(event::note(&world.store, &told(), "a", 7, fact, NOW)).unwrap();
    }
    note_files(&world, 7..8);
    for what in due(&world, NOW) {
        let found = get(&world, At::of_timer(&what).unwrap()).unwrap();
        assert_eq!(found.number, 7);
        assert!(kinds.contains(&found.at().kind) && found.at() == At::of_timer(&what).unwrap(), "{what}");
    }
    assert_eq!(At::of_timer("w a other 7"), None);
}

#[test]
fn a_fact_that_is_noted_again_keeps_its_number_and_another_one_gets_the_next() {
    let world = World::new();
    let note = |number, trouble: &Trouble| {
        let fact = Fact::Trouble(trouble.clone());
        run(event::note_next(&world.store, &told(), number, fact, NOW)).unwrap()
    };
    let [first, second, third] = ["one", "two", "three"].map(|track| Trouble::LeftOut(track.into()));
    assert_eq!(note(1, &first), 1);
    assert_eq!(note(1, &first), 1);
    assert_eq!(note(1, &second), 2);
    assert_eq!(note(1, &first), 1);
    due(&world, NOW);
    // Nobody may have those before it delivered yet.
    assert_eq!(note(1, &third), 3);
    assert_eq!(due(&world, NOW), ["w a trouble 1", "w a trouble 2", "w a trouble 3"]);
    for (number, trouble) in [(1, first), (2, second), (3, third)] {
        assert_eq!(fact(&world, Kind::Trouble, number), Some(Fact::Trouble(trouble)));
    }
    let ids: std::collections::BTreeSet<String> =
        (1..4).map(|number| get(&world, at(Kind::Trouble, number)).unwrap().id).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| id.len() == 32), "{ids:?}");
}

#[test]
fn a_bucket_that_refuses_is_told_to_those_who_want_it() {
    for tells_status in [true, false] {
        let world = World::new();
        Push::begin_as(&world, Session { tells_status, ..told() }, None);
        run(event::note_refused(&world.store, &world.bucket, "a", NOW)).unwrap();
        let expected = tells_status.then_some(Fact::Trouble(Trouble::Refused));
        assert_eq!(fact(&world, Kind::Refusal, 0), expected);
    }
}

/// A receiver that passes over what it knows by its id has to hear of it again.
#[test]
fn a_bucket_that_still_refuses_after_days_is_another_event() {
    let world = World::new();
    Push::begin_as(&world, Session { tells_status: true, ..told() }, None);
    let note = |now_ms| {
        run(event::note_refused(&world.store, &world.bucket, "a", now_ms)).unwrap();
        get(&world, at(Kind::Refusal, 0)).unwrap().id
    };
    let first = note(NOW);
    assert_eq!(note(NOW + 1_000), first);
    run(event::done(&world.store, at(Kind::Refusal, 0), true, false, NOW)).unwrap();
    let later = NOW + 3 * DAY_MS;
    assert_eq!(note(later), first, "it is still known to be told");
    run(event::forget(&world.store, at(Kind::Refusal, 0), later)).unwrap();
    assert_ne!(note(later), first);
}

#[test]
fn a_push_that_is_not_recorded_for_want_of_an_answer_is_told_so() {
    let reason = Some("it did not answer".to_owned());
    for (is_wanted, tells_status, reason, is_told) in [
        (false, true, reason.clone(), true),
        (true, true, reason.clone(), false),
        (false, false, reason, false),
        (false, true, None, false),
    ] {
        let world = World::new();
        let mut session = Session { is_wanted, tells_status, ..told() };
        session.rule.as_mut().unwrap().mode = Mode::OnDemand;
        let push = wish::Push { stream: &session.stream, gateway: &session.gateway, push: &session.push };
        let wish = Wish { record: is_wanted, containers: None, cycles: Vec::new(), reason: reason.clone() };
        run(wish::decide(&world.bucket, push, &wish)).unwrap();
        run(event::note_unanswered(&world.store, &world.bucket, &session, NOW)).unwrap();
        let expected = reason.filter(|_| is_told).map(|reason| Fact::Trouble(Trouble::Unanswered(reason)));
        assert_eq!(fact(&world, Kind::Unanswered, 0), expected, "{is_wanted} {tells_status}");
    }
}
