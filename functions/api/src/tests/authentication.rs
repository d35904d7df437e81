//! Who is let in, and what the others are told.

use super::world::{BUCKET, ENDPOINT};
use super::*;

fn refused(request: &HttpRequest) -> String {
    let response = send(&World::new(), request);
    let body: Value = serde_json::from_str(&response.body).unwrap();
    format!("{} {}", response.status, body["Code"].as_str().unwrap())
}

const DESCRIBE: (&str, &[(&str, &str)]) = ("DescribeLiveRecordConfig", &[("DomainName", "live.example.com")]);

fn signed(client: &Client<'_>) -> HttpRequest {
    client.request(DESCRIBE.0, DESCRIBE.1)
}

#[test]
fn every_scheme_is_let_in() {
    for scheme in SCHEMES {
        let response = send(&World::new(), &signed(&Client::new(scheme, 1)));
        assert_eq!(response.status, 200, "{scheme:?}: {}", response.body);
    }
}

#[test]
fn a_wrong_secret_is_told_what_to_sign() {
    for scheme in SCHEMES {
        let client = Client { key: ("testid", "wrong"), ..Client::new(scheme, 1) };
        let response = send(&World::new(), &signed(&client));
        let body: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!((response.status, &body["Code"]), (400, &"SignatureDoesNotMatch".into()));
        let (before, string_to_sign) = body["Message"].as_str().unwrap().split_once(':').unwrap();
        assert!(before.starts_with("Specified signature is not matched"));
        if matches!(scheme, Scheme::V1Query | Scheme::V1Form) {
            // The core SDK takes what lies between the first two colons, and compares it with its own text.
            assert!(string_to_sign.starts_with("POST&%2F&AccessKeyId") && !string_to_sign.contains(':'));
        }
    }
}

#[test]
fn keys_and_times_are_refused_by_name() {
    for scheme in SCHEMES {
        let base = || Client::new(scheme, 1);
        let code = |client: Client<'_>| refused(&signed(&client));
        assert_eq!(code(Client { key: ("nobody", "x"), ..base() }), "404 InvalidAccessKeyId.NotFound");
        assert_eq!(code(Client { key: ("off", "s4"), ..base() }), "400 InvalidAccessKeyId.Inactive");
        assert_eq!(code(Client { time_s: NOW_S - 901, ..base() }), "400 InvalidTimeStamp.Expired");
        assert_eq!(code(Client { time_s: NOW_S + 901, ..base() }), "400 InvalidTimeStamp.Expired");
    }
}

#[test]
fn a_request_without_a_signature_is_refused_whatever_it_asks() {
    for action in api::ACTIONS {
        for query in [format!("Action={}&Version=2016-11-01&Format=JSON", action.name), "Format=json".into()]
        {
            let request =
                HttpRequest { method: "GET".into(), path: "/".into(), query, ..HttpRequest::default() };
            assert_eq!(refused(&request), "400 IncompleteSignature", "{}", action.name);
        }
    }
    let mut request = signed(&Client::new(Scheme::V3Query, 1));
    request.headers.retain(|(name, _)| name != "x-acs-date");
    assert_eq!(refused(&request), "400 IncompleteSignature");
}

#[test]
fn a_malformed_time_is_told_apart() {
    let mut request = signed(&Client::new(Scheme::V1Query, 1));
    request.query = request.query.replace("T10%3A35%3A00Z", "T10%3A35Z");
    assert_eq!(refused(&request), "400 InvalidTimeStamp.Format");
}

#[test]
fn nothing_is_stored_for_a_request_that_is_not_verified() {
    let world = World::new();
    for scheme in SCHEMES {
        send(&world, &signed(&Client { key: ("testid", "wrong"), ..Client::new(scheme, 1) }));
        send(&world, &signed(&Client { time_s: 0, ..Client::new(scheme, 1) }));
    }
    assert!(world.store.is_empty());
}

#[test]
fn a_request_is_answered_once() {
    let world = World::new();
    for scheme in SCHEMES {
        let request = signed(&Client::new(scheme, world.next_nonce()));
        assert_eq!(send(&world, &request).status, 200);
        let again = send(&world, &request);
        assert_eq!(again.status, 400);
        assert!(again.body.contains("SignatureNonceUsed"), "{}", again.body);
    }
}

#[test]
fn a_reading_key_changes_nothing() {
    let world = World::new();
    for action in api::ACTIONS {
        let client = Client { key: ("reader", "s2"), ..Client::new(Scheme::V3Query, world.next_nonce()) };
        let response = send(&world, &client.request(action.name, &[]));
        let forbidden = response.status == 403;
        assert_eq!(forbidden, action.access == api::Access::Write, "{}", action.name);
    }
}

#[test]
fn a_limited_key_reaches_only_its_domains() {
    let world = World::new();
    let status = |domain: &str| {
        let client = Client { key: ("limited", "s3"), ..Client::new(Scheme::V1Query, world.next_nonce()) };
        send(&world, &client.request("DescribeLiveRecordConfig", &[("DomainName", domain)])).status
    };
    assert_eq!(status("live.example.com"), 200);
    assert_eq!(status("LIVE.example.com"), 200);
    assert_eq!(status("other.example.com"), 403);
}

