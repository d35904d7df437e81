//! The function, from the request to the answer, over the real catalog.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use http::{HeaderValue, Method, Request, header};
use on_demand::handler::handle;
use protocol::{
    BeginSession, Call, EndAnswer, EndSession, Heartbeat, HeartbeatAnswer, SessionAnswer, SessionPath,
    StreamPath,
};
use recorder_on_demand_function as on_demand;
use serde::de::DeserializeOwned;
use shared::catalog::{Command, StreamName};
use shared::rules;
use shared::testing::{Sent, World, read, request, request_to, rule, run};

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
    BeginSession { gateway: "gateway-1".into(), push: "1".into(), ..BeginSession::default() }
}

fn begin(world: &World) -> Result<SessionAnswer, Refused> {
    call(world, stream(), &push())
}

/// A world whose only rule is this one.
fn ruled(rule: rules::Rule) -> World {
    let world = World::at(1_000_000);
    *world.rule.borrow_mut() = Ok(Some(rule));
    world
}

fn code<T>(refused: Result<T, Refused>) -> (u16, String) {
    let (status, code, message) = refused.err().expect("the call should be refused");
    assert!(!message.contains("::") && !message.is_empty(), "{message}");
    (status, code)
}

#[test]
fn a_push_under_a_rule_is_recorded_and_cut_by_it() {
    let world = ruled(rule());
    let began = begin(&world).unwrap();
    assert!(began.record);
    assert_eq!((began.chunk.target_ms, began.chunk.max_ms), (5_000, 20_000));
    world.pass_ms(5_000);
    assert_eq!(begin(&world), Ok(began), "the same push is the same session");
}

#[test]
fn a_push_that_no_rule_wants_is_a_session_too() {
    let mut only_mp4 = rule();
    only_mp4.formats[0].container = rules::Container::Mp4;
    for world in
        [World::at(1), ruled(only_mp4), ruled(rules::Rule { on_demand: rules::OnDemand::Command, ..rule() })]
    {
        assert!(!begin(&world).unwrap().record);
    }
}

#[test]
fn a_push_argument_has_a_push_recorded_where_the_rule_leaves_it_to_the_argument() {
    let world = ruled(rules::Rule { on_demand: rules::OnDemand::PushArgument, ..rule() });
    let mut push = push();
    push.arguments.insert("record_config".into(), r#"{"NeedRecord":true}"#.into());
    assert!(call(&world, stream(), &push).unwrap().record);
}

#[test]
fn a_push_that_names_itself_not_is_a_session_each_time() {
    let world = ruled(rule());
    let unnamed = || call(&world, stream(), &BeginSession::default()).unwrap().session;
    assert_ne!(unnamed(), unnamed());
}

#[test]
fn a_session_ends_once_and_only_by_its_own_path() {
    let world = ruled(rule());
    let session = begin(&world).unwrap().session;
    let end = |stream: StreamPath, session: &str| {
        call(&world, SessionPath { stream, session: session.into() }, &EndSession { ended_at_ms: u64::MAX })
    };
    let not_found = (404, "NoSuchSession".into());
    assert_eq!(code(end(StreamPath::new("live.example.com", "live", "b").unwrap(), &session)), not_found);
    assert_eq!(code(end(stream(), "0123")), not_found);
    assert_eq!(end(stream(), &session), Ok(EndAnswer { chunks: 0 }));
    assert_eq!(end(stream(), &session), Ok(EndAnswer { chunks: 0 }));
    let bare = request_to(Method::POST, &format!("{}/sessions/{session}/end", stream().url_path()), "");
    assert_eq!(answer(&world, bare), Ok(EndAnswer { chunks: 0 }), "a body is not needed");
}

#[test]
fn a_heartbeat_brings_the_gateway_its_orders() {
    let world = ruled(rule());
    let session = begin(&world).unwrap().session;
    let beat = |gateway: &str, since| {
        call(&world, (), &Heartbeat { gateway: gateway.into(), sessions: Vec::new(), since })
    };
    assert_eq!(beat("gateway-1", 0), Ok(HeartbeatAnswer::default()));
    let name = StreamName { domain: "live.example.com".into(), app: "live".into(), stream: "cam".into() };
    run(world.give_command(&name, Command::Stop)).unwrap();
    let heard = beat("gateway-1", 0).unwrap();
    let [order] = &heard.sessions[..] else { panic!("{heard:?}") };
    assert_eq!((&order.session, order.record, order.chunk.target_ms), (&session, false, 5_000));
    assert_eq!(beat("gateway-1", heard.since).unwrap().sessions, []);
    assert_eq!(beat("gateway-2", 0).unwrap().sessions, []);
}

#[test]
fn what_is_not_a_name_is_refused() {
    let world = ruled(rule());
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
    let world = ruled(rule());
    let path = format!("{}/sessions", stream().url_path());
    let sent = |bytes: &[u8], cut_off| {
        let mut request = request_to(Method::POST, &path, bytes);
        request.body_mut().cut_off = cut_off;
        code(answer::<SessionAnswer>(&world, request))
    };
    assert_eq!(sent(b"{", false), (400, "InvalidJson".into()));
    assert_eq!(sent(b"[1]", false), (400, "InvalidJson".into()));
    assert_eq!(sent(b"{}", true), (503, "BodyCutOff".into()));
    assert_eq!(sent(&vec![b' '; (1 << 20) + 1], false), (413, "BodyTooLarge".into()));
}

#[test]
fn only_gateways_are_answered_and_only_at_the_functions_own_routes() {
    let world = ruled(rule());
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
        let world = ruled(rule());
        world.store.break_at(operation);
        let broke = begin(&world);
        world.store.mend();
        if let Err((status, code, _)) = broke {
            assert_eq!((status, code.as_str()), (503, "CatalogFailed"), "{operation}");
        }
        assert!(begin(&world).unwrap().record, "{operation}");
    }
    let world = World::at(1);
    *world.rule.borrow_mut() = Err(rules::Error::Store("the store is full".into()));
    assert_eq!(code(begin(&world)), (503, "RulesFailed".into()));
    world.variables.borrow_mut().clear();
    assert_eq!(code(begin(&world)), (503, "NoVariable".into()));
}
