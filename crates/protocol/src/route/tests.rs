use super::*;

fn session() -> SessionPath {
    SessionPath {
        stream: StreamPath::new("live.example.com", "a b", "直播%").unwrap(),
        session: "0af3-1".into(),
    }
}

fn all() -> [Route; 9] {
    [
        Route::Sessions(session().stream),
        Route::Chunk(ChunkPath { session: session(), seq: 12 }),
        Route::End(session()),
        Route::Heartbeat,
        Route::Tick,
        Route::Compose,
        Route::Rebuild,
        Route::Deliver,
        Route::Admission(session().stream),
    ]
}

#[test]
fn each_route_is_read_back_from_what_it_writes() {
    for route in all() {
        assert_eq!(Route::parse(&route.method(), &route.to_string()), Ok(route.clone()), "{route}");
    }
    assert_eq!(
        all()[1].to_string(),
        "/streams/live.example.com/a%20b/%E7%9B%B4%E6%92%AD%25/sessions/0af3-1/chunks/12"
    );
}

#[test]
fn a_path_answers_one_method_and_names_it_to_any_other() {
    let every = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
    for route in all() {
        for found in every.iter().filter(|&method| *method != route.method()) {
            let path = route.to_string();
            let refused =
                RouteError::Method { path: path.clone(), found: found.clone(), allowed: route.method() };
            assert_eq!(Route::parse(found, &path), Err(refused));
        }
    }
}

#[test]
fn names_that_would_leave_their_folder_are_refused() {
    for name in ["..", ".", "%2e%2e", "a%2Fb", "a%5Cb", "%00", "", "%FF", "*"] {
        let path = format!("/streams/d/a/{name}/sessions/s/chunks/0");
        assert!(matches!(Route::parse(&Method::PUT, &path), Err(RouteError::Name(_))), "{name}");
    }
}

#[test]
fn a_session_that_is_no_id_is_refused() {
    for session in ["", "..%2Fx", "a_b", "é", &"a".repeat(65)] {
        let path = format!("/streams/d/a/s/sessions/{session}/end");
        let refused = RouteError::Session { session: session.into() };
        assert_eq!(Route::parse(&Method::POST, &path), Err(refused));
    }
    let longest = format!("/streams/d/a/s/sessions/{}/end", "a".repeat(64));
    assert!(Route::parse(&Method::POST, &longest).is_ok());
}

#[test]
fn numbers_are_plain_decimal() {
    for seq in ["", "-1", "+1", "1e3", "0x1", "1.0", "9999999999999999", "a"] {
        let path = format!("/streams/d/a/s/sessions/s/chunks/{seq}");
        assert_eq!(Route::parse(&Method::PUT, &path), Err(RouteError::Sequence { seq: seq.into() }));
    }
}

#[test]
fn any_other_path_is_no_route() {
    for path in [
        "",
        "/",
        "heartbeat",
        "/heartbeat/",
        "//tick",
        "/streams/d/a/s",
        "/streams/d/a/b/c/sessions",
        "/streams/d/a/s/sessions/x/begin",
        "/streams/d/a/s/sessions/x/chunks",
        "/streams/d/a/s/sessions/x/chunks/0/1",
    ] {
        for method in [Method::POST, Method::PUT] {
            assert_eq!(Route::parse(&method, path), Err(RouteError::NoSuchRoute { path: path.into() }));
        }
    }
}
