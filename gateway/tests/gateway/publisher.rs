//! A publisher that sends what a test wants.

use std::net::SocketAddr;

use flv::TagKind;
use rtmp::{ChunkWriter, ClientSession, ClientState, Media, Message};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::Gateway;

/// A publisher that can also send bytes of its own making.
pub(crate) struct Publisher {
    socket: TcpStream,
    session: ClientSession,
}

impl Publisher {
    pub(crate) async fn start(gateway: &Gateway, tc_url: &str, app: &str, name: &str) -> Self {
        let socket = TcpStream::connect(gateway.address).await.unwrap();
        Self::over(socket, ClientSession::new(tc_url, app, name)).await.unwrap()
    }

    /// Publishes a stream of the application `live` from an address of this machine; answers why it is refused.
    pub(crate) async fn start_from(address: [u8; 4], gateway: &Gateway, name: &str) -> Result<Self, String> {
        Self::start_at(address, gateway.address, name).await
    }

    /// The same, at an address that leads to a gateway.
    pub(crate) async fn start_at(from: [u8; 4], at: SocketAddr, name: &str) -> Result<Self, String> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let socket = socket.connect(at).await.unwrap();
        Self::over(socket, ClientSession::new("rtmp://h/live", "live", name)).await
    }

    async fn over(socket: TcpStream, session: ClientSession) -> Result<Self, String> {
        let mut publisher = Self { socket, session };
        let mut received = Vec::new();
        while publisher.session.state() != ClientState::Publishing {
            // Where it is closed, what is read tells so.
            let _ = publisher.try_flush().await;
            match publisher.socket.read_buf(&mut received).await {
                Ok(1..) => {}
                ended => return Err(format!("closed: {ended:?}")),
            }
            let mut rest = received.as_slice();
            publisher.session.read(&mut rest).map_err(|error| error.to_string())?;
            received = rest.to_vec();
        }
        Ok(publisher)
    }

    pub(crate) async fn flush(&mut self) {
        let output = std::mem::take(self.session.output());
        self.socket.write_all(&output).await.unwrap();
    }

    /// As [`flush`](Self::flush); whether the gateway has not ended the connection.
    pub(crate) async fn try_flush(&mut self) -> bool {
        let output = std::mem::take(self.session.output());
        self.socket.write_all(&output).await.is_ok()
    }

    pub(crate) fn tag(&mut self, kind: TagKind, timestamp_ms: u32, body: &[u8]) {
        self.session.send(&Media { kind, timestamp_ms, body });
    }

    /// What is to be sent, for bytes of the test's own making.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        self.session.output()
    }

    pub(crate) fn message(
        &mut self,
        chunk_stream: u8,
        type_id: u8,
        stream_id: u32,
        timestamp_ms: u32,
        payload: &[u8],
    ) {
        // Each piece is below the chunk size that both ends begin with.
        assert!(payload.len() <= 128);
        let message = Message { type_id, stream_id, timestamp_ms, payload };
        ChunkWriter::new().write(self.output(), chunk_stream, &message);
    }

    /// Ends the sending direction without a word.
    pub(crate) async fn leave(&mut self) {
        self.socket.shutdown().await.unwrap();
    }

    /// Reads what the gateway says until it ends the publish; answers why.
    pub(crate) async fn refused(&mut self) -> String {
        let mut received = Vec::new();
        loop {
            let mut rest = received.as_slice();
            if let Err(error) = self.session.read(&mut rest) {
                return error.to_string();
            }
            received = rest.to_vec();
            assert!(self.socket.read_buf(&mut received).await.unwrap() > 0, "closed without a word");
        }
    }

    /// Waits until the gateway has ended the connection.
    pub(crate) async fn ended(mut self) {
        let mut answers = Vec::new();
        // What was sent and not read makes it an abrupt end.
        let _ = self.socket.read_to_end(&mut answers).await;
    }

    /// Ends the connection without a word, and if `abruptly`, as a machine does that does not know it.
    pub(crate) fn hang_up(self, abruptly: bool) {
        if abruptly {
            self.socket.set_zero_linger().unwrap();
        }
    }

    pub(crate) async fn finish(mut self) {
        self.session.finish();
        self.flush().await;
        self.socket.shutdown().await.unwrap();
        self.socket.read_to_end(&mut Vec::new()).await.unwrap();
    }
}
