//! Functions, gateway and bucket server in one process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use bucket_server::{BucketConfig, BucketServer, KeepFree};
use host::{HostBuilder, Manifest};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::admin::{AdminArgs, AdminServer};
use crate::backup::DataBackup;
use crate::ingest::IngestArgs;
use crate::listen::{listen, reachable};
use crate::local::{CALLBACK_HOSTS, PRIVATE_CALLBACKS, WORK_BUCKET, check_exposure, variables};
use crate::log::Log;
use crate::parts::{Buckets, Functions};
use crate::settings::{GatewaySettings, Sources};
use crate::size::parse_bytes_or_none;
use crate::store::StoreArgs;

/// The bucket that is made when none is asked for.
pub(crate) const DEFAULT_BUCKET: &str = "recordings";

/// What is run, and where.
#[derive(clap::Args)]
pub(crate) struct StackConfig {
    /// The application to run.
    #[arg(long, default_value = "spin.toml")]
    pub(crate) manifest: PathBuf,
    /// Where the functions answer HTTP; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Where the gateway takes RTMP. Several addresses are separated by commas, or each has the option again.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', default_value = "127.0.0.1:1935")]
    pub(crate) rtmp: Vec<SocketAddr>,
    /// Where the bucket server answers S3.
    #[arg(long, default_value = "127.0.0.1:9000")]
    pub(crate) bucket: SocketAddr,
    /// The folder for all state.
    #[arg(long, default_value = ".live-recorder")]
    pub(crate) data: PathBuf,
    /// The folder for compiled components; by default one in the data folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) component_cache: Option<PathBuf>,
    /// A bucket to make at the start, beside the recorder's own; `recordings` if none is given.
    #[arg(long = "create-bucket", value_name = "NAME")]
    pub(crate) create_bucket: Vec<String>,
    /// How much of the disk the buckets leave free for the key-value store and the spool beside them, in bytes or with a
    /// unit: 500MB, 2GiB; 0 is nothing. What would take more is refused with 507, and waits in the spool until there is
    /// room; objects of at most 256 KiB may take 256MiB of it, or half. By default 5GiB, but at most a twentieth of the disk.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes_or_none)]
    pub(crate) keep_free: Option<u64>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) ingest: IngestArgs,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
}

/// What runs, and accepts.
pub(crate) struct Stack {
    /// Where the functions answer.
    pub(crate) functions: SocketAddr,
    /// Where the gateway takes RTMP; the first of such addresses.
    pub(crate) rtmp: SocketAddr,
    /// All addresses of publishers, each as `rtmp=rtmp://…` or `rtmps=rtmps://…`.
    pub(crate) entrances: Vec<String>,
    /// Where the operator is answered.
    pub(crate) admin: Option<AdminServer>,
    /// Where the bucket server answers.
    pub(crate) bucket: SocketAddr,
    gateway: Part<Result<()>>,
    host: Part<Result<()>>,
    bucket_server: Part<()>,
}

/// A part of the stack, and how it is asked to end.
struct Part<T> {
    task: JoinHandle<T>,
    stop: CancellationToken,
}

impl<T: Send + 'static> Part<T> {
    fn spawn<F>(serve: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let stop = CancellationToken::new();
        Self { task: tokio::spawn(serve(stop.clone())), stop }
    }

    async fn stop(self, name: &str) -> Result<T> {
        self.stop.cancel();
        self.task.await.with_context(|| format!("the {name} panicked"))
    }
}