/// What a key is answered that names a bucket, for a rule and for an index.
fn naming_a_bucket(key: (&str, &str), endpoint: &str, bucket: &str) -> String {
    let world = World::new();
    let answer = |action, more: &[(&str, &str)]| {
        let at = [
            ("DomainName", "live.example.com"),
            ("AppName", "live"),
            ("OssEndpoint", endpoint),
            ("OssBucket", bucket),
        ];
        let client = Client { key, ..Client::new(Scheme::V3Query, world.next_nonce()) };
        let response = send(&world, &client.request(action, &[&at[..], more].concat()));
        let body: Value = serde_json::from_str(&response.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", response.status, text("Code"), text("Message")).trim().to_owned()
    };
    let rule = answer("AddLiveAppRecordConfig", &[("RecordFormat.1.Format", "m3u8")]);
    let index = answer(
        "CreateLiveStreamRecordIndexFiles",
        &[
            ("StreamName", "teststream"),
            ("OssObject", "i.m3u8"),
            ("StartTime", "2026-11-22T09:59:00Z"),
            ("EndTime", "2026-11-22T10:00:30Z"),
        ],
    );
    let of_bucket = |answer: &str| answer.contains("Bucket") || answer.contains("ServiceUnavailable");
    assert_eq!(of_bucket(&rule), of_bucket(&index), "{rule} {index}");
    rule
}

#[test]
fn a_limited_key_may_name_only_the_buckets_of_its_patterns() {
    const LIMITED: (&str, &str) = ("limited", "s3");
    let nothing = "400 InvalidOssBucket.NotFound The parameter OssBucket does not exist.";
    assert_eq!(naming_a_bucket(LIMITED, ENDPOINT, BUCKET), "200");
    assert_eq!(naming_a_bucket(LIMITED, "http://127.0.0.1:9000", "other-bucket"), "200");
    // A bucket that is there, one that is not, and one that nobody answers for: nothing is asked, and all is one.
    for bucket in ["other-bucket", "absent", "unreachable"] {
        assert_eq!(naming_a_bucket(LIMITED, ENDPOINT, bucket), nothing, "{bucket}");
    }
    assert_eq!(naming_a_bucket(LIMITED, "127.0.0.1:9001", "other-bucket"), nothing);
    // Of its own it is told why.
    let own = naming_a_bucket(LIMITED, "127.0.0.1:9000", "absent");
    assert_eq!(own, format!("{nothing} HEAD absent answers 404"));
    // Another key may name any.
    assert_eq!(naming_a_bucket(("testid", "testsecret"), ENDPOINT, "other-bucket"), "200");
}

#[test]
fn nobody_records_into_the_work_bucket() {
    let nothing = "400 InvalidOssBucket.NotFound The parameter OssBucket does not exist.";
    for endpoint in ["oss-cn-shanghai-internal.aliyuncs.com", "https://oss-cn-shanghai.aliyuncs.com"] {
        assert_eq!(naming_a_bucket(("testid", "testsecret"), endpoint, "work-bucket"), nothing);
    }
    assert_eq!(naming_a_bucket(("testid", "testsecret"), "127.0.0.1:9000", "work-bucket"), "200");
}

#[test]
fn a_pattern_that_is_none_is_named_by_its_key() {
    let error = Settings::parse("a:secret:bucket=https//x", "false", "+08:00", WORK_BUCKET, "").unwrap_err();
    assert!(error.contains("\"a\"") && !error.contains("secret"), "{error}");
}

#[test]
fn the_action_and_version_that_count_are_the_signed_ones() {
    let world = World::new();
    // Version 1 signs parameters: a header added on the way changes nothing.
    let mut request = signed(&Client::new(Scheme::V1Query, world.next_nonce()));
    request.headers.push(("x-acs-action".into(), "DeleteLiveAppRecordConfig".into()));
    assert_eq!(send(&world, &request).status, 200);
    // Version 3 signs headers; a parameter of that name is none of its own.
    let client = Client::new(Scheme::V3Query, world.next_nonce());
    let request = client.request("DescribeLiveRecordConfig", &[("DomainName", "d"), ("Action", "Nothing")]);
    assert_eq!(send(&world, &request).status, 200);
}

#[test]
fn unknown_actions_and_versions_are_refused() {
    let world = World::new();
    assert_eq!(code(&world, "DescribeNothing", &[]), "404 InvalidAction.NotFound");
    assert_eq!(code(&world, "describeliverecordconfig", &[]), "404 InvalidAction.NotFound");
    for scheme in SCHEMES {
        for (version, expected) in [("2014-05-26", "InvalidVersion"), ("", "")] {
            let client = Client { version, ..Client::new(scheme, world.next_nonce()) };
            let response = send(&world, &signed(&client));
            assert!(response.status >= 400 && response.body.contains(expected), "{}", response.body);
        }
    }
}

#[test]
fn only_get_and_post_are_answered() {
    for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", ""] {
        let request = HttpRequest { method: method.into(), ..signed(&Client::new(Scheme::V3Query, 1)) };
        assert_eq!(refused(&request), "405 UnsupportedHTTPMethod", "{method}");
    }
}

#[test]
fn a_failing_store_is_no_reason_to_let_anybody_in() {
    let world = World::new();
    world.fail();
    let response = send(&world, &signed(&Client::new(Scheme::V1Query, 1)));
    assert_eq!(response.status, 503);
    assert!(response.body.contains("ServiceUnavailable"));
}

#[test]
fn version_1_is_answered_in_the_format_it_names_and_else_in_xml() {
    let world = World::new();
    for (format, json) in [("JSON", true), ("json", true), ("XML", false), ("None", false), ("", false)] {
        for scheme in [Scheme::V1Query, Scheme::V1Form] {
            for key in [("testid", "testsecret"), ("testid", "wrong")] {
                let client = Client { format, key, ..Client::new(scheme, world.next_nonce()) };
                let response = send(&world, &signed(&client));
                let expected = if json { "application/json;charset=utf-8" } else { "text/xml;charset=utf-8" };
                assert_eq!(response.content_type, expected, "{format} {scheme:?}");
                assert_eq!(response.body.starts_with('{'), json);
            }
        }
    }
}
