//! Rules that ask the on-demand URL, over the real catalog.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use on_demand::handler::handle;
use protocol::{BeginSession, Call, SessionAnswer, StreamPath};
use recorder_on_demand_function as on_demand;
use shared::catalog::Lane;
use shared::rules::{self, NotifyConfig};
use shared::testing::{Reply, World, read, request, rule, run};
use shared::{Catalog, work_bucket};

const YES: &str = r#"{"ApiVersion":"1.0","NeedRecord":true}"#;

fn push(name: &str) -> BeginSession {
    BeginSession {
        gateway: "gateway-1".into(),
        boot: "spool.1".into(),
        push: name.into(),
        video_codec: Some("hevc".into()),
        video_kbps: Some(2_000),
        ..BeginSession::default()
    }
}

fn begin(world: &World, push: &BeginSession) -> Result<SessionAnswer, (u16, String, String)> {
    begin_of(world, "cam", push)
}

fn begin_of(
    world: &World,
    stream: &str,
    push: &BeginSession,
) -> Result<SessionAnswer, (u16, String, String)> {
    let stream = StreamPath::new("live.example.com", "live", stream).unwrap();
    read(&run(handle(world, request(&BeginSession::route(stream), serde_json::to_vec(push).unwrap()))))
}

/// A world whose rule asks a URL.
fn asking(url: Option<&str>) -> World {
    let world = World::at(1_000_000);
    *world.rule.borrow_mut() = Ok(Some(rules::Rule { on_demand: rules::OnDemand::AskUrl, ..rule() }));
    *world.notify.borrow_mut() = Ok(Some(NotifyConfig {
        domain: "live.example.com".into(),
        notify_url: None,
        on_demand_url: url.map(Into::into),
        need_status_notify: false,
        notify_req_auth: false,
        notify_auth_key: None,
    }));
    run(world.note_probed(&run(work_bucket(&world)).unwrap())).unwrap();
    world
}

fn answer(body: &str) -> Reply {
    Reply::Answer(200, body.into(), 0)
}

/// Whether a push is recorded, after these replies, and how often it was asked about.
fn check(replies: &[Reply]) -> (bool, usize) {
    let world = asking(Some("http://cb.test.com/ask?token=1"));
    replies.iter().cloned().for_each(|reply| world.receivers.reply(reply));
    let begun = begin(&world, &push("1")).unwrap();
    (!begun.orders.is_empty(), world.receivers.take_sent().len())
}

