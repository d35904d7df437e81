//! The gateway as a whole: configuration, start, shutdown.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{net::TcpListener, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    block::Pool,
    connection,
    functions::Functions,
    heartbeat,
    ingest::Ingest,
    registry::{Registry, Sessions},
    spool::{Spool, recover},
    upload::upload,
};

/// How long a shutdown goes on uploading; the rest stays in the spool.
const LINGER: Duration = Duration::from_secs(5);

/// After an accept fails, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a gateway needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Base URL of the functions, `http://` or `https://`.
    pub functions: String,
    /// Shown to the functions with every call.
    pub ingest_token: String,
    /// Name of this gateway among all that use the same functions. `None`: a random one, kept in the spool.
    pub name: Option<String>,
    /// Folder of the chunks that are not acknowledged. One gateway at a time can use it.
    pub spool: PathBuf,
    /// How many bytes of chunks the spool may hold before publishers are held back.
    pub spool_limit_bytes: u64,
    /// Whether to run the functions' clockwork: `POST /tick` each second.
    pub tick: bool,
}

/// What all tasks of a gateway share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) name: String,
    pub(crate) functions: Functions,
    pub(crate) spool: Arc<Spool>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) sessions: Sessions,
    /// Asks the connections to end.
    pub(crate) shutdown: CancellationToken,
    /// Uploads; ended by force.
    uploads: TaskTracker,
    abort: CancellationToken,
}

impl Gateway {
    /// Uploads a push after those of the same stream that came before.
    pub(crate) fn enqueue(self: &Arc<Self>, ingest: Arc<Ingest>) {
        let path = ingest.path.clone();
        if !self.registry.enqueue(ingest) {
            return;
        }
        let gateway = Arc::clone(self);
        let lane = async move {
            while let Some(ingest) = gateway.registry.front(&path) {
                upload(&gateway, &ingest).await;
                if !gateway.registry.advance(&path) {
                    return;
                }
            }
        };
        let abort = self.abort.clone();
        self.uploads.spawn(async move { abort.run_until_cancelled(lane).await });
    }
}

/// Runs a gateway until `shutdown` is cancelled.
///
/// First completes what an earlier gateway left in the spool. A shutdown ends all pushes, goes on uploading
/// for up to five seconds and leaves the rest in the spool.
///
/// # Errors
/// A configuration that cannot be used, or a spool that cannot be opened.
pub async fn serve(config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let spool = Spool::open(&config.spool, config.spool_limit_bytes)?;
    let name = match config.name {
        Some(name) => name,
        None => spool.name()?,
    };
    let recovered = {
        let spool = Arc::clone(&spool);
        tokio::task::spawn_blocking(move || recover(&spool)).await.context("while recovering the spool")??
    };
    let gateway = Arc::new(Gateway {
        name,
        functions: Functions::new(&config.functions, &config.ingest_token)?,
        spool,
        pool: Arc::default(),
        registry: Arc::default(),
        sessions: Sessions::default(),
        shutdown,
        uploads: TaskTracker::new(),
        abort: CancellationToken::new(),
    });
    // Whatever way this function ends, also when its future is dropped: no task outlives it.
    let _abort = gateway.abort.clone().drop_guard();
    for push in recovered {
        tracing::info!("{}: {} chunks of an earlier push are left to upload", push.path, push.chunks.len());
        gateway.enqueue(Arc::new(Ingest::recovered(push)));
    }

    let background = TaskTracker::new();
    let spawn = |task: futures_util::future::BoxFuture<'static, ()>| {
        let abort = gateway.abort.clone();
        background.spawn(async move { abort.run_until_cancelled(task).await });
    };
    spawn(Box::pin(heartbeat::beat(Arc::clone(&gateway))));
    spawn(Box::pin(heartbeat::sync(Arc::clone(&gateway))));
    if config.tick {
        spawn(Box::pin(heartbeat::tick(Arc::clone(&gateway))));
    }

    let connections = TaskTracker::new();
    accept(&gateway, &listener, &connections).await;
    drop(listener);

    connections.close();
    connections.wait().await;
    gateway.uploads.close();
    tokio::select! {
        () = gateway.uploads.wait() => {}
        () = sleep(LINGER) => tracing::warn!("some chunks are left in the spool for the next start"),
    }
    gateway.abort.cancel();
    gateway.uploads.wait().await;
    background.close();
    background.wait().await;
    Ok(())
}

async fn accept(gateway: &Arc<Gateway>, listener: &TcpListener, connections: &TaskTracker) {
    while let Some(accepted) = gateway.shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, peer)) => {
                let gateway = Arc::clone(gateway);
                let abort = gateway.abort.clone();
                connections.spawn(async move {
                    abort.run_until_cancelled(connection::serve(gateway, socket, peer)).await
                });
            }
            Err(error) => {
                tracing::error!("connection cannot be accepted: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
