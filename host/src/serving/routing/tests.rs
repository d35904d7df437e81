use super::*;

fn router(routes: &[&str]) -> Router {
    Router::new(routes.iter().map(|route| (*route, *route))).unwrap()
}

/// Which of `routes` answers `path`; `None` for 404.
fn check(routes: &[&str], path: &str, expected: Option<&str>) {
    let router = router(routes);
    assert_eq!(router.route(path).map(|found| found.component), expected, "{path} in {routes:?}");
}

#[test]
fn exact_routes_match_themselves_alone() {
    check(&["/foo", "/foo/bar"], "/foo", Some("/foo"));
    check(&["/foo", "/foo/bar"], "/foo/bar", Some("/foo/bar"));
    check(&["/foo"], "/foo/x", None);
    check(&["/foo"], "/foobar", None);
    check(&["/foo"], "/", None);
}

#[test]
fn a_trailing_slash_does_not_count() {
    check(&["/foo"], "/foo/", Some("/foo"));
    check(&["/foo/"], "/foo", Some("/foo/"));
}

#[test]
fn a_trailing_wildcard_matches_its_prefix_and_all_below() {
    for path in ["/", "/abc/", "/foo/bar"] {
        check(&["/..."], path, Some("/..."));
    }
    check(&["/foo/..."], "/foo", Some("/foo/..."));
    check(&["/foo/..."], "/foo/a/b", Some("/foo/..."));
    check(&["/foo/..."], "/foobar", None);
}

#[test]
fn the_longest_prefix_wins_in_any_order() {
    let routes = ["/one/...", "/one/two/...", "/one/two/three/..."];
    check(&routes, "/one/two/three/four", Some("/one/two/three/..."));
    check(&routes, "/one/two/x", Some("/one/two/..."));
    let reversed: Vec<&str> = routes.into_iter().rev().collect();
    check(&reversed, "/one/two/three/four", Some("/one/two/three/..."));
}

#[test]
fn exact_beats_named_beats_wildcard() {
    let routes = ["/...", "/:name", "/one"];
    check(&routes, "/one", Some("/one"));
    check(&routes, "/two", Some("/:name"));
    check(&routes, "/two/three", Some("/..."));
}

#[test]
fn the_later_of_two_equal_routes_is_used() {
    let router = Router::new([("/foo", "first"), ("/foo", "second")]).unwrap();
    assert_eq!(router.route("/foo").unwrap().component, "second");
}

#[test]
fn named_segments_keep_dots_and_percent_encoding() {
    let route = "/streams/:domain/:app/:stream/sessions/:session/chunks/:seq";
    let router = router(&[route, "/streams/:domain/:app/:stream/sessions", "/..."]);
    let found = router.route("/streams/live.example.com/app%2Fx/a.b.c/sessions/7d/chunks/12").unwrap();
    assert_eq!(found.raw_route, route);
    let segments: Vec<(&str, &str)> =
        found.segments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        segments,
        [
            ("domain", "live.example.com"),
            ("app", "app%2Fx"),
            ("stream", "a.b.c"),
            ("session", "7d"),
            ("seq", "12")
        ]
    );
    assert_eq!(found.path_info, "");
    assert_eq!(
        router.route("/streams/d/a/s/sessions").unwrap().component,
        "/streams/:domain/:app/:stream/sessions"
    );
    assert_eq!(router.route("/streams/d/a/s/sessions/x/chunks").unwrap().component, "/...");
}

#[test]
fn path_info_keeps_the_trailing_slash() {
    let router = router(&["/test/..."]);
    for (path, expected) in
        [("/test", ""), ("/test/", "/"), ("/test/hello", "/hello"), ("/test/a/b/", "/a/b/")]
    {
        assert_eq!(router.route(path).unwrap().path_info, expected, "{path}");
    }
}

#[test]
fn the_prefix_of_a_route_has_no_wildcard() {
    assert_eq!(router(&["/test/..."]).route("/test/x").unwrap().route_prefix(), "/test");
    assert_eq!(router(&["/test"]).route("/test").unwrap().route_prefix(), "/test");
}

#[test]
fn a_wildcard_within_a_route_is_refused() {
    assert!(Router::new([("/a/*b/c", "x")]).is_err());
}
