//! Streams that are being pushed, and the command to record one.

use serde_json::json;

use super::actions::add;
use super::*;
use crate::bindings::recorder::catalog::catalog::Error;

#[test]
fn a_command_fails_as_documented() {
    let world = World::new();
    let command = |more: &[(&str, &str)]| {
        code(&world, "RealTimeRecordCommand", &with(&with(&STREAM, &[("Command", "start")]), more))
    };
    assert_eq!(command(&[]), "404 InvalidDomain.NotFound");
    assert_eq!(add(&world, &[]), "OK");
    assert_eq!(command(&[]), "404 InvalidStream.NotFound");
    world.push("live", "teststream");
    assert_eq!(command(&[]), "OK");
    for (error, expected) in [
        (Error::NoRule, "404 InvalidConfig.NotFound"),
        (Error::AlreadyRecording, "409 TaskAlreadyStarted"),
        (Error::NotRecording, "409 TaskNotStarted"),
    ] {
        world.told.replace(Some(Err(error)));
        assert_eq!(command(&[("Command", "restart")]), expected);
    }
    for name in ["DomainName", "AppName", "StreamName", "Command"] {
        assert_eq!(command(&[(name, "")]), format!("400 Missing{name}"));
    }
    assert_eq!(command(&[("Command", "pause")]), "400 InvalidCommand.Malformed");
}

#[test]
fn online_streams_are_found_by_part_or_whole_of_their_name() {
    let world = World::new();
    world.push("live", "teststream");
    world.push("live", "test");
    world.push("vod", "other");
    let names = |more: &[(&str, &str)]| {
        let (_, body) =
            call(&world, "DescribeLiveStreamsOnlineList", &with(&[("DomainName", "test.com")], more));
        let streams = body["OnlineInfo"]["LiveStreamOnlineInfo"].as_array().unwrap().clone();
        streams.iter().map(|s| s["StreamName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["teststream", "test", "other"]);
    assert_eq!(names(&[("StreamName", "test")]), ["teststream", "test"]);
    assert_eq!(names(&[("StreamName", "test"), ("QueryType", "strict")]), ["test"]);
    assert_eq!(names(&[("AppName", "vod")]), ["other"]);
    assert!(names(&[("StreamType", "trans")]).is_empty());
    let short = [("DomainName", "test.com"), ("OnlyStream", "yes"), ("PageSize", "1")];
    let (_, body) = call(&world, "DescribeLiveStreamsOnlineList", &short);
    assert_eq!(body["TotalPage"], 3);
    assert_eq!(
        body["OnlineInfo"]["LiveStreamOnlineInfo"],
        json!([{"DomainName": "test.com", "AppName": "live", "StreamName": "teststream",
                "PublishTime": "2026-11-22T10:35:00Z"}])
    );
    let state = |stream: &'static str| {
        call(&world, "DescribeLiveStreamState", &with(&STREAM, &[("StreamName", stream)])).1
    };
    assert_eq!(
        (&state("teststream")["StreamState"], &state("teststream")["Type"]),
        (&"online".into(), &"push".into())
    );
    assert_eq!(state("nothing")["StreamState"], "offline");
}

/// An encoder came back to another gateway before the first one had given it up.
#[test]
fn a_stream_that_is_pushed_twice_is_listed_once_by_its_newest_push() {
    let world = World::new();
    world.push("live", "twice");
    world.push("live", "once");
    world.push("vod", "twice");
    world.push("live", "twice");
    for (session, after_s) in world.live.borrow_mut().iter_mut().zip(0..) {
        session.began_ms += after_s * 1000;
    }
    let (_, body) =
        call(&world, "DescribeLiveStreamsOnlineList", &[("DomainName", "test.com"), ("OnlyStream", "yes")]);
    let streams = body["OnlineInfo"]["LiveStreamOnlineInfo"].as_array().unwrap();
    let listed: Vec<_> =
        streams.iter().map(|s| [&s["AppName"], &s["StreamName"], &s["PublishTime"]]).collect();
    let expected = [
        ["live", "once", "2026-11-22T10:35:01Z"],
        ["vod", "twice", "2026-11-22T10:35:02Z"],
        ["live", "twice", "2026-11-22T10:35:03Z"],
    ];
    assert_eq!(listed, expected);
    assert_eq!(body["TotalNum"], 3);
}

#[test]
fn the_address_of_a_publisher_has_no_port() {
    for (client, address) in [
        ("192.0.2.1:50000", "192.0.2.1"),
        ("[2001:db8::1]:50000", "2001:db8::1"),
        ("[::ffff:192.0.2.1]:1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
    ] {
        let world = World::new();
        world.push("live", "teststream");
        world.live.borrow_mut()[0].client = client.into();
        let (_, body) = call(&world, "DescribeLiveStreamsOnlineList", &[("DomainName", "test.com")]);
        assert_eq!(body["OnlineInfo"]["LiveStreamOnlineInfo"][0]["ClientIp"], address, "{client}");
    }
}
