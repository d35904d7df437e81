//! `live-recorder`: the whole recorder on one machine, its functions or its gateway alone, or a demonstration.

mod admin;
mod allocator;
mod backup;
mod commands;
mod data;
mod entrances;
mod ingest;
mod listen;
mod local;
mod log;
mod parts;
mod settings;
mod settings_file;
mod size;
mod stack;
mod store;
mod traces;

use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::LevelFilter;

use crate::commands::{catalog, demo, functions, gateway, operator, push, spool, up};
use crate::log::{Log, LogFormat};
use crate::stack::StackConfig;
use crate::traces::Traces;

/// How long what was begun beside everything else may take at the end.
const AT_THE_END: Duration = Duration::from_secs(2);

/// Records live streams into object storage with Wasm functions.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How messages are written to standard error: as text, or as a JSON object a line. What is logged is set by
    /// LIVE_RECORDER_LOG, such as info,gateway=debug.
    #[arg(long, global = true, value_enum, default_value_t, env = "LIVE_RECORDER_LOG_FORMAT")]
    log_format: LogFormat,
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
    /// Lists who publishes to a gateway.
    Publishers(operator::PublishersArgs),
    /// Ends the connections of a stream's publishers, who may come again.
    Kick(operator::KickArgs),
    /// Has a gateway refuse pushes, finish those it has, and end; returns once it has ended.
    Drain(operator::DrainArgs),
    /// Prints what a gateway logs, or changes it.
    LogLevel(operator::LogLevelArgs),
    /// Has a gateway read its settings anew from their files; pushes go on.
    Reload(operator::ReloadArgs),
    /// Has a copy of all state but the spool made in a new folder; recordings go on.
    Backup(operator::BackupArgs),
    /// Publishes an FLV file over RTMP.
    Push(push::PushArgs),
    /// Records a real push on this machine and shows the files.
    Demo(demo::DemoArgs),
}

fn main() -> anyhow::Result<()> {
    allocator::give_back_soon();
    let cli = Cli::parse();
    // The demonstration shows steps; what happens meanwhile is of interest only where it goes wrong.
    let level = if matches!(cli.command, Command::Demo(_)) { LevelFilter::WARN } else { LevelFilter::INFO };
    let log = Log::start(level, cli.log_format)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let traces = match cli.command {
        Command::Up(_) | Command::Functions(_) | Command::Gateway(_) => {
            Some(Traces::start(runtime.handle())?)
        }
        _ => None,
    };
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(cancel_on_signal(stop.clone()));
        match cli.command {
            Command::Up(args) => up::run(args, &log, stop).await,
            Command::Functions(args) => functions::run(args, &log, stop).await,
            Command::Gateway(args) => gateway::run(args, &log, stop).await,
            Command::Catalog(args) => catalog::run(args, stop).await,
            Command::Spool(args) => spool::run(args),
            Command::Publishers(args) => operator::publishers(args).await,
            Command::Kick(args) => operator::kick(args).await,
            Command::Drain(args) => operator::drain(args).await,
            Command::LogLevel(args) => operator::log_level(args).await,
            Command::Reload(args) => operator::reload(args).await,
            Command::Backup(args) => operator::backup(args).await,
            Command::Push(args) => push::run(args, stop).await,
            Command::Demo(args) => demo::run(args, &log, stop).await,
        }
    });
    traces.into_iter().for_each(Traces::stop);
    // A copy that is being made holds up no end.
    runtime.shutdown_timeout(AT_THE_END);
    ended
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
