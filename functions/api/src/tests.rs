//! Whole requests, signed as clients sign them, answered by the function on a world in memory.

mod actions;
mod authentication;
mod captured;
mod forbidden;
mod hostile;
mod http;
mod notify;
mod streams;
mod world;

use acs::encode;
use api::{Field, HttpRequest, Response, Shape};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use world::World;

use crate::handler::serve;
use crate::settings::Settings;

/// 2026-11-22T10:35:00Z, the time of the captured requests.
const NOW_S: u64 = 1_795_343_700;

const KEYS: &str = "testid:testsecret, reader:s2:ro, off:s4:off,\
                    limited:s3:domain=live.example.com:bucket=*.aliyuncs.com/test123:bucket=127.0.0.1%3A9000/*";

/// A bucket that is there, and is the recorder's own.
const WORK_BUCKET: &str = "https://oss-cn-shanghai-internal.aliyuncs.com/work-bucket";

const VARIABLES: [(&str, &str); 5] = [
    ("access_keys", KEYS),
    ("private_callbacks", "false"),
    ("name_timezone", "+08:00"),
    ("work_bucket", WORK_BUCKET),
    ("bucket_endpoints", ""),
];

const STREAM: [(&str, &str); 3] =
    [("DomainName", "test.com"), ("AppName", "live"), ("StreamName", "teststream")];

fn settings() -> Settings {
    Settings::parse(KEYS, "false", "+08:00", WORK_BUCKET, "").unwrap()
}

/// How a test signs and sends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scheme {
    V1Query,
    V1Form,
    V3Query,
    V3Form,
}

const SCHEMES: [Scheme; 4] = [Scheme::V1Query, Scheme::V1Form, Scheme::V3Query, Scheme::V3Form];

/// Signs a request as a client does.
struct Client<'a> {
    scheme: Scheme,
    key: (&'a str, &'a str),
    format: &'a str,
    version: &'a str,
    time_s: u64,
    nonce: String,
}

