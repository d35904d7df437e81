//! `live-recorder up`: functions, gateway and bucket server in one process.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use bucket_server::{BucketConfig, BucketServer};
use host::key_value::disk::DiskStore;
use host::{HostBuilder, Manifest};
use tokio_util::sync::CancellationToken;

use crate::listen::{listen, reachable};
use crate::local::{SPOOL_LIMIT_BYTES, WORK_BUCKET, check_exposure, variables};

/// The bucket that is made when none is asked for.
const DEFAULT_BUCKET: &str = "recordings";

#[derive(clap::Args)]
pub(crate) struct UpArgs {
    /// The application to run.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// Where the functions answer HTTP; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where the gateway takes RTMP.
    #[arg(long, default_value = "127.0.0.1:1935")]
    rtmp: SocketAddr,
    /// Where the bucket server answers S3.
    #[arg(long, default_value = "127.0.0.1:9000")]
    bucket: SocketAddr,
    /// The folder for all state.
    #[arg(long, default_value = ".live-recorder")]
    data: PathBuf,
    /// A bucket to make at the start, beside the recorder's own; `recordings` if none is given.
    #[arg(long = "create-bucket", value_name = "NAME")]
    create_bucket: Vec<String>,
}

/// Runs everything until `stop` is cancelled: then the gateway hands over what it has, the functions
/// answer what they have begun, and the bucket server ends last.
pub(crate) async fn run(args: UpArgs, stop: CancellationToken) -> Result<()> {
    check_exposure(&[args.listen, args.rtmp, args.bucket], |name| std::env::var(name).ok())?;
    let manifest = Manifest::load(&args.manifest)?;
    let functions_listener = listen(args.listen, "--listen").await?;
    let rtmp_listener = listen(args.rtmp, "--rtmp").await?;
    let bucket_listener = listen(args.bucket, "--bucket").await?;
    let functions = functions_listener.local_addr()?;
    let rtmp = rtmp_listener.local_addr()?;
    let bucket = bucket_listener.local_addr()?;

    let variables = variables(bucket);
    let ingest_token = variables["ingest_token"].clone();
    let buckets =
        if args.create_bucket.is_empty() { vec![DEFAULT_BUCKET.into()] } else { args.create_bucket };
    let bucket_server = BucketServer::open(&BucketConfig {
        directory: args.data.join("buckets"),
        access_key_id: variables["bucket_access_key_id"].clone(),
        access_key_secret: variables["bucket_access_key_secret"].clone(),
        buckets: buckets.into_iter().chain([WORK_BUCKET.into()]).collect(),
        // So that the recordings of a laptop play by their URLs.
        public_read: bucket.ip().is_loopback(),
    })?;
    let store = Arc::new(DiskStore::open(&args.data.join("kv"))?);
    let builder = HostBuilder::new(manifest)
        .variables(variables)
        .variables_from_environment()
        .cache(args.data.join("components"))
        .key_value(store);
    let host = tokio::task::spawn_blocking(|| builder.build()).await??;

    let [ingest_stop, functions_stop, bucket_stop] = std::array::from_fn(|_| CancellationToken::new());
    let serving_bucket = tokio::spawn(bucket_server.serve(bucket_listener, bucket_stop.clone()));
    let serving_functions = tokio::spawn(Arc::new(host).serve(functions_listener, functions_stop.clone()));
    let config = gateway::Config {
        functions: format!("http://{}", reachable(functions)),
        ingest_token,
        name: None,
        spool: args.data.join("spool"),
        spool_limit_bytes: SPOOL_LIMIT_BYTES,
        default_domain: None,
        tick: true,
    };
    let mut serving_rtmp = tokio::spawn(gateway::serve(config, rtmp_listener, ingest_stop.clone()));

    announce(functions, rtmp, bucket)?;
    let ended = tokio::select! {
        () = stop.cancelled() => None,
        ended = &mut serving_rtmp => Some(ended),
    };
    ingest_stop.cancel();
    let ended = match ended {
        Some(ended) => ended,
        None => serving_rtmp.await,
    };
    functions_stop.cancel();
    serving_functions.await??;
    bucket_stop.cancel();
    serving_bucket.await?;
    ended.context("the gateway panicked")?
}

/// The line that says that all three accept.
fn announce(functions: SocketAddr, rtmp: SocketAddr, bucket: SocketAddr) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "ready functions=http://{functions} rtmp=rtmp://{rtmp} bucket=http://{bucket}")?;
    Ok(output.flush()?)
}
