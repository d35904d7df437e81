//! Room that is kept free on the disk, of which the tests say how full it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bucket_server::{KeepFree, Room, Space};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{Full, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::client::{
    SECRET, answer, call, elements, get, pattern, presigned_put, put, serve_keeping, signed,
};

const FLOOR: u64 = 100 << 20;
const LARGE: u64 = 1 << 20;
const SMALL: u64 = 256 << 10;

/// A server on a disk with as many free bytes as the test says.
struct Stage {
    address: SocketAddr,
    room: Arc<Room>,
    free: Arc<AtomicU64>,
    directory: tempfile::TempDir,
}

impl Stage {
    async fn with_free(bytes: u64) -> Self {
        let (free, directory) = (Arc::new(AtomicU64::new(bytes)), tempfile::tempdir().unwrap());
        let disk = free.clone();
        let look = move || Ok(Space { size: 1 << 40, free: disk.load(Ordering::SeqCst) });
        let keep_free = KeepFree { bytes: Some(FLOOR), look: Some(Arc::new(look)) };
        let (address, room) = serve_keeping(directory.path(), keep_free).await;
        Self { address, room, free, directory }
    }

    fn set_free(&self, bytes: u64) {
        self.free.store(bytes, Ordering::SeqCst);
    }

    async fn put(&self, key: &str, bytes: u64) -> Response<Bytes> {
        call(self.address, "PUT", &format!("/bucket/{key}"), &[], pattern(bytes as usize)).await
    }

    /// Begins an upload in parts; answers its id.
    async fn begin(&self, key: &str) -> String {
        let begun = call(self.address, "POST", &format!("/bucket/{key}?uploads="), &[], "").await;
        elements(&begun, "UploadId").pop().unwrap()
    }

    /// Begins to put `length` bytes, and sends none before the server has asked for them.
    async fn begin_put(&self, key: &str, length: u64) -> (TcpStream, String) {
        let target = format!("/bucket/{key}");
        let request = signed("PUT", self.address, &target, SECRET, ());
        let headers = request.headers().iter();
        let headers: String =
            headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "PUT {target} HTTP/1.1\r\n{headers}content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = vec![0; 12];
        stream.read_exact(&mut said).await.unwrap();
        (stream, String::from_utf8(said).unwrap())
    }

    fn temporary_files(&self) -> usize {
        std::fs::read_dir(self.directory.path().join(".bucket-server/temporary")).unwrap().count()
    }
}

fn is_refused(answer: &Response<Bytes>) -> bool {
    let is_full = answer.status() == StatusCode::INSUFFICIENT_STORAGE;
    assert_eq!(is_full, elements(answer, "Code") == ["InsufficientStorage"], "{answer:?}");
    assert!(is_full || answer.status() == StatusCode::OK, "{answer:?}");
    is_full
}

#[tokio::test]
async fn what_would_pass_the_floor_is_refused_until_there_is_room() {
    let stage = Stage::with_free(FLOOR + LARGE).await;
    assert!(!is_refused(&stage.put("fits", LARGE).await));
    assert_eq!((stage.room.shortage(), stage.room.refusals()), (None, 0));
    let refused = stage.put("large", LARGE + 1).await;
    assert!(is_refused(&refused));
    let message = elements(&refused, "Message").pop().unwrap();
    for said in [&(FLOOR + LARGE).to_string(), &FLOOR.to_string(), "--keep-free"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    let shortage = stage.room.shortage().unwrap();
    assert_eq!((shortage.free, shortage.promised, shortage.floor), (FLOOR + LARGE, 0, FLOOR));
    // What is there is read, listed and deleted all the same.
    stage.set_free(0);
    assert!(is_refused(&stage.put("fits", LARGE).await));
    assert_eq!(get(stage.address, "/bucket/fits").await.1, pattern(LARGE as usize));
    let listed = call(stage.address, "GET", "/bucket?list-type=2", &[], "").await;
    assert_eq!(elements(&listed, "Key"), ["fits"]);
    let deleted = call(stage.address, "DELETE", "/bucket/fits", &[], "").await;
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!((stage.room.refusals(), stage.temporary_files()), (2, 0));
    // Nobody has to write for the shortage to be over.
    stage.set_free(FLOOR + LARGE + 1);
    assert_eq!(stage.room.shortage(), None);
    assert!(!is_refused(&stage.put("large", LARGE + 1).await));
}

#[tokio::test]
async fn small_objects_may_take_half_of_what_is_kept_free() {
    let stage = Stage::with_free(FLOOR / 2 + SMALL).await;
    assert!(stage.room.shortage().is_some());
    assert!(!is_refused(&stage.put("small", SMALL).await));
    assert!(is_refused(&stage.put("large", SMALL + 1).await));
    stage.set_free(FLOOR / 2 + SMALL - 1);
    assert!(is_refused(&stage.put("small", SMALL).await));
    // An upload begins with a small record.
    assert!(!stage.begin("parts").await.is_empty());
    stage.set_free(FLOOR / 2);
    let begun = call(stage.address, "POST", "/bucket/parts?uploads=", &[], "").await;
    assert!(is_refused(&begun));
}

#[tokio::test]
async fn a_body_that_is_refused_is_not_read() {
    let stage = Stage::with_free(FLOOR).await;
    assert_eq!(stage.begin_put("large", LARGE).await.1, "HTTP/1.1 507");
    // Its size does not matter where nobody has that much.
    assert_eq!(stage.begin_put("larger", 1 << 50).await.1, "HTTP/1.1 507");
}

#[tokio::test]
async fn uploads_that_run_at_once_do_not_pass_the_floor_together() {
    let stage = Stage::with_free(FLOOR + 3 * LARGE).await;
    // It has written nothing yet.
    let (mut first, said) = stage.begin_put("first", 2 * LARGE).await;
    assert_eq!(said, "HTTP/1.1 100");
    assert!(is_refused(&stage.put("second", 2 * LARGE).await));
    assert!(!is_refused(&stage.put("third", LARGE).await));
    assert_eq!(stage.room.shortage().unwrap().promised, 2 * LARGE);
    // What it has written, the disk counts itself; half of what was sent may wait for more.
    first.write_all(&pattern(LARGE as usize)).await.unwrap();
    until(|| stage.room.shortage().is_some_and(|shortage| shortage.promised <= LARGE + LARGE / 2)).await;
    stage.set_free(FLOOR + 2 * LARGE + LARGE / 2);
    assert!(!is_refused(&stage.put("fourth", LARGE).await));
    // A client that hangs up gives back the rest.
    drop(first);
    until(|| stage.room.shortage().is_none()).await;
    assert!(!is_refused(&stage.put("second", 2 * LARGE).await));
    assert_eq!(stage.temporary_files(), 0);
    assert_eq!(get(stage.address, "/bucket/first").await.0, StatusCode::NOT_FOUND);
}

/// Waits for what other tasks bring about.
async fn until(holds: impl Fn() -> bool) {
    let waits = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), waits).await.expect("it should hold in the end");
}

