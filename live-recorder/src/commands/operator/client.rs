//! A client of a gateway's operator's address.

use std::io;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as HttpClient, Error};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read: some hundred bytes for each of many thousand publishers.
const MAX_ANSWER_BYTES: usize = 64 << 20;

pub(super) struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: Option<HeaderValue>,
    patience: Duration,
}

impl Client {
    pub(super) fn new(address: &str, token: Option<&str>) -> Result<Self> {
        let address = address.trim_end_matches('/');
        let base = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let authorization = token
            .map(|token| HeaderValue::try_from(format!("Bearer {token}")))
            .transpose()
            .context("the token holds characters that a header cannot")?;
        Ok(Self {
            http: HttpClient::builder(TokioExecutor::new()).build_http(),
            base,
            authorization,
            patience: PATIENCE,
        })
    }

    /// Waits for answers so long.
    pub(super) fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let uri = format!("{}{path}", self.base);
        let mut request = Request::builder().method(method).uri(&uri);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(body)).with_context(|| format!("{uri:?} is no URL"))?;
        let asking = async {
            let response = self.http.request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
            let body = body.collect().await.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
            anyhow::Ok((status, body))
        };
        let (status, body) = tokio::time::timeout(self.patience, asking)
            .await
            .with_context(|| format!("no answer within {:?}", self.patience))
            .flatten()
            .with_context(|| format!("while asking {uri}"))?;
        let answer: Value =
            serde_json::from_slice(&body).with_context(|| format!("{uri} answers {status}, and no JSON"))?;
        if !status.is_success() {
            bail!("{uri} answers {status}: {}", answer["message"].as_str().unwrap_or_default());
        }
        Ok(answer)
    }
}

/// Whether nobody listens at the address.
pub(super) fn is_gone(error: &anyhow::Error) -> bool {
    let refusal = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    refusal.map(io::Error::kind).any(|kind| kind == io::ErrorKind::ConnectionRefused)
}

/// Whether a connection that was there has ended: who asks again learns why.
pub(super) fn is_cut(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| !error.is_connect())
}
