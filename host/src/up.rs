//! `live-recorder up`: functions, gateway and bucket server in one process.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use host::key_value::disk::DiskStore;
use host::{BucketConfig, BucketServer, HostBuilder, Manifest};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::defaults::{Variables, WORK_BUCKET, check_exposure, reachable};
use crate::ingest::{self, Ingest};
use crate::{UpArgs, ticker};

/// The bucket that is made when none is asked for.
const DEFAULT_BUCKET: &str = "recordings";

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

    let variables = Variables::local(bucket);
    let ingest_token = variables.get("ingest_token").to_owned();
    let buckets =
        if args.create_bucket.is_empty() { vec![DEFAULT_BUCKET.into()] } else { args.create_bucket };
    let bucket_server = BucketServer::open(&BucketConfig {
        directory: args.data.join("buckets"),
        access_key_id: variables.get("bucket_access_key_id").to_owned(),
        access_key_secret: variables.get("bucket_access_key_secret").to_owned(),
        buckets: buckets.into_iter().chain([WORK_BUCKET.into()]).collect(),
        // So that the recordings of a laptop play by their URLs.
        public_read: bucket.ip().is_loopback(),
    })?;
    let store = Arc::new(DiskStore::open(&args.data.join("kv"))?);
    let builder = HostBuilder::new(manifest)
        .variables(variables.into_map())
        .variables_from_environment()
        .cache(args.data.join("components"))
        .key_value(store);
    let host = tokio::task::spawn_blocking(|| builder.build()).await??;
    let host = Arc::new(host);

    let [ingest_stop, functions_stop, bucket_stop] = std::array::from_fn(|_| CancellationToken::new());
    let serving_bucket = tokio::spawn(bucket_server.serve(bucket_listener, bucket_stop.clone()));
    let serving_functions = tokio::spawn(host.clone().serve(functions_listener, functions_stop.clone()));
    let ticking = TaskTracker::new();
    ticking.spawn(ticker::run(host, ingest_token.clone(), ingest_stop.clone()));
    let ingest = Ingest {
        functions: format!("http://{}", reachable(functions)),
        ingest_token,
        name: None,
        data: args.data,
        tick: false,
    };
    let mut serving_rtmp = tokio::spawn(ingest::serve(ingest, rtmp_listener, ingest_stop.clone()));

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
    ticking.close();
    ticking.wait().await;
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

/// Listens on `address`, which `option` sets.
pub(crate) async fn listen(address: SocketAddr, option: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!("{address} is already in use: choose another address with {option}"),
        _ => anyhow!("{address} cannot be listened on ({option}): {error}"),
    })
}
