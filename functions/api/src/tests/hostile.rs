//! Whatever is sent, the answer is well-formed, and never a server's failure.

use api::{Kind, Parameter, Presence, Text};

use super::*;

/// Values that somebody hopes nobody thought of.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "*",
    "0",
    "-1",
    "1",
    "99999999999999999999",
    "1e9",
    "0x10",
    "NaN",
    "true",
    "TRUE",
    "None",
    "null",
    "[]",
    "{}",
    "{AppName}",
    "../../etc/passwd",
    "..",
    "/",
    "\\",
    "a/b",
    "\0",
    "\n",
    "\u{202e}",
    "\u{feff}",
    "💣",
    "直播",
    "';DROP TABLE rules;--",
    "<script>",
    "%00",
    "%",
    "http://",
    "http://[",
    "http://127.0.0.1",
    "2019-02-30T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
    "{StartTime}{EndTime}",
    "{{{{",
    "}",
    "m3u8",
    "asc",
    "start",
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// A value that the table allows.
fn allowed(kind: &Kind, random: &mut Random) -> String {
    match *kind {
        Kind::Text(text) => allowed_text(text, random),
        Kind::Integer { min, max, .. } => if random.below(2) == 0 { min } else { max }.to_string(),
        Kind::OneOf(numbers) => numbers[random.below(numbers.len())].to_string(),
        Kind::Boolean => random.of(&["true", "False"]).into(),
        Kind::Time => random.of(&["2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"]).into(),
        Kind::Choice(words) => random.of(words).into(),
        Kind::List { .. } | Kind::Objects { .. } => unreachable!("lists have names, not values"),
    }
}

fn allowed_text(text: Text, random: &mut Random) -> String {
    match text {
        Text::Name | Text::Any(_) => random.of(&["live", "s 1~x", "直播"]).into(),
        Text::NameOrAny | Text::AppOrAny => random.of(&["*", "live"]).into(),
        Text::App => random.of(&["live", "live/room", "直播"]).into(),
        Text::Alphanumeric(min, _) => "k".repeat(min),
        Text::Template(naming::Kind::RecordFile) => naming::DEFAULT_RECORD_FILE.into(),
        Text::Template(naming::Kind::Slice) => naming::DEFAULT_SLICE.into(),
        Text::Template(naming::Kind::IndexFile) => "{StreamName}.m3u8".into(),
        Text::Bucket => world::BUCKET.into(),
        Text::Endpoint => world::ENDPOINT.into(),
        Text::Url => "https://cb.test.com/a?b=c".into(),
    }
}

fn names(parameter: &Parameter, prefix: &str, random: &mut Random, pairs: &mut Vec<(String, String)>) {
    if parameter.presence != Presence::Required && random.below(3) == 0 {
        return;
    }
    let name = format!("{prefix}{}", parameter.name);
    match parameter.kind {
        Kind::List { item, max } => {
            for n in 1..=random.below(max) + 1 {
                pairs.push((format!("{name}.{n}"), allowed_text(item, random)));
            }
        }
        Kind::Objects { fields, .. } => {
            for field in fields {
                names(field, &format!("{name}.1."), random, pairs);
            }
        }
        kind => pairs.push((name, allowed(&kind, random))),
    }
}

fn check(world: &World, request: &HttpRequest, what: &str) -> (u16, String) {
    let response = send(world, request);
    assert!(response.status < 500, "{what}: {} {}", response.status, response.body);
    assert!(!response.body.is_empty(), "{what}");
    if response.content_type.starts_with("application/json") {
        let body: Value = serde_json::from_str(&response.body).unwrap();
        assert!(body["RequestId"].is_string(), "{what}");
        let code = body["Code"].as_str().unwrap_or_default().to_owned();
        assert_eq!(response.status == 200, code.is_empty() || code == "OK", "{what}: {body}");
        if response.status != 200 {
            assert!(body["Message"].is_string() && body["HostId"].is_string(), "{what}: {body}");
        }
        (response.status, code)
    } else {
        let document = roxmltree::Document::parse(&response.body).unwrap_or_else(|e| panic!("{what}: {e}"));
        let root = document.root_element().tag_name().name();
        assert_eq!(response.status == 200, root.ends_with("Response"), "{what}: {root}");
        (response.status, root.to_owned())
    }
}

#[test]
fn every_action_takes_every_parameter_that_its_table_allows() {
    let mut random = Random(7);
    for action in api::ACTIONS {
        let mut succeeded = 0;
        for round in 0..200 {
            let world = World::new();
            world.push("live", "live");
            world.record(NOW_S - 2_000, world::BUCKET);
            let mut pairs = Vec::new();
            for parameter in action.parameters {
                names(parameter, "", &mut random, &mut pairs);
            }
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let client = Client::new(SCHEMES[round % 4], world.next_nonce());
            let request = client.request(action.name, &pairs);
            let (status, code) = check(&world, &request, action.name);
            succeeded += usize::from(status == 200);
            let excused = action.faults.iter().any(|fault| fault.code == code)
                || code.starts_with("Missing")
                || ["InvalidEndTime.Malformed", "InvalidResumeTime.Malformed"].contains(&code.as_str());
            assert!(status == 200 || excused, "{}: {code} for {pairs:?}", action.name);
        }
        let needs_more =
            ["UpdateLive", "DeleteLive", "DescribeLiveRecordNotifyConfig", "RecordIndexFile", "RealTime"];
        assert!(succeeded > 0 || needs_more.iter().any(|part| action.name.contains(part)), "{}", action.name);
    }
}

