//! Streams that may not be pushed.

use serde_json::json;

use super::*;

const STREAM: [(&str, &str); 4] = [
    ("DomainName", "Live.example.com"),
    ("AppName", "live"),
    ("StreamName", "x"),
    ("LiveStreamType", "publisher"),
];

fn forbid(world: &World, more: &[(&str, &str)]) -> String {
    code(world, "ForbidLiveStream", &[&STREAM[..], more].concat())
}

fn resume(world: &World, app: &str) -> String {
    let parameters = [STREAM[0], ("AppName", app), STREAM[2], STREAM[3]];
    code(world, "ResumeLiveStream", &parameters)
}

fn blocked(world: &World) -> Value {
    call(world, "DescribeLiveStreamsBlockList", &[("DomainName", "live.example.com")]).1["StreamUrls"].take()
}

/// The streams whose pushes were ended, with the reasons.
fn ended(world: &World) -> Vec<(String, String)> {
    let ended = world.ended.take().into_iter();
    ended.map(|(name, reason)| (format!("{}/{}/{}", name.domain, name.app, name.stream), reason)).collect()
}

#[test]
fn a_forbidden_stream_is_disconnected_and_listed_until_it_is_resumed() {
    let world = World::new();
    assert_eq!(forbid(&world, &[("ResumeTime", "2026-11-22T11:00:00Z")]), "OK");
    let name = "live.example.com/live/x";
    let reason = format!("{name} is forbidden until 2026-11-22T11:00:00Z");
    assert_eq!(ended(&world), [(name.to_owned(), reason.clone())]);
    assert_eq!(blocked(&world), json!({ "StreamUrl": [name] }));
    // Whoever forbade it before may have died before anybody was disconnected.
    assert_eq!(forbid(&world, &[]), "400 ConfigAlreadyExists");
    assert_eq!(ended(&world), [(name.to_owned(), reason)]);
    for _ in 0..2 {
        assert_eq!(resume(&world, "live"), "OK");
        assert_eq!(blocked(&world), json!({ "StreamUrl": [] }));
    }
    assert_eq!(ended(&world), []);
    assert_eq!(forbid(&world, &[("Oneshot", "no")]), "OK");
    assert_eq!(ended(&world)[0].1, format!("{name} is forbidden until 2027-05-21T10:35:00Z"));
}

#[test]
fn a_stream_may_be_pushed_again_from_its_time_on() {
    let world = World::new();
    assert_eq!(forbid(&world, &[("ResumeTime", "2026-11-22T10:36:00Z")]), "OK");
    world.now_s.set(NOW_S + 60);
    assert_eq!(blocked(&world), json!({ "StreamUrl": [] }));
    assert_eq!(forbid(&world, &[]), "OK");
    assert_eq!(blocked(&world), json!({ "StreamUrl": ["live.example.com/live/x"] }));
}

#[test]
fn once_only_disconnects() {
    let world = World::new();
    assert_eq!(forbid(&world, &[("Oneshot", "yes"), ("ResumeTime", "2020-01-01T00:00:00Z")]), "OK");
    let name = "live.example.com/live/x";
    assert_eq!(ended(&world), [(name.to_owned(), format!("{name} was disconnected by an operator"))]);
    assert_eq!(blocked(&world), json!({ "StreamUrl": [] }));
    // Of a forbidden stream, too.
    assert_eq!(forbid(&world, &[]), "OK");
    assert_eq!(forbid(&world, &[("Oneshot", "yes")]), "OK");
    assert_eq!(blocked(&world), json!({ "StreamUrl": [name] }));
}

#[test]
fn a_stream_is_resumed_in_one_application_or_in_all() {
    let world = World::new();
    for app in ["live", "vod", "show"] {
        let parameters = [STREAM[0], ("AppName", app), STREAM[2], STREAM[3]];
        assert_eq!(code(&world, "ForbidLiveStream", &parameters), "OK");
    }
    let other = [STREAM[0], STREAM[1], ("StreamName", "y"), STREAM[3]];
    assert_eq!(code(&world, "ForbidLiveStream", &other), "OK");
    assert_eq!(resume(&world, "vod"), "OK");
    let urls = |names: &[&str]| json!({ "StreamUrl": names });
    let left = ["live.example.com/live/x", "live.example.com/show/x", "live.example.com/live/y"];
    assert_eq!(blocked(&world), urls(&left));
    assert_eq!(resume(&world, "*"), "OK");
    assert_eq!(blocked(&world), urls(&left[2..]));
}

