//! Whose certificates are trusted where TLS is spoken to others.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Trusts what the web trusts, and the certificates of `ca_file`.
///
/// # Errors
/// The file cannot be read, or has no certificate in PEM.
pub fn client_config(ca_file: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = ca_file {
        let reading = || format!("while reading the certificates in {}", file.display());
        let certificates = CertificateDer::pem_file_iter(file).with_context(reading)?;
        let before = roots.len();
        for certificate in certificates {
            roots.add(certificate.with_context(reading)?).with_context(reading)?;
        }
        anyhow::ensure!(roots.len() > before, "{} has no certificate in PEM", file.display());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("while setting up TLS")?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
