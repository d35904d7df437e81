//! What components ask of their host, carried to whoever performs it.

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use host::key_value::{KeyValue, KeyValueError, Result};
use host::{HttpError, Outbound, Reach, RequestOptions, WasiBody};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use store::Store as _;
use tokio::sync::{mpsc, oneshot};

use shared::testing::World;

use super::objects;

type Reply<T> = oneshot::Sender<T>;

/// Something that a component asks, and where its answer goes.
pub(super) enum Operation {
    Get(String, Reply<Result<Option<Vec<u8>>>>),
    Set(String, Vec<u8>, Reply<Result<()>>),
    Delete(String, Reply<Result<()>>),
    Exists(String, Reply<Result<bool>>),
    Increment(String, i64, Reply<Result<i64>>),
    Send(Request<Vec<u8>>, Reply<Result<Response<Vec<u8>>, HttpError>>),
}

impl Operation {
    /// Has the world do it. Whoever asked may be gone.
    pub(super) async fn perform(self, world: &World) {
        let store = &world.store;
        match self {
            Self::Get(key, reply) => drop(reply.send(store.get(&key).await.map_err(failed))),
            Self::Set(key, value, reply) => drop(reply.send(store.set(&key, &value).await.map_err(failed))),
            Self::Delete(key, reply) => drop(reply.send(store.delete(&key).await.map_err(failed))),
            Self::Exists(key, reply) => drop(reply.send(store.exists(&key).await.map_err(failed))),
            Self::Increment(key, delta, reply) => {
                drop(reply.send(store.increment(&key, delta).await.map_err(failed)));
            }
            Self::Send(request, reply) => drop(reply.send(send(world, request).await)),
        }
    }
}

/// Whoever asks says itself what failed.
fn failed(error: store::Error) -> KeyValueError {
    KeyValueError::Store(match error {
        store::Error::Backend { reason, .. } => reason,
        other => other.to_string(),
    })
}

/// Object stores have the hosts of the rules' buckets, and all other hosts are receivers of callbacks.
async fn send(world: &World, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
    if objects::is_store(request.uri()) {
        return objects::answer(world, &request)
            .await
            .map_err(|objects::Lost| HttpError::ConnectionTerminated);
    }
    let answer = shared::Receivers::call(world, request, usize::MAX).await;
    answer.map_err(|_| HttpError::ConnectionTerminated)
}

/// The key-value store and the way out of components: each use waits until somebody has performed it.
#[derive(Clone)]
pub(super) struct Wire(pub(super) mpsc::UnboundedSender<Operation>);

impl Wire {
    /// A call that has died gets no answer, and what is left of it does nothing more.
    async fn ask<T>(&self, operation: impl FnOnce(Reply<T>) -> Operation) -> T {
        let (reply, answer) = oneshot::channel();
        if self.0.send(operation(reply)).is_ok()
            && let Ok(answer) = answer.await
        {
            return answer;
        }
        std::future::pending().await
    }
}

#[async_trait]
impl KeyValue for Wire {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.ask(|reply| Operation::Get(key.into(), reply)).await
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.ask(|reply| Operation::Set(key, value, reply)).await
    }

    async fn delete(&self, key: String) -> Result<()> {
        self.ask(|reply| Operation::Delete(key, reply)).await
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        self.ask(|reply| Operation::Exists(key.into(), reply)).await
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        self.ask(|reply| Operation::Increment(key, delta, reply)).await
    }

    async fn keys(&self) -> Result<Vec<String>> {
        unreachable!("no function lists all keys")
    }
}

impl Outbound for Wire {
    fn send(
        &self,
        request: Request<WasiBody>,
        _: RequestOptions,
        _: Reach,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, HttpError>> {
        let wire = self.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let request = Request::from_parts(head, body.into());
            let answer = wire.ask(|reply| Operation::Send(request, reply)).await?;
            let body = |bytes| Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync();
            Ok(answer.map(body))
        }
        .boxed()
    }
}
