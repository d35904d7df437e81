//! A proxy before an object store: it sees each request, and answers some itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a request.
pub(crate) enum Verdict {
    /// The store answers it.
    Pass,
    /// The store does what is asked, and its answer does not come back.
    LoseAnswer,
    /// The store does what is asked, and its answer does not come back; whoever asked waits for that to the end.
    HoldAnswer,
    /// It does not come to the store, and is answered so.
    Answer(u16, &'static str),
}

/// Stands before a store.
pub(crate) struct Guard {
    pub(crate) address: SocketAddr,
    /// Whatever was asked for, with its headers.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Guard {
    /// `judge` is told the head of each request.
    pub(crate) fn before(store: SocketAddr, judge: impl FnMut(&str) -> Verdict + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (judge, asked) = (Arc::new(Mutex::new(judge)), Arc::new(Mutex::new(Vec::new())));
        let guard = Self { address, asked: asked.clone() };
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (judge, asked) = (judge.clone(), asked.clone());
                // A request that is cut off is its sender's affair.
                std::thread::spawn(move || {
                    pass(connection, store, |head| {
                        asked.lock().unwrap().push(head.to_owned());
                        judge.lock().unwrap()(head)
                    })
                });
            }
        });
        guard
    }

    /// The heads of what was asked for since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// One request and its answer.
fn pass(
    mut client: TcpStream,
    store: SocketAddr,
    judge: impl FnOnce(&str) -> Verdict,
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
    let verdict = judge(&head);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    match verdict {
        Verdict::Answer(status, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} by guard\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            return client.write_all(format!("{head}{body}").as_bytes());
        }
        Verdict::Pass | Verdict::LoseAnswer | Verdict::HoldAnswer => {}
    }
    let mut behind = TcpStream::connect(store)?;
    behind.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    behind.write_all(&body)?;
    if let Verdict::LoseAnswer | Verdict::HoldAnswer = verdict {
        // The store has done it once it has answered.
        behind.read_to_end(&mut Vec::new())?;
        while matches!(verdict, Verdict::HoldAnswer) && !is_closed(&client)? {
            std::thread::sleep(Duration::from_millis(20));
        }
        return Ok(());
    }
    std::io::copy(&mut behind, &mut client).map(drop)
}

/// Whether whoever asked is gone. It sends nothing more.
fn is_closed(client: &TcpStream) -> std::io::Result<bool> {
    client.set_read_timeout(Some(Duration::from_millis(20)))?;
    match client.peek(&mut [0]) {
        Ok(read) => Ok(read == 0),
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
        {
            Ok(false)
        }
        Err(_) => Ok(true),
    }
}
