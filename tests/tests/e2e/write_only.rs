//! A bucket that the recorder may write, and nothing else: no object of it can be asked for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use harness::server::Server;
use harness::{bucket, sample};
use tokio::runtime::Runtime;

use crate::bad_input::{BEGIN, Client, bearer};
use crate::bucket_keys::{add_rule, serve};

/// Stands before a store and withholds every right but that of writing.
struct Guard {
    address: SocketAddr,
    /// The next create is done, and its answer does not come back.
    loses: Arc<AtomicBool>,
    /// Whatever was asked for, with its headers.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Guard {
    fn before(store: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (loses, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let guard = Self { address, loses: loses.clone(), asked: asked.clone() };
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (loses, asked) = (loses.clone(), asked.clone());
                // A request that is cut off is its sender's affair.
                std::thread::spawn(move || pass(connection, store, &loses, &asked));
            }
        });
        guard
    }

    /// The methods of what was asked for since the last time.
    fn methods(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(|head| head.split(' ').next().unwrap().to_owned()).collect()
    }
}

/// One request and its answer.
fn pass(
    mut client: TcpStream,
    store: SocketAddr,
    loses: &AtomicBool,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    asked.lock().unwrap().push(head.clone());
    if !head.starts_with("PUT ") {
        let body = if head.starts_with("HEAD ") { "" } else { "<Error><Code>AccessDenied</Code></Error>" };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        return client.write_all(answer.as_bytes());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut behind = TcpStream::connect(store)?;
    behind.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    behind.write_all(&body)?;
    let mut answer = Vec::new();
    behind.read_to_end(&mut answer)?;
    if loses.swap(false, Ordering::SeqCst) { Ok(()) } else { client.write_all(&answer) }
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

#[test]
fn a_key_that_may_only_write_records() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let users = folder.path().join("users");
    let store = serve(&runtime, &users, ("testid", "testsecret"), &["own-names", "usual-names"]);
    let guard = Guard::before(store);
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
        guard.methods();
        format!("{sessions}/{}/chunks", begun["session"].as_str().unwrap())
    };
    let objects = |bucket: &str| bucket::objects_in(&users.join(bucket)).unwrap();
    let failed = || (503, "BucketFailed".to_owned());
    let taken = || (503, "NameTaken".to_owned());

    // With the option, names are a slice's own from the begin: nothing is ever asked for, nor left behind.
    let chunks = begin("own", "own-names");
    assert_eq!(send(&client, &chunks, 0), [taken()]);
    assert!(guard.asked.lock().unwrap()[0].contains("x-amz-storage-class: STANDARD"));
    guard.loses.store(true, Ordering::SeqCst);
    assert_eq!(send(&client, &chunks, 1), [failed()]);
    assert_eq!(send(&client, &chunks, 2), []);
    assert_eq!(guard.methods(), ["PUT"; 4]);
    let names = objects("own-names");
    let is_own =
        |name: &String| name.rsplit_once('-').is_some_and(|(_, end)| end.len() == "01234567.ts".len());
    assert!(names.len() == 3 && names.iter().all(is_own), "{names:?}");

    // Without it, they are from the first one on that is in use.
    let chunks = begin("usual", "usual-names");
    assert_eq!(send(&client, &chunks, 0), []);
    guard.loses.store(true, Ordering::SeqCst);
    assert_eq!(send(&client, &chunks, 1), [failed(), taken()]);
    assert_eq!(send(&client, &chunks, 2), []);
    guard.loses.store(true, Ordering::SeqCst);
    assert_eq!(send(&client, &chunks, 3), [failed()]);
    let names = objects("usual-names");
    assert_eq!(names.iter().filter(|name| is_own(name)).count(), 3, "{names:?}");
    assert_eq!(names.len(), 5, "{names:?}");
}
