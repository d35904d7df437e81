//! What lies between a gateway and its functions: a line that is slow for some calls, and that can be cut.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// How long a call is held, and its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) call: Duration,
    pub(crate) answer: Duration,
}

/// Says how long a call to a path is held.
pub(crate) type Holds = fn(&str) -> Held;

/// A line to the functions.
pub(crate) struct Relay {
    /// Base URL of the functions behind it.
    pub(crate) url: String,
    line: Arc<Line>,
}

struct Line {
    functions: String,
    holds: Holds,
    is_cut: AtomicBool,
}

impl Relay {
    /// A line to functions at a URL.
    pub(crate) fn start(functions: &str, holds: Holds) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let functions = functions.trim_start_matches("http://").to_owned();
        let line = Arc::new(Line { functions, holds, is_cut: AtomicBool::new(false) });
        let accepting = Arc::clone(&line);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let line = Arc::clone(&accepting);
                // A call that breaks off is the gateway's to repeat.
                thread::spawn(move || line.carry(client));
            }
        });
        Ok(Self { url, line })
    }

    /// Every call fails from now on.
    pub(crate) fn cut(&self) {
        self.line.is_cut.store(true, Ordering::SeqCst);
    }

    /// Calls go through again.
    pub(crate) fn mend(&self) {
        self.line.is_cut.store(false, Ordering::SeqCst);
    }
}

impl Line {
    /// Carries one call and its answer.
    fn carry(&self, mut client: TcpStream) -> Result<()> {
        let (path, call) = read_call(&client)?;
        let held = (self.holds)(&path);
        thread::sleep(held.call);
        if self.is_cut.load(Ordering::SeqCst) {
            return Ok(client.shutdown(Shutdown::Both)?);
        }
        let mut functions = TcpStream::connect(&self.functions)?;
        functions.write_all(&call)?;
        let mut answer = Vec::new();
        functions.read_to_end(&mut answer)?;
        thread::sleep(held.answer);
        Ok(client.write_all(&answer)?)
    }
}

/// The path of a call, and the call as it is to be sent on: each over a connection of its own.
fn read_call(client: &TcpStream) -> Result<(String, Vec<u8>)> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        anyhow::ensure!(client.read_line(&mut line)? > 0, "the gateway closed the connection");
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
        head.push_str(&line);
    }
    let path = head.split(' ').nth(1).context("a call has a path")?.to_owned();
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    Ok((path, [head.as_bytes(), b"connection: close\r\n\r\n", &body].concat()))
}