#[test]
fn forbidden_streams_are_listed_in_pages() {
    let world = World::new();
    for stream in ["a", "b", "c"] {
        let parameters = [STREAM[0], STREAM[1], ("StreamName", stream), STREAM[3]];
        assert_eq!(code(&world, "ForbidLiveStream", &parameters), "OK");
        world.now_s.set(world.now_s.get() + 1);
    }
    let page = [("DomainName", "LIVE.example.com"), ("PageNum", "2"), ("PageSize", "2")];
    let (status, mut body) = call(&world, "DescribeLiveStreamsBlockList", &page);
    body["RequestId"].take();
    let expected = json!({
        "RequestId": null, "DomainName": "LIVE.example.com", "PageNum": 2, "PageSize": 2, "TotalNum": 3,
        "TotalPage": 2, "StreamUrls": { "StreamUrl": ["live.example.com/live/c"] },
    });
    assert_eq!((status, body), (200, expected));
}

#[test]
fn what_is_absent_or_wrong_is_said() {
    let world = World::new();
    for name in ["DomainName", "AppName", "StreamName", "LiveStreamType"] {
        let without: Vec<_> = STREAM.into_iter().filter(|(other, _)| *other != name).collect();
        for action in ["ForbidLiveStream", "ResumeLiveStream"] {
            assert_eq!(code(&world, action, &without), format!("400 Missing{name}"));
        }
    }
    for (name, value) in [
        ("ResumeTime", "tomorrow"),
        // It would be over at once: local time that was written as UTC, for one.
        ("ResumeTime", "2026-11-22T10:35:00Z"),
        ("ResumeTime", "2026-11-22T02:35:00Z"),
        ("Oneshot", "true"),
    ] {
        assert_eq!(forbid(&world, &[(name, value)]), format!("400 Invalid{name}.Malformed"), "{value}");
    }
    let player = [STREAM[0], STREAM[1], STREAM[2], ("LiveStreamType", "player")];
    assert_eq!(code(&world, "ForbidLiveStream", &player), "400 InvalidLiveStreamType.Malformed");
    let any = [STREAM[0], ("AppName", "*"), STREAM[2], STREAM[3]];
    assert_eq!(code(&world, "ForbidLiveStream", &any), "400 InvalidAppName.Malformed");
    assert_eq!((blocked(&world), ended(&world)), (json!({ "StreamUrl": [] }), vec![]));
}

#[test]
fn a_call_that_failed_on_its_way_can_be_made_again() {
    let world = World::new();
    world.fail();
    assert_eq!(forbid(&world, &[]), "503 ServiceUnavailable");
    world.mend();
    assert_eq!(forbid(&world, &[]), "OK");
    assert_eq!(ended(&world).len(), 1);
}

#[test]
fn a_work_bucket_that_fails_keeps_no_push_alive() {
    let world = World::new();
    world.copies_fail.set(true);
    assert_eq!(forbid(&world, &[]), "503 ServiceUnavailable");
    assert_eq!(ended(&world).len(), 1);
    world.copies_fail.set(false);
    // The repeat makes the copy, whatever it is answered.
    assert_eq!(forbid(&world, &[]), "400 ConfigAlreadyExists");
    assert_eq!(resume(&world, "live"), "OK");
    assert_eq!(*world.copied.borrow(), ["live.example.com/live/x"; 2]);
}

#[test]
fn what_failed_of_resuming_a_stream_in_all_applications_is_done_when_it_is_resumed_again() {
    let fail: [fn(&World, bool); 2] =
        [|world, fails| world.catalog_fails.set(fails), |world, fails| world.copies_fail.set(fails)];
    for fails in fail {
        let world = World::new();
        for app in ["live", "vod"] {
            let parameters = [STREAM[0], ("AppName", app), STREAM[2], STREAM[3]];
            assert_eq!(code(&world, "ForbidLiveStream", &parameters), "OK");
        }
        world.copied.take();
        fails(&world, true);
        assert_eq!(resume(&world, "*"), "503 ServiceUnavailable");
        fails(&world, false);
        // The first one is no longer forbidden by now.
        assert_eq!(blocked(&world), json!({ "StreamUrl": ["live.example.com/vod/x"] }));
        world.now_s.set(NOW_S + 600);
        assert_eq!(resume(&world, "*"), "OK");
        assert_eq!((blocked(&world), ended(&world)), (json!({ "StreamUrl": [] }), vec![]));
        let mut copied = world.copied.take();
        copied.sort();
        assert_eq!(copied, ["live.example.com/live/x", "live.example.com/vod/x"]);
    }
}
