//! A publisher of one picture a second.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rtmp::{ClientSession, ClientState, Media};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::gateway::Sent;
use crate::media::{Shape, Tag};

/// A publisher, which a task of the gateway's runtime plays.
#[derive(Debug)]
pub(crate) struct Publisher {
    /// The pictures to send; nothing more once it has left.
    pictures: Option<mpsc::UnboundedSender<u64>>,
    state: Arc<State>,
    sent: u64,
    times_ms: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
struct State {
    /// The gateway takes what it sends.
    publishes: AtomicBool,
    /// The gateway has ended the connection.
    is_sent_away: AtomicBool,
    /// The connection is closed.
    is_over: AtomicBool,
}

impl Publisher {
    /// Comes to a gateway. To be called within its runtime.
    pub(crate) fn come(gateway: SocketAddr, mark: u32, (domain, app, name): (&str, &str, &str)) -> Self {
        let (pictures, to_send) = mpsc::unbounded_channel();
        let state = Arc::new(State::default());
        let session = ClientSession::new(&format!("rtmp://{domain}/{app}"), app, name);
        let publishing = Arc::clone(&state);
        tokio::spawn(async move {
            if publish(gateway, session, mark, to_send, &publishing).await.is_none() {
                publishing.is_sent_away.store(true, Ordering::Relaxed);
            }
            publishing.is_over.store(true, Ordering::Relaxed);
        });
        Self { pictures: Some(pictures), state, sent: 0, times_ms: None }
    }

    /// Sends the next picture, if the gateway takes any.
    pub(crate) fn send(&mut self, now_ms: u64) {
        if self.state.publishes.load(Ordering::Relaxed)
            && !self.sent().is_sent_away
            && let Some(pictures) = &self.pictures
            && pictures.send(1_000 * self.sent).is_ok()
        {
            self.sent += 1;
            self.times_ms = self.times_ms.map(|(first_ms, _)| (first_ms, now_ms)).or(Some((now_ms, now_ms)));
        }
    }

    /// Ends the stream.
    pub(crate) fn leave(&mut self) {
        self.pictures = None;
    }

    /// The gateway has died.
    pub(crate) fn lose_gateway(&mut self) {
        self.leave();
        self.state.is_over.store(true, Ordering::Relaxed);
    }

    /// Whether it goes on: its end is followed up to where the gateway has closed.
    pub(crate) fn is_here(&self) -> bool {
        !self.state.is_over.load(Ordering::Relaxed)
    }

    /// What it has sent.
    pub(crate) fn sent(&self) -> Sent {
        let is_sent_away = self.state.is_sent_away.load(Ordering::Relaxed);
        Sent { pictures: self.sent, times_ms: self.times_ms, is_sent_away }
    }
}

/// None where the gateway ends the connection.
async fn publish(
    gateway: SocketAddr,
    mut session: ClientSession,
    mark: u32,
    mut pictures: mpsc::UnboundedReceiver<u64>,
    state: &State,
) -> Option<()> {
    let mut socket = TcpStream::connect(gateway).await.ok()?;
    // Real time would pass before what waits for an acknowledgement is sent.
    socket.set_nodelay(true).ok()?;
    let mut received = Vec::new();
    while session.state() != ClientState::Publishing {
        flush(&mut socket, &mut session).await?;
        read(&mut socket, &mut session, &mut received).await?;
    }
    let shape = Shape::of(mark);
    send(&mut session, &shape.headers(0));
    flush(&mut socket, &mut session).await?;
    state.publishes.store(true, Ordering::Relaxed);
    loop {
        tokio::select! {
            biased;
            picture = pictures.recv() => {
                let Some(at_ms) = picture else { break };
                send(&mut session, &shape.tags(at_ms, at_ms + 1_000));
                flush(&mut socket, &mut session).await?;
            }
            read = read(&mut socket, &mut session, &mut received) => read?,
        }
    }
    session.finish();
    flush(&mut socket, &mut session).await?;
    socket.shutdown().await.ok()?;
    let _ = socket.read_to_end(&mut received).await;
    Some(())
}

fn send(session: &mut ClientSession, tags: &[Tag]) {
    for Tag { track, timestamp_ms, body } in tags {
        session.send(&Media { kind: (*track).into(), timestamp_ms: *timestamp_ms, body });
    }
}

async fn flush(socket: &mut TcpStream, session: &mut ClientSession) -> Option<()> {
    let output = std::mem::take(session.output());
    socket.write_all(&output).await.ok()
}

async fn read(socket: &mut TcpStream, session: &mut ClientSession, received: &mut Vec<u8>) -> Option<()> {
    let read = socket.read_buf(received).await.ok()?;
    let mut rest = received.as_slice();
    session.read(&mut rest).ok()?;
    *received = rest.to_vec();
    (read > 0).then_some(())
}
