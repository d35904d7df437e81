//! The work bucket over WASI's HTTP client.

use catalog::decision::WorkBucket;
use s3::{Client, Error};
use s3_client::Wasi;
use spin_sdk::wasip3::wit_stream;
use spin_sdk::wit_bindgen;

/// Longest decision that is read, in bytes; one is written in a few hundred.
const MAX_BYTES: u32 = 64 << 10;

/// The bucket that the variable `work_bucket` names, as `endpoint/bucket`.
pub(crate) struct Work;

impl Work {
    async fn client() -> Result<Client<'static, Wasi>, Error> {
        let text = s3_client::variable("work_bucket").await?;
        let parts = text.rsplit_once('/');
        let (endpoint, bucket) = parts.ok_or_else(|| Error::Unavailable {
            reason: format!("variable work_bucket is {text:?}, and has to be endpoint/bucket"),
        })?;
        s3_client::client(endpoint, bucket).await
    }

    async fn get(client: &Client<'static, Wasi>, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match client.get_small(name, MAX_BYTES).await {
            Ok(body) => Ok(Some(body)),
            Err(Error::NoSuchObject { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl WorkBucket for Work {
    async fn create_or_read(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        let create = async || {
            let client = Self::client().await?;
            // Two calls with one body are one proposal: the tag says so.
            let tag = hex::encode(&naming::digest([body])[..16]);
            let size = body.len() as u64;
            let (mut writer, reader) = wit_stream::new();
            let bytes = body.to_vec();
            wit_bindgen::spawn(async move {
                writer.write_all(bytes).await;
            });
            match client.put_new(name, "application/json", &tag, size, reader).await {
                Ok(_) => Ok(body.to_vec()),
                Err(Error::Taken { .. }) => {
                    let there = Self::get(&client, name).await?;
                    there.ok_or_else(|| Error::NoSuchObject { key: name.into() })
                }
                Err(error) => Err(error),
            }
        };
        create().await.map_err(|error| error.to_string())
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let read = async || Self::get(&Self::client().await?, name).await;
        read().await.map_err(|error| error.to_string())
    }
}
