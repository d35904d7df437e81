//! The way of a request over HTTP: what is gathered of it, what the answer looks like, what the host withholds.

use ::http::Request;
use shared::BodyError;
use shared::testing::Sent;

use super::*;
use crate::handler::handle;

fn request(sent: HttpRequest) -> Request<Sent> {
    let mut request = Request::builder().method("POST").uri(format!("/?{}", sent.query));
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    request.body(Sent { bytes: sent.body, ..Sent::default() }).unwrap()
}

fn answered(world: &World, request: Request<Sent>) -> (u16, Value) {
    let answer = futures_executor::block_on(handle(world, request));
    assert_eq!(answer.headers()["content-type"], "application/json;charset=utf-8");
    (answer.status().as_u16(), serde_json::from_str(answer.body()).unwrap())
}

fn describe(scheme: Scheme) -> HttpRequest {
    Client::new(scheme, 1).request("DescribeLiveRecordConfig", &[("DomainName", "live.example.com")])
}

#[test]
fn a_request_is_gathered_and_answered_whichever_way_it_is_signed() {
    for scheme in SCHEMES {
        let (status, body) = answered(&World::new(), request(describe(scheme)));
        // A random UUID of version 4, of which the bits that tell so are fixed.
        assert_eq!(
            (status, &body["RequestId"]),
            (200, &"FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF".into()),
            "{scheme:?}: {body}"
        );
    }
}

#[test]
fn the_host_is_that_of_the_url_where_no_header_names_one() {
    for scheme in [Scheme::V1Query, Scheme::V3Query] {
        let mut sent = describe(scheme);
        sent.headers.retain(|(name, _)| name != "host");
        let (mut parts, body) = request(sent).into_parts();
        parts.uri = format!("http://127.0.0.1:3000{}", parts.uri).parse().unwrap();
        assert_eq!(answered(&World::new(), Request::from_parts(parts, body)).0, 200, "{scheme:?}");
    }
    let (status, body) = answered(
        &World::new(),
        request(HttpRequest {
            query: "Format=JSON".into(),
            headers: vec![("host".into(), "api.example.com".into())],
            ..HttpRequest::default()
        }),
    );
    assert_eq!((status, &body["HostId"]), (400, &"api.example.com".into()));
}

#[test]
fn what_is_too_large_or_cut_off_is_refused_by_name() {
    let json = || HttpRequest { query: "Format=JSON".into(), ..HttpRequest::default() };
    let refused = |sent: Request<Sent>| {
        let (status, body) = answered(&World::new(), sent);
        format!("{status} {}", body["Code"].as_str().unwrap())
    };
    let body = vec![b'a'; (256 << 10) + 1];
    assert_eq!(refused(request(HttpRequest { body, ..json() })), "413 RequestEntityTooLarge");
    let broken = |declared, why| {
        let mut broken = request(json());
        *broken.body_mut() = Sent { bytes: b"x".into(), declared, broken: Some(why) };
        refused(broken)
    };
    assert_eq!(broken(None, BodyError::CutOff), "503 ServiceUnavailable");
    let stalled = BodyError::Stalled { came: Some(1), declared: Some(1_000) };
    assert_eq!(broken(Some(1_000), stalled), "408 RequestTimeout");
    // What is too long is not waited for.
    assert_eq!(broken(Some(99_999_999_999), stalled), "413 RequestEntityTooLarge");
}

#[test]
fn a_body_that_stopped_coming_is_told_with_what_came_of_it() {
    let mut stalled = request(HttpRequest { query: "Format=JSON".into(), ..HttpRequest::default() });
    let why = BodyError::Stalled { came: Some(1), declared: Some(1_000) };
    *stalled.body_mut() = Sent { bytes: b"x".into(), declared: Some(1_000), broken: Some(why) };
    let (status, body) = answered(&World::new(), stalled);
    let message =
        "The request has not come to its end in time. Found: the body stopped coming: 1 of 1000 bytes came.";
    assert_eq!((status, &body["Message"]), (408, &message.into()));
}

#[test]
fn what_the_host_withholds_is_a_temporary_failure_and_told_to_nobody() {
    for (name, _) in VARIABLES {
        for value in [None, Some("\u{1}")] {
            let world = World::new();
            match value {
                Some(wrong) => world.variables.borrow_mut().insert(name, wrong.into()),
                None => world.variables.borrow_mut().remove(name),
            };
            let (status, body) = answered(&world, request(describe(Scheme::V3Query)));
            assert_eq!((status, &body["Code"]), (503, &"ServiceUnavailable".into()), "{name}");
            assert_eq!(body["Message"], api::faults::SERVICE_UNAVAILABLE.message, "{name}");
        }
    }
    let world = World::new();
    world.fail();
    let (status, body) = answered(&world, request(describe(Scheme::V3Query)));
    assert_eq!((status, &body["Message"]), (503, &api::faults::SERVICE_UNAVAILABLE.message.into()));
}
