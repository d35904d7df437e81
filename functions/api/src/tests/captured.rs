//! The captured requests of the crate `acs`, through the whole function.

use store::memory::run;

use super::*;

macro_rules! captures {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../../crates/acs/testdata/", $name, ".http")))),*]
    };
}

const CAPTURES: &[(&str, &str)] = captures! {
    "sdk3_v3_add_rule" "sdk3_v3_describe_rules" "sdk3_v3_add_notify" "sdk3_v1_add_rule"
    "sdk3_v1_describe_rules" "core_v1_add_rule" "core_v1_describe_rules" "core_v1_query_and_form"
    "sdk1_v1_form" "pop_v1_post_body" "noa_v3_chunked"
};

fn read(text: &str) -> HttpRequest {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
    let body = if chunked { body.lines().nth(1).unwrap() } else { body };
    HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        query: target.split_once('?').map_or("", |(_, query)| query).into(),
        headers,
        body: body.into(),
    }
}

#[test]
fn every_captured_request_is_answered_as_its_client_expects() {
    for (name, text) in CAPTURES {
        let world = World::new();
        world.now_s.set(NOW_S + 400);
        let response = send(&world, &read(text));
        let body: Value = serde_json::from_str(&response.body).unwrap();
        // Their bucket, `bkt`, does not exist here: as far as that they came.
        let expected = if name.contains("add_rule") || matches!(*name, "sdk1_v1_form" | "pop_v1_post_body") {
            (400, Some("InvalidOssBucket.NotFound"))
        } else {
            (200, None)
        };
        assert_eq!((response.status, body["Code"].as_str()), expected, "{name}: {body}");
    }
}

#[test]
fn the_captured_callback_config_is_stored_as_it_was_meant() {
    let (_, text) = CAPTURES.iter().find(|(name, _)| *name == "sdk3_v3_add_notify").unwrap();
    let world = World::new();
    assert_eq!(send(&world, &read(text)).status, 200);
    let stored = run(rules::notify::get(&world.store, "live.example.com")).unwrap().unwrap().value;
    assert_eq!(stored.notify_url.as_deref(), Some("http://cb.test.com/a?b=c"));
    assert!(stored.need_status_notify && !stored.notify_req_auth);
}
