//! `live-recorder functions`: the functions alone, for gateways and buckets elsewhere.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use host::{HostBuilder, Manifest};
use tokio_util::sync::CancellationToken;

use crate::admin::AdminArgs;
use crate::backup::DataBackup;
use crate::listen::listen;
use crate::local::{CALLBACK_HOSTS, PRIVATE_CALLBACKS, check_exposure};
use crate::log::Log;
use crate::store::StoreArgs;

#[derive(clap::Args)]
pub(crate) struct FunctionsArgs {
    /// The application to run. Its variables are set by the environment, as `SPIN_VARIABLE_` and the name in capitals.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// Where the functions answer HTTP; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The folder for all state of this host.
    #[arg(long, default_value = ".live-recorder")]
    data: PathBuf,
    /// The folder for compiled components; by default one in the data folder.
    #[arg(long, value_name = "DIR")]
    component_cache: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Answers until `stop` is cancelled and what was begun is answered.
pub(crate) async fn run(args: FunctionsArgs, log: &Log, stop: CancellationToken) -> Result<()> {
    check_exposure(&[args.listen], |name| std::env::var(name).ok())?;
    // A store elsewhere leaves nothing in the folder.
    match &args.store.runtime_config {
        None => crate::data::open(&args.data)?,
        Some(_) => crate::data::check(&args.data)?,
    }
    let manifest = Manifest::load(&args.manifest)?;
    let listener = listen(args.listen, "--listen").await?;
    let store = args.store.open(&args.data).await?;
    let backup = DataBackup::new(store.clone(), None);
    let builder = HostBuilder::new(manifest)
        .variables(args.store.variables())
        .variables_from_environment()
        .public_only(CALLBACK_HOSTS, PRIVATE_CALLBACKS)
        .cache(args.component_cache.unwrap_or_else(|| args.data.join("components")))
        .key_value(store);
    let host = Arc::new(tokio::task::spawn_blocking(|| builder.build()).await??);
    let admin = args.admin.start_alone(&host, log, backup).await?;
    let shown = admin.as_ref().map(|admin| format!(" admin=http://{}", admin.address));
    let mut output = std::io::stdout();
    writeln!(output, "ready functions=http://{}{}", listener.local_addr()?, shown.unwrap_or_default())?;
    output.flush()?;
    host.serve(listener, stop).await?;
    match admin {
        Some(admin) => admin.stop().await,
        None => Ok(()),
    }
}
