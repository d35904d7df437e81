//! What the recorder answers to a broken or hostile gateway or client.

use harness::process::INGEST_TOKEN;
use harness::server::Server;
use harness::{api, bucket, sample};
use serde_json::{Value, json};

/// The begin of a push by a gateway beside the server's own.
pub(crate) const BEGIN: &[u8] = br#"{"gateway": "by-hand", "boot": "hand.1", "push": "1"}"#;

pub(crate) struct Client<'a> {
    pub(crate) server: &'a Server,
    pub(crate) token: String,
}

impl Client<'_> {
    /// Sends a request to a function; answers the status and the JSON.
    pub(crate) fn send(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let agent = harness::http_agent();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.functions))
            .header("authorization", &self.token)
            .body(body)
            .unwrap();
        let mut response = agent.run(request).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let body =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method} {path}: {error}: {text}"));
        (response.status().as_u16(), body)
    }

    fn begin(&self, stream: &str) -> String {
        let (status, answer) =
            self.send("POST", &format!("/streams/d.example/live/{stream}/sessions"), BEGIN);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["orders"][0]["record"], json!(true));
        answer["session"].as_str().unwrap().to_owned()
    }
}

fn start(folder: &std::path::Path) -> Server {
    let server = Server::start(folder).unwrap();
    api::add_rule(&server, "d.example", "live", "5", "15").unwrap();
    // Nothing begins before a tick has found the work bucket fit.
    let client = Client { server: &server, token: bearer() };
    assert_eq!(client.send("POST", "/tick", b"").0, 200);
    server
}

pub(crate) fn bearer() -> String {
    format!("Bearer {INGEST_TOKEN}")
}

#[test]
fn nobody_is_let_in_without_the_ingest_token() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    for token in ["", "Bearer", "Bearer wrong", INGEST_TOKEN, &format!("Basic {INGEST_TOKEN}")] {
        let client = Client { server: &server, token: token.into() };
        for (method, path) in [
            ("POST", "/streams/d.example/live/x/admission"),
            ("POST", "/streams/d.example/live/x/sessions"),
            ("POST", "/streams/d.example/live/x/sessions/0/end"),
            ("PUT", "/streams/d.example/live/x/sessions/0/chunks/0"),
            ("POST", "/heartbeat"),
            ("POST", "/tick"),
        ] {
            let (status, problem) = client.send(method, path, b"");
            assert_eq!((status, &problem["code"]), (401, &json!("Unauthorized")), "{token:?} {path}");
        }
    }
}

#[test]
fn chunks_that_cannot_be_are_refused_with_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let client = Client { server: &server, token: bearer() };
    let session = client.begin("x");
    let path = |seq: &str| format!("/streams/d.example/live/x/sessions/{session}/chunks/{seq}");
    let flv = std::fs::read(sample()).unwrap();

    let (status, problem) = client.send("PUT", &path("0"), b"GIF89a, not FLV at all");
    assert_eq!((status, &problem["code"]), (422, &json!("MalformedChunk")), "{problem}");
    let (status, problem) = client.send("PUT", &path("0"), &flv[..100_000]);
    assert_eq!((status, &problem["code"]), (422, &json!("MalformedChunk")), "{problem}");
    assert!(problem["message"].as_str().unwrap().contains("offset"), "{problem}");
    let (status, problem) = client.send("PUT", &path("0"), &vec![0; (32 << 20) + 1]);
    assert_eq!((status, &problem["code"]), (413, &json!("ChunkTooLarge")), "{problem}");
    let (status, problem) = client.send("PUT", &path("3"), &flv);
    assert_eq!((status, &problem["code"], &problem["expected"]), (409, &json!("gap"), &json!(0)));
    let (status, problem) = client.send("PUT", &path("-1"), &flv);
    assert_eq!((status, &problem["code"]), (400, &json!("InvalidSequence")), "{problem}");
    assert!(bucket::objects(&server, "recordings", "").unwrap().is_empty());

    // The session is unharmed, and a repeated chunk gets the same answer and no second object.
    let first = client.send("PUT", &path("0"), &flv);
    assert_eq!(first, (200, json!({"seq": 0, "next": 1})));
    assert_eq!(client.send("PUT", &path("0"), &flv), first);
    assert_eq!(bucket::objects(&server, "recordings", "").unwrap().len(), 1);

    let end = format!("/streams/d.example/live/x/sessions/{session}/end");
    let (status, answer) =
        client.send("POST", &end, br#"{"ended_ago_ms": 0, "duration_ms": 25000, "chunks": 1}"#);
    assert_eq!((status, answer), (200, json!({"chunks": 1})));
}

