//! An S3 server over folders, for local use: real signatures, real protocol, one access key.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context, Result, ensure};
use http::header::IF_NONE_MATCH;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use s3s::S3Result;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::connections::serve_connections;
use crate::drain::Drained;

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

/// Lets everybody read objects, and whoever signs do everything.
struct PublicRead;

#[async_trait::async_trait]
impl S3Access for PublicRead {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        match (context.credentials(), context.s3_op().name()) {
            (Some(_), _) | (None, "GetObject" | "HeadObject") => Ok(()),
            _ => Err(s3s::s3_error!(AccessDenied, "this request has to be signed")),
        }
    }
}

fn open_folder(directory: &Path) -> Result<FileSystem> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("while making the folder {}", directory.display()))?;
    FileSystem::new(directory)
        .map_err(|error| anyhow::anyhow!("{error:?}"))
        .with_context(|| format!("while opening the bucket folder {}", directory.display()))
}

/// Whether a segment of `path` would lead out of its folder, percent-encoded or not.
fn escapes(path: &str) -> bool {
    path.split('/')
        .any(|segment| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."))
}

/// The answer to a key that a folder cannot hold.
fn refusal() -> Response<s3s::Body> {
    let body = "<Error><Code>InvalidArgument</Code>\
                <Message>a key here has no segments . and ..</Message></Error>";
    let mut response = Response::new(s3s::Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// Requests that create an object only if it is absent, one at a time for each object.
///
/// The store looks whether the object exists before it reads the body and renames after: of two such
/// requests at once, both would succeed.
#[derive(Default)]
struct Creating {
    objects: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Creating {
    async fn lock(&self, request: &Request<Incoming>) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        let creates = matches!(*request.method(), Method::PUT | Method::POST);
        if !creates || !request.headers().contains_key(IF_NONE_MATCH) {
            return None;
        }
        let lock = {
            let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
            objects.retain(|_, lock| lock.strong_count() > 0);
            let entry = objects.entry(request.uri().path().to_owned()).or_default();
            entry.upgrade().unwrap_or_else(|| {
                let lock = Arc::new(tokio::sync::Mutex::new(()));
                *entry = Arc::downgrade(&lock);
                lock
            })
        };
        Some(lock.lock_owned().await)
    }
}

/// Checks that `name` is a bucket's: 3 to 63 lowercase letters, digits, hyphens and dots, a letter or a
/// digit first and last, no two dots in a row.
///
/// # Errors
///
/// When it is not.
pub fn check_bucket_name(name: &str) -> Result<()> {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    ensure!(
        (3..=63).contains(&name.len())
            && name.chars().all(|c| alphanumeric(c) || c == '-' || c == '.')
            && name.starts_with(alphanumeric)
            && name.ends_with(alphanumeric)
            && !name.contains(".."),
        "{name:?} is not a bucket name: 3 to 63 lowercase letters, digits, hyphens and dots, a letter or a \
         digit first and last"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_that_lead_elsewhere_are_seen_in_every_spelling() {
        for path in ["/bucket/../x", "/bucket/a/%2e%2E/b", "/bucket/.", "/bucket/%2e/a"] {
            assert!(escapes(path), "{path}");
        }
        for path in ["/bucket/a..b", "/bucket/...", "/bucket/.hidden", "/"] {
            assert!(!escapes(path), "{path}");
        }
    }

    #[test]
    fn bucket_names_follow_the_rules_of_s3() {
        for name in ["abc", "recordings", "a.b-c", "0ab", &"a".repeat(63)] {
            assert!(check_bucket_name(name).is_ok(), "{name}");
        }
        for name in ["", "ab", "Abc", "a_b", "-ab", "ab-", "a..b", ".ab", "a/b", "..", &"a".repeat(64)] {
            assert!(check_bucket_name(name).is_err(), "{name}");
        }
    }
}