#[test]
fn no_value_of_any_parameter_is_a_server_failure() {
    let mut random = Random(42);
    for action in api::ACTIONS {
        let mut pairs = Vec::new();
        for parameter in action.parameters {
            names(parameter, "", &mut random, &mut pairs);
        }
        for at in 0..pairs.len() {
            for value in HOSTILE.iter().map(|text| (*text).to_owned()).chain(["x".repeat(100_000)]) {
                let world = World::new();
                let mut changed = pairs.clone();
                changed[at].1 = value;
                let changed: Vec<_> = changed.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                let scheme = SCHEMES[random.below(4)];
                let format = random.of(&["JSON", "XML"]);
                let client = Client { format, ..Client::new(scheme, world.next_nonce()) };
                check(&world, &client.request(action.name, &changed), action.name);
                // Nothing is written half.
                assert!(world.rules().iter().all(|rule| !rule.oss_bucket.is_empty()));
            }
        }
    }
}

#[test]
fn hostile_names_of_parameters_are_ignored_or_refused() {
    let mut random = Random(3);
    for action in api::ACTIONS {
        for round in 0..60 {
            let world = World::new();
            let mut pairs = Vec::new();
            for parameter in action.parameters {
                names(parameter, "", &mut random, &mut pairs);
                let number = ["0", "1", "-1", "01", "4294967296", "x", "", "1.1", "*"][random.below(9)];
                let field = ["", ".", ".Format", ".Format.1", "..", ".x"][random.below(6)];
                pairs.push((format!("{}.{number}{field}{round}", parameter.name), random.of(HOSTILE).into()));
            }
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let client = Client::new(SCHEMES[random.below(4)], world.next_nonce());
            check(&world, &client.request(action.name, &pairs), action.name);
        }
    }
}

#[test]
fn ten_thousand_items_are_refused_before_they_are_looked_at() {
    let world = World::new();
    for (scheme, prefix) in
        SCHEMES.into_iter().zip(["RecordId.", "TranscodeTemplates.", "RecordFormat.", "x"])
    {
        let pairs: Vec<_> = (1..=10_000).map(|n| (format!("{prefix}{n}"), "x".to_owned())).collect();
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let request =
            Client::new(scheme, world.next_nonce()).request("DeleteLiveStreamRecordIndexFiles", &pairs);
        assert_eq!(check(&world, &request, prefix), (400, "InvalidParameter.TooMany".into()));
    }
    assert!(world.store.is_empty());
}

#[test]
fn what_is_given_twice_is_refused() {
    let world = World::new();
    for scheme in SCHEMES {
        let pairs = [("DomainName", "a"), ("DomainName", "b")];
        let request = Client::new(scheme, world.next_nonce()).request("DescribeLiveRecordConfig", &pairs);
        assert_eq!(
            check(&world, &request, "twice"),
            (400, "InvalidParameter.Duplicate".into()),
            "{scheme:?}"
        );
    }
    // Once in the query and once in the form, each signed in its own way.
    let mut request =
        Client::new(Scheme::V3Form, 1).request("DescribeLiveRecordConfig", &[("DomainName", "a")]);
    request.query = "DomainName=b".into();
    let (status, _) = check(&world, &request, "query and form");
    assert_eq!(status, 400);
}

#[test]
fn what_is_not_encoded_is_refused() {
    let world = World::new();
    for query in ["Format=JSON&a=%zz", "Format=JSON&a=%", "Format=JSON&%ff=1", "Format=JSON&a=%C3%28"] {
        let request = HttpRequest {
            method: "GET".into(),
            path: "/".into(),
            query: query.into(),
            ..HttpRequest::default()
        };
        assert_eq!(check(&world, &request, query), (400, "InvalidParameter.Encoding".into()));
    }
    let form = |content_type: &str, body: &[u8]| HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        query: "Format=JSON".into(),
        headers: vec![("content-type".into(), content_type.into())],
        body: body.into(),
    };
    let urlencoded = "application/x-www-form-urlencoded";
    assert_eq!(check(&world, &form(urlencoded, b"a=\xff"), "bytes").1, "InvalidParameter.Encoding");
    for content_type in ["application/json", "multipart/form-data; boundary=x", "", "text/plain"] {
        assert_eq!(
            check(&world, &form(content_type, b"{}"), content_type),
            (415, "UnsupportedContentType".into())
        );
    }
}

#[test]
fn a_host_of_any_kind_is_taken_as_it_is() {
    for host in ["http://127.0.0.1:8080", "", "a b", "x".repeat(10_000).as_str(), "<&>"] {
        let world = World::new();
        let mut request =
            Client::new(Scheme::V1Query, 1).request("DescribeLiveRecordConfig", &[("DomainName", "d")]);
        request.headers[0].1 = host.into();
        assert_eq!(check(&world, &request, host).0, 200);
        request.query.push_str("&x=1");
        assert_eq!(check(&world, &request, host).0, 400);
    }
}
