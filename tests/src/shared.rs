//! What a bundle has besides where its store is in Redis: the Redis, another host, and a gateway for both.

use std::path::Path;

use anyhow::Result;

use crate::functions::Functions;
use crate::gateway::Gateway;
use crate::redis::{Redis, SAFE};
use crate::root;

/// Where the parts of a bundle answer.
pub(crate) struct Addresses<'a> {
    pub(crate) functions: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) rtmp: &'a str,
}

/// What runs besides. Dropping it kills it.
pub(crate) struct Shared {
    pub(crate) redis: Redis,
    functions: Functions,
    pub(crate) gateway: Gateway,
}

impl Shared {
    /// Starts a second host beside the one at `at.functions`, and a gateway at `at.rtmp` that calls both.
    pub(crate) fn start(
        redis: Redis,
        data: &Path,
        at: &Addresses<'_>,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let functions = Functions::start(&data.join("second-host"), &redis, at.bucket, variables)?;
        let urls = format!("{},{}", at.functions, functions.url);
        let gateway = Gateway::start_at(&root(), at.rtmp, &urls, &data.join("gateway"))?;
        Ok(Self { redis, functions, gateway })
    }

    /// Starts Redis on what lies below `data`, on a port that it had before or on a free one.
    pub(crate) fn redis(data: &Path, before: Option<&Self>) -> Result<Redis> {
        let folder = data.join("redis");
        match before {
            Some(before) => Redis::start_on(before.redis.port(), &folder, SAFE),
            None => Redis::start(&folder, SAFE),
        }
    }

    /// Sends SIGTERM to the gateway and then to the host, and waits for each.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.gateway.stop()?;
        self.functions.stop()
    }

    /// Kills everything with SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.gateway.kill()?;
        self.functions.kill()?;
        self.redis.kill()
    }

    /// Ids of the processes.
    pub(crate) fn ids(&self) -> [u32; 3] {
        [self.gateway.id(), self.functions.id(), self.redis.id()]
    }
}
