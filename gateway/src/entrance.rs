//! Where publishers connect, and what comes before RTMP there: a proxy's header and TLS.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use anyhow::{Context, bail};
use proxy_protocol::Header;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    certificates::Certificates,
    operation::{ConnectionRefused, Metrics},
};

/// A listener for publishers.
#[derive(Debug)]
pub struct Entrance {
    pub(crate) listener: TcpListener,
    pub(crate) certificates: Option<Arc<Certificates>>,
}

impl Entrance {
    /// RTMP.
    #[must_use]
    pub fn rtmp(listener: TcpListener) -> Self {
        Self { listener, certificates: None }
    }

    /// RTMP in TLS.
    #[must_use]
    pub fn rtmps(listener: TcpListener, certificates: Arc<Certificates>) -> Self {
        Self { listener, certificates: Some(certificates) }
    }
}

/// A connection that a listener gave.
pub(crate) struct Arrival {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<TlsAcceptor>,
    /// Whether it is a trusted proxy's, which says whose connection it hands on.
    pub(crate) is_proxy: bool,
}

/// What RTMP is spoken over.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Whom the connection is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    /// The address that was connected to, where it is known.
    pub(crate) local: Option<IpAddr>,
    /// Whether it is a trusted proxy's own, by which that looks for one whether the gateway is there.
    pub(crate) is_proxys_own: bool,
}

impl Arrival {
    /// Who is at the ends of the connection, by the proxy's header where there has to be one.
    pub(crate) async fn ends(&mut self, metrics: &Metrics) -> anyhow::Result<Ends> {
        let local = self.socket.local_addr().ok().map(|local| local.ip());
        let own = Ends { peer: self.peer, local, is_proxys_own: false };
        if !self.is_proxy {
            return Ok(own);
        }
        let header = read_header(&mut self.socket).await.inspect_err(|_| {
            metrics.connections_refused.of(ConnectionRefused::Proxy).add_one();
        });
        let Header { is_local, source, destination } =
            header.with_context(|| format!("while reading the header of the proxy {}", self.peer))?;
        let unnamed = Ends { is_proxys_own: is_local, ..own };
        Ok(source.zip(destination).map_or(unnamed, |(peer, destination)| Ends {
            peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
            local: Some(destination.ip()),
            ..own
        }))
    }

    /// Whether a byte has come, before the connection ended: one that looks whether somebody is there sends none.
    pub(crate) async fn has_spoken(&self) -> bool {
        matches!(self.socket.peek(&mut [0]).await, Ok(1..))
    }

    /// Shakes hands, where TLS is spoken.
    pub(crate) async fn transport(self, metrics: &Metrics) -> anyhow::Result<Transport> {
        let Some(acceptor) = self.tls else { return Ok(Transport::Plain(self.socket)) };
        let accepted = acceptor.accept(self.socket).await.inspect_err(|_| {
            metrics.connections_refused.of(ConnectionRefused::Tls).add_one();
        });
        Ok(Transport::Tls(Box::new(accepted.context("while shaking hands for TLS")?)))
    }
}

/// Reads a header and not a byte more.
async fn read_header(socket: &mut TcpStream) -> anyhow::Result<Header> {
    // Version, command, family and length are in the first sixteen bytes; the rest is as long as they say.
    let mut bytes = Vec::with_capacity(64);
    let mut wanted: usize = 16;
    loop {
        let missing = wanted.saturating_sub(bytes.len()).max(1);
        let got = (&mut *socket).take(missing as u64).read_buf(&mut bytes).await?;
        if got == 0 {
            bail!("the connection ended after {} bytes", bytes.len());
        }
        if let Some((header, _)) = proxy_protocol::read(&bytes)? {
            return Ok(header);
        }
        if let Some([high, low]) = bytes.get(14..16) {
            wanted = 16 + usize::from(u16::from_be_bytes([*high, *low]));
        }
    }
}
