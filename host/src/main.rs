//! `live-recorder`: the whole recorder on one machine, or its gateway alone.

mod defaults;
mod ingest;
mod ticker;
mod up;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

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
    Up(UpArgs),
    /// Runs the RTMP gateway alone, against functions deployed elsewhere.
    Gateway(GatewayArgs),
    /// Publishes an FLV file over RTMP.
    Push(PushArgs),
}

#[derive(Args)]
pub(crate) struct UpArgs {
    /// The application to run.
    #[arg(long, default_value = "spin.toml")]
    pub(crate) manifest: PathBuf,
    /// Where the functions answer HTTP; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Where the gateway takes RTMP.
    #[arg(long, default_value = "127.0.0.1:1935")]
    pub(crate) rtmp: SocketAddr,
    /// Where the bucket server answers S3.
    #[arg(long, default_value = "127.0.0.1:9000")]
    pub(crate) bucket: SocketAddr,
    /// The folder for all state.
    #[arg(long, default_value = ".live-recorder")]
    pub(crate) data: PathBuf,
    /// A bucket to make at the start, beside the recorder's own; `recordings` if none is given.
    #[arg(long = "create-bucket", value_name = "NAME")]
    pub(crate) create_bucket: Vec<String>,
}

#[derive(Args)]
pub(crate) struct GatewayArgs {
    /// Where the functions answer, such as http://127.0.0.1:3000.
    #[arg(long)]
    pub(crate) functions: String,
    /// Where to take RTMP.
    #[arg(long, default_value = "127.0.0.1:1935")]
    pub(crate) rtmp: SocketAddr,
    /// The folder for chunks that are not acknowledged yet.
    #[arg(long, default_value = ".live-recorder")]
    pub(crate) data: PathBuf,
    /// Authorizes the calls to the functions.
    #[arg(long, env = "SPIN_VARIABLE_INGEST_TOKEN", hide_env_values = true)]
    pub(crate) ingest_token: String,
    /// Name of this gateway; by default one is made and kept in the data folder.
    #[arg(long)]
    pub(crate) name: Option<String>,
}

#[derive(Args)]
pub(crate) struct PushArgs {
    /// The FLV file.
    pub(crate) file: PathBuf,
    /// Where to, such as rtmp://127.0.0.1/live/stream.
    pub(crate) url: String,
    /// As fast as it goes instead of in real time.
    #[arg(long)]
    pub(crate) fast: bool,
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
            Command::Gateway(args) => ingest::run_alone(args, stop).await,
            Command::Push(args) => ingest::push(args, stop).await,
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
