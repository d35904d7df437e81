//! `live-recorder push`: publishes a file over RTMP.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;

#[derive(clap::Args)]
pub(crate) struct PushArgs {
    /// The FLV file.
    file: PathBuf,
    /// Where to, such as rtmp://127.0.0.1/live/stream.
    url: String,
    /// As fast as it goes instead of in real time.
    #[arg(long)]
    fast: bool,
}

/// Publishes until the end of the file, or until `stop` is cancelled.
pub(crate) async fn run(args: PushArgs, stop: CancellationToken) -> Result<()> {
    let options = gateway::push::Options { file: args.file, url: args.url, fast: args.fast };
    let pushed = stop.run_until_cancelled(gateway::push::push(options)).await;
    println!("{}", pushed.context("interrupted")??);
    Ok(())
}
