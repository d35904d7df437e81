//! The recorder as its users reach it: the recording API, signed, and objects by their URLs.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{Client as HttpClient, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

use crate::local::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};
use crate::stack::{DEFAULT_BUCKET, Stack};

/// A client of the running recorder.
pub(super) struct Client {
    http: HttpClient<HttpConnector, Empty<Bytes>>,
    /// `host:port` of the functions.
    functions: String,
    /// Base URL of the bucket server.
    bucket: String,
}

impl Client {
    pub(super) fn new(stack: &Stack) -> Self {
        Self {
            http: HttpClient::builder(TokioExecutor::new()).build_http(),
            functions: stack.functions.to_string(),
            bucket: format!("http://{}", stack.bucket),
        }
    }

    /// Base URL of the bucket server.
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The URL of an object, as players open it.
    pub(super) fn object_url(&self, object: &str) -> Result<String> {
        Ok(s3::Bucket::new(&self.bucket, DEFAULT_BUCKET)?.object_url(object)?)
    }

    /// Calls an action of the recording API.
    pub(super) async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let query: Vec<_> = parameters.iter().copied().map(own).collect();
        let body_hash = acs::v3::content_sha256(&[]);
        let mut headers: Vec<_> = [
            ("host", self.functions.as_str()),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &body_hash),
            ("x-acs-date", &acs::time::format(now.as_secs())),
            ("x-acs-signature-nonce", &now.as_nanos().to_string()),
            ("x-acs-version", "2016-11-01"),
        ]
        .into_iter()
        .map(own)
        .collect();
        let unsigned =
            acs::v3::Request { method: "POST", path: "/", query: &query, headers: &headers, body: &[] };
        let authorization = acs::v3::authorization(&unsigned, ACCESS_KEY_ID, ACCESS_KEY_SECRET)?;
        headers.push((header::AUTHORIZATION.to_string(), authorization));

        let pair = |(name, value): &(String, String)| format!("{}={}", acs::encode(name), acs::encode(value));
        let query: Vec<_> = query.iter().map(pair).collect();
        let mut request = Request::builder().method(Method::POST).uri(format!(
            "http://{}/?{}",
            self.functions,
            query.join("&")
        ));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let (status, answer) = self.send(request.body(Empty::new())?).await?;
        ensure!(status == StatusCode::OK, "{action} answers {status}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// Reads what a URL leads to, as a player does.
    pub(super) async fn get(&self, url: &str) -> Result<Bytes> {
        let (status, body) = self.send(Request::get(url).body(Empty::new())?).await?;
        ensure!(status == StatusCode::OK, "{url} answers {status}");
        Ok(body)
    }

    async fn send(&self, request: Request<Empty<Bytes>>) -> Result<(StatusCode, Bytes)> {
        let response = self.http.request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
