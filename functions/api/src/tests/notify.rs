//! Where callbacks go, and which were sent.

use serde_json::json;

use super::*;
use crate::bindings::recorder::catalog::catalog::{Callback, StreamName};

#[test]
fn a_notify_config_lives_its_life() {
    let world = World::new();
    let domain = [("DomainName", "test.com")];
    let do_it = |action: &str, more: &[(&str, &str)]| code(&world, action, &with(&domain, more));
    assert_eq!(do_it("DescribeLiveRecordNotifyConfig", &[]), "404 InvalidConfig.NotFound");
    assert_eq!(
        do_it("UpdateLiveRecordNotifyConfig", &[("NotifyUrl", "http://a.com")]),
        "404 InvalidConfig.NotFound"
    );
    assert_eq!(do_it("DeleteLiveRecordNotifyConfig", &[]), "404 InvalidConfig.NotFound");
    for (more, expected) in [
        (&[][..], "400 MissingNotifyUrl"),
        (&[("NotifyUrl", "ftp://a")], "400 InvalidNotifyUrl.Malformed"),
        (&[("NotifyUrl", "http://10.0.0.1/")], "400 InvalidNotifyUrl.Unsafe"),
        (&[("OnDemandUrl", "x")], "400 InvalidOnDemandUrl.Malformed"),
        (&[("OnDemandUrl", "http://localhost")], "400 InvalidOnDemandUrl.Unsafe"),
        (&[("NotifyUrl", "http://a.com"), ("NotifyReqAuth", "true")], "400 MissingNotifyAuthKey"),
        (&[("NotifyUrl", "http://a.com"), ("NotifyAuthKey", "short")], "400 InvalidNotifyAuthKey.Malformed"),
        (
            &[("NotifyUrl", "http://a.com"), ("NeedStatusNotify", "maybe")],
            "400 InvalidNeedStatusNotify.Malformed",
        ),
        (&[("NotifyUrl", "http://a.com/x?y=z"), ("NeedStatusNotify", "True")], "OK"),
        (&[("NotifyUrl", "http://a.com")], "400 ConfigAlreadyExists"),
    ] {
        assert_eq!(do_it("AddLiveRecordNotifyConfig", more), expected, "{more:?}");
    }
    let key = "0123456789abcdef";
    world.interferences.set(2);
    assert_eq!(
        do_it("UpdateLiveRecordNotifyConfig", &[("NotifyReqAuth", "true"), ("NotifyAuthKey", key)]),
        "OK"
    );
    let (_, body) = call(&world, "DescribeLiveRecordNotifyConfig", &domain);
    assert_eq!(
        body["LiveRecordNotifyConfig"],
        json!({"DomainName": "test.com", "NotifyUrl": "http://a.com/x?y=z", "NeedStatusNotify": true,
               "NotifyReqAuth": true, "NotifyAuthKey": key})
    );
    assert_eq!(do_it("DeleteLiveRecordNotifyConfig", &[]), "OK");
    assert_eq!(do_it("DescribeLiveRecordNotifyConfig", &[]), "404 InvalidConfig.NotFound");
}

#[test]
fn no_callback_was_sent_yet() {
    let world = World::new();
    let parameters = [
        ("DomainName", "test.com"),
        ("StartTime", "2026-11-22T00:00:00Z"),
        ("EndTime", "2026-11-23T00:00:00Z"),
        ("PageNumber", "1"),
        ("PageSize", "20"),
    ];
    let (status, body) = call(&world, "DescribeLiveRecordNotifyRecords", &parameters);
    assert_eq!((status, &body["CallbackList"], &body["Code"]), (200, &json!([]), &200.into()));
    let backwards = with(&parameters, &[("EndTime", "2026-11-21T00:00:00Z")]);
    assert_eq!(code(&world, "DescribeLiveRecordNotifyRecords", &backwards), "400 InvalidEndTime.Mismatch");
}

#[test]
fn callbacks_of_a_domain_are_listed_in_whatever_case_it_is_asked_for() {
    let world = World::new();
    for (domain, sent_s) in [("test.com", NOW_S - 20), ("other.com", NOW_S - 15), ("test.com", NOW_S - 10)] {
        world.callbacks.borrow_mut().push(Callback {
            sent_ms: sent_s * 1000,
            stream: StreamName { domain: domain.into(), app: "live".into(), stream: "teststream".into() },
            event: "file_created".into(),
            url: "http://cb.test.com".into(),
            content: "{}".into(),
            attempt: 1,
            status: Some(200),
            reason: None,
        });
    }
    for domain in ["test.com", "Test.COM"] {
        let parameters = [
            ("DomainName", domain),
            ("StartTime", "2026-11-22T00:00:00Z"),
            ("EndTime", "2026-11-23T00:00:00Z"),
        ];
        let (_, body) = call(&world, "DescribeLiveRecordNotifyRecords", &parameters);
        let callbacks = body["CallbackList"].as_array().unwrap();
        let listed: Vec<_> =
            callbacks.iter().map(|sent| [&sent["DomainName"], &sent["NotifyTime"]]).collect();
        let expected = [["test.com", "2026-11-22T10:34:50Z"], ["test.com", "2026-11-22T10:34:40Z"]];
        assert_eq!(listed, expected, "{domain}");
    }
}