impl Client<'_> {
    fn new(scheme: Scheme, nonce: u64) -> Self {
        Self {
            scheme,
            key: ("testid", "testsecret"),
            format: "JSON",
            version: "2016-11-01",
            time_s: NOW_S,
            nonce: nonce.to_string(),
        }
    }

    fn request(&self, action: &str, parameters: &[(&str, &str)]) -> HttpRequest {
        let business: Vec<_> = parameters.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
        match self.scheme {
            Scheme::V1Query | Scheme::V1Form => self.v1(action, business),
            Scheme::V3Query | Scheme::V3Form => self.v3(action, &business),
        }
    }

    fn v1(&self, action: &str, mut parameters: Vec<(String, String)>) -> HttpRequest {
        let time = acs::time::format(self.time_s);
        let common = [
            ("Action", action),
            ("Version", self.version),
            ("Format", self.format),
            ("AccessKeyId", self.key.0),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", &self.nonce),
            ("Timestamp", &time),
        ];
        parameters.extend(common.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let mut sorted = parameters.clone();
        sorted.sort();
        let string_to_sign = format!("POST&%2F&{}", encode(&joined(&sorted)));
        let mut mac = Hmac::<Sha1>::new_from_slice(format!("{}&", self.key.1).as_bytes()).unwrap();
        mac.update(string_to_sign.as_bytes());
        parameters.push(("Signature".into(), BASE64_STANDARD.encode(mac.finalize().into_bytes())));
        self.wire(joined(&parameters), vec![("host".into(), "127.0.0.1:3000".into())])
    }

    fn v3(&self, action: &str, parameters: &[(String, String)]) -> HttpRequest {
        let form = self.scheme == Scheme::V3Form;
        let hash = hex::encode(Sha256::digest(if form { joined(parameters) } else { String::new() }));
        let headers = [
            ("host", "127.0.0.1:3000"),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &hash),
            ("x-acs-date", &acs::time::format(self.time_s)),
            ("x-acs-signature-nonce", &self.nonce),
            ("x-acs-version", self.version),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut sorted = if form { Vec::new() } else { parameters.to_vec() };
        sorted.sort();
        let canonical: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let signed = headers.each_ref().map(|(name, _)| name.as_str()).join(";");
        let canonical = format!("POST\n/\n{}\n{canonical}\n{signed}\n{hash}", joined(&sorted));
        let string_to_sign = format!("ACS3-HMAC-SHA256\n{}", hex::encode(Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.1.as_bytes()).unwrap();
        mac.update(string_to_sign.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={signed},Signature={signature}",
            self.key.0
        );
        let headers = headers.into_iter().chain([("authorization".to_owned(), authorization)]).collect();
        self.wire(joined(parameters), headers)
    }

    fn wire(&self, encoded: String, mut headers: Vec<(String, String)>) -> HttpRequest {
        let form = matches!(self.scheme, Scheme::V1Form | Scheme::V3Form);
        if form {
            headers.push(("content-type".into(), "application/x-www-form-urlencoded; charset=utf-8".into()));
        }
        let (query, body) = if form { (String::new(), encoded.into_bytes()) } else { (encoded, Vec::new()) };
        HttpRequest { method: "POST".into(), path: "/".into(), query, headers, body }
    }
}

fn joined(parameters: &[(String, String)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| encode(name) + "=" + &encode(value)).collect();
    pairs.join("&")
}

fn send(world: &World, request: &HttpRequest) -> Response {
    let endpoints = world.variables.borrow()["bucket_endpoints"].clone();
    let settings = Settings { endpoints: s3::Endpoints::parse(&endpoints).unwrap(), ..settings() };
    futures_executor::block_on(serve(world, &settings, request, "6EBD1AC4-C34D-4AE1-963E-B688A228BE31"))
}

/// Calls an action by one of the schemes in turn, and answers status and JSON.
fn call(world: &World, action: &str, parameters: &[(&str, &str)]) -> (u16, Value) {
    let nonce = world.next_nonce();
    let scheme = SCHEMES[usize::try_from(nonce).unwrap() % SCHEMES.len()];
    let response = send(world, &Client::new(scheme, nonce).request(action, parameters));
    let body = serde_json::from_str(&response.body).unwrap();
    if response.status == 200 {
        assert_conforms(action, &body);
    }
    (response.status, body)
}

/// Whether an answer has the fields, and of the types, that the table says.
fn assert_conforms(action: &str, body: &Value) {
    fn object(fields: &[Field], value: &Value, place: &str) {
        for (name, value) in value.as_object().unwrap_or_else(|| panic!("{place} is no object")) {
            let field =
                fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{place}.{name}"));
            shape(&field.shape, value, &format!("{place}.{name}"));
        }
    }
    fn shape(expected: &Shape, value: &Value, place: &str) {
        match *expected {
            Shape::Text => assert!(value.is_string(), "{place}: {value}"),
            Shape::Time => {
                assert!(value.as_str().is_some_and(|text| acs::time::parse(text).is_ok()), "{place}")
            }
            Shape::Integer => assert!(value.is_u64(), "{place}: {value}"),
            Shape::Number => assert!(value.is_number(), "{place}: {value}"),
            Shape::Boolean => assert!(value.is_boolean(), "{place}: {value}"),
            Shape::Object(fields) => object(fields, value, place),
            Shape::List(item) => {
                for value in value.as_array().unwrap_or_else(|| panic!("{place} is no list")) {
                    shape(item, value, place);
                }
            }
        }
    }
    let mut answer = body.as_object().unwrap().clone();
    assert!(answer.remove("RequestId").is_some_and(|id| id.is_string()), "{action}");
    let fields = api::action(action).unwrap().answer;
    for field in fields {
        assert!(answer.contains_key(field.name), "{action}.{}", field.name);
    }
    object(fields, &Value::Object(answer), action);
}

/// The parameters of a test: a base, of which some are replaced, and some more.
fn with<'a>(base: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more).copied().collect()
}

/// The error code of a call; `OK` for a success.
fn code(world: &World, action: &str, parameters: &[(&str, &str)]) -> String {
    let (status, body) = call(world, action, parameters);
    if status == 200 { "OK".into() } else { format!("{status} {}", body["Code"].as_str().unwrap()) }
}