#[test]
fn unknown_sessions_and_malformed_calls_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let client = Client { server: &server, token: bearer() };
    let session = client.begin("x");
    for path in [
        "/streams/d.example/live/x/sessions/0123/chunks/0".to_owned(),
        "/streams/d.example/live/x/sessions/..%2F/chunks/0".to_owned(),
        format!("/streams/d.example/live/other/sessions/{session}/chunks/0"),
    ] {
        let (status, problem) = client.send("PUT", &path, b"");
        assert_eq!((status, &problem["code"]), (404, &json!("NoSuchSession")), "{path}");
    }
    let (status, problem) = client.send("POST", "/streams/d.example/live/x/sessions", b"{\"client\":");
    assert_eq!((status, &problem["code"]), (400, &json!("InvalidJson")), "{problem}");
    let (status, problem) = client.send("POST", "/heartbeat", b"{}");
    assert_eq!((status, &problem["code"]), (400, &json!("InvalidName")), "{problem}");
}

#[test]
fn names_work_end_to_end_or_are_refused_and_never_leave_their_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let client = Client { server: &server, token: bearer() };
    for name in ["..", ".", "%2E%2E", "a%2Fb", "..%2F..%2Fetc", "a%5Cb", "a%00b", "a%0Ab", "%FF", "*"] {
        let (status, problem) =
            client.send("POST", &format!("/streams/d.example/live/{name}/sessions"), BEGIN);
        assert_eq!((status, &problem["code"]), (400, &json!("InvalidName")), "{name}: {problem}");
    }
    let flv = std::fs::read(sample()).unwrap();
    for (name, object) in
        [("%E7%9B%B4%E6%92%AD", "直播"), ("a%20b%3Ac%25%3F%23", "a b:c%?#"), ("%2e%2e%2e", "...")]
    {
        let session = client.begin(name);
        let path = format!("/streams/d.example/live/{name}/sessions/{session}/chunks/0");
        let (status, answer) = client.send("PUT", &path, &flv);
        assert_eq!(status, 200, "{name}: {answer}");
        let prefix = format!("record/live/{object}/");
        assert_eq!(bucket::objects(&server, "recordings", &prefix).unwrap().len(), 1, "{name}");
    }
}

#[test]
fn a_bucket_that_is_absent_or_refuses_is_told_and_keeps_chunks_unacknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let rule = [
        ("DomainName", "d.example"),
        ("AppName", "absent"),
        ("OssBucket", "no-such-bucket"),
        ("OssEndpoint", server.bucket.as_str()),
        ("RecordFormat.1.Format", "m3u8"),
    ];
    let (status, error) = api::call(&server, "AddLiveAppRecordConfig", &rule).unwrap();
    assert_eq!((status, &error["Code"]), (400, &json!("InvalidOssBucket.NotFound")), "{error}");

    let client = Client { server: &server, token: bearer() };
    let session = client.begin("x");
    let bucket_folder = server.bucket_folder("recordings");
    let aside = folder.path().join("aside");
    std::fs::rename(&bucket_folder, &aside).unwrap();
    let path = format!("/streams/d.example/live/x/sessions/{session}/chunks/0");
    let flv = std::fs::read(sample()).unwrap();
    let (status, problem) = client.send("PUT", &path, &flv);
    assert_eq!((status, &problem["code"]), (424, &json!("BucketRefused")), "{problem}");
    std::fs::rename(&aside, &bucket_folder).unwrap();
    assert_eq!(client.send("PUT", &path, &flv).0, 200);
}
