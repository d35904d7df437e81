//! Objects in S3-compatible buckets.
//!
//! This component adapts the crate `s3` and WASI's HTTP client to the WIT package `recorder:bucket`.
//! It is the only one that knows the bucket's credentials, and it has no function that changes or deletes.
#![cfg(target_arch = "wasm32")]

mod client;

use std::time::{SystemTime, UNIX_EPOCH};

use s3::{Bucket, Credentials, Request, TAG_HEADER, error_code, sign};
use spin_sdk::variables;
use spin_sdk::wit_bindgen::StreamReader;

use bindings::exports::recorder::bucket::objects::{Created, Error, Guest, Location};
use client::Answer;

/// The types of the WIT package, and the export.
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package recorder:bucket-component; world component { export recorder:bucket/objects@0.1.0; }",
        path: ["../../wit/bucket"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

struct Component;

impl Guest for Component {
    async fn check(at: Location) -> Result<(), Error> {
        let bucket = open(&at)?;
        // A store that cannot be reached cannot be used.
        let unreachable = |error| match error {
            Error::Unavailable(text) => Error::NoSuchBucket(text),
            other => other,
        };
        let answer = send(&bucket, Request::head_bucket(&bucket), None).await.map_err(unreachable)?;
        match answer.status {
            200..=299 => Ok(()),
            status @ (301 | 307 | 400 | 403 | 404) => {
                Err(Error::NoSuchBucket(format!("HEAD {} answers {status}", place(&bucket, &at))))
            }
            status => Err(Error::Unavailable(format!("HEAD {} answers {status}", place(&bucket, &at)))),
        }
    }

    async fn put_new(
        at: Location,
        key: String,
        content_type: String,
        tag: String,
        size: u64,
        body: StreamReader<u8>,
    ) -> Result<Created, Error> {
        let bucket = open(&at)?;
        let put = Request::put_new(&bucket, &key, &content_type, &tag, size).map_err(invalid)?;
        let answer = send(&bucket, put, Some(body)).await?;
        match answer.status {
            200..=299 => Ok(Created::Now),
            // 412 is S3's answer, 409 OSS's, and S3's while another upload of the same key is under way.
            409 | 412 => {
                let head = Request::head(&bucket, &key).map_err(invalid)?;
                let there = send(&bucket, head, None).await?;
                match (there.status, there.header(TAG_HEADER)) {
                    (200, Some(found)) if found == tag => Ok(Created::Before),
                    (200, _) => Err(Error::Taken),
                    _ => Err(refused("PUT", &at, &key, &answer)),
                }
            }
            _ => Err(refused("PUT", &at, &key, &answer)),
        }
    }

    async fn get_small(at: Location, key: String, max_bytes: u32) -> Result<Vec<u8>, Error> {
        let bucket = open(&at)?;
        let get = Request::get(&bucket, &key).map_err(invalid)?;
        let limit = max_bytes.saturating_add(1);
        let answer = client::send(&bucket, signed(&bucket, get).await?, None, limit).await?;
        match answer.status {
            200 if answer.body.len() as u64 > u64::from(max_bytes) => Err(Error::TooLarge(max_bytes)),
            200 => Ok(answer.body),
            404 if answer.code() != Some("NoSuchBucket") => Err(Error::NoSuchObject),
            _ => Err(refused("GET", &at, &key, &answer)),
        }
    }
}

fn open(at: &Location) -> Result<Bucket, Error> {
    Bucket::new(&at.endpoint, &at.bucket).map_err(invalid)
}

fn invalid(error: s3::Error) -> Error {
    Error::Invalid(error.to_string())
}

/// Longest error body that is read; the code stands at its begin.
const MAX_ERROR_BYTES: u32 = 16 << 10;

async fn send(bucket: &Bucket, request: Request, body: Option<StreamReader<u8>>) -> Result<Answer, Error> {
    client::send(bucket, signed(bucket, request).await?, body, MAX_ERROR_BYTES).await
}

async fn signed(bucket: &Bucket, request: Request) -> Result<Request, Error> {
    let variable = async |name: &str| {
        variables::get(name).await.map_err(|error| Error::Unavailable(format!("variable {name}: {error}")))
    };
    let credentials = Credentials {
        id: variable("bucket_access_key_id").await?,
        secret: variable("bucket_access_key_secret").await?,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(sign(request, bucket, &credentials, now))
}

fn refused(method: &str, at: &Location, key: &str, answer: &Answer) -> Error {
    let code = answer.code().unwrap_or("no code");
    let text = format!("{method} {}/{}/{key} answers {} ({code})", at.endpoint, at.bucket, answer.status);
    match answer.code() {
        Some("NoSuchBucket") => Error::NoSuchBucket(text),
        _ => Error::Unavailable(text),
    }
}

fn place(bucket: &Bucket, at: &Location) -> String {
    format!("bucket {} at {}", at.bucket, bucket.authority())
}

impl Answer {
    fn code(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok().and_then(error_code)
    }
}

bindings::export!(Component with_types_in bindings);
