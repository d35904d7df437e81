//! The operator's address, as `up`, `gateway` and `functions` are told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use gateway::Control;
use gateway::admin::{Admin, Backup, LogFilter, Part, Reload, check_exposure};
use host::Host;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::backup::DataBackup;
use crate::listen::listen;
use crate::log::Log;
use crate::parts::Functions;

/// How long an answer that was begun may take at the end.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// Where an operator looks at what runs.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct AdminArgs {
    /// Where the operator is answered over HTTP: /metrics, /healthz and /readyz to everybody, and to who shows the token
    /// what is logged, a copy of all state and, of a gateway, who publishes, kick, drain and reload. Off by default. No variable sets it:
    /// LIVE_RECORDER_ADMIN is for the commands that ask a gateway.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) admin: Option<SocketAddr>,
    /// The operator's token, which an address has to have that others can reach. Other users of the machine may see it in
    /// its list of processes: the variable they cannot.
    #[arg(long, value_name = "TOKEN", env = "LIVE_RECORDER_ADMIN_TOKEN", hide_env_values = true)]
    pub(crate) admin_token: Option<String>,
}

fn of(backup: Option<DataBackup>) -> Option<Arc<dyn Backup>> {
    backup.map(|backup| -> Arc<dyn Backup> { Arc::new(backup) })
}

fn log_filter(log: &Log) -> Option<Arc<dyn LogFilter>> {
    Some(Arc::new(log.clone()))
}

/// The address, while it answers.
pub(crate) struct AdminServer {
    pub(crate) address: SocketAddr,
    task: JoinHandle<Result<()>>,
    stop: CancellationToken,
}

impl AdminArgs {
    /// Answers from now on, also before the gateway is opened.
    ///
    /// # Errors
    ///
    /// When the address is taken.
    pub(crate) async fn start(
        &self,
        control: &Control,
        parts: Vec<Arc<dyn Part>>,
        log: &Log,
        reload: Arc<dyn Reload>,
        backup: Option<DataBackup>,
    ) -> Result<Option<AdminServer>> {
        let (control, reload) = (Some(control.clone()), Some(reload));
        let (log_filter, backup) = (log_filter(log), of(backup));
        self.serve(Admin { control, token: None, parts, log_filter, reload, backup }).await
    }

    /// The same of a host of functions without a gateway.
    ///
    /// # Errors
    ///
    /// When the address is taken, or can be reached by others and there is no token.
    pub(crate) async fn start_alone(
        &self,
        host: &Arc<Host>,
        log: &Log,
        backup: DataBackup,
    ) -> Result<Option<AdminServer>> {
        // A variable that is set to nothing sets none.
        let token = self.admin_token.clone().filter(|token| !token.is_empty());
        if let Some(address) = self.admin {
            check_exposure(address, token.is_some())
                .context("--admin-token or LIVE_RECORDER_ADMIN_TOKEN is missing")?;
        }
        let (parts, log_filter, backup) = (vec![Functions::part(host)], log_filter(log), of(Some(backup)));
        self.serve(Admin { control: None, token, parts, log_filter, reload: None, backup }).await
    }

    async fn serve(&self, admin: Admin) -> Result<Option<AdminServer>> {
        let Some(address) = self.admin else { return Ok(None) };
        let listener = listen(address, "--admin").await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(admin.serve(listener, stop.clone()));
        Ok(Some(AdminServer { address, task, stop }))
    }
}

impl AdminServer {
    /// Ends it, once what was asked is answered, or soon: whoever keeps a connection open keeps the gateway from ending no
    /// longer.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        match timeout(ANSWER_TIME, self.task).await {
            Ok(ended) => ended.context("the operator's address panicked")?,
            Err(_) => Ok(()),
        }
    }
}
