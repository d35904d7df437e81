//! Copies in the work bucket, over WASI's HTTP client.

use rules::copy::Copies;
use s3::Error;

/// Longest copy that is read, in bytes: more than any rule takes in the store.
const MAX_BYTES: u32 = 1 << 20;

/// The bucket that the variable `work_bucket` names, as `endpoint/bucket`.
pub(crate) struct Work;

impl Copies for Work {
    async fn create(&self, name: &str, body: &[u8]) -> Result<(), String> {
        let create = async || {
            let client = s3_client::work_bucket().await?;
            // A name says what it holds.
            match client.create(name, "application/json", name, body.to_vec()).await {
                Ok(_) | Err(Error::Taken { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        };
        create().await.map_err(|error: Error| error.to_string())
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
