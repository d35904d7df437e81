//! The function, from the request to the answer, over the real catalog.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use http::{HeaderValue, Method, Request, header};
use on_demand::handler::handle;
use protocol::{
    BeginSession, Call, EndAnswer, EndSession, Heartbeat, HeartbeatAnswer, Order, Rebuild, SessionAnswer,
    SessionPath, StreamPath,
};
use recorder_on_demand_function as on_demand;
use serde::de::DeserializeOwned;
use shared::catalog::{Command, StreamName};
use shared::rules;
use shared::testing::{Sent, World, read, request, request_to, rule, run};
use shared::{BodyError, Catalog, work_bucket};

type Refused = (u16, String, String);

fn answer<T: DeserializeOwned>(world: &World, request: Request<Sent>) -> Result<T, Refused> {
    read(&run(handle(world, request)))
}

fn call<C: Call>(world: &World, address: C::Address, body: &C) -> Result<C::Answer, Refused> {
    answer(world, request(&C::route(address), serde_json::to_vec(body).unwrap()))
}

fn stream() -> StreamPath {
    StreamPath::new("live.example.com", "live", "cam").unwrap()
}

fn push() -> BeginSession {
    BeginSession {
        gateway: "gateway-1".into(),
        boot: "spool.1".into(),
        push: "1".into(),
        ..BeginSession::default()
    }
}

fn begin(world: &World) -> Result<SessionAnswer, Refused> {
    call(world, stream(), &push())
}

/// A world at 1,000 s whose only rule is this one, and whose work bucket was found fit.
fn ruled(rule: Option<rules::Rule>) -> World {
    let world = World::at(1_000_000);
    *world.rule.borrow_mut() = Ok(rule);
    run(world.note_probed(&run(work_bucket(&world)).unwrap())).unwrap();
    world
}

fn code<T>(refused: Result<T, Refused>) -> (u16, String) {
    let (status, code, message) = refused.err().expect("the call should be refused");
    assert!(!message.contains("::") && !message.is_empty(), "{message}");
    (status, code)
}

fn beat(world: &World, since: Option<u64>, adopted: &[&str]) -> Result<HeartbeatAnswer, Refused> {
    let beat = Heartbeat {
        gateway: "gateway-1".into(),
        boot: "spool.1".into(),
        since,
        adopted: adopted.iter().map(|id| (*id).into()).collect(),
        ..Heartbeat::default()
    };
    call(world, (), &beat)
}

/// Generation, whether to record, age and time to come of each order.
fn orders(answer: &SessionAnswer) -> Vec<(String, bool, Option<u64>, Option<u64>)> {
    let fields = |order: &Order| (order.generation.to_string(), order.record, order.age_ms, order.in_ms);
    answer.orders.iter().map(fields).collect()
}

#[test]
fn a_push_under_a_rule_is_recorded_from_its_begin_and_cut_by_it() {
    let world = ruled(Some(rule()));
    let begun = call(&world, stream(), &BeginSession { began_ago_ms: 700, ..push() }).unwrap();
    assert_eq!(orders(&begun), [("1.0".into(), true, Some(700), None)]);
    assert_eq!((begun.chunk.target_ms, begun.chunk.max_ms), (5_000, 20_000));
    assert!(begun.session.starts_with("19700101-"), "{}", begun.session);
    assert_ne!(begin(&world).unwrap().session, begun.session, "a begin only offers a session");
}

#[test]
fn a_window_gives_its_edges_with_the_begin() {
    let world = ruled(Some(rules::Rule { start_time: Some(1_010), end_time: Some(1_070), ..rule() }));
    let expected = [("1.1".into(), true, None, Some(10_000)), ("2.2".into(), false, None, Some(70_000))];
    assert_eq!(orders(&begin(&world).unwrap()), expected);
}

#[test]
fn a_push_that_no_rule_wants_is_a_session_too() {
    let by_command = rules::Rule { on_demand: rules::OnDemand::Command, ..rule() };
    for world in [ruled(None), ruled(Some(by_command))] {
        assert_eq!(begin(&world).unwrap().orders, []);
    }
}

#[test]
fn a_rule_may_ask_for_any_format_alone() {
    for container in [rules::Container::M3u8, rules::Container::Mp4, rules::Container::Flv] {
        let mut alone = rule();
        alone.formats[0].container = container;
        assert_eq!(begin(&ruled(Some(alone))).unwrap().orders.len(), 1, "{container:?}");
    }
}

