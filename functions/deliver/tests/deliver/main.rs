//! The function, from the request to the answer, over the real catalog.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tries;

use std::collections::BTreeMap;

use http::Request;
use protocol::{Call, Deliver, LaneAnswer};
use recorder_deliver_function::handler::handle;
use serde_json::{Value, json};
use shared::catalog::{AudioCodec, Container, PictureSize, Place, RecordFile, Tracks, VideoCodec};
use shared::rules::NotifyConfig;
use shared::testing::{Reply, World, read, request, request_to, run, session};
use shared::{Catalog, Clock};
use store::memory::{Actor, Random};

/// 2026-01-02T03:04:05.000Z.
const BEGAN_MS: u64 = 1_767_323_045_000;

const DAY_MS: u64 = 86_400_000;

/// What a call that died had in hand is another one's within this.
const CLAIMED_MS: u64 = 245_000;

const KEY: &str = "0123456789abcdef";

/// A world in which pushes `a` and `b` were begun, whose domain has a receiver.
fn world() -> World {
    let world = World::at(BEGAN_MS);
    *world.notify.borrow_mut() = Ok(Some(NotifyConfig {
        domain: "live.example.com".into(),
        notify_url: Some("http://cb.test.com/events?token=1".into()),
        on_demand_url: None,
        need_status_notify: false,
        notify_req_auth: true,
        notify_auth_key: Some(KEY.into()),
    }));
    for digit in ['a', 'b'] {
        let mut session = session(digit, BEGAN_MS);
        session.arguments = [("callback_x", "1"), ("token", "secret")]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        run(world.begin(session, None, None, BEGAN_MS)).unwrap();
    }
    world
}

fn file(digit: char, number: u32) -> RecordFile {
    let recording = session(digit, 0).id;
    let place = |seq| Place { session: recording.clone(), seq };
    let start_ms = BEGAN_MS + 20_000 * u64::from(number);
    RecordFile {
        container: Container::M3u8,
        number,
        first: place(u64::from(number)),
        last: place(u64::from(number)),
        start_ms,
        end_ms: start_ms + 20_500,
        end90khz: 0,
        duration90khz: 1_842_089,
        slice_count: 1,
        gaps: 0,
        tracks: Tracks {
            video: Some(VideoCodec::H264),
            audio: Some(AudioCodec::Aac),
            size: Some(PictureSize { width: 640, height: 360 }),
        },
        names_taken: 0,
        recording: recording.clone(),
    }
}

fn commit(world: &World, digit: char, number: u32) {
    let object = format!("{digit}/{number}.m3u8");
    run(world.commit_file(file(digit, number), Some(&object), true, world.now_ms())).unwrap();
}

fn deliver(world: &World) -> LaneAnswer {
    read(&run(handle(world, request(&Deliver::route(()), "")))).unwrap()
}

fn answer(status: u16) -> Reply {
    Reply::Answer(status, String::new(), 0)
}

fn uri(sent: &Request<Vec<u8>>) -> String {
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    body["uri"].as_str().unwrap().to_owned()
}

/// The objects that were told of since, in order.
fn told(world: &World) -> Vec<String> {
    world.receivers.take_sent().iter().map(uri).collect()
}

/// Calls once a second for so long, while the receiver takes everything.
fn deliver_for(world: &World, seconds: u64) {
    for _ in 0..seconds {
        (0..64).for_each(|_| world.receivers.reply(answer(200)));
        deliver(world);
        world.receivers.clear();
        world.pass_ms(1_000);
    }
}

#[test]
fn a_file_is_told_once_with_the_originals_fields_and_signed() {
    let world = world();
    commit(&world, 'a', 0);
    world.receivers.reply(answer(204));
    let done = deliver(&world);
    assert_eq!((done.due, done.done, done.failures.len()), (1, 1, 0));
    let sent = world.receivers.take_sent();
    let [sent] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(sent.method(), "POST");
    assert_eq!(sent.uri(), "http://cb.test.com/events?token=1");
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    let expected = json!({
        "domain": "live.example.com", "app": "live", "stream": "cam", "uri": "a/0.m3u8", "duration": 20.467,
        "start_time": 1_767_323_045, "stop_time": 1_767_323_065, "push_args": { "callback_x": "1" },
    });
    assert_eq!(body, expected);
    let headers: BTreeMap<&str, &str> =
        sent.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["ali-live-timestamp"], "1767323045");
    let id = headers["x-recorder-event-id"];
    assert_eq!(
        (headers["ali-live-signature"], headers["x-recorder-signature"]),
        (
            callback::signature::original("cb.test.com", 1_767_323_045, KEY).as_str(),
            callback::signature::of_body(1_767_323_045, id, sent.body(), KEY).as_str(),
        )
    );
    assert_eq!((headers["x-recorder-container"], headers["x-recorder-attempt"]), ("m3u8", "1"));
    deliver_for(&world, 400);
    assert_eq!(told(&world), Vec::<String>::new(), "it was taken");
}

