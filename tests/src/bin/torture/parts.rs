//! The processes, and what is done to them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::bucket_process::{BucketProcess, VARIABLES};
use harness::functions::Functions;
use harness::gateway::Gateway;
use harness::redis::{Redis, SAFE};
use harness::site::Site;

/// What happens to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    KillFirstHost,
    KillSecondHost,
    KillBothHosts,
    KillRedis,
    KillBuckets,
    /// The second one; the first lives through all of it.
    KillGateway,
    /// SIGTERM to the second gateway: it brings the functions what it can in some seconds, and ends with 0.
    EndGateway,
    /// An upgrade of the second gateway: it takes no new pushes, ends those that last longer than [`DRAIN`], and ends
    /// itself once its spool is empty.
    DrainGateway,
    /// SIGTERM to a host.
    EndHost,
    StopHost,
    StopRedis,
    StopBuckets,
    StopGateway,
}

impl Fault {
    pub(crate) const ALL: [Self; 13] = [
        Self::KillFirstHost,
        Self::KillSecondHost,
        Self::KillBothHosts,
        Self::KillRedis,
        Self::KillBuckets,
        Self::KillGateway,
        Self::EndGateway,
        Self::DrainGateway,
        Self::EndHost,
        Self::StopHost,
        Self::StopRedis,
        Self::StopBuckets,
        Self::StopGateway,
    ];

    /// Whether it starts a host or a gateway again: the one of this number among those that are.
    pub(crate) fn starts_again(self, number: usize) -> bool {
        match self {
            Self::KillFirstHost | Self::EndHost => number == 0,
            Self::KillSecondHost => number == 1,
            Self::KillBothHosts => number < 2,
            Self::KillGateway | Self::EndGateway | Self::DrainGateway => number == 2,
            _ => false,
        }
    }
}

/// How long a gateway that drains lets pushes go on.
const DRAIN: Duration = Duration::from_secs(3);

/// Hosts and gateways that some fault starts again.
pub(crate) const STARTED_AGAIN: [&str; 3] = ["the first host", "the second host", "the second gateway"];

/// All that runs. Dropping it kills it.
pub(crate) struct Parts {
    gateways: [Gateway; 2],
    hosts: [Functions; 2],
    redis: Redis,
    buckets: BucketProcess,
    folder: PathBuf,
}

impl Parts {
    /// Starts hosts and gateways with what a checkout built. Who is started again is of this one.
    pub(crate) fn start(folder: &Path, checkout: &Path) -> Result<Self> {
        let buckets = BucketProcess::start(&folder.join("buckets"), "127.0.0.1:0")?;
        let redis = Redis::start(&folder.join("redis"), SAFE)?;
        let host = |name| Functions::start_of(checkout, &folder.join(name), &redis, &buckets.url, &VARIABLES);
        let hosts = [host("host-0")?, host("host-1")?];
        let gateway = |at: usize| {
            let urls = format!("{},{}", hosts[at].url, hosts[1 - at].url);
            Gateway::start_of(checkout, &urls, &folder.join(format!("gateway-{at}")))
        };
        let gateways = [gateway(0)?, gateway(1)?];
        Ok(Self { gateways, hosts, redis, buckets, folder: folder.into() })
    }

    /// Where a gateway takes RTMP.
    pub(crate) fn rtmp(&self, gateway: usize) -> &str {
        &self.gateways[gateway].rtmp
    }

    /// Does it to a part, which is well again after `lasts`.
    pub(crate) fn suffer(&mut self, fault: Fault, lasts: Duration) -> Result<()> {
        match fault {
            Fault::KillFirstHost => self.kill_hosts(&[0], lasts),
            Fault::KillSecondHost => self.kill_hosts(&[1], lasts),
            Fault::KillBothHosts => self.kill_hosts(&[0, 1], lasts),
            Fault::KillRedis => {
                self.redis.kill()?;
                thread::sleep(lasts);
                self.redis = Redis::start_on(self.redis.port(), &self.folder.join("redis"), SAFE)?;
                Ok(())
            }
            Fault::KillBuckets => {
                self.buckets.kill()?;
                thread::sleep(lasts);
                self.buckets = BucketProcess::start(&self.folder.join("buckets"), &self.buckets.address)?;
                Ok(())
            }
            Fault::KillGateway => {
                self.gateways[1].kill()?;
                thread::sleep(lasts);
                self.gateways[1] = self.gateways[1].start_again()?;
                Ok(())
            }
            Fault::EndGateway => {
                self.gateways[1].stop()?;
                thread::sleep(lasts);
                self.gateways[1] = self.gateways[1].start_again()?;
                Ok(())
            }
            Fault::DrainGateway => {
                self.gateways[1].drain(DRAIN)?;
                thread::sleep(lasts);
                self.gateways[1] = self.gateways[1].start_again()?;
                Ok(())
            }
            Fault::EndHost => {
                self.hosts[0].stop()?;
                thread::sleep(lasts);
                self.hosts[0].start_again()
            }
            Fault::StopHost => stop(self.hosts[0].id(), lasts),
            Fault::StopRedis => stop(self.redis.id(), lasts),
            Fault::StopBuckets => stop(self.buckets.id(), lasts),
            Fault::StopGateway => stop(self.gateways[0].id(), lasts),
        }
    }

    fn kill_hosts(&mut self, which: &[usize], lasts: Duration) -> Result<()> {
        for at in which {
            self.hosts[*at].kill()?;
        }
        thread::sleep(lasts);
        which.iter().try_for_each(|at| self.hosts[*at].start_again())
    }
}

/// SIGSTOP, and SIGCONT after a while.
fn stop(process: u32, lasts: Duration) -> Result<()> {
    let signal = |name: &str| -> Result<()> {
        let status = Command::new("kill").args([name, &process.to_string()]).status()?;
        ensure!(status.success(), "kill {name} {process} ended with {status}");
        Ok(())
    };
    signal("-STOP")?;
    let begun = Instant::now();
    thread::sleep(lasts.saturating_sub(begun.elapsed()));
    signal("-CONT")
}

impl Site for Parts {
    fn functions(&self) -> &str {
        &self.hosts[0].url
    }

    fn bucket(&self) -> &str {
        &self.buckets.url
    }

    fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.folder.join("buckets").join(bucket)
    }
}