#[test]
fn a_push_argument_has_a_push_recorded_where_the_rule_leaves_it_to_the_argument() {
    let world = ruled(Some(rules::Rule { on_demand: rules::OnDemand::PushArgument, ..rule() }));
    let mut push = push();
    push.arguments.insert("record_config".into(), r#"{"NeedRecord":true}"#.into());
    assert_eq!(call(&world, stream(), &push).unwrap().orders.len(), 1);
}

#[test]
fn nothing_begins_before_the_work_bucket_was_found_fit() {
    let world = World::at(1_000_000);
    assert_eq!(code(begin(&world)), (503, "WorkBucketNotProbed".into()));
    for wrong in ["", "nowhere", "http://work/"] {
        world.set_variable("work_bucket", wrong);
        assert_eq!(code(begin(&world)), (503, "BadVariable".into()), "{wrong:?}");
    }
}

#[test]
fn a_session_ends_once_and_only_by_its_own_path() {
    let world = ruled(Some(rule()));
    let session = begin(&world).unwrap().session;
    let end = |stream: StreamPath, session: &str, chunks| {
        let end = EndSession { ended_ago_ms: 0, duration_ms: 10_000, chunks };
        call(&world, SessionPath { stream, session: session.into() }, &end)
    };
    let not_found = (404, "NoSuchSession".into());
    assert_eq!(code(end(StreamPath::new("live.example.com", "live", "b").unwrap(), &session, 2)), not_found);
    assert_eq!(code(end(stream(), "0123", 2)), not_found);
    assert_eq!(end(stream(), &session, 2), Ok(EndAnswer { chunks: 2 }));
    assert_eq!(end(stream(), &session, 3), Ok(EndAnswer { chunks: 2 }), "the first end holds");
}

#[test]
fn a_heartbeat_brings_the_gateway_its_orders() {
    let world = ruled(Some(rule()));
    let session = begin(&world).unwrap().session;
    let first = beat(&world, None, &[&session]).unwrap();
    // Nothing was commanded since the begin was answered.
    assert_eq!(first.sessions, []);
    let name = StreamName { domain: "live.example.com".into(), app: "live".into(), stream: "cam".into() };
    world.pass_ms(3_000);
    run(world.give_command(&name, Command::Stop)).unwrap();
    world.pass_ms(500);
    let heard = beat(&world, Some(first.since), &[]).unwrap();
    let [changed] = &heard.sessions[..] else { panic!("{heard:?}") };
    assert_eq!((&changed.session, changed.chunk.target_ms), (&session, 5_000));
    let expected = [("1.0".into(), true, Some(3_500), None), ("2.0".into(), false, Some(500), None)];
    assert_eq!(orders(changed), expected);
    assert_eq!(beat(&world, Some(heard.since), &[]).unwrap().sessions, []);
}

#[test]
fn another_spool_under_a_name_that_is_heard_is_refused() {
    let world = ruled(Some(rule()));
    beat(&world, None, &[]).unwrap();
    let other = BeginSession { boot: "other.1".into(), ..push() };
    assert_eq!(code(call(&world, stream(), &other)), (409, "boot".into()));
    world.pass_ms(11_000);
    assert!(call(&world, stream(), &other).is_ok());
}

#[test]
fn what_is_not_a_name_is_refused() {
    let world = ruled(Some(rule()));
    let invalid = (400, "InvalidName".to_owned());
    let named = BeginSession { gateway: "a/b".into(), ..push() };
    assert_eq!(code(call(&world, stream(), &named)), invalid);
    for gateway in ["", "..", "a/b"] {
        let beat = Heartbeat { gateway: gateway.into(), ..Heartbeat::default() };
        assert_eq!(code(call(&world, (), &beat)), invalid);
    }
    let dots = request_to(Method::POST, "/streams/d/../s/sessions", "{}");
    assert_eq!(code(answer::<SessionAnswer>(&world, dots)), invalid);
}

#[test]
fn a_body_is_the_json_expected_or_refused() {
    let world = ruled(Some(rule()));
    let path = format!("{}/sessions", stream().url_path());
    let sent_as = |bytes: &[u8], declared, broken| {
        let mut request = request_to(Method::POST, &path, bytes);
        (request.body_mut().declared, request.body_mut().broken) = (declared, broken);
        code(answer::<SessionAnswer>(&world, request))
    };
    let sent = |bytes: &[u8]| sent_as(bytes, None, None);
    assert_eq!(sent(b"{"), (400, "InvalidJson".into()));
    assert_eq!(sent(b"[1]"), (400, "InvalidJson".into()));
    assert_eq!(sent_as(b"{}", None, Some(BodyError::CutOff)), (503, "BodyCutOff".into()));
    assert_eq!(sent(&vec![b' '; (1 << 20) + 1]), (413, "BodyTooLarge".into()));
    let stalled = Some(BodyError::Stalled { came: Some(2), declared: None });
    assert_eq!(sent_as(b"{}", None, stalled), (408, "BodyStalled".into()));
    assert_eq!(sent_as(b"{}", Some((1 << 20) + 1), stalled), (413, "BodyTooLarge".into()));
}

#[test]
fn only_gateways_are_answered_and_only_at_the_functions_own_routes() {
    let world = ruled(Some(rule()));
    let mut stranger = request(&Heartbeat::route(()), "");
    stranger.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    assert_eq!(code(answer::<HeartbeatAnswer>(&world, stranger)), (401, "Unauthorized".into()));
    for path in ["/heartbeat", "/streams/d/a/s/sessions", "/streams/d/a/s/sessions/x/end"] {
        let refused = run(handle(&world, request_to(Method::GET, path, "")));
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()[header::ALLOW]),
            (405, &"POST".parse().unwrap())
        );
    }
    for path in ["/tick", "/x", "/streams/d/a/s/sessions/x"] {
        let refused = code(answer::<HeartbeatAnswer>(&world, request_to(Method::POST, path, "")));
        assert_eq!(refused, (404, "NoSuchRoute".into()));
    }
}

