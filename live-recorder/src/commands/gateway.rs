//! `live-recorder gateway`: the RTMP gateway alone, against functions deployed elsewhere.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::admin::AdminArgs;
use crate::ingest::IngestArgs;
use crate::log::Log;
use crate::settings::{GatewaySettings, Sources};

#[derive(clap::Args)]
pub(crate) struct GatewayArgs {
    /// Where the functions answer, such as http://127.0.0.1:3000. Several addresses, separated by commas or each with
    /// the option again, are called in turn: hosts that share one key-value store. One that fails is left alone for a
    /// while, and its calls go to the others.
    #[arg(long, value_name = "URL", value_delimiter = ',', required = true)]
    functions: Vec<String>,
    /// A file of certificates in PEM that are trusted of functions at https:// beside those that the web trusts.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Where to take RTMP. Several addresses are separated by commas, or each has the option again.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', default_value = "127.0.0.1:1935")]
    rtmp: Vec<SocketAddr>,
    /// The folder for chunks that are not acknowledged yet.
    #[arg(long, default_value = ".live-recorder")]
    data: PathBuf,
    /// Authorizes the calls to the functions; unless it is in the file of --settings, where it may change.
    #[arg(long, env = "SPIN_VARIABLE_INGEST_TOKEN", hide_env_values = true)]
    ingest_token: Option<String>,
    /// Name of this gateway; by default one is made and kept in the data folder.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    ingest: IngestArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Takes pushes until `stop` is cancelled and the functions have what was pushed.
pub(crate) async fn run(args: GatewayArgs, log: &Log, stop: CancellationToken) -> Result<()> {
    crate::data::open(&args.data)?;
    let publishers = args.ingest.entrances.addresses(&args.rtmp);
    let GatewayArgs { ingest, admin, ingest_token, .. } = args;
    let settings = GatewaySettings::read(Sources { ingest, admin, ingest_token, publishers })?;
    settings.follow_hangups()?;
    let Sources { ingest, admin, .. } = settings.sources();
    let entrances = ingest.entrances.open(&args.rtmp).await?;
    let admin = admin.start(settings.control(), Vec::new(), log, Arc::clone(&settings) as _, None).await?;
    let config = settings.config(args.functions, args.ca_file, args.name, &args.data);
    let gateway = ::gateway::open(config).await?;
    let shown = admin.as_ref().map(|admin| format!(" admin=http://{}", admin.address));
    println!("ready {}{}", entrances.urls.join(" "), shown.unwrap_or_default());
    let ended = gateway.run(entrances.listeners, stop).await;
    let admin = match admin {
        Some(admin) => admin.stop().await,
        None => Ok(()),
    };
    ended.and(admin)
}
