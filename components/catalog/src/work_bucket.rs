//! The work bucket over WASI's HTTP client.

use catalog::decision::WorkBucket;
use s3::Error;

/// Longest object that is read, in bytes. A decision takes a few hundred, one on an upload in 9,000 parts some 80,000, and a
/// day of slices of 1 s about a million.
const MAX_BYTES: u32 = 32 << 20;

/// The bucket that the variable `work_bucket` names, as `endpoint/bucket`.
pub(crate) struct Work;

impl WorkBucket for Work {
    async fn create_or_read(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        let create = async || {
            let client = s3_client::work_bucket().await?;
            // Two calls with one body are one proposal: the tag says so.
            let tag = hex::encode(&naming::digest([body])[..16]);
            match client.create(name, "application/json", &tag, body.to_vec()).await {
                Ok(_) => Ok(body.to_vec()),
                Err(Error::Taken { .. }) => {
                    let there = client.find_small(name, MAX_BYTES).await?;
                    there.ok_or_else(|| Error::NoSuchObject { key: name.into() })
                }
                Err(error) => Err(error),
            }
        };
        create().await.map_err(|error| error.to_string())
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let read = async || s3_client::work_bucket().await?.find_small(name, MAX_BYTES).await;
        read().await.map_err(|error| error.to_string())
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        let delete = async || s3_client::work_bucket().await?.delete(name).await;
        delete().await.map_err(|error| error.to_string())
    }

    async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, String> {
        let list = async || s3_client::work_bucket().await?.list(prefix, after, most).await;
        list().await.map_err(|error| error.to_string())
    }
}
