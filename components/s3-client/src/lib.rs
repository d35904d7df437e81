//! The client of S3-compatible buckets in a guest: WASI's HTTP client carries the calls of the crate `s3`, the
//! variables `bucket_access_key_id` and `bucket_access_key_secret` sign them, and `bucket_endpoints` addresses them.
#![cfg(target_arch = "wasm32")]
#![deny(missing_docs)]

mod transport;

use std::time::{SystemTime, UNIX_EPOCH};

use s3::{Bucket, Client, Credentials, Endpoints, Error, Regions};
use spin_sdk::variables;

pub use transport::Wasi;

/// What stores have told, for as long as this instance lives.
static REGIONS: Regions = Regions::new();

/// A bucket, by the application's key.
///
/// # Errors
/// Names that are not well-formed, or variables that the host does not give.
pub async fn client(endpoint: &str, bucket: &str) -> Result<Client<'static, Wasi>, Error> {
    let settings = Endpoints::parse(&variable("bucket_endpoints").await?)
        .map_err(|error| Error::Unavailable { reason: format!("variable bucket_endpoints: {error}") })?;
    let bucket = Bucket::with(endpoint, bucket, &settings)?;
    let credentials = Credentials {
        id: variable("bucket_access_key_id").await?,
        secret: variable("bucket_access_key_secret").await?,
        token: None,
    };
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(Client { transport: &Wasi, bucket, credentials, regions: &REGIONS, now_s })
}

/// A variable of the application.
///
/// # Errors
/// [`Error::Unavailable`] where the host does not give it.
pub async fn variable(name: &str) -> Result<String, Error> {
    let unset = |_| Error::Unavailable { reason: format!("the host does not give the variable {name}") };
    variables::get(name).await.map_err(unset)
}
