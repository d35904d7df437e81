//! A store in Redis, which several hosts share.
//!
//! It lays everything down as Spin's Redis backend does: keys as they are, in the database that the URL names, and
//! counters as decimal text. So this host and Spin can work on the same data.
//!
//! No command is ever repeated here. Where a reply is lost or late, the command may have been applied, and the error says
//! so; whether to try again is the caller's to know.

mod fitness;

use std::time::Duration;

use anyhow::{Context, Result as AnyResult, bail};
use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, ErrorKind, InfoDict, IntoConnectionInfo, RedisError, ServerErrorKind};

use super::{KeyValue, KeyValueError, Result};
use fitness::{Settings, Verdict};

/// How long connecting may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How long a reply may take: a write waits for the server's disk.
const REPLY_TIME: Duration = Duration::from_secs(10);

/// How often a lost connection is tried anew for those that wait for it, before they are told; later ones try again.
const CONNECT_TRIES: usize = 2;

/// What is done with a server that may lose what it has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsafeStore {
    /// It is refused.
    Refuse,
    /// It is used, with a warning.
    Allow,
}

/// A store in Redis.
pub struct RedisStore {
    connection: ConnectionManager,
}

impl RedisStore {
    /// Connects to the server at `url`, and checks that it keeps what it acknowledges.
    ///
    /// # Errors
    ///
    /// When the URL is none, the server cannot be reached, or is no single primary; with [`UnsafeStore::Refuse`], also
    /// when it may lose what it has acknowledged. The error says which of its settings to change. It never shows the
    /// URL, which may hold a password.
    pub async fn connect(url: &str, unsafe_store: UnsafeStore) -> AnyResult<Self> {
        let info =
            url.into_connection_info().map_err(|error| anyhow::anyhow!("the URL of Redis: {error}"))?;
        let server = format!("the Redis at {}", info.addr());
        let client = Client::open(info).with_context(|| format!("cannot use {server}"))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIME))
            .set_response_timeout(Some(REPLY_TIME))
            .set_number_of_retries(CONNECT_TRIES);
        let connection = client
            .get_connection_manager_with_config(config)
            .await
            .with_context(|| format!("{server} cannot be reached"))?;
        let store = Self { connection };
        let Verdict { unfit, to_set, unknown } = store.judge().await.with_context(|| server.clone())?;
        if let Some(unfit) = unfit {
            bail!("{server} cannot be used: {unfit}");
        }
        if let Some(unknown) = unknown {
            tracing::warn!("{server} does not say whether it keeps what it acknowledges: {unknown}");
        }
        match (to_set.join("; "), unsafe_store) {
            (to_set, _) if to_set.is_empty() => {}
            (to_set, UnsafeStore::Allow) => {
                tracing::warn!("{server} may lose what was acknowledged: {to_set}");
            }
            (to_set, UnsafeStore::Refuse) => bail!(
                "{server} may lose what was acknowledged: {to_set} (or, where that may happen, start with \
                 --allow-unsafe-store)"
            ),
        }
        Ok(store)
    }

    async fn judge(&self) -> AnyResult<Verdict> {
        let info: InfoDict = match redis::cmd("INFO").query_async(&mut self.connection.clone()).await {
            Ok(info) => info,
            Err(error) if is_forbidden(&error) => return Ok(Verdict::unknown(format!("INFO: {error}"))),
            Err(error) => return Err(error).context("INFO"),
        };
        let mut settings = Settings::default();
        for name in fitness::NAMES {
            let mut get = redis::cmd("CONFIG");
            match get.arg("GET").arg(name).query_async::<Settings>(&mut self.connection.clone()).await {
                Ok(setting) => settings.extend(setting),
                Err(error) if is_forbidden(&error) => {
                    let unknown = Some(format!("CONFIG GET: {error}"));
                    return Ok(Verdict { unknown, ..fitness::judge(&info, &Settings::default()) });
                }
                Err(error) => return Err(error).with_context(|| format!("CONFIG GET {name}")),
            }
        }
        Ok(fitness::judge(&info, &settings))
    }
}

/// Whether the server has refused a command for what it is, as managed ones do.
fn is_forbidden(error: &RedisError) -> bool {
    let is_unknown = || error.detail().is_some_and(|detail| detail.starts_with("unknown command"));
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) || is_unknown()
}

fn failed(error: RedisError) -> KeyValueError {
    KeyValueError::Store(error.to_string())
}

#[async_trait]
impl KeyValue for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.connection.clone().get(key).await.map_err(failed)
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.connection.clone().set(key, value).await.map_err(failed)
    }

    async fn delete(&self, key: String) -> Result<()> {
        self.connection.clone().del(key).await.map_err(failed)
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        self.connection.clone().exists(key).await.map_err(failed)
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        self.connection.clone().incr(key, delta).await.map_err(failed)
    }

    async fn keys(&self) -> Result<Vec<String>> {
        let mut connection = self.connection.clone();
        let mut scan = connection.scan::<String>().await.map_err(failed)?;
        let mut keys = Vec::new();
        while let Some(key) = scan.next_item().await {
            keys.push(key.map_err(failed)?);
        }
        // A scan may show a key twice.
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}
