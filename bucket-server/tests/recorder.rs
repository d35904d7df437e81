//! The recorder's own client, over real HTTP.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use s3::{Bucket, Client, Created, Credentials, Error, Regions, Request, Response, Transport, WorkClient};

use crate::client::{ID, SECRET, answer, serve};

/// Sends what the client has signed, by one connection each.
struct Http(SocketAddr, Regions);

impl Transport for Http {
    type Body = Vec<u8>;

    fn body(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn send(
        &self,
        bucket: &Bucket,
        request: Request,
        body: Option<Vec<u8>>,
        max_bytes: u32,
    ) -> Result<Response, Error> {
        let mut builder = http::Request::builder().method(request.method).uri(request.target());
        for header in &request.headers {
            builder = builder.header(header.name, &header.value);
        }
        let builder = builder.header("host", bucket.authority());
        let request = builder.body(Full::new(Bytes::from(body.unwrap_or_default()))).unwrap();
        let answer = answer(self.0, request).await.map_err(|error| unavailable(&error.to_string()))?;
        let headers =
            answer.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        let body = answer.body().iter().take(max_bytes as usize).copied().collect();
        Ok(Response { status: answer.status().as_u16(), headers: headers.collect(), body })
    }
}

fn unavailable(reason: &str) -> Error {
    Error::Unavailable { reason: reason.into() }
}

impl Http {
    async fn serve(directory: &tempfile::TempDir) -> Self {
        Self(serve(directory.path()).await, Regions::new())
    }

    fn client(&self) -> Client<'_, Self> {
        self.at("bucket", SECRET)
    }

    fn at(&self, bucket: &str, secret: &str) -> Client<'_, Self> {
        Client {
            transport: self,
            bucket: Bucket::new(&self.0.to_string(), bucket).unwrap(),
            credentials: Credentials { id: ID.into(), secret: secret.into(), token: None },
            regions: &self.1,
            now_s: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
        }
    }
}

#[tokio::test]
async fn what_the_work_bucket_holds_is_created_once_read_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::serve(&folder).await;
    let work = WorkClient::new(http.client());
    let key = "log/直 播/2026-01-02/1";
    let create = |tag, body: &[u8]| work.create(key, "application/octet-stream", tag, body.to_vec());
    assert_eq!(create("one", b"first").await, Ok(Created::Now));
    assert_eq!(create("one", b"first").await, Ok(Created::Before));
    assert_eq!(create("two", b"second").await, Err(Error::Taken { key: key.into() }));
    assert_eq!(work.get_small(key, 9).await, Ok(b"first".to_vec()));
    for _ in 0..2 {
        assert_eq!(work.delete(key).await, Ok(()));
        assert_eq!(work.get_small(key, 9).await, Err(Error::NoSuchObject { key: key.into() }));
    }
    assert_eq!(create("two", b"second").await, Ok(Created::Now));

    let nowhere = WorkClient::new(http.at("absent", SECRET));
    assert!(matches!(nowhere.delete(key).await, Err(Error::NoSuchBucket { .. })));
    let unknown = WorkClient::new(http.at("bucket", "another"));
    assert!(matches!(unknown.delete(key).await, Err(Error::Refused { .. })));
    assert_eq!(work.get_small(key, 9).await, Ok(b"second".to_vec()));
}
