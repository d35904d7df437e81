//! The client of S3-compatible buckets in a guest: WASI's HTTP client carries the calls of the crate `s3`, the
//! variable `bucket_keys` signs them, or `bucket_access_key_id` and `bucket_access_key_secret` do,
//! `bucket_endpoints` addresses them, and `bucket_options` says how objects are created.
#![cfg(target_arch = "wasm32")]
#![deny(missing_docs)]

mod transport;

use std::time::{SystemTime, UNIX_EPOCH};

use s3::{
    Bucket, BucketKeys, BucketOptions, Client, Conditions, Credentials, Endpoints, Error, Regions, WorkClient,
};
use spin_sdk::variables;

pub use transport::{Wasi, read};

/// What stores have told, for as long as this instance lives.
static REGIONS: Regions = Regions::new();

/// Which buckets keep objects, as far as this instance knows.
static CONDITIONS: Conditions = Conditions::new();

/// A bucket, by the key that the application has for it.
///
/// # Errors
/// Names that are not well-formed; [`Error::Unavailable`] for variables that the host does not give or that are wrong.
pub async fn client(endpoint: &str, bucket: &str) -> Result<Client<'static, Wasi>, Error> {
    let settings = Endpoints::parse(&variable("bucket_endpoints").await?)
        .map_err(|error| wrong("bucket_endpoints", &error))?;
    let bucket = Bucket::with(endpoint, bucket, &settings)?;
    let credentials = credentials(&bucket).await?;
    let options = BucketOptions::parse(&variable("bucket_options").await?);
    let options = options.and_then(|options| options.find(&bucket));
    let mut options = options.map_err(|error| wrong("bucket_options", &error))?;
    // These are for users' buckets. Decisions need a store that keeps objects, whatever a pattern says.
    if (options.write_only || options.head_first) && is_work_bucket(&bucket, &settings).await? {
        (options.write_only, options.head_first) = (false, false);
    }
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (regions, conditions) = (&REGIONS, &CONDITIONS);
    Ok(Client { transport: &Wasi, bucket, credentials, options, regions, conditions, now_s })
}

/// The bucket that the variable `work_bucket` names, as `endpoint/bucket`: the only one in which objects are deleted.
///
/// # Errors
/// As [`client`].
pub async fn work_bucket() -> Result<WorkClient<'static, Wasi>, Error> {
    let text = variable("work_bucket").await?;
    let (endpoint, bucket) = text.rsplit_once('/').ok_or_else(|| Error::Unavailable {
        reason: format!("variable work_bucket is {text:?}, and has to be endpoint/bucket"),
    })?;
    Ok(WorkClient::new(client(endpoint, bucket).await?))
}

async fn is_work_bucket(bucket: &Bucket, settings: &Endpoints) -> Result<bool, Error> {
    let text = variable("work_bucket").await?;
    let work = text.rsplit_once('/').map(|(endpoint, name)| Bucket::with(endpoint, name, settings));
    Ok(work.and_then(Result::ok).is_some_and(|work| work.is_same(bucket)))
}

/// The key of the most specific pattern, or the one for all other buckets.
async fn credentials(bucket: &Bucket) -> Result<Credentials, Error> {
    let keys = BucketKeys::parse(&variable("bucket_keys").await?);
    let found = keys.and_then(|keys| keys.find(bucket).map(|found| found.cloned()));
    match found.map_err(|error| wrong("bucket_keys", &error))? {
        Some(credentials) => Ok(credentials),
        None => Ok(Credentials {
            id: variable("bucket_access_key_id").await?,
            secret: variable("bucket_access_key_secret").await?,
            token: None,
        }),
    }
}

/// A variable whose value cannot be used. The same call succeeds once somebody has set another.
fn wrong(name: &str, error: &Error) -> Error {
    Error::Unavailable { reason: format!("variable {name}: {error}") }
}

/// A variable of the application.
///
/// # Errors
/// [`Error::Unavailable`] where the host does not give it.
pub async fn variable(name: &str) -> Result<String, Error> {
    let unset = |_| Error::Unavailable { reason: format!("the host does not give the variable {name}") };
    variables::get(name).await.map_err(unset)
}
