//! Buckets of different owners, each on a store that knows the owner's key alone.

use std::net::SocketAddr;
use std::path::Path;

use bucket_server::{BucketConfig, BucketServer, KeepFree};
use harness::server::Server;
use harness::{api, bucket, sample};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::bad_input::{BEGIN, Client, bearer};

/// Where a store answers that has one key and some buckets. It ends with the runtime.
pub(crate) fn serve(runtime: &Runtime, directory: &Path, key: (&str, &str), buckets: &[&str]) -> SocketAddr {
    let server = BucketServer::open(&BucketConfig {
        directory: directory.to_owned(),
        access_key_id: key.0.into(),
        access_key_secret: key.1.into(),
        buckets: buckets.iter().map(|&name| name.to_owned()).collect(),
        public_read: false,
        keep_free: KeepFree::NOTHING,
    })
    .unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(server.serve(listener, CancellationToken::new()));
    address
}

pub(crate) fn add_rule(server: &Server, app: &str, store: SocketAddr, bucket: &str) -> (u16, Value) {
    let rule = [
        ("DomainName", "d.example"),
        ("AppName", app),
        ("OssBucket", bucket),
        ("OssEndpoint", &format!("http://{store}")),
        ("RecordFormat.1.Format", "m3u8"),
    ];
    api::call(server, "AddLiveAppRecordConfig", &rule).unwrap()
}

/// Begins a push and sends its first chunk; answers what that was answered.
fn record(server: &Server, app: &str, stream: &str) -> (u16, Value) {
    let client = Client { server, token: bearer() };
    // Nothing begins before a tick has found the work bucket fit.
    assert_eq!(client.send("POST", "/tick", b"").0, 200);
    let sessions = format!("/streams/d.example/{app}/{stream}/sessions");
    let (status, begun) = client.send("POST", &sessions, BEGIN);
    assert_eq!(status, 200, "{begun}");
    let session = begun["session"].as_str().unwrap();
    client.send("PUT", &format!("{sessions}/{session}/chunks/0"), &std::fs::read(sample()).unwrap())
}

#[test]
fn each_bucket_is_written_with_its_own_key() {
    let folder = tempfile::tempdir().unwrap();
    let (folder_a, folder_b) = (folder.path().join("a"), folder.path().join("b"));
    let runtime = Runtime::new().unwrap();
    let a = serve(&runtime, &folder_a, ("id-a", "se/cr+et=="), &["users"]);
    let b = serve(&runtime, &folder_b, ("id-b", "s,e:c%ret"), &["users", "others"]);

    // The recorder's own store, where the work bucket is, goes by the key for all other buckets.
    let hosts = ("BUCKET_HOSTS", "http://127.0.0.1:*");
    let keys = format!("{a}/u*=id-a:se/cr+et==,\n{b}/*=id-a:se/cr+et==,{b}/users=id-b:s%2Ce%3Ac%25ret\n");
    let mut server =
        Server::start_with(&folder.path().join("data"), &[hosts, ("BUCKET_KEYS", &keys)]).unwrap();
    assert_eq!(add_rule(&server, "to-a", a, "users").0, 200);
    assert_eq!(add_rule(&server, "to-b", b, "users").0, 200);
    // By the less specific pattern, this bucket has the key of another store.
    let (status, error) = add_rule(&server, "to-others", b, "others");
    assert_eq!((status, &error["Code"]), (400, &json!("InvalidOssBucket.NotFound")), "{error}");
    for (app, folder) in [("to-a", &folder_a), ("to-b", &folder_b)] {
        let answer = record(&server, app, "first");
        assert_eq!(answer, (200, json!({"seq": 0, "next": 1})), "{app}");
        let objects = bucket::objects_in(&folder.join("users")).unwrap();
        assert!(matches!(&objects[..], [one] if one.ends_with("_0.ts")), "{app}: {objects:?}");
    }

    // A wrong key, and then an entry that holds none: the other bucket is recorded into all the same.
    for (stream, key, expected) in
        [("wrong", "id-b:other", (424, "BucketRefused")), ("none", "id-b", (503, "BucketFailed"))]
    {
        server.stop().unwrap();
        let keys = format!("{b}/users={key},{a}/users=id-a:se/cr+et==");
        server = server.start_again_with(&[hosts, ("BUCKET_KEYS", &keys)]).unwrap();
        let (status, problem) = record(&server, "to-b", stream);
        assert_eq!((status, problem["code"].as_str().unwrap()), expected, "{problem}");
        let told = match stream {
            "wrong" => "answers 403 (SignatureDoesNotMatch)".to_owned(),
            _ => format!("variable bucket_keys: entry 1, for \"{b}/users\", has no secret"),
        };
        let message = problem["message"].as_str().unwrap();
        assert!(message.contains(&told) && !message.contains("id-b"), "{message}");
        assert_eq!(record(&server, "to-a", stream).0, 200, "{stream}");
    }
}
