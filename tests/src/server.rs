//! The bundle as a user runs it: `live-recorder up`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Result, bail};

use crate::process::{self, binary, binary_of, terminate};
use crate::redis::Redis;
use crate::root;
use crate::shared::{Addresses, Shared};
use crate::site::Site;

/// Where the environment sets this variable to `redis`, every bundle keeps its store there, as
/// [`Server::start_on_redis`] does.
const STORE: &str = "RECORDER_TESTS_STORE";

/// An address for each part to choose.
const FREE: &str = "127.0.0.1:0";

/// Names and their values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A running bundle. Dropping it kills it.
pub struct Server {
    child: Child,
    /// Where the store is in Redis.
    shared: Option<Shared>,
    data: PathBuf,
    /// Base URL of the functions.
    pub functions: String,
    /// `host:port` of the RTMP gateway.
    pub rtmp: String,
    /// Base URL of the bucket server.
    pub bucket: String,
    /// Base URL of the operator's address.
    pub admin: String,
}

impl Server {
    /// Starts the bundle on free ports, with its state below `data`.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, &[])
    }

    /// As [`start`](Self::start), with variables of the application.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start_with(data: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        let is_shared = std::env::var_os(STORE).is_some_and(|store| store == "redis");
        let redis = is_shared.then(|| Shared::redis(data, None)).transpose()?;
        Self::start_at(data, [FREE; 3], (variables, &[]), (&root(), redis))
    }

    /// Starts the bundle on free ports, with its store in a Redis of its own, which another host of the functions shares.
    /// Both are called by a gateway beside the bundle's own.
    ///
    /// # Errors
    /// When a part does not get ready.
    pub fn start_on_redis(data: &Path) -> Result<Self> {
        Self::start_at(data, [FREE; 3], (&[], &[]), (&root(), Some(Shared::redis(data, None)?)))
    }

    /// Starts the bundle on free ports, in one process with its own store, with variables of the environment.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start_in(data: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        Self::start_of(&root(), data, environment)
    }

    /// As [`start_in`](Self::start_in), with what another checkout built.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start_of(checkout: &Path, data: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        Self::start_at(data, [FREE; 3], (&[], environment), (checkout, None))
    }

    /// Starts the bundle again on the state of this one, which must have ended.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start_again(&self) -> Result<Self> {
        self.start_again_with(&[])
    }

    /// As [`start_again`](Self::start_again), with variables of the application.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start_again_with(&self, variables: &[(&str, &str)]) -> Result<Self> {
        self.start_again_on(&self.data, variables)
    }

    /// As [`start_again_with`](Self::start_again_with), on other state.
    ///
    /// # Errors
    /// When the bundle does not get ready.
    pub fn start_again_on(&self, data: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        let host = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        let (listen, bucket) = (host(&self.functions), host(&self.bucket));
        let shared = self.shared.as_ref();
        let redis = shared.map(|shared| Shared::redis(data, Some(shared))).transpose()?;
        Self::start_at(data, [&listen, &self.rtmp, &bucket], (variables, &[]), (&root(), redis))
    }

    fn start_at(
        data: &Path,
        [listen, rtmp, bucket]: [&str; 3],
        (variables, environment): (Pairs<'_>, Pairs<'_>),
        (checkout, redis): (&Path, Option<Redis>),
    ) -> Result<Self> {
        // Where another gateway is pushed to, the bundle's own one listens aside.
        let own_rtmp = if redis.is_some() { FREE } else { rtmp };
        let mut up = Command::new(binary_of(checkout));
        up.envs(environment.iter().copied());
        up.envs(variables.iter().map(|(name, value)| (format!("SPIN_VARIABLE_{name}"), value)));
        up.args([
            "up", "--listen", listen, "--rtmp", own_rtmp, "--bucket", bucket, "--admin", FREE, "--data",
        ])
        .arg(data);
        if let Some(redis) = &redis {
            let config = data.join("runtime-config.toml");
            std::fs::write(&config, redis.runtime_config())?;
            up.arg("--runtime-config").arg(config);
        }
        // One for all tests: to compile every component takes seconds.
        up.args([process::COMPONENT_CACHE, "target/native/components"]);
        let (child, ready) = process::start_in(checkout, up)?;
        let mut server = Self {
            functions: ready.part("functions")?,
            rtmp: ready.part("rtmp")?.trim_start_matches("rtmp://").to_owned(),
            bucket: ready.part("bucket")?,
            admin: ready.part("admin")?,
            data: data.to_path_buf(),
            shared: None,
            child,
        };
        if let Some(redis) = redis {
            let at = Addresses { functions: &server.functions, bucket: &server.bucket, rtmp };
            let shared = Shared::start(redis, data, &at, variables)?;
            server.rtmp.clone_from(&shared.gateway.rtmp);
            server.shared = Some(shared);
        }
        Ok(server)
    }

    /// Ids of the processes.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        let shared = self.shared.iter().flat_map(Shared::ids);
        std::iter::once(self.child.id()).chain(shared).collect()
    }

    /// The folder of a bucket.
    #[must_use]
    pub fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.data.join("buckets").join(bucket)
    }

    /// The URL to push a stream to; `vhost` is the streaming domain.
    #[must_use]
    pub fn rtmp_url(&self, vhost: &str, app: &str, stream: &str) -> String {
        format!("rtmp://{}/{app}/{stream}?vhost={vhost}", self.rtmp)
    }

    /// Kills the bundle with SIGKILL.
    ///
    /// # Errors
    /// When the process cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.shared.as_mut().map_or(Ok(()), Shared::kill)
    }

    /// Deletes the key-value store of a bundle that has ended.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn lose_store(&self) -> Result<()> {
        // A Redis keeps its data in the same folder.
        for name in ["kv", "redis"] {
            let path = self.data.join(name);
            if path.is_dir() {
                std::fs::remove_dir_all(&path)?;
            } else if path.exists() {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Sends SIGTERM and waits for the end; to the gateway first, where it is another process.
    ///
    /// # Errors
    /// When an exit status is not 0.
    pub fn stop(&mut self) -> Result<()> {
        self.shared.as_mut().map_or(Ok(()), Shared::stop)?;
        terminate(&mut self.child)?;
        self.shared.as_mut().map_or(Ok(()), Shared::kill)
    }
}

impl Site for Server {
    fn functions(&self) -> &str {
        &self.functions
    }

    fn bucket(&self) -> &str {
        &self.bucket
    }

    fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.bucket_folder(bucket)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Publishes a file in real time, or as fast as it is taken.
///
/// # Errors
/// When the publisher's exit status is not 0.
pub fn push(file: &Path, url: &str, fast: bool) -> Result<()> {
    let mut push = Command::new(binary());
    push.arg("push").arg(file).arg(url).stdout(Stdio::null());
    if fast {
        push.arg("--fast");
    }
    let status = push.status()?;
    if status.success() { Ok(()) } else { bail!("live-recorder push ended with {status}") }
}