#[test]
fn a_push_is_recorded_as_the_url_says() {
    assert_eq!(check(&[answer(YES)]), (true, 1));
    assert_eq!(check(&[answer(r#"{"NeedRecord":false}"#)]), (false, 1));
    assert_eq!(check(&[answer(r#"{"NeedRecord":true,"Format":["M3U8","mp4"]}"#)]), (true, 1));
    assert_eq!(check(&[answer(r#"{"NeedRecord":true,"Format":["mp4"]}"#)]), (false, 1), "nothing is left");
}

#[test]
fn what_is_no_answer_is_asked_again_or_taken_for_a_no() {
    let failing = [Reply::Silent(5_000), Reply::Answer(500, String::new(), 0), Reply::Silent(0), answer(YES)];
    assert_eq!(check(&failing), (true, 4));
    assert_eq!(check(&[Reply::Answer(302, YES.into(), 0), answer(YES)]), (true, 2));
    assert_eq!(check(&[]), (false, 5));
    assert_eq!(check(&vec![Reply::Silent(5_000); 9]), (false, 4));
    assert_eq!(check(&[answer("<html>"), answer(YES)]), (false, 1));
    assert_eq!(check(&[answer(&format!("{}{YES}", " ".repeat(2_048))), answer(YES)]), (false, 1));
    assert_eq!(check(&[Reply::Denied, answer(YES)]), (false, 1));
}

#[test]
fn the_begin_is_that_of_the_first_frame_however_long_the_answer_took() {
    let world = asking(Some("http://cb.test.com"));
    world.receivers.reply(Reply::Silent(5_000));
    world.receivers.reply(Reply::Answer(200, YES.into(), 2_000));
    let begun = begin(&world, &BeginSession { began_ago_ms: 300, ..push("1") }).unwrap();
    assert_eq!(world.receivers.paused_ms(), 500);
    assert_eq!(begun.orders[0].age_ms, Some(300 + 5_000 + 500 + 2_000));
    assert_eq!(run(world.get_session(&begun.session)).unwrap().began_ms, 1_000_000 - 300);
}

#[test]
fn a_push_is_asked_about_once_and_each_push_by_itself() {
    let world = asking(Some("http://cb.test.com/ask?token=1"));
    world.receivers.reply(answer(YES));
    world.receivers.reply(answer(r#"{"NeedRecord":false}"#));
    let first = begin(&world, &push("1")).unwrap();
    let again = begin(&world, &push("1")).unwrap();
    assert_ne!(first.session, again.session);
    assert_eq!((first.orders.len(), again.orders.len()), (1, 1));
    assert_eq!(begin(&world, &push("2")).unwrap().orders, []);
    let expected =
        "http://cb.test.com/ask?token=1&app=live&domain=live.example.com&stream=cam&vbitrate=2000&codec=h265";
    let sent = world.receivers.take_sent();
    assert_eq!(sent.iter().map(|request| request.uri().to_string()).collect::<Vec<_>>(), [expected; 2]);
}

#[test]
fn cycles_and_formats_of_the_answer_hold_for_the_session() {
    let world = asking(Some("http://cb.test.com"));
    world.receivers.reply(answer(r#"{"NeedRecord":true,"Interval":{"m3U8":7},"Format":["m3u8"]}"#));
    let begun = begin(&world, &push("1")).unwrap();
    let session = run(world.get_session(&begun.session)).unwrap();
    assert_eq!(session.rule.unwrap().formats[0].cycle_seconds, 7);
    assert!(session.wanted);
}

#[test]
fn a_push_is_not_recorded_where_nobody_can_be_asked() {
    for url in [None, Some("http://127.0.0.1/"), Some("cb.test.com"), Some("http://[64:ff9b::1]/")] {
        let world = asking(url);
        assert_eq!(begin(&world, &push("1")).unwrap().orders, [], "{url:?}");
        assert_eq!(world.receivers.take_sent().len(), 0, "{url:?}");
    }
    let world = asking(None);
    *world.notify.borrow_mut() = Ok(None);
    assert_eq!(begin(&world, &push("1")).unwrap().orders, []);
    let world = asking(Some("http://127.0.0.1/"));
    world.set_variable("private_callbacks", "true");
    world.receivers.reply(answer(YES));
    assert_eq!(begin(&world, &push("1")).unwrap().orders.len(), 1);
}

#[test]
fn another_answer_that_came_first_holds() {
    let world = asking(Some("http://cb.test.com"));
    let other = world.beside(1_000_000);
    world.receivers.reply(answer(r#"{"NeedRecord":false}"#));
    world.receivers.reply(answer(YES));
    // The first asker decides and dies before it offers anything.
    for operation in 0..9 {
        world.store.break_at(operation);
        let _ = begin(&world, &push("1"));
        world.store.mend();
    }
    assert_eq!(begin(&other, &push("1")).unwrap().orders, []);
}

#[test]
fn what_a_begin_that_died_decided_holds_for_its_push_alone() {
    let world = asking(Some("http://cb.test.com"));
    world.receivers.reply(answer(r#"{"NeedRecord":false}"#));
    for operation in 0..9 {
        world.store.break_at(operation);
        let _ = begin(&world, &push("1"));
        world.store.mend();
    }
    assert_eq!((wishes(&world), world.receivers.take_sent().len()), (1, 1));
    assert_eq!(begin(&world, &push("1")).unwrap().orders, []);
    assert_eq!(world.receivers.take_sent().len(), 0, "it is decided");
    let of_another_gateway = BeginSession { gateway: "gateway-2".into(), ..push("1") };
    for (stream, other) in [("cam", push("2")), ("cam", of_another_gateway), ("other", push("1"))] {
        world.receivers.reply(answer(YES));
        assert_eq!(begin_of(&world, stream, &other).unwrap().orders.len(), 1, "{stream} {other:?}");
        assert_eq!(world.receivers.take_sent().len(), 1, "{stream} {other:?}");
    }
}

#[test]
fn a_store_that_fails_decides_nothing() {
    let world = asking(Some("http://cb.test.com"));
    *world.notify.borrow_mut() = Err(rules::Error::Store("the store is full".into()));
    assert_eq!(begin(&world, &push("1")).unwrap_err().0, 503);
    *world.notify.borrow_mut() = asking(Some("http://cb.test.com")).notify.borrow().clone();
    world.receivers.reply(answer(YES));
    assert_eq!(begin(&world, &push("1")).unwrap().orders.len(), 1);
}

/// Attends to whatever is due for the tick.
fn tick(world: &World) {
    for timer in run(world.list_due(Lane::Tick, world.now_ms.get())).unwrap() {
        if run(world.attend(timer.clone(), world.now_ms.get())).unwrap().is_some() {
            run(world.settle(vec![timer], Vec::new(), Vec::new(), world.now_ms.get())).unwrap();
        }
    }
}

fn wishes(world: &World) -> usize {
    world.buckets.objects.borrow().keys().filter(|name| name.contains("/decision/wish/")).count()
}

#[test]
fn what_was_decided_is_forgotten_with_the_offer_that_nobody_adopted() {
    let world = asking(Some("http://cb.test.com"));
    world.receivers.reply(answer(YES));
    begin(&world, &push("1")).unwrap();
    for _ in 0..70 {
        world.pass_ms(60_000);
        tick(&world);
    }
    assert_eq!(wishes(&world), 1, "a begin that is repeated may ask for it still");
    world.pass_ms(92 * 86_400_000);
    for _ in 0..10 {
        world.pass_ms(60_000);
        tick(&world);
    }
    assert_eq!(wishes(&world), 0);
}
