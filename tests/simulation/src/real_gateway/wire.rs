//! What a gateway asks over HTTP, until it is answered.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use shared::Answer;
use shared::testing::Sent;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::clock::now_ms;
use crate::gateway::Asked;

/// The publisher's address, as calls tell it: its port would be another one each time.
const CLIENT: &str = "192.0.2.1:1935";

/// The calls of a gateway.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Mutex<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    made: u64,
    asked: Vec<Asked>,
    waiting: BTreeMap<u64, oneshot::Sender<Answer>>,
}

impl Wire {
    /// With calls that are numbered after those of a gateway that has died.
    pub(crate) fn after(made: u64) -> Self {
        Self(Arc::new(Mutex::new(Calls { made, ..Calls::default() })))
    }

    /// How many calls there were.
    pub(crate) fn made(&self) -> u64 {
        self.calls().made
    }

    /// Takes calls, for ever.
    pub(crate) async fn serve(self, listener: TcpListener) {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let wire = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| wire.clone().answer(request));
                let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let bytes = without_port(&bytes).unwrap_or_else(|| bytes.to_vec());
        let request = Request::from_parts(head, Sent { bytes, ..Sent::default() });
        let (answer, answered) = oneshot::channel();
        {
            let mut calls = self.calls();
            calls.made += 1;
            let number = calls.made;
            calls.asked.push(Asked { number, at_ms: now_ms(), request });
            calls.waiting.insert(number, answer);
        }
        // Without an answer the connection is closed.
        let answer = answered.await.map_err(io::Error::other)?;
        Ok(answer.map(|body| Full::new(body.into())))
    }

    /// The calls that were made since this was asked: those of a moment in an order of their own, since each comes over a
    /// connection of its own.
    pub(crate) fn take(&self) -> Vec<Asked> {
        let mut asked = std::mem::take(&mut self.calls().asked);
        asked.sort_by_cached_key(|asked| (asked.at_ms, asked.request.uri().path().to_owned()));
        asked
    }

    /// Answers a call, or closes its connection; whether somebody waited for it.
    pub(crate) fn reply(&self, call: u64, answer: Option<Answer>) -> bool {
        let waiting = self.calls().waiting.remove(&call);
        waiting.zip(answer).is_some_and(|(waiting, answer)| waiting.send(answer).is_ok())
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap()
    }
}

/// A call's JSON with an address of the publisher that is always the same; none of what has no address.
fn without_port(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut json: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    *json.get_mut("client")? = CLIENT.into();
    serde_json::to_vec(&json).ok()
}
