//! Objects in S3-compatible buckets.
//!
//! This component adapts the crate `s3` to the WIT package `recorder:bucket`.
//! It has no function that changes or deletes an object.
#![cfg(target_arch = "wasm32")]

use s3::Client;
use s3_client::Wasi;
use spin_sdk::wit_bindgen::StreamReader;

use bindings::exports::recorder::bucket::objects::{Begun, Created, Error, Guest, Location, Part, Source};

/// The types of the WIT package, and the export.
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package recorder:bucket-component; world component { export recorder:bucket/objects@0.1.0; }",
        path: ["../../wit/bucket"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

/// Most bytes of an object that is held here, to be created a second time.
const PROBE_BYTES: u64 = 1 << 20;

struct Component;

impl Guest for Component {
    async fn check(at: Location) -> Result<(), Error> {
        Ok(client(&at).await?.check().await?)
    }

    async fn put_new(
        at: Location,
        key: String,
        content_type: String,
        tag: String,
        size: u64,
        body: StreamReader<u8>,
    ) -> Result<Created, Error> {
        let client = client(&at).await?;
        let created = if size <= PROBE_BYTES && client.is_probe(&tag) {
            probe(&client, &key, &content_type, &tag, size, body).await?
        } else {
            client.put_new(&key, &content_type, &tag, size, body).await?
        };
        Ok(created.into())
    }

    async fn put_noted(
        at: Location,
        key: String,
        content_type: String,
        tag: String,
        note: Option<String>,
        size: u64,
        body: StreamReader<u8>,
    ) -> Result<Created, Error> {
        let said = (&*tag, note.as_deref());
        Ok(client(&at).await?.put_noted(&key, &content_type, said, size, body).await?.into())
    }

    async fn is_own(at: Location, key: String, tag: String) -> Result<bool, Error> {
        let seen = client(&at).await?.look(&key).await?;
        Ok(seen.is_some_and(|seen| seen.tag == Some(tag)))
    }

    async fn is_replacing(at: Location) -> Result<bool, Error> {
        Ok(client(&at).await?.keeps() == Some(false))
    }

    async fn look_first(at: Location) -> Result<(), Error> {
        client(&at).await?.expect_replacing();
        Ok(())
    }

    async fn get_small(at: Location, key: String, max_bytes: u32) -> Result<Vec<u8>, Error> {
        Ok(client(&at).await?.get_small(&key, max_bytes).await?)
    }

    async fn get_range(at: Location, key: String, first: u64, length: u32) -> Result<Vec<u8>, Error> {
        // No stream: a call that goes on after its answer, and ends before its caller has taken note of the answer, ends the
        // caller's instance (wasmtime 48).
        Ok(client(&at).await?.get_range(&key, first, length).await?)
    }

    async fn begin_upload(
        at: Location,
        key: String,
        content_type: String,
        tag: String,
        size: u64,
    ) -> Result<Begun, Error> {
        let client = client(&at).await?;
        if let Some(there) = client.look_first(&key, &tag, Some(size)).await? {
            return Ok(Begun::There(there.into()));
        }
        Ok(Begun::Upload(client.create_upload(&key, &content_type, &tag).await?))
    }

    async fn upload_part(
        at: Location,
        key: String,
        upload: String,
        number: u16,
        size: u64,
        body: StreamReader<u8>,
    ) -> Result<String, Error> {
        Ok(client(&at).await?.upload_part((&key, &upload), number, size, body).await?.etag)
    }

    async fn copy_part(
        at: Location,
        key: String,
        upload: String,
        number: u16,
        source: Source,
    ) -> Result<String, Error> {
        let from = client(&source.at).await?.bucket;
        let Source { first, size, .. } = source;
        let source = s3::Source { bucket: &from, key: &source.key, first, size };
        Ok(client(&at).await?.copy_part((&key, &upload), number, source).await?.etag)
    }

    async fn complete_upload(
        at: Location,
        key: String,
        upload: String,
        tag: String,
        parts: Vec<Part>,
        copied: bool,
    ) -> Result<Created, Error> {
        let numbered = (1..).zip(parts);
        let parts: Vec<_> =
            numbered.map(|(number, Part { etag, size })| s3::Part { number, etag, size }).collect();
        let (client, upload) = (client(&at).await?, (&*key, &*upload));
        Ok(client.complete_checked(upload, &tag, &parts, copied).await?.into())
    }

    async fn abort_upload(at: Location, key: String, upload: String) -> Result<(), Error> {
        Ok(client(&at).await?.abort_upload((&key, &upload)).await?)
    }

    async fn abort_uploads(at: Location, key: String) -> Result<u32, Error> {
        Ok(client(&at).await?.abort_uploads(&key).await?)
    }
}

/// Creates an object of which it is seen whether the bucket keeps objects.
async fn probe(
    client: &Client<'_, Wasi>,
    key: &str,
    content_type: &str,
    tag: &str,
    size: u64,
    body: StreamReader<u8>,
) -> Result<s3::Created, s3::Error> {
    let bytes = s3_client::read(body, size as usize).await;
    if bytes.len() as u64 != size {
        return Err(s3::Error::Unavailable { reason: format!("{key:?} has not the size that was told") });
    }
    let created = client.put_small(key, content_type, tag, bytes).await?;
    if client.keeps() == Some(false) {
        let name = client.bucket.display();
        eprintln!(
            "{name} replaces objects in spite of If-None-Match; it is looked up from now on whether there is one"
        );
    }
    Ok(created)
}

async fn client(at: &Location) -> Result<Client<'static, Wasi>, Error> {
    Ok(s3_client::client(&at.endpoint, &at.bucket).await?)
}

impl From<s3::Created> for Created {
    fn from(created: s3::Created) -> Self {
        match created {
            s3::Created::Now => Self::Now,
            s3::Created::Before => Self::Before,
        }
    }
}

impl From<s3::Error> for Error {
    fn from(error: s3::Error) -> Self {
        match error {
            s3::Error::NoSuchBucket { reason } => Self::NoSuchBucket(reason),
            s3::Error::Refused { reason } => Self::Refused(reason),
            s3::Error::Unreachable { reason } => Self::Unreachable(reason),
            s3::Error::Taken { .. } => Self::Taken,
            s3::Error::NoSuchObject { .. } => Self::NoSuchObject,
            s3::Error::NoSuchUpload { .. } => Self::NoSuchUpload,
            s3::Error::TooLarge { max_bytes, .. } => Self::TooLarge(max_bytes),
            s3::Error::Unavailable { reason } => Self::Unavailable(reason),
            malformed => Self::Invalid(malformed.to_string()),
        }
    }
}

bindings::export!(Component with_types_in bindings);
