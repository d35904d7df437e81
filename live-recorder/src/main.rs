//! `live-recorder`: the whole recorder on one machine, its functions or its gateway alone, or a demonstration.

mod commands;
mod ingest;
mod listen;
mod local;
mod size;
mod stack;
mod store;

use std::io::IsTerminal;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::commands::{catalog, demo, functions, gateway, push, spool, up};
use crate::stack::StackConfig;

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
    Up(StackConfig),
    /// Runs the functions alone, for gateways and buckets elsewhere.
    Functions(functions::FunctionsArgs),
    /// Runs the RTMP gateway alone, against functions deployed elsewhere.
    Gateway(gateway::GatewayArgs),
    /// Fills a store that was lost anew.
    Catalog(catalog::CatalogArgs),
    /// Lists what waits on a gateway's disk or was refused, and resends or drops it.
    Spool(spool::SpoolArgs),
    /// Publishes an FLV file over RTMP.
    Push(push::PushArgs),
    /// Records a real push on this machine and shows the files.
    Demo(demo::DemoArgs),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // The demonstration shows steps; what happens meanwhile is of interest only where it goes wrong.
    start_log(if matches!(cli.command, Command::Demo(_)) { LevelFilter::WARN } else { LevelFilter::INFO })?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(cancel_on_signal(stop.clone()));
        match cli.command {
            Command::Up(args) => up::run(args, stop).await,
            Command::Functions(args) => functions::run(args, stop).await,
            Command::Gateway(args) => gateway::run(args, stop).await,
            Command::Catalog(args) => catalog::run(args, stop).await,
            Command::Spool(args) => spool::run(args),
            Command::Push(args) => push::run(args, stop).await,
            Command::Demo(args) => demo::run(args, stop).await,
        }
    })
}

/// Logs to standard error what `LIVE_RECORDER_LOG` asks for, such as `info,gateway=debug`; `default` without it.
fn start_log(default: LevelFilter) -> anyhow::Result<()> {
    const VARIABLE: &str = "LIVE_RECORDER_LOG";
    let filter = match std::env::var(VARIABLE) {
        Ok(filter) => filter.parse::<Targets>().with_context(|| format!("{VARIABLE} is {filter:?}"))?,
        Err(_) => Targets::new().with_default(default),
    };
    let colours = std::io::stderr().is_terminal();
    let format = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    tracing_subscriber::registry().with(format).with(filter).init();
    Ok(())
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
