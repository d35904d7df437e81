//! The bucket server alone, for tests: serves a folder on a free port, and prints the address.

use std::io::Write as _;

use bucket_server::{BucketConfig, BucketServer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let directory = std::env::args_os().nth(1);
    let server = BucketServer::open(&BucketConfig {
        directory: directory.ok_or_else(|| anyhow::anyhow!("usage: serve-buckets DIRECTORY"))?.into(),
        access_key_id: "an-id".into(),
        access_key_secret: "a-secret".into(),
        buckets: vec!["bucket".into()],
        public_read: false,
    })?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    server.serve(listener, CancellationToken::new()).await;
    Ok(())
}