#[test]
fn nothing_is_signed_unless_it_is_asked_for() {
    let world = world();
    if let Ok(Some(config)) = &mut *world.notify.borrow_mut() {
        config.notify_req_auth = false;
    }
    commit(&world, 'a', 0);
    deliver(&world);
    let sent = world.receivers.take_sent();
    assert!(sent[0].headers().keys().all(|name| !name.as_str().contains("signature")), "{sent:?}");
}

#[test]
fn what_is_not_taken_is_told_again_in_order_under_the_same_id() {
    let world = world();
    commit(&world, 'a', 0);
    world.receivers.reply(answer(500));
    let failed = deliver(&world);
    assert_eq!((failed.due, failed.done, failed.failures[0].retry_in_s), (1, 0, 5));
    let first = world.receivers.take_sent().remove(0);
    commit(&world, 'a', 1);
    commit(&world, 'a', 2);
    assert_eq!(deliver(&world).failures.len(), 0);
    assert_eq!(told(&world), Vec::<String>::new(), "the first one waits, and the others behind it");
    world.pass_ms(5_000);
    world.receivers.reply(answer(302));
    deliver(&world);
    assert_eq!(told(&world), ["a/0.m3u8"], "a redirect is not followed, and fails");
    world.pass_ms(10_000);
    (0..3).for_each(|_| world.receivers.reply(answer(200)));
    deliver(&world);
    let sent = world.receivers.take_sent();
    assert_eq!(sent.iter().map(uri).collect::<Vec<_>>(), ["a/0.m3u8", "a/1.m3u8", "a/2.m3u8"]);
    let header = |sent: &Request<Vec<u8>>, name: &str| sent.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(&sent[0], "x-recorder-event-id"), header(&first, "x-recorder-event-id"));
    assert_ne!(header(&sent[0], "x-recorder-event-id"), header(&sent[1], "x-recorder-event-id"));
    assert_eq!(sent[0].body(), first.body());
    assert_ne!(header(&sent[0], "ali-live-signature"), header(&first, "ali-live-signature"));
    assert_eq!(header(&sent[0], "x-recorder-attempt"), "3");
    deliver_for(&world, 400);
    assert_eq!(told(&world), Vec::<String>::new());
}

#[test]
fn recordings_do_not_wait_for_one_another() {
    let world = world();
    commit(&world, 'a', 0);
    commit(&world, 'b', 0);
    world.receivers.reply(answer(500));
    world.receivers.reply(answer(200));
    let done = deliver(&world);
    assert_eq!((done.due, done.done), (2, 1));
    assert_eq!(told(&world).len(), 2);
}

#[test]
fn a_receiver_that_does_not_answer_is_left_alone_until_the_next_call() {
    let world = world();
    commit(&world, 'a', 0);
    commit(&world, 'b', 0);
    world.receivers.reply(Reply::Silent(5_000));
    assert_eq!(deliver(&world).failures.len(), 2);
    assert_eq!(told(&world).len(), 1);
    deliver_for(&world, 20);
    let mut told = told(&world);
    told.sort();
    assert_eq!(told, ["a/0.m3u8", "b/0.m3u8"]);
}

#[test]
fn what_nobody_wants_is_forgotten() {
    let world = world();
    let config = world.notify.replace(Ok(None));
    commit(&world, 'a', 0);
    assert_eq!(deliver(&world).done, 1);
    *world.notify.borrow_mut() = config;
    commit(&world, 'a', 1);
    deliver_for(&world, 200);
    assert_eq!(told(&world), ["a/1.m3u8"]);
}

