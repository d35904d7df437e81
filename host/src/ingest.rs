//! The RTMP gateway, beside the functions or alone.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{GatewayArgs, PushArgs};

/// What the gateway needs beside its listener.
pub(crate) struct Ingest {
    /// Where the functions answer.
    pub(crate) functions: String,
    pub(crate) ingest_token: String,
    pub(crate) name: Option<String>,
    pub(crate) data: PathBuf,
    /// Whether the gateway calls `/tick`.
    pub(crate) tick: bool,
}

/// What may wait on disk for functions that do not answer: an hour of one push at 10 Mb/s.
const SPOOL_LIMIT_BYTES: u64 = 4 << 30;

/// Takes pushes at `listener` until `stop` is cancelled and what is at hand is handed over.
pub(crate) async fn serve(ingest: Ingest, listener: TcpListener, stop: CancellationToken) -> Result<()> {
    let config = gateway::Config {
        functions: ingest.functions,
        ingest_token: ingest.ingest_token,
        name: ingest.name,
        spool: ingest.data.join("spool"),
        spool_limit_bytes: SPOOL_LIMIT_BYTES,
        tick: ingest.tick,
    };
    gateway::serve(config, listener, stop).await
}

/// `live-recorder gateway`.
pub(crate) async fn run_alone(args: GatewayArgs, stop: CancellationToken) -> Result<()> {
    let listener = crate::up::listen(args.rtmp, "--rtmp").await?;
    println!("ready rtmp=rtmp://{}", listener.local_addr()?);
    let ingest = Ingest {
        functions: args.functions,
        ingest_token: args.ingest_token,
        name: args.name,
        data: args.data,
        tick: true,
    };
    serve(ingest, listener, stop).await
}

/// `live-recorder push`.
pub(crate) async fn push(args: PushArgs, stop: CancellationToken) -> Result<()> {
    let options = gateway::push::Options { file: args.file, url: args.url, fast: args.fast };
    let pushed = stop.run_until_cancelled(gateway::push::push(options)).await;
    println!("{}", pushed.context("interrupted")??);
    Ok(())
}
