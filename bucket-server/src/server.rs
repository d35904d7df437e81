//! The server: configuration, start, requests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use http::Request;
use http_server::{Drained, Places, serve_connections};
use hyper::service::service_fn;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::PublicRead;
use crate::name::check_bucket_name;
use crate::room::{KeepFree, Room};
use crate::service::Folders;
use crate::store::Store;

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
    /// What of the disk is left free.
    pub keep_free: KeepFree,
}

/// The server, before it listens.
pub struct BucketServer {
    service: S3Service,
    room: Arc<Room>,
}

impl BucketServer {
    /// Opens the folder, which it makes if it is absent, and makes the buckets.
    ///
    /// # Errors
    ///
    /// When a bucket's name is not one, when the folders cannot be made or opened, or when another server has them.
    pub fn open(config: &BucketConfig) -> Result<Self> {
        for bucket in &config.buckets {
            check_bucket_name(bucket)?;
        }
        let store = Store::open(&config.directory, config.keep_free.clone())?;
        for bucket in &config.buckets {
            store.make_bucket(bucket).with_context(|| format!("while making the bucket {bucket}"))?;
        }
        let room = store.room.clone();
        let mut builder = S3ServiceBuilder::new(Folders(Arc::new(store)));
        builder.set_auth(SimpleAuth::from_single(
            config.access_key_id.as_str(),
            config.access_key_secret.as_str(),
        ));
        if config.public_read {
            builder.set_access(PublicRead);
        }
        Ok(Self { service: builder.build(), room })
    }

    /// The room that objects have.
    #[must_use]
    pub fn room(&self) -> Arc<Room> {
        self.room.clone()
    }

    /// Answers what arrives at `listener` until `stop` is cancelled and the running requests have ended.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let service = move |_peer: SocketAddr| {
            let service = self.service.clone();
            service_fn(move |request: Request<Drained>| {
                let service = service.clone();
                async move { service.call(request.map(s3s::Body::http_body)).await }
            })
        };
        serve_connections(Places::ANY, listener, service, stop).await;
    }
}
