//! A user's server that callbacks go to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// The same as it came, which may be no text.
    pub bytes: Vec<u8>,
}

impl Received {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is answered with a status, headers and a body.
    Answer(u16, &'static [(&'static str, &'static str)], String),
    /// It is answered with 200 and a body, after a while.
    After(Duration, String),
    /// It is answered with 200 at once, and with a body of no stated length after a while.
    HeadFirst(Duration, String),
    /// The connection is closed.
    Close,
}

type Script = Box<dyn FnMut(&Received) -> Reply + Send>;

/// A server that does what a script says, and keeps what came. It serves for as long as the process lives.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<Script>>,
}

impl Receiver {
    /// Starts a server.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(script: impl FnMut(&Received) -> Reply + Send + 'static) -> Result<Self> {
        Self::start_at("127.0.0.1:0", script)
    }

    /// Starts a server at an address.
    ///
    /// # Errors
    /// Something else listens there.
    pub fn start_at(
        address: impl ToSocketAddrs,
        script: impl FnMut(&Received) -> Reply + Send + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let received = Arc::new(Mutex::new(Vec::new()));
        let server = Self { address, received: Arc::clone(&received), script: Arc::clone(&script) };
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (received, script) = (Arc::clone(&received), Arc::clone(&script));
                // A request that is cut off is its sender's affair.
                std::thread::spawn(move || serve(connection, &received, &script));
            }
        });
        Ok(server)
    }

    /// Does otherwise from now on.
    pub fn set_script(&self, script: impl FnMut(&Received) -> Reply + Send + 'static) {
        *locked(&self.script) = Box::new(script);
    }

    /// What came so far, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        locked(&self.received).clone()
    }

    /// Waits until enough of what came is as wanted; answers that.
    ///
    /// # Errors
    /// There is less after the time given.
    pub fn wait_for(
        &self,
        count: usize,
        patience: Duration,
        is_wanted: impl Fn(&Received) -> bool,
    ) -> Result<Vec<Received>> {
        let begun = Instant::now();
        loop {
            let found: Vec<Received> =
                self.received().into_iter().filter(|received| is_wanted(received)).collect();
            if found.len() >= count {
                return Ok(found);
            }
            if begun.elapsed() > patience {
                bail!(
                    "{} of {count} requests after {patience:?}; there came {:?}",
                    found.len(),
                    self.received()
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// What a thread that panicked left is whole all the same.
fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request and its answer.
fn serve(
    mut client: TcpStream,
    received: &Mutex<Vec<Received>>,
    script: &Mutex<Script>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let mut words = lines.first().map(String::as_str).unwrap_or_default().split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    let body = String::from_utf8_lossy(&bytes).into_owned();
    let request = Received { method, target, headers, body, bytes };
    locked(received).push(request.clone());
    let reply = locked(script)(&request);
    let (status, headers, body): (_, &[_], _) = match reply {
        Reply::Answer(status, headers, body) => (status, headers, body),
        Reply::After(wait, body) => {
            std::thread::sleep(wait);
            (200, &[], body)
        }
        Reply::HeadFirst(wait, body) => {
            write!(client, "HTTP/1.1 200 X\r\nconnection: close\r\n\r\n")?;
            std::thread::sleep(wait);
            return write!(client, "{body}");
        }
        Reply::Close => return Ok(()),
    };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
