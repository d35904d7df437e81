//! One publisher's connection.

mod line;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rtmp::{Publish, ServerEvent, ServerSession};
use tokio::{
    net::TcpStream,
    time::{sleep_until, timeout},
};

use crate::{
    identity::Identity, ingest::Ingest, recorder::Recorder, registry::Claim, server::Gateway, spool::Record,
    unix_ms,
};
use line::Line;

/// A publisher that sends nothing for this long is gone. Encoders that send a picture every ten seconds exist.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a connection may take until it publishes, step by step.
const HESITATION: Duration = Duration::from_secs(10);

/// What is due on disk within this time is written when there is something to do anyway.
const EARLY: Duration = Duration::from_millis(30);

/// How long the last words to a publisher may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves a connection to its end.
pub(crate) async fn serve(gateway: Arc<Gateway>, socket: TcpStream, peer: SocketAddr) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!("{peer}: {error}");
    }
    let line = Line::new(socket);
    let mut connection = Connection { gateway, line, peer, session: ServerSession::new(), live: None };
    let outcome = connection.run().await;
    if let Some(live) = connection.live.take() {
        live.recorder.finish();
    }
    if let Err(error) = outcome {
        tracing::warn!("{peer}: {error:#}");
    }
    connection.say_farewell().await;
}

struct Connection {
    gateway: Arc<Gateway>,
    line: Line,
    peer: SocketAddr,
    session: ServerSession,
    live: Option<Live>,
}

/// A push that the connection receives.
struct Live {
    claim: Claim,
    ingest: Arc<Ingest>,
    recorder: Recorder,
}

impl Live {
    /// Does what the functions want.
    fn obey(&mut self) -> anyhow::Result<()> {
        if self.ingest.is_refused() {
            bail!("the functions refuse {}", self.ingest.path);
        }
        self.recorder.obey().context("while writing to the spool")
    }
}

impl Connection {
    async fn run(&mut self) -> anyhow::Result<()> {
        let gateway = Arc::clone(&self.gateway);
        loop {
            self.make_room().await?;
            let received = match &mut self.live {
                None => tokio::select! {
                    () = gateway.shutdown.cancelled() => return Ok(()),
                    received = timeout(HESITATION, self.line.receive()) => received,
                },
                Some(live) => tokio::select! {
                    () = gateway.shutdown.cancelled() => return Ok(()),
                    () = live.claim.kicked() => bail!("another publisher has taken {}", live.ingest.path),
                    () = live.ingest.instructed.notified() => {
                        live.obey()?;
                        continue;
                    }
                    () = until(live.recorder.flush_due()) => {
                        live.recorder.flush().context("while writing to the spool")?;
                        continue;
                    }
                    received = timeout(SILENCE, self.line.receive()) => received,
                },
            };
            match received.context("publisher is silent")? {
                Ok(0) => return Ok(()),
                Ok(_) => self.take().await?,
                Err(error) if is_goodbye(&error) => return Ok(()),
                Err(error) => return Err(error).context("while reading"),
            }
        }
    }

    /// Waits while the spool is full. What is open is closed then, so that it can be uploaded.
    async fn make_room(&mut self) -> anyhow::Result<()> {
        let Some(live) = &mut self.live else { return Ok(()) };
        while self.gateway.spool.is_full() {
            if !live.ingest.has_waiting_chunks() {
                live.recorder.cut().context("while writing to the spool")?;
            }
            live.recorder.flush().context("while writing to the spool")?;
            tokio::select! {
                () = self.gateway.shutdown.cancelled() => return Ok(()),
                () = live.ingest.instructed.notified() => live.obey()?,
                () = self.gateway.spool.room() => {}
            }
            live.claim.heard();
        }
        Ok(())
    }

    /// Takes what was received.
    async fn take(&mut self) -> anyhow::Result<()> {
        let mut rest = self.line.bytes();
        let before = rest.len();
        let mut is_accepted = false;
        loop {
            match self.session.read(&mut rest)? {
                None => break,
                Some(ServerEvent::Media(media)) => {
                    if let Some(live) = &mut self.live {
                        live.recorder.write(&media).context("while writing to the spool")?;
                    }
                }
                Some(ServerEvent::Publish(publish)) => match self.begin(&publish) {
                    Ok(live) => {
                        self.live = Some(live);
                        self.session.accept();
                        is_accepted = true;
                    }
                    Err(error) => {
                        self.session.refuse("NetStream.Publish.BadName", &format!("{error:#}"));
                        return Err(error)
                            .with_context(|| format!("publish of {:?} is refused", publish.name));
                    }
                },
                Some(ServerEvent::Unpublish) => {
                    if let Some(live) = self.live.take() {
                        live.recorder.finish();
                    }
                }
            }
        }
        let taken = before - rest.len();
        self.line.consume(taken);
        if is_accepted {
            self.line.expect_media();
        }
        if let Some(live) = &mut self.live {
            live.claim.heard();
            // A little early, to spare a wake-up of its own.
            if live.recorder.flush_due().is_some_and(|due| due <= Instant::now() + EARLY) {
                live.recorder.flush().context("while writing to the spool")?;
            }
        }
        self.answer().await
    }

    fn begin(&self, publish: &Publish) -> anyhow::Result<Live> {
        let Identity { path, arguments } = Identity::of(publish)?;
        let gateway = &self.gateway;
        let claim =
            gateway.registry.claim(&path).with_context(|| format!("{path} is being published already"))?;
        let began_at_ms = unix_ms();
        let push = format!("{began_at_ms:013}-{:08x}", fastrand::u32(..));
        let record = Record {
            domain: path.domain().into(),
            app: path.app().into(),
            stream: path.stream().into(),
            push: push.clone(),
            client: self.peer.to_string(),
            arguments,
            began_at_ms,
            ..Record::default()
        };
        let folder = gateway.spool.pushes().join(push);
        let ingest = Ingest::new(path, folder, record).context("while writing to the spool")?;
        tracing::info!("{}: published by {}", ingest.path, self.peer);
        let ingest = Arc::new(ingest);
        gateway.enqueue(Arc::clone(&ingest));
        let recorder =
            Recorder::new(Arc::clone(&ingest), Arc::clone(&gateway.spool), Arc::clone(&gateway.pool));
        Ok(Live { claim, ingest, recorder })
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        let output = self.session.output();
        if !output.is_empty() {
            timeout(HESITATION, self.line.send(output)).await.context("publisher does not read")??;
            output.clear();
        }
        Ok(())
    }

    /// Says what is left to say, such as why a publish is refused.
    async fn say_farewell(mut self) {
        let farewell = async {
            self.answer().await?;
            anyhow::Ok(self.line.close().await?)
        };
        // Without it then.
        let _ = timeout(FAREWELL, farewell).await;
    }
}

/// Completes at that time, or never.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// Whether this is how encoders end without saying so.
fn is_goodbye(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe
    )
}
