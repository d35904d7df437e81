//! Functions alone, as a user runs one of several hosts: `live-recorder functions`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::Result;

use crate::process::{COMPONENT_CACHE, binary_of, start_in, terminate};
use crate::redis::Redis;
use crate::root;

/// A running host of the functions. Dropping it kills it.
pub struct Functions {
    child: Child,
    /// Base URL of the functions.
    pub url: String,
    /// Base URL of the operator's address; empty for an earlier version.
    pub admin: String,
    plan: Plan,
}

/// With what a host is started.
#[derive(Clone)]
struct Plan {
    data: PathBuf,
    environment: Vec<(String, String)>,
    runtime_config: Option<PathBuf>,
}

impl Plan {
    fn new(data: &Path, redis: Option<&Redis>, bucket: &str, variables: &[(&str, &str)]) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let work = format!("{bucket}/work");
        let local = [
            ("ACCESS_KEYS", "testid:testsecret"),
            ("BUCKET_ACCESS_KEY_ID", "testid"),
            ("BUCKET_ACCESS_KEY_SECRET", "testsecret"),
            ("BUCKET_HOSTS", bucket),
            ("WORK_BUCKET", &work),
        ];
        let variables = local.iter().chain(variables);
        let environment =
            variables.map(|(name, value)| (format!("SPIN_VARIABLE_{name}"), (*value).to_owned())).collect();
        let runtime_config = redis.map(|redis| {
            let config = data.join("runtime-config.toml");
            std::fs::write(&config, redis.runtime_config()).map(|()| config)
        });
        Ok(Self { data: data.into(), environment, runtime_config: runtime_config.transpose()? })
    }
}

impl Functions {
    /// Starts a host on a free port, with its state below `data` and its store in Redis. Its object store is the bucket
    /// server at `bucket`, with the access key that `up` has; `variables` are the application's besides.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start(data: &Path, redis: &Redis, bucket: &str, variables: &[(&str, &str)]) -> Result<Self> {
        Self::start_of(&root(), data, redis, bucket, variables)
    }

    /// As [`start`](Self::start), with what an earlier checkout built.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_of(
        checkout: &Path,
        data: &Path,
        redis: &Redis,
        bucket: &str,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        Self::start_at(checkout, "127.0.0.1:0", Plan::new(data, Some(redis), bucket, variables)?)
    }

    /// As [`start`](Self::start), with a store of its own.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_alone(data: &Path, bucket: &str, variables: &[(&str, &str)]) -> Result<Self> {
        Self::start_at(&root(), "127.0.0.1:0", Plan::new(data, None, bucket, variables)?)
    }

    fn start_at(checkout: &Path, listen: &str, plan: Plan) -> Result<Self> {
        let mut functions = Command::new(binary_of(checkout));
        functions.envs(plan.environment.iter().map(|(name, value)| (name, value)));
        functions.args(["functions", "--listen", listen, "--data"]).arg(&plan.data);
        // An earlier version may have no such address.
        let has_admin = checkout == root();
        if has_admin {
            functions.args(["--admin", "127.0.0.1:0"]);
        }
        if let Some(config) = &plan.runtime_config {
            functions.arg("--runtime-config").arg(config);
        }
        functions.args([COMPONENT_CACHE, "target/native/components"]);
        let (child, ready) = start_in(checkout, functions)?;
        let admin = if has_admin { ready.part("admin")? } else { String::new() };
        Ok(Self { child, url: ready.part("functions")?, admin, plan })
    }

    /// Starts a host that was killed again, on its state and address.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_again(&mut self) -> Result<()> {
        let listen = self.url.trim_start_matches("http://").to_owned();
        *self = Self::start_at(&root(), &listen, self.plan.clone())?;
        Ok(())
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// When the exit status is not 0.
    pub fn stop(&mut self) -> Result<()> {
        terminate(&mut self.child)
    }

    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it with SIGKILL.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
