//! Streams that may not be pushed.

use http::Method;
use protocol::{AskAdmission, Call, StreamPath};
use serde_json::{Value, json};
use shared::testing::{request, request_to, run};
use store::memory::{Actor, Random};

use crate::client;
use crate::site::Site;

const PUBLISHER: (&str, &str) = ("LiveStreamType", "publisher");

fn forbid(site: &Site, stream: &str, more: &[(&str, &str)]) -> String {
    let answer = site.api_of("ForbidLiveStream", stream, &[&[PUBLISHER][..], more].concat());
    answer.map_or_else(|code| code, |_| "OK".into())
}

/// The status that a gateway is answered which asks for a publisher.
fn admission(site: &Site, stream: &str) -> u16 {
    let world = site.any();
    world.now_ms.set(site.now_ms.get());
    let path = StreamPath::new("live.example.com", "live", stream).unwrap();
    let ask = request(&AskAdmission::route(path), "{}");
    run(recorder_on_demand_function::handler::handle(world, ask)).status().as_u16()
}

/// The sessions that a gateway's next heartbeat is told to end.
fn denied(site: &Site, gateway: &str) -> Vec<String> {
    let answer = site.beat(gateway).unwrap();
    let sessions = answer["sessions"].as_array().unwrap().iter();
    let denied = sessions.filter(|session| session["denied"].is_string());
    denied.map(|session| session["session"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_forbidden_push_is_told_to_end_on_every_gateway_and_refused_until_its_time() {
    let site = Site::new();
    for gateway in ["g", "h"] {
        site.start(gateway, "spool.1");
    }
    let mut push = site.begin("g", "cam");
    let other = site.begin("h", "cam");
    site.begin("h", "else");
    site.record(&mut push, 2);
    let until = acs::time::format(site.now_ms.get() / 1_000 + 60);
    assert_eq!(forbid(&site, "cam", &[("ResumeTime", &until)]), "OK");
    assert_eq!(denied(&site, "g"), [push.session.as_str()]);
    assert_eq!(denied(&site, "h"), [other.session.as_str()]);
    assert_eq!((denied(&site, "g"), denied(&site, "h")), (vec![], vec![]));
    site.end(&push);
    site.end(&other);
    site.seconds(20);
    assert_eq!(site.files_of(&push), [[0, 1]], "what was pushed before stays");
    assert_eq!([admission(&site, "cam"), admission(&site, "else")], [403, 204]);
    site.seconds(40);
    assert_eq!(admission(&site, "cam"), 204);
}

#[test]
fn once_ends_what_is_pushed_and_refuses_nothing() {
    let site = Site::new();
    site.start("g", "spool.1");
    let push = site.begin("g", "cam");
    site.seconds(2);
    assert_eq!(forbid(&site, "cam", &[("Oneshot", "yes")]), "OK");
    assert_eq!(denied(&site, "g"), [push.session.as_str()]);
    site.end(&push);
    assert_eq!(admission(&site, "cam"), 204);
    site.begin("g", "cam");
    site.seconds(2);
    assert_eq!(denied(&site, "g"), Vec::<String>::new());
}

#[test]
fn a_stream_is_forbidden_while_a_push_of_it_is_adopted_and_the_push_ends_however_they_race() {
    let mut told_by = [0; 2];
    for seed in 1..=300 {
        let site = Site::new();
        site.start("g", "spool.1");
        let push = site.offer("g", "cam", &json!({})).unwrap();
        let world = site.any();
        world.now_ms.set(site.now_ms.get());
        let of = [("DomainName", "live.example.com"), ("AppName", "live"), ("StreamName", "cam"), PUBLISHER];
        let call = client::request("ForbidLiveStream", &of, 1, site.now_ms.get());
        let since = site.heard.borrow()["g"].since;
        let told = json!({"gateway": "g", "boot": "spool.1", "since": since, "adopted": [push.session]});
        let beat = request_to(Method::POST, "/heartbeat", told.to_string());
        let calls: Vec<Actor<'_, shared::Answer>> = vec![
            Box::pin(recorder_api_function::handler::handle(world, call)),
            Box::pin(recorder_on_demand_function::handler::handle(world, beat)),
        ];
        let mut answers = world.store.scheduler().run(calls, Random::new(seed).lopsided());
        let heard = answers.pop().unwrap().unwrap();
        assert!(client::read(&answers.pop().unwrap().unwrap()).is_ok(), "seed {seed}");
        let heard: Value = serde_json::from_str(heard.body()).unwrap();
        site.tell("g", |heartbeat| heartbeat.since = heard["since"].as_u64());
        let at_once =
            heard["sessions"].as_array().unwrap().iter().any(|session| session["denied"].is_string());
        let next = denied(&site, "g");
        assert!(at_once || next == [push.session.as_str()], "seed {seed}: {heard} {next:?}");
        told_by[if at_once { 0 } else { 1 }] += 1;
    }
    assert!(told_by[0] > 0 && told_by[1] > 100, "{told_by:?}");
}

#[test]
fn a_push_that_may_go_on_by_the_time_its_gateway_hears_of_it_does_not_end() {
    // The stream is resumed, or its time is over; what an operator ended ends all the same.
    for (is_once, is_resumed) in [(false, true), (false, false), (true, true)] {
        let site = Site::new();
        site.start("g", "spool.1");
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 1);
        let heard = site.silence("g");
        let until = acs::time::format(site.now_ms.get() / 1_000 + 60);
        let once = if is_once { "yes" } else { "no" };
        assert_eq!(forbid(&site, "cam", &[("ResumeTime", &until), ("Oneshot", once)]), "OK");
        if is_resumed {
            site.api_of("ResumeLiveStream", "cam", &[PUBLISHER]).unwrap();
        } else {
            site.pass_ms(61_000);
        }
        site.heard.borrow_mut().insert("g".into(), heard);
        let expected = if is_once { vec![push.session.clone()] } else { Vec::new() };
        assert_eq!(denied(&site, "g"), expected, "once {is_once}, resumed {is_resumed}");
    }
}

#[test]
fn a_host_that_is_an_hour_behind_ends_no_push_that_began_after_the_streams_time() {
    let site = Site::of_hosts(crate::site::long_cycles(), &[0, -3_600_000]);
    let until = acs::time::format(site.now_ms.get() / 1_000 + 60);
    // Its turn is that of the host whose clock is right.
    site.tick();
    assert_eq!(forbid(&site, "cam", &[("ResumeTime", &until)]), "OK");
    site.pass_ms(61_000);
    site.start("g", "spool.1");
    let _push = site.begin("g", "cam");
    for _ in 0..6 {
        assert_eq!(denied(&site, "g"), Vec::<String>::new());
        site.pass_ms(1_000);
    }
}