#[tokio::test]
async fn a_body_of_no_declared_length_is_promised_its_room_as_it_comes() {
    let stage = Stage::with_free(FLOOR + LARGE).await;
    let send = async |key: &str, bytes: usize| {
        let (frames, body) = mpsc::unbounded_channel();
        for frame in pattern(bytes).chunks(64 << 10) {
            frames
                .send(Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::copy_from_slice(frame))))
                .unwrap();
        }
        drop(frames);
        let body = futures::stream::unfold(body, async |mut body| Some((body.recv().await?, body)));
        let body = StreamBody::new(Box::pin(body));
        answer(stage.address, presigned_put(stage.address, &format!("/bucket/{key}"), body)).await
    };
    assert!(!is_refused(&send("fits", LARGE as usize).await.unwrap()));
    // There is room, but not for what comes.
    stage.set_free(FLOOR + LARGE / 4);
    assert!(is_refused(&send("long", 8 * LARGE as usize).await.unwrap()));
    assert_eq!(get(stage.address, "/bucket/long").await.0, StatusCode::NOT_FOUND);
    assert_eq!(stage.temporary_files(), 0);
    // It may be long: nothing of it is taken for small.
    stage.set_free(FLOOR - 1);
    assert!(is_refused(&send("short", 1).await.unwrap()));
}

#[tokio::test]
async fn parts_copies_and_completions_need_their_room() {
    let stage = Stage::with_free(1 << 40).await;
    let address = stage.address;
    put(address, "/bucket/source", pattern(LARGE as usize)).await;
    let id = stage.begin("parts").await;
    let part = format!("/bucket/parts?partNumber=1&uploadId={id}");
    let copied = format!("/bucket/parts?partNumber=2&uploadId={id}");
    let source = [("x-amz-copy-source", "bucket/source")];
    let sent = call(address, "PUT", &part, &[], pattern(5 << 20)).await;
    let tags = [sent.headers()["etag"].to_str().unwrap().to_owned()];
    let parts = format!("<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>", tags[0]);
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let complete = format!("/bucket/parts?uploadId={id}");
    let calls = [
        ("PUT", part.as_str(), &[][..], pattern(5 << 20)),
        ("PUT", &copied, &source, Bytes::new()),
        ("PUT", "/bucket/copy", &source, Bytes::new()),
        ("POST", &complete, &[], body.into()),
    ];
    for (free, is_full) in [(FLOOR + LARGE - 1, true), (FLOOR + (5 << 20), false)] {
        stage.set_free(free);
        for (method, target, headers, body) in &calls {
            let answered = call(address, method, target, headers, body.clone()).await;
            assert_eq!(is_refused(&answered), is_full, "{method} {target}");
        }
        assert_eq!(stage.temporary_files(), 0);
    }
    assert_eq!(get(address, "/bucket/parts").await.1, pattern(5 << 20));
    // An upload that is given up needs none.
    let id = stage.begin("given-up").await;
    stage.set_free(0);
    let aborted = call(address, "DELETE", &format!("/bucket/given-up?uploadId={id}"), &[], "").await;
    assert_eq!(aborted.status(), StatusCode::NO_CONTENT);
    assert_eq!(stage.room.shortage().unwrap().promised, 0);
}

#[tokio::test]
async fn nothing_is_kept_free_where_the_setting_says_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let look = || Ok(Space { size: 1 << 40, free: 0 });
    let keep_free = KeepFree { bytes: Some(0), look: Some(Arc::new(look)) };
    let (address, room) = serve_keeping(directory.path(), keep_free).await;
    put(address, "/bucket/object", pattern(LARGE as usize)).await;
    assert_eq!(room.shortage(), None);
    let request = signed("GET", address, "/bucket/object", SECRET, Full::new(Bytes::new()));
    assert_eq!(answer(address, request).await.unwrap().status(), StatusCode::OK);
}
