//! A server that is killed: what it had answered with 200 is there, whole, and nothing is there in part.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::future::join_all;
use http::StatusCode;
use http_body_util::Full;

use crate::client::{SECRET, elements, exchange, get, signed};

const WRITERS: usize = 32;

/// A server in a process of its own, which is killed when it is dropped.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(mut command: Command) -> Option<(Self, SocketAddr)> {
        let mut server = Self(command.stdout(Stdio::piped()).spawn().ok()?);
        let mut line = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().ok()?;
        Some((server, address))
    }

    fn over(directory: &Path) -> (Self, SocketAddr) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_serve-buckets"));
        command.arg(directory);
        Self::start(command).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: nothing of the server's own runs any more.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// An object's bytes: another for each key, of another length.
fn body(number: usize) -> Bytes {
    format!("{number} ").repeat(1 + number * 37 % 40_000).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_kill_is_there_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let mut answered = Vec::new();
    for round in 0..3_usize {
        let (server, address) = Server::over(directory.path());
        let (next, done) = (AtomicUsize::new(round * 1000), AtomicUsize::new(0));
        let writers = join_all((0..WRITERS).map(async |_| {
            let mut mine = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let path = format!("/bucket/{}/{number}", number % 7);
                let put = signed("PUT", address, &path, SECRET, Full::new(body(number)));
                let Ok((status, _)) = exchange(address, put).await else { return mine };
                assert_eq!(status, StatusCode::OK);
                mine.push(number);
                done.fetch_add(1, Ordering::Relaxed);
            }
        }));
        let killer = async {
            // In the midst of the work: every writer has come to its tenth object or so.
            while done.load(Ordering::Relaxed) < 10 * WRITERS {
                tokio::task::yield_now().await;
            }
            tokio::task::spawn_blocking(|| drop(server)).await.unwrap();
        };
        let (writers, ()) = futures::future::join(writers, killer).await;
        answered.extend(writers.into_iter().flatten());
    }
    assert!(answered.len() >= 3 * 10 * WRITERS);
    let (_server, address) = Server::over(directory.path());
    for number in &answered {
        let found = get(address, &format!("/bucket/{}/{number}", number % 7)).await;
        assert_eq!(found, (StatusCode::OK, body(*number)), "{number}");
    }
    // What was not answered is whole too, or absent.
    let mut token = String::new();
    let mut listed = 0;
    loop {
        let page = crate::client::call(address, "GET", &format!("/bucket?{token}list-type=2"), &[], "").await;
        for key in elements(&page, "Key") {
            let number = key.split_once('/').unwrap().1.parse().unwrap();
            assert_eq!(get(address, &format!("/bucket/{key}")).await.1, body(number), "{key}");
            listed += 1;
        }
        let Some(next) = elements(&page, "NextContinuationToken").pop() else { break };
        token = format!("continuation-token={next}&");
    }
    assert!(listed >= answered.len());
    let temporary = directory.path().join(".bucket-server/temporary");
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}
