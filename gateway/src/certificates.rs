//! The certificate that publishers are shown, read anew when its files change.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::Ordering},
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use rustls::{
    InconsistentKeys, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use crate::{clock::LogLimit, operation::Metrics};

/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A certificate with its chain and its key, in two files in PEM.
///
/// Connections that are open go on with the certificate that they were shown.
#[derive(Debug)]
pub struct Certificates {
    certificate_file: PathBuf,
    key_file: PathBuf,
    now: RwLock<Arc<CertifiedKey>>,
    /// The files as they were when the certificate of now was read.
    read: Mutex<Stamp>,
}

/// Tells two states of the files apart.
type Stamp = [Option<(SystemTime, u64, u64)>; 2];

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// One cannot be read, holds no certificate or no key, or the key is not the certificate's.
    pub fn load(certificate_file: &Path, key_file: &Path) -> anyhow::Result<Arc<Self>> {
        let read = stamp(certificate_file, key_file);
        let now = read_key(certificate_file, key_file)?;
        Ok(Arc::new(Self {
            certificate_file: certificate_file.to_owned(),
            key_file: key_file.to_owned(),
            now: RwLock::new(Arc::new(now)),
            read: read.into(),
        }))
    }

    /// What shakes hands with publishers.
    pub(crate) fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("while setting up TLS")?;
        let config = config.with_no_client_auth().with_cert_resolver(Arc::new(Shown(Arc::clone(self))));
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reads the files anew when they change, for ever. Where that fails, what was read before holds on, and they are
    /// read again.
    pub(crate) async fn follow(self: Arc<Self>, metrics: Arc<Metrics>) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut log_limit = LogLimit::default();
        loop {
            looks.tick().await;
            let certificates = Arc::clone(&self);
            let read = tokio::task::spawn_blocking(move || certificates.read_if_changed()).await;
            let read = read.map_err(anyhow::Error::from).flatten();
            metrics.is_certificate_failing.store(read.is_err(), Ordering::Relaxed);
            match read {
                Ok(false) => {}
                Ok(true) => {
                    metrics.certificates_read.add_one();
                    tracing::info!("{} is read anew", self.certificate_file.display());
                }
                Err(error) => {
                    metrics.certificates_failed.add_one();
                    if log_limit.permits() {
                        tracing::error!("the certificate of before is shown on: {error:#}");
                    }
                }
            }
        }
    }

    fn read_if_changed(&self) -> anyhow::Result<bool> {
        let found = stamp(&self.certificate_file, &self.key_file);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == found {
            return Ok(false);
        }
        let now = Arc::new(read_key(&self.certificate_file, &self.key_file)?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = now;
        *read = found;
        Ok(true)
    }
}

/// Shows publishers the certificate of now.
#[derive(Debug)]
struct Shown(Arc<Certificates>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn stamp(certificate_file: &Path, key_file: &Path) -> Stamp {
    [certificate_file, key_file].map(|file| {
        let metadata = fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
    })
}

fn read_key(certificate_file: &Path, key_file: &Path) -> anyhow::Result<CertifiedKey> {
    let reading = |file: &Path| format!("while reading {}", file.display());
    let certificates = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| reading(certificate_file))?;
    ensure!(!certificates.is_empty(), "{} has no certificate in PEM", certificate_file.display());
    let key = PrivateKeyDer::from_pem_file(key_file).with_context(|| reading(key_file))?;
    let key = ring::sign::any_supported_type(&key).with_context(|| reading(key_file))?;
    let read = CertifiedKey::new(certificates, key);
    match read.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(read),
        Err(error) => {
            let files = (certificate_file.display(), key_file.display());
            Err(error).with_context(|| format!("the certificate in {} and the key in {}", files.0, files.1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_read_when_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let pem =
            |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/certificates").join(name);
        let [certificate_file, key_file] =
            ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        let show = |name: &str, key: &[u8], at: SystemTime| {
            fs::copy(pem(&format!("{name}.pem")), &certificate_file).unwrap();
            fs::write(&key_file, key).unwrap();
            for file in [&certificate_file, &key_file] {
                fs::File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
            }
        };
        let now = SystemTime::now();
        show("server", &fs::read(pem("server.key.pem")).unwrap(), now);
        let certificates = Certificates::load(&certificate_file, &key_file).unwrap();
        assert!(!certificates.read_if_changed().unwrap());
        // What the files' times and lengths do not tell may change: who may read them, or a disk that fails.
        let (key, later) = (fs::read(pem("renewed.key.pem")).unwrap(), now + Duration::from_secs(9));
        show("renewed", &vec![b'-'; key.len()], later);
        for _ in 0..2 {
            certificates.read_if_changed().unwrap_err();
        }
        show("renewed", &key, later);
        assert!(certificates.read_if_changed().unwrap());
        assert!(!certificates.read_if_changed().unwrap());
    }
}