#[test]
fn an_event_is_given_up_after_a_day_and_blocks_none_behind_it() {
    let world = world();
    commit(&world, 'a', 0);
    let mut tries = 0;
    while world.now_ms() < BEGAN_MS + DAY_MS + 3_600_000 {
        world.receivers.reply(answer(503));
        deliver(&world);
        tries += told(&world).len();
        world.receivers.clear();
        world.pass_ms(60_000);
    }
    assert!((200..400).contains(&tries), "{tries} tries in a day, at most 5 minutes apart");
    commit(&world, 'a', 1);
    deliver_for(&world, 400);
    assert_eq!(told(&world), ["a/1.m3u8"]);
}

#[test]
fn what_waited_while_nobody_delivered_is_sent_before_it_is_given_up() {
    let world = world();
    (0..4).for_each(|number| commit(&world, 'a', number));
    commit(&world, 'b', 0);
    world.pass_ms(DAY_MS + 3_600_000);
    world.receivers.reply(Reply::Silent(5_000));
    assert_eq!(deliver(&world).failures.len(), 2);
    assert_eq!(told(&world).len(), 1, "the receiver is left alone until the next call");
    deliver_for(&world, 200);
    let mut told = told(&world);
    told.sort();
    assert_eq!(told, ["a/0.m3u8", "a/1.m3u8", "a/2.m3u8", "a/3.m3u8", "b/0.m3u8"]);
}

#[test]
fn many_files_of_one_recording_come_in_their_order() {
    let world = world();
    for number in 0..40 {
        commit(&world, 'a', number);
    }
    deliver_for(&world, 10);
    let expected: Vec<String> = (0..40).map(|number| format!("a/{number}.m3u8")).collect();
    assert_eq!(told(&world), expected);
}

#[test]
fn no_death_on_the_way_loses_an_event() {
    // A tick dies at each operation of the commit, and another one does it again.
    for operation in 0..40 {
        let world = world();
        world.store.break_at(operation);
        let _ = run(world.commit_file(file('a', 0), Some("a/0.m3u8"), true, world.now_ms()));
        world.store.mend();
        deliver_for(&world, 2);
        commit(&world, 'a', 0);
        deliver_for(&world, 200);
        assert_eq!(told(&world), ["a/0.m3u8"], "operation {operation}");
    }
    // A delivery dies at each operation; the event may come twice, and those behind it come after it.
    for operation in 0..60 {
        let world = world();
        commit(&world, 'a', 0);
        commit(&world, 'a', 1);
        world.store.break_at(operation);
        (0..9).for_each(|_| world.receivers.reply(answer(200)));
        run(handle(&world, request(&Deliver::route(()), "")));
        world.store.mend();
        world.receivers.clear();
        deliver_for(&world, 200);
        world.pass_ms(CLAIMED_MS);
        deliver_for(&world, 20);
        let mut told = told(&world);
        assert!(told.len() <= 3, "operation {operation}: {told:?}");
        told.dedup();
        assert_eq!(told, ["a/0.m3u8", "a/1.m3u8"], "operation {operation}");
    }
}

/// Has a delivery die at an operation; what it was to send goes out as far as it comes.
fn deliver_dying_at(world: &World, operation: u64) {
    world.store.break_at(operation);
    (0..32).for_each(|_| world.receivers.reply(answer(200)));
    run(handle(world, request(&Deliver::route(()), "")));
    world.store.mend();
    world.receivers.clear();
}

#[test]
fn nothing_waits_for_ever_behind_what_is_forgotten() {
    // A delivery dies, and nobody delivers for longer than events that were told are known. Another one then dies, which
    // has taken some of what is due.
    for (first, second) in (20..60).flat_map(|first| (100..160).map(move |second| (first, second))) {
        let world = world();
        commit(&world, 'a', 0);
        world.receivers.reply(answer(500));
        deliver(&world);
        // Those behind it wait for it, and have no timers any more.
        (1..3).for_each(|number| commit(&world, 'a', number));
        (0..3).for_each(|_| assert_eq!(deliver(&world).failures.len(), 0));
        world.pass_ms(5_000);
        deliver_dying_at(&world, first);
        world.pass_ms(4 * DAY_MS);
        deliver_dying_at(&world, second);
        // Each of them may have drawn for it and died.
        (0..2).for_each(|_| {
            deliver_for(&world, 1);
            world.pass_ms(CLAIMED_MS);
        });
        deliver_for(&world, 100);
        let told = told(&world);
        let is_told = |number: u32| told.contains(&format!("a/{number}.m3u8"));
        assert!((0..3).all(is_told), "operations {first} and {second}: {told:?}");
    }
}