#[test]
fn a_failing_store_is_said_and_can_be_asked_again() {
    for operation in 0..8 {
        let world = ruled(Some(rule()));
        world.store.break_at(operation);
        let broke = begin(&world);
        world.store.mend();
        if let Err((status, code, _)) = broke {
            assert_eq!((status, code.as_str()), (503, "CatalogFailed"), "{operation}");
        }
        assert_eq!(begin(&world).unwrap().orders.len(), 1, "{operation}");
    }
    let world = ruled(None);
    *world.rule.borrow_mut() = Err(rules::Error::Store("the store is full".into()));
    assert_eq!(code(begin(&world)), (503, "RulesFailed".into()));
    world.variables.borrow_mut().clear();
    assert_eq!(code(begin(&world)), (503, "NoVariable".into()));
}

#[test]
fn a_lost_store_is_filled_anew_before_anything_begins() {
    let mut world = ruled(Some(rule()));
    let session = begin(&world).unwrap().session;
    beat(&world, None, &[&session]).unwrap();
    let step = |world: &World, at: Option<String>, dry_run| {
        call(world, (), &Rebuild { at, dry_run, ..Rebuild::default() })
    };
    assert_eq!(code(step(&world, Some("catalog ".into()), false)), (503, "Unfit".into()));
    world.lose_store();
    assert_eq!(code(begin(&world)), (503, "Unfit".into()));
    for dry_run in [true, false] {
        let (mut at, mut found) = (None, Vec::new());
        loop {
            let made = step(&world, at, dry_run).unwrap();
            found.push((made.rules, made.sessions, made.restored));
            at = made.next;
            if at.is_none() {
                break;
            }
            assert_eq!(code(begin(&world)), (503, "Unfit".into()));
        }
        let sum = |of: fn(&(u64, u64, u64)) -> u64| found.iter().map(of).sum::<u64>();
        let expected = (1, 1, u64::from(!dry_run));
        assert_eq!((sum(|found| found.0), sum(|found| found.1), sum(|found| found.2)), expected);
    }
    // A step whose answer was lost is made again.
    assert_eq!(step(&world, Some("catalog release".into()), false).unwrap().next, None);
    assert_eq!(code(begin(&world)), (503, "WorkBucketNotProbed".into()));
    run(world.note_probed(&run(work_bucket(&world)).unwrap())).unwrap();
    // Its gateway hears nothing of it that it does not know, and ends it.
    assert_eq!(beat(&world, Some(7), &[]).unwrap().sessions, []);
    let end = EndSession { ended_ago_ms: 0, duration_ms: 10_000, chunks: 2 };
    let path = SessionPath { stream: stream(), session };
    assert_eq!(call(&world, path, &end), Ok(EndAnswer { chunks: 2 }));
    begin(&world).unwrap();
}
