//! `live-recorder`: the whole recorder on one machine, or its gateway alone.

mod commands;
mod listen;
mod local;

use std::io::IsTerminal;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::commands::{gateway, push, up};

/// Records live streams into object storage with Wasm functions.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs functions, RTMP gateway and bucket server until Ctrl-C.
    Up(up::UpArgs),
    /// Runs the RTMP gateway alone, against functions deployed elsewhere.
    Gateway(gateway::GatewayArgs),
    /// Publishes an FLV file over RTMP.
    Push(push::PushArgs),
}

fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("LIVE_RECORDER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(cancel_on_signal(stop.clone()));
        match cli.command {
            Command::Up(args) => up::run(args, stop).await,
            Command::Gateway(args) => gateway::run(args, stop).await,
            Command::Push(args) => push::run(args, stop).await,
        }
    })
}

/// The first signal asks for a clean end, the second one ends at once.
async fn cancel_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => return tracing::error!("signals cannot be received: {error}"),
    };
    for stopping in [false, true] {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        if stopping {
            std::process::exit(130);
        }
        tracing::info!("stopping; a second signal ends at once");
        stop.cancel();
    }
}
