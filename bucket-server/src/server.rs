//! The server: configuration, start, requests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use http::Request;
use http_server::{Drained, serve_connections};
use hyper::body::Incoming;
use hyper::service::service_fn;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::{PublicRead, escapes, refusal};
use crate::creating::Creating;
use crate::name::check_bucket_name;

/// Where and for whom buckets are served.
#[derive(Clone)]
pub struct BucketConfig {
    /// The folder that holds a folder for each bucket.
    pub directory: PathBuf,
    /// The access key id.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// Buckets that are made if they are absent.
    pub buckets: Vec<String>,
    /// Whether objects can be read without a signature, as players do.
    pub public_read: bool,
}

/// The server, before it listens.
pub struct BucketServer {
    service: S3Service,
    creating: Arc<Creating>,
}

impl BucketServer {
    /// Opens the folder and makes the buckets.
    ///
    /// # Errors
    ///
    /// When a bucket's name is not one, or the folders cannot be made or opened.
    pub fn open(config: &BucketConfig) -> Result<Self> {
        for bucket in &config.buckets {
            check_bucket_name(bucket)?;
            let directory = config.directory.join(bucket);
            std::fs::create_dir_all(&directory)
                .with_context(|| format!("while making the bucket folder {}", directory.display()))?;
        }
        let store = open_folder(&config.directory)?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(
            config.access_key_id.as_str(),
            config.access_key_secret.as_str(),
        ));
        if config.public_read {
            builder.set_access(PublicRead);
        }
        Ok(Self { service: builder.build(), creating: Arc::default() })
    }

    /// Answers what arrives at `listener` until `stop` is cancelled and the running requests have ended.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let service = move |_peer: SocketAddr| {
            let (service, creating) = (self.service.clone(), self.creating.clone());
            service_fn(move |request: Request<Incoming>| {
                let (service, creating) = (service.clone(), creating.clone());
                async move {
                    let _alone = creating.lock(&request).await;
                    if escapes(request.uri().path()) {
                        return Ok(refusal());
                    }
                    service.call(request.map(|body| s3s::Body::http_body(Drained::new(body)))).await
                }
            })
        };
        serve_connections(listener, service, stop).await;
    }
}

fn open_folder(directory: &Path) -> Result<FileSystem> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("while making the folder {}", directory.display()))?;
    FileSystem::new(directory)
        .map_err(|error| anyhow::anyhow!("{error:?}"))
        .with_context(|| format!("while opening the bucket folder {}", directory.display()))
}
