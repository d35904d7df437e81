//! The settings of a gateway: by options, the environment and files. Some may change while it runs.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::gateway::admin::{Reload, Reloaded, check_exposure};
use ::gateway::{Config, Control, Settings};
use anyhow::{Context, Result, ensure};
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::AdminArgs;
use crate::ingest::IngestArgs;
use crate::settings_file::{SecondPublisher, SettingsFile, one};

/// Where the settings of a gateway are read from.
pub(crate) struct Sources {
    pub(crate) ingest: IngestArgs,
    pub(crate) admin: AdminArgs,
    /// The functions' token, where it is given beside the file of settings.
    pub(crate) ingest_token: Option<String>,
    /// Where publishers connect.
    pub(crate) publishers: Vec<SocketAddr>,
}

/// What is settled at the start.
#[derive(PartialEq, Eq)]
struct Fixed {
    default_domain: Option<String>,
    second_publisher: SecondPublisher,
    spool_limit: Option<u64>,
    max_connections: Option<NonZero<usize>>,
    max_connections_per_address: Option<NonZero<usize>>,
}

/// The settings of one gateway, from its start to its end.
pub(crate) struct GatewaySettings {
    sources: Sources,
    fixed: Fixed,
    control: Control,
    /// One after the other: what is read last holds.
    reading: Mutex<()>,
}

impl Sources {
    fn read(&self) -> Result<(Settings, Fixed)> {
        let Self { ingest, admin, ingest_token, publishers } = self;
        let file = ingest.settings.as_deref().map(SettingsFile::read).transpose()?.unwrap_or_default();
        for (name, token) in [("ingest_token", &file.ingest_token), ("admin_token", &file.admin_token)] {
            ensure!(token.as_deref() != Some(""), "{name} in the file of --settings is empty");
        }
        let settings = Settings {
            // A variable that is set to nothing sets none.
            ingest_token: one(
                "ingest_token",
                ingest_token.as_ref().filter(|token| !token.is_empty()),
                &file.ingest_token,
            )?
            .context(
                "there is no ingest token: set --ingest-token, SPIN_VARIABLE_INGEST_TOKEN, or ingest_token in the \
                 file of --settings",
            )?,
            admin_token: one(
                "admin_token",
                admin.admin_token.as_ref().filter(|token| !token.is_empty()),
                &file.admin_token,
            )?,
            push_domains: ingest.push_domains(&file),
            push_from: ingest.push_from(&file)?,
            push_keys: ingest.push_keys(&file, publishers)?,
            proxy_from: ingest.entrances.proxy_from(&file)?,
        };
        if let Some(address) = admin.admin {
            check_exposure(address, settings.admin_token.is_some())
                .context("--admin-token, LIVE_RECORDER_ADMIN_TOKEN or admin_token in the file of --settings is missing")?;
        }
        let fixed = Fixed {
            default_domain: one("default_domain", ingest.default_domain.as_ref(), &file.default_domain)?,
            second_publisher: one(
                "second_publisher",
                ingest.second_publisher.as_ref(),
                &file.second_publisher,
            )?
            .unwrap_or_default(),
            spool_limit: one("spool_limit", ingest.spool_limit.as_ref(), &file.spool_limit()?)?,
            max_connections: one("max_connections", ingest.max_connections.as_ref(), &file.max_connections)?,
            max_connections_per_address: one(
                "max_connections_per_address",
                ingest.max_connections_per_address.as_ref(),
                &file.max_connections_per_address,
            )?,
        };
        Ok((settings, fixed))
    }

    /// Whether any of it can change while the gateway runs.
    fn has_files(&self) -> bool {
        self.ingest.settings.is_some() || self.ingest.push_key_file.is_some()
    }
}

impl Fixed {
    /// The names of those that are not the same.
    fn differing(&self, other: &Self) -> Vec<String> {
        let Self {
            default_domain,
            second_publisher,
            spool_limit,
            max_connections,
            max_connections_per_address,
        } = self;
        let differs = [
            ("default_domain", *default_domain != other.default_domain),
            ("second_publisher", *second_publisher != other.second_publisher),
            ("spool_limit", *spool_limit != other.spool_limit),
            ("max_connections", *max_connections != other.max_connections),
            (
                "max_connections_per_address",
                *max_connections_per_address != other.max_connections_per_address,
            ),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }
}

impl GatewaySettings {
    /// Reads them for a gateway that is about to start.
    ///
    /// # Errors
    ///
    /// What cannot be read or used, or would let anybody push or command from outside unless that is wanted. No error
    /// says anything of a key or token.
    pub(crate) fn read(sources: Sources) -> Result<Arc<Self>> {
        let (settings, fixed) = sources.read()?;
        let control = Control::new(settings)?;
        Ok(Arc::new(Self { sources, fixed, control, reading: Mutex::default() }))
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The gateway that has them.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// What the gateway is told.
    pub(crate) fn config(
        &self,
        functions: Vec<String>,
        ca_file: Option<PathBuf>,
        name: Option<String>,
        data: &Path,
    ) -> Config {
        let Fixed {
            default_domain,
            second_publisher,
            spool_limit,
            max_connections,
            max_connections_per_address,
        } = &self.fixed;
        Config {
            ca_file,
            name,
            spool_limit_bytes: *spool_limit,
            max_connections: max_connections.map(NonZero::get),
            max_connections_per_address: max_connections_per_address.map(NonZero::get),
            default_domain: default_domain.clone(),
            second_publisher: (*second_publisher).into(),
            tick: true,
            ..Config::new(functions, data.join("spool"), self.control.clone())
        }
    }

    /// Has SIGHUP read them anew from now on, where they are read from files; elsewhere it ends the process, as it does
    /// where a terminal is closed.
    pub(crate) fn follow_hangups(self: &Arc<Self>) -> Result<()> {
        if !self.sources.has_files() {
            return Ok(());
        }
        let mut hangups = signal(SignalKind::hangup()).context("while asking for SIGHUP")?;
        let settings = Arc::clone(self);
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                let settings = Arc::clone(&settings);
                // What comes of it is logged.
                let _ = tokio::task::spawn_blocking(move || settings.reload()).await;
            }
        });
        Ok(())
    }

    fn read_anew(&self) -> Result<Reloaded> {
        ensure!(
            self.sources.has_files(),
            "nothing is read from a file: what is set by options and the environment needs a restart"
        );
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let (settings, fixed) = self.sources.read()?;
        let changed = self.control.change(settings)?.into_iter().map(str::to_owned).collect();
        Ok(Reloaded { changed, needs_restart: self.fixed.differing(&fixed) })
    }
}

impl Reload for GatewaySettings {
    fn reload(&self) -> Result<Reloaded> {
        self.read_anew()
            .inspect(|reloaded| tracing::info!("settings are read anew: {reloaded}"))
            .inspect_err(|error| tracing::error!("settings are not changed: {error:#}"))
    }
}

#[cfg(test)]
mod tests;
