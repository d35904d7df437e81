//! The gateway between real RTMP and scripted functions.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admission;
mod broken;
mod connections;
mod cuts;
mod denied;
mod deployed;
mod encoders;
mod entrances;
mod failures;
mod fake;
mod full_disk;
mod health;
mod hosts;
mod media;
mod metrics;
mod odd;
mod operation;
mod orders;
mod peers;
mod programs;
mod publisher;
mod recording;
mod reload;
mod sessions;
mod spool;
mod squatting;
mod takeover;
mod tls;
mod upkeep;

use std::{net::SocketAddr, path::Path, time::Duration};

use gateway::{Config, Control, Entrance, SecondPublisher, Settings, push};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use fake::{Fake, TOKEN};

/// A gateway in this process.
#[derive(Debug)]
struct Gateway {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Gateway {
    async fn start(functions: &str, spool: &Path) -> Self {
        Self::with_limit(functions, spool, 1 << 30).await
    }

    async fn with_limit(functions: &str, spool: &Path, spool_limit_bytes: u64) -> Self {
        Self::with(functions, spool, spool_limit_bytes, SecondPublisher::Refuse).await
    }

    async fn with(
        functions: &str,
        spool: &Path,
        spool_limit_bytes: u64,
        second_publisher: SecondPublisher,
    ) -> Self {
        let spool_limit_bytes = Some(spool_limit_bytes);
        let change = |config: Config| Config { spool_limit_bytes, second_publisher, ..config };
        Self::configured(functions, spool, change).await
    }

    /// With a configuration that a test changes.
    async fn configured(functions: &str, spool: &Path, change: impl FnOnce(Config) -> Config) -> Self {
        Self::listening(([127, 0, 0, 1], 0).into(), change(config(functions, spool))).await
    }

    async fn listening(address: SocketAddr, config: Config) -> Self {
        Self::open(address, config).await.unwrap()
    }

    async fn open(address: SocketAddr, config: Config) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shutdown = CancellationToken::new();
        let gateway = gateway::open(config).await?;
        let task = tokio::spawn(gateway.run(vec![Entrance::rtmp(listener)], shutdown.clone()));
        Ok(Self { address, shutdown, task })
    }

    fn url(&self, name: &str) -> String {
        format!("rtmp://{}/live/{name}", self.address)
    }

    /// Pushes as fast as it goes.
    async fn push(&self, file: &Path, name: &str) -> anyhow::Result<push::Summary> {
        push::push(push::Options { file: file.into(), url: self.url(name), fast: true }).await
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Ends it as a crash does: nothing is flushed, ended or told.
    async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// What a gateway of a test is told where the test says nothing else.
fn config(functions: &str, spool: &Path) -> Config {
    let functions = functions.split(',').map(str::to_owned).collect();
    Config {
        spool_limit_bytes: Some(1 << 30),
        call_max: Duration::from_secs(1),
        tick: true,
        ..Config::new(functions, spool.into(), control(Settings::default()))
    }
}

/// Of a gateway with these settings, that has the token of the functions.
fn control(settings: Settings) -> Control {
    Control::new(Settings { ingest_token: TOKEN.into(), ..settings }).unwrap()
}

async fn functions() -> Fake {
    Fake::start(|_| fake::Act::Succeed).await
}