#[test]
fn nothing_waits_for_ever_behind_what_nobody_wants() {
    for operation in 0..120 {
        let world = world();
        let config = world.notify.replace(Ok(None));
        (0..20).for_each(|number| commit(&world, 'a', number));
        deliver_dying_at(&world, operation);
        *world.notify.borrow_mut() = config;
        world.pass_ms(DAY_MS);
        deliver_for(&world, 200);
        commit(&world, 'a', 20);
        deliver_for(&world, 200);
        assert_eq!(told(&world).last().map(String::as_str), Some("a/20.m3u8"), "operation {operation}");
    }
}

#[test]
fn a_slow_receiver_keeps_a_call_for_half_a_minute_at_most() {
    let world = world();
    (0..40).for_each(|number| commit(&world, 'a', number));
    let mut calls = 0;
    while world.receivers.sent().len() < 40 {
        let before = (world.receivers.sent().len(), world.now_ms());
        (0..64).for_each(|_| world.receivers.reply(Reply::Answer(200, String::new(), 4_900)));
        assert_eq!(deliver(&world).failures.len(), 0);
        world.receivers.clear();
        assert!(world.now_ms() - before.1 <= 35_000, "{} ms", world.now_ms() - before.1);
        let sent = world.receivers.sent().len() - before.0;
        assert!((1..=7).contains(&sent), "{sent}");
        calls += 1;
        assert!(calls < 12);
    }
}

#[test]
fn only_gateways_are_answered_and_only_at_the_functions_own_route() {
    let world = world();
    let status = |request| run(handle(&world, request)).status().as_u16();
    assert_eq!(status(request_to(http::Method::POST, "/tick", "")), 404);
    assert_eq!(status(request_to(http::Method::GET, "/deliver", "")), 405);
    world.set_variable("ingest_token", "another");
    assert_eq!(status(request(&Deliver::route(()), "")), 401);
}

/// Calls that tell receivers, all of them at once, in an order that a seed draws.
fn deliver_at_once(world: &World, calls: usize, random: &mut Random) {
    let actors: Vec<Actor<'_, ()>> = (0..calls)
        .map(|_| {
            let call: Actor<'_, ()> =
                Box::pin(async { drop(handle(world, request(&Deliver::route(()), "")).await) });
            call
        })
        .collect();
    world.store.scheduler().run(actors, random.fair());
}

#[test]
fn two_timers_of_a_recording_and_two_calls_at_once_tell_each_event_once_and_in_order() {
    for seed in 1..100 {
        let world = world();
        world.receivers.otherwise(answer(200));
        world.receivers.schedule(world.store.scheduler().clone());
        let mut random = Random::new(seed);
        (0..3).for_each(|number| commit(&world, 'a', number));
        for _ in 0..5 {
            deliver_at_once(&world, 1 + seed as usize % 3, &mut random);
            world.pass_ms(1_000);
        }
        // A call that drew in vain may have nobody tell anything for some minutes.
        deliver_for(&world, 600);
        assert_eq!(told(&world), ["a/0.m3u8", "a/1.m3u8", "a/2.m3u8"], "seed {seed}");
    }
}

#[test]
fn what_a_call_did_not_come_to_is_told_by_the_next_one() {
    let world = world();
    for digit in ['c', 'd', 'e', 'f', '1', '2', '3', '4', '5', '6'] {
        run(world.begin(session(digit, BEGAN_MS), None, None, BEGAN_MS)).unwrap();
        commit(&world, digit, 0);
    }
    // Each receiver is told of eight recordings at once; the clock goes on for each of them.
    (0..10).for_each(|_| world.receivers.reply(Reply::Answer(200, String::new(), 4_900)));
    deliver(&world);
    let first = told(&world).len();
    assert!((1..10).contains(&first), "{first}");
    world.receivers.clear();
    (0..10).for_each(|_| world.receivers.reply(answer(200)));
    deliver(&world);
    assert_eq!(first + told(&world).len(), 10);
}
