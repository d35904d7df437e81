//! Where publishers connect, as `up` and `gateway` are told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use gateway::{Certificates, Entrance, Network};

use crate::listen::listen;
use crate::settings_file::SettingsFile;

/// TLS and proxies in front of RTMP.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct EntranceArgs {
    /// Where to take RTMP in TLS (rtmps://), beside the addresses of --rtmp. Several are separated by commas, or each has
    /// the option again.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', requires = "tls_cert")]
    pub(crate) rtmps: Vec<SocketAddr>,
    /// A file in PEM with the certificate that is shown there, and those that lead from it to an authority. When the two
    /// files change they are read anew; pushes go on.
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "rtmps"])]
    tls_cert: Option<PathBuf>,
    /// A file in PEM with the certificate's key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy that is trusted, as an address or a network such as 10.0.0.0/8. Each of its connections has to begin with a
    /// header of the PROXY protocol, version 2, and counts as one of whom that names; nobody else may send one. Several
    /// are separated by commas, or each has the option again.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    proxy_from: Vec<Network>,
}

/// Listeners for publishers, and the URL of each.
pub(crate) struct Entrances {
    pub(crate) listeners: Vec<Entrance>,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) urls: Vec<String>,
}

impl EntranceArgs {
    /// All addresses that publishers connect to, where those of RTMP are given.
    pub(crate) fn addresses(&self, rtmp: &[SocketAddr]) -> Vec<SocketAddr> {
        rtmp.iter().chain(&self.rtmps).copied().collect()
    }

    /// Listens on all of them.
    ///
    /// # Errors
    ///
    /// When an address is taken, or the certificate or its key cannot be used.
    pub(crate) async fn open(&self, rtmp: &[SocketAddr]) -> Result<Entrances> {
        let certificates = self.certificates()?;
        let mut entrances = Entrances { listeners: Vec::new(), addresses: Vec::new(), urls: Vec::new() };
        for address in rtmp {
            let listener = listen(*address, "--rtmp").await?;
            entrances.add("rtmp", listener.local_addr()?, Entrance::rtmp(listener));
        }
        for address in &self.rtmps {
            let Some(certificates) = &certificates else { bail!("--rtmps needs --tls-cert and --tls-key") };
            let listener = listen(*address, "--rtmps").await?;
            let address = listener.local_addr()?;
            entrances.add("rtmps", address, Entrance::rtmps(listener, Arc::clone(certificates)));
        }
        Ok(entrances)
    }

    /// The proxies that are trusted.
    ///
    /// # Errors
    ///
    /// What the file has is neither an address nor a network.
    pub(crate) fn proxy_from(&self, file: &SettingsFile) -> Result<Vec<Network>> {
        let networks = file.proxy_from.iter().map(|network| network.parse());
        let in_file: Result<Vec<_>> = networks.collect();
        let in_file = in_file.context("proxy_from in the file of --settings cannot be used")?;
        Ok(self.proxy_from.iter().copied().chain(in_file).collect())
    }

    fn certificates(&self) -> Result<Option<Arc<Certificates>>> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Certificates::load(certificate, key).context("--tls-cert and --tls-key").map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Entrances {
    fn add(&mut self, scheme: &str, address: SocketAddr, entrance: Entrance) {
        self.urls.push(format!("{scheme}={scheme}://{address}"));
        self.addresses.push(address);
        self.listeners.push(entrance);
    }
}
