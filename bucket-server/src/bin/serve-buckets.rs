//! The bucket server alone, for tests: `serve-buckets DIRECTORY [ADDRESS [BUCKET…]]` serves a folder, on a free port
//! unless it is told an address, and prints where.

use std::io::Write as _;

use anyhow::Context;
use bucket_server::{BucketConfig, BucketServer, KeepFree};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().filter(|directory| !directory.starts_with('-'));
    let directory = directory.context("usage: serve-buckets DIRECTORY [ADDRESS [BUCKET…]]")?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".into());
    let mut buckets: Vec<String> = arguments.collect();
    if buckets.is_empty() {
        buckets.push("bucket".into());
    }
    let server = BucketServer::open(&BucketConfig {
        directory: directory.into(),
        access_key_id: "an-id".into(),
        access_key_secret: "a-secret".into(),
        buckets,
        public_read: false,
        // So that a full disk can be tried.
        keep_free: KeepFree::NOTHING,
    })?;
    let listener = TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    server.serve(listener, CancellationToken::new()).await;
    Ok(())
}
