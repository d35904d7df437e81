//! A bucket that the recorder may write, and nothing else: no object of it can be asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::server::Server;
use harness::{bucket, sample};
use tokio::runtime::Runtime;

use crate::bad_input::{BEGIN, Client, bearer};
use crate::bucket_keys::{add_rule, serve};
use crate::copied::{Stage, is_copy};
use crate::guard::{Guard, Verdict};

/// Withholds every right but that of writing. The answer of the next create is lost where `loses` says so.
fn write_only(loses: Arc<AtomicBool>) -> impl FnMut(&str) -> Verdict {
    move |head| match head.starts_with("PUT ") {
        false if head.starts_with("HEAD ") => Verdict::Answer(403, ""),
        false => Verdict::Answer(403, "<Error><Code>AccessDenied</Code></Error>"),
        true if loses.swap(false, Ordering::SeqCst) => Verdict::LoseAnswer,
        true => Verdict::Pass,
    }
}

/// Sends a chunk until it is taken; answers how it was refused before.
fn send(client: &Client<'_>, chunks: &str, seq: u64) -> Vec<(u16, String)> {
    let mut refused = Vec::new();
    for _ in 0..5 {
        let (status, answer) =
            client.send("PUT", &format!("{chunks}/{seq}"), &std::fs::read(sample()).unwrap());
        if status == 200 {
            return refused;
        }
        refused.push((status, answer["code"].as_str().unwrap().to_owned()));
    }
    panic!("chunk {seq} is not taken: {refused:?}");
}

/// The methods of what was asked for since the last time.
fn methods(guard: &Guard) -> Vec<String> {
    guard.take().iter().map(|head| head.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn a_key_that_may_only_write_records() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let users = folder.path().join("users");
    let store = serve(&runtime, &users, ("testid", "testsecret"), &["own-names", "usual-names"]);
    let loses = Arc::new(AtomicBool::new(false));
    let guard = Guard::before(store, write_only(loses.clone()));
    let options = format!("{}/own-names=write-only;x-amz-storage-class=STANDARD", guard.address);
    let variables = [("BUCKET_HOSTS", "http://127.0.0.1:*"), ("BUCKET_OPTIONS", &options)];
    let server = Server::start_with(&folder.path().join("data"), &variables).unwrap();
    let client = Client { server: &server, token: bearer() };
    let begin = |app: &str, bucket: &str| {
        assert_eq!(add_rule(&server, app, guard.address, bucket).0, 200, "{bucket}");
        assert_eq!(client.send("POST", "/tick", b"").0, 200);
        let sessions = format!("/streams/d.example/{app}/s/sessions");
        let (status, begun) = client.send("POST", &sessions, BEGIN);
        assert_eq!(status, 200, "{begun}");
        methods(&guard);
        format!("{sessions}/{}/chunks", begun["session"].as_str().unwrap())
    };
    let objects = |bucket: &str| bucket::objects_in(&users.join(bucket)).unwrap();
    let failed = || (503, "BucketFailed".to_owned());
    let taken = || (503, "NameTaken".to_owned());

    // With the option, names are a slice's own from the begin: nothing is ever asked for, nor left behind.
    let chunks = begin("own", "own-names");
    assert_eq!(send(&client, &chunks, 0), [taken()]);
    assert!(guard.take()[0].contains("x-amz-storage-class: STANDARD"));
    loses.store(true, Ordering::SeqCst);
    assert_eq!(send(&client, &chunks, 1), [failed()]);
    assert_eq!(send(&client, &chunks, 2), []);
    assert_eq!(methods(&guard), ["PUT"; 3]);
    let names = objects("own-names");
    let is_own =
        |name: &String| name.rsplit_once('-').is_some_and(|(_, end)| end.len() == "01234567.ts".len());
    assert!(names.len() == 3 && names.iter().all(is_own), "{names:?}");

    // Without it, they are from the first one on that is in use.
    let chunks = begin("usual", "usual-names");
    assert_eq!(send(&client, &chunks, 0), []);
    loses.store(true, Ordering::SeqCst);
    assert_eq!(send(&client, &chunks, 1), [failed(), taken()]);
    assert_eq!(send(&client, &chunks, 2), []);
    loses.store(true, Ordering::SeqCst);
    assert_eq!(send(&client, &chunks, 3), [failed()]);
    let names = objects("usual-names");
    assert_eq!(names.iter().filter(|name| is_own(name)).count(), 3, "{names:?}");
    assert_eq!(names.len(), 5, "{names:?}");
}

/// Withholds every right to the users' bucket but that of writing; the first answer to the completion of an upload is lost.
fn write_only_users() -> impl FnMut(&str) -> Verdict {
    let mut is_lost = false;
    move |head| {
        if !head.contains(" /recordings") {
            return Verdict::Pass;
        }
        match head.split(' ').next().unwrap() {
            "POST" if head.contains("?uploadId=") && !is_lost => {
                is_lost = true;
                Verdict::LoseAnswer
            }
            "POST" => Verdict::Pass,
            "PUT" if !is_copy(head) => Verdict::Pass,
            "HEAD" => Verdict::Answer(403, ""),
            _ => Verdict::Answer(403, "<Error><Code>AccessDenied</Code></Error>"),
        }
    }
}

/// The key of the users' bucket may create objects in it, and nothing else: it may read none, list nothing, copy nothing,
/// give no upload up.
#[test]
fn a_key_that_may_only_write_records_in_every_format() {
    const FORMATS: [&str; 3] = ["m3u8", "mp4", "flv"];
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::begin(folder.path(), "write-only", &FORMATS, write_only_users());
    stage.guard.take();
    stage.push("s");
    stage.files("s", &FORMATS);
    stage.wait_until_known("s", FORMATS.len());
    let refused = |head: &String| {
        head.contains(" /recordings")
            && !head.starts_with("POST")
            && (!head.starts_with("PUT") || is_copy(head))
    };
    let asked = stage.guard.take();
    let refused: Vec<&String> = asked.iter().filter(|head| refused(head)).collect();
    // One file finds out that nothing is copied; what is left of an upload is tried to be given up.
    let others: Vec<_> =
        refused.iter().filter(|head| !is_copy(head) && !head.starts_with("DELETE ")).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(refused.iter().filter(|head| is_copy(head)).count() <= 16, "{refused:?}");
}