impl Stack {
    /// Starts everything. When this returns, all three addresses accept connections.
    ///
    /// # Errors
    ///
    /// When an address is taken, or can be reached by others and the secrets are those that everybody knows; when
    /// the data folder cannot be used, or the application cannot be run.
    pub(crate) async fn start(config: StackConfig, log: &Log) -> Result<Self> {
        let publishers = config.ingest.entrances.addresses(&config.rtmp);
        let exposed: Vec<_> = [config.listen, config.bucket].into_iter().chain(publishers.clone()).collect();
        check_exposure(&exposed, |name| std::env::var(name).ok())?;
        crate::data::open(&config.data)?;
        let ingest_token = variables(config.bucket).remove("ingest_token");
        let StackConfig { ingest, admin, .. } = &config;
        let (ingest, admin) = (ingest.clone(), admin.clone());
        let settings = GatewaySettings::read(Sources { ingest, admin, ingest_token, publishers })?;
        settings.follow_hangups()?;
        let manifest = Manifest::load(&config.manifest)?;
        let functions_listener = listen(config.listen, "--listen").await?;
        let entrances = config.ingest.entrances.open(&config.rtmp).await?;
        let bucket_listener = listen(config.bucket, "--bucket").await?;
        let functions = functions_listener.local_addr()?;
        let rtmp = *entrances.addresses.first().context("--rtmp names no address")?;
        let bucket = bucket_listener.local_addr()?;

        let mut variables = variables(bucket);
        variables.extend(config.store.variables());
        let buckets =
            if config.create_bucket.is_empty() { vec![DEFAULT_BUCKET.into()] } else { config.create_bucket };
        let bucket_server = BucketServer::open(&BucketConfig {
            directory: config.data.join("buckets"),
            access_key_id: variables["bucket_access_key_id"].clone(),
            access_key_secret: variables["bucket_access_key_secret"].clone(),
            buckets: buckets.into_iter().chain([WORK_BUCKET.into()]).collect(),
            // So that the recordings of a laptop play by their URLs.
            public_read: bucket.ip().is_loopback(),
            keep_free: KeepFree { bytes: config.keep_free, look: None },
        })?;
        let store = config.store.open(&config.data).await?;
        let backup = DataBackup::new(store.clone(), Some(config.data.join("buckets")));
        let builder = HostBuilder::new(manifest)
            .variables(variables)
            .variables_from_environment()
            .public_only(CALLBACK_HOSTS, PRIVATE_CALLBACKS)
            .cache(config.component_cache.unwrap_or_else(|| config.data.join("components")))
            .key_value(store);
        let host = Arc::new(tokio::task::spawn_blocking(|| builder.build()).await??);

        let (control, reload) = (settings.control(), Arc::clone(&settings) as _);
        let parts = vec![Functions::part(&host), Buckets::part(bucket_server.room())];
        let admin = config.admin.start(control, parts, log, reload, Some(backup)).await?;
        let functions_url = format!("http://{}", reachable(functions));
        let gateway_config = settings.config(vec![functions_url], None, None, &config.data);
        let gateway = gateway::open(gateway_config).await?;
        Ok(Self {
            functions,
            rtmp,
            entrances: entrances.urls,
            admin,
            bucket,
            bucket_server: Part::spawn(|stop| bucket_server.serve(bucket_listener, stop)),
            host: Part::spawn(|stop| host.serve(functions_listener, stop)),
            gateway: Part::spawn(|stop| gateway.run(entrances.listeners, stop)),
        })
    }

    /// Runs until `stop` is cancelled, or until the gateway has failed. Then the gateway hands over what it has, the
    /// functions answer what they have begun, and the bucket server ends last.
    ///
    /// # Errors
    ///
    /// When a part has failed.
    pub(crate) async fn run_until(mut self, stop: CancellationToken) -> Result<()> {
        let ended = tokio::select! {
            () = stop.cancelled() => None,
            ended = &mut self.gateway.task => Some(ended.context("the gateway panicked")),
        };
        let gateway = match ended {
            Some(ended) => ended,
            None => self.gateway.stop("gateway").await,
        };
        if let Some(admin) = self.admin {
            admin.stop().await?;
        }
        self.host.stop("host").await??;
        self.bucket_server.stop("bucket server").await?;
        gateway?
    }
}
